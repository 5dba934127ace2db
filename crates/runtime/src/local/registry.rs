//! The modules that a process holds.

use rustle_module::{Catalogue, DynModule};

/// The modules that a process holds: families that come with the program, and modules of one's own.
#[derive(Clone, Default)]
pub struct ModuleRegistry {
    modules: Catalogue,
}

impl ModuleRegistry {
    /// A registry without modules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds families of modules; a name that is there already stays what it is.
    pub fn register_builtin_modules(&mut self, families: &[&[&'static dyn DynModule]]) {
        self.modules.add(families);
    }

    /// Adds a module under the name of its specification, in place of one that had it.
    pub fn register_module(&mut self, module: &'static dyn DynModule) {
        self.modules.set(module);
    }

    /// The module called `name`, which may be qualified (`ansible.builtin.copy`).
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&'static dyn DynModule> {
        self.modules.find(name)
    }

    /// All modules by name.
    #[must_use]
    pub const fn catalogue(&self) -> &Catalogue {
        &self.modules
    }
}
