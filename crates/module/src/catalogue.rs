//! All modules by name.

use std::collections::BTreeMap;

use crate::contract::DynModule;

/// All modules by name.
#[derive(Clone, Default)]
pub struct Catalogue {
    modules: BTreeMap<&'static str, &'static dyn DynModule>,
}

impl Catalogue {
    /// A catalogue of these families; of modules with the same name the first wins.
    #[must_use]
    pub fn new(families: &[&[&'static dyn DynModule]]) -> Self {
        let mut catalogue = Self::default();
        catalogue.add(families);
        catalogue
    }

    /// Adds families; a name that is there already stays what it is.
    pub fn add(&mut self, families: &[&[&'static dyn DynModule]]) {
        for module in families.iter().flat_map(|family| family.iter()) {
            self.modules.entry(module.spec().name).or_insert(*module);
        }
    }

    /// Adds a module under the name of its specification, in place of one that had it.
    pub fn set(&mut self, module: &'static dyn DynModule) {
        self.modules.insert(module.spec().name, module);
    }

    /// The module called `name`, which may be qualified (`ansible.builtin.copy`). A module of a collection is found by its
    /// last word too (`ini_file`), as it was called before there were collections.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static dyn DynModule> {
        let short = short_name(name);
        let known = self.modules.get(short).copied();
        known.or_else(|| {
            let moved = |full: &str| full.rsplit_once('.').is_some_and(|(_, last)| last == short);
            self.modules().find(|module| moved(module.spec().name))
        })
    }

    /// All names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.modules.keys().copied()
    }

    /// All modules, by name.
    pub fn modules(&self) -> impl Iterator<Item = &'static dyn DynModule> {
        self.modules.values().copied()
    }
}

/// `copy` for `ansible.builtin.copy` and `ansible.legacy.copy`; other names stay as they are.
#[must_use]
pub fn short_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}
