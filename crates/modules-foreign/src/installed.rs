//! What Ansible and its collections have on the controller: modules, routes, and files that modules share.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::ansible::{Ansible, AnsiblePlaces};
use crate::routing::{Route, Routing};

/// How often a name may lead to another.
const HOPS: usize = 10;

/// What Ansible has on the controller.
#[derive(Debug)]
pub(crate) struct Installed {
    /// Ansible itself, where it is there.
    pub(crate) ansible: Option<Ansible>,
    sites: Vec<PathBuf>,
    collections: Vec<PathBuf>,
    routings: Mutex<HashMap<PathBuf, Arc<Routing>>>,
}

/// What a name means to Ansible.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meant {
    /// A Python module: its whole name, and its file.
    Python(String, PathBuf),
    /// A module that is native here, under this name.
    Native(String),
    /// It does part of its work on the controller, in this file.
    HalfHere(String, PathBuf),
    /// It cannot be run, for this reason.
    Refused(String),
    /// Nothing.
    Nothing,
}

/// A module's name, in its parts.
enum Name<'a> {
    Builtin(&'a str),
    /// The collection's folder below `ansible_collections`, and the module.
    Of(PathBuf, &'a str),
}

/// Where a module lies, and what is said of it.
struct Home<'a> {
    short: &'a str,
    module: PathBuf,
    /// Where its half on the controller would be.
    action: PathBuf,
    routing: PathBuf,
    full: String,
}

impl<'a> Name<'a> {
    fn read(name: &'a str) -> Option<Self> {
        let short = rustle_module::short_name(name);
        if !short.contains('.') {
            return Some(Self::Builtin(short));
        }
        let mut parts = short.splitn(3, '.');
        let (namespace, collection) = (parts.next()?, parts.next()?);
        let module = parts.next()?;
        let is_plain = |part: &str| !part.is_empty() && !part.contains('/');
        let all = is_plain(namespace) && is_plain(collection) && is_plain(module);
        all.then(|| Self::Of(Path::new(namespace).join(collection), module))
    }
}

impl Installed {
    /// Looks where Ansible is.
    pub(crate) fn find(places: &AnsiblePlaces, base_dir: &Path) -> Self {
        let sites = places.sites();
        Self {
            ansible: Ansible::in_sites(&sites),
            collections: places.collections(base_dir, &sites),
            sites,
            routings: Mutex::default(),
        }
    }

    /// What a name means. Names lead to others; `is_native` tells which of them need no Ansible.
    pub(crate) fn meaning(&self, name: &str, is_native: &dyn Fn(&str) -> bool) -> Meant {
        let mut name = name.to_owned();
        for _ in 0..HOPS {
            if is_native(&name) {
                return Meant::Native(name);
            }
            match self.step(&name) {
                Ok(meant) => return meant,
                Err(next) => name = next,
            }
        }
        Meant::Refused(format!("module `{name}` is redirected in a circle"))
    }

    /// What a name means, or the name that it leads to.
    fn step(&self, name: &str) -> Result<Meant, String> {
        let Some(home) = self.home(name) else {
            return Ok(Meant::Nothing);
        };
        let Home {
            short,
            module,
            action,
            routing,
            full,
        } = home;
        let is_builtin = full.starts_with("ansible.builtin.");
        // Ansible's own routes are many, and none of them is about a module that is there.
        let route = if is_builtin && module.is_file() {
            None
        } else {
            match self.routing(&routing) {
                Ok(routing) => routing.of("modules", short),
                Err(why) => return Ok(Meant::Refused(why)),
            }
        };
        match route {
            Some(Route::Moved(to)) => return Err(to),
            Some(Route::Gone(why)) => {
                return Ok(Meant::Refused(format!(
                    "module `{name}` is gone from its collection: {why}"
                )));
            }
            None => {}
        }
        let acts = || self.routing(&routing).ok()?.of("action", short);
        Ok(if action.is_file() {
            Meant::HalfHere(full, action)
        } else if !is_builtin && matches!(acts(), Some(Route::Moved(_))) {
            Meant::HalfHere(full, routing)
        } else if module.is_file() {
            Meant::Python(full, module)
        } else if module.with_extension("ps1").is_file() {
            Meant::Refused(format!("module `{name}` is written for Windows"))
        } else {
            Meant::Nothing
        })
    }

    /// Where a module of this name lies; none where what would have it is not there.
    fn home<'n>(&self, name: &'n str) -> Option<Home<'n>> {
        match Name::read(name)? {
            Name::Builtin(short) => {
                let package = &self.ansible.as_ref()?.package;
                let file = format!("{short}.py");
                Some(Home {
                    short,
                    module: package.join("modules").join(&file),
                    action: package.join("plugins/action").join(file),
                    routing: package.join("config/ansible_builtin_runtime.yml"),
                    full: format!("ansible.builtin.{short}"),
                })
            }
            Name::Of(folder, short) => {
                let base = self.collection(&folder)?;
                let file = short.replace('.', "/") + ".py";
                Some(Home {
                    short,
                    module: base.join("plugins/modules").join(&file),
                    action: base.join("plugins/action").join(file),
                    routing: base.join("meta/runtime.yml"),
                    full: name.to_owned(),
                })
            }
        }
    }

    /// The folder of a collection.
    pub(crate) fn collection(&self, name: &Path) -> Option<PathBuf> {
        let places = self.collections.iter();
        let mut folders = places.map(|place| place.join("ansible_collections").join(name));
        folders.find(|folder| folder.is_dir())
    }

    /// The routes of a file, read once.
    pub(crate) fn routing(&self, path: &Path) -> Result<Arc<Routing>, String> {
        let mut routings = self.routings.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = routings.get(path) {
            return Ok(Arc::clone(known));
        }
        let routing = Arc::new(Routing::read(path)?);
        routings.insert(path.to_owned(), Arc::clone(&routing));
        Ok(routing)
    }

    /// Where was looked for Ansible and collections, for messages.
    pub(crate) fn looked(&self) -> Vec<String> {
        let shown = |paths: &[PathBuf]| -> Vec<String> {
            let there = paths.iter().filter(|path| path.is_dir());
            there.map(|path| format!("`{}`", path.display())).collect()
        };
        match &self.ansible {
            Some(ansible) => {
                let mut looked = vec![format!(
                    "Ansible {} (`{}`)",
                    ansible.version,
                    ansible.package.display()
                )];
                let collections = shown(&self.collections);
                let named = collections
                    .into_iter()
                    .filter(|folder| !looked[0].contains(folder.trim_matches('`')));
                let named: Vec<String> = named.collect();
                looked.extend(named);
                looked
            }
            None => {
                let sites = shown(&self.sites);
                let sites = if sites.is_empty() {
                    String::new()
                } else {
                    format!(" in {}", sites.join(", "))
                };
                vec![format!(
                    "Ansible, which is not here{sites}: `--ansible-path` names its place"
                )]
            }
        }
    }

    /// Every module there is, by its whole name.
    pub(crate) fn modules(&self) -> Vec<(String, PathBuf)> {
        let mut found = Vec::new();
        let mut add = |folder: &Path, prefix: &str| {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let name = path
                    .file_stem()
                    .map(|name| name.to_string_lossy().into_owned());
                let is_module = path.extension().is_some_and(|ending| ending == "py");
                if let Some(name) = name.filter(|name| is_module && name != "__init__") {
                    found.push((format!("{prefix}.{name}"), path));
                }
            }
        };
        if let Some(ansible) = &self.ansible {
            add(&ansible.package.join("modules"), "ansible.builtin");
        }
        for place in &self.collections {
            let folders = |path: &Path| std::fs::read_dir(path).into_iter().flatten().flatten();
            for namespace in folders(&place.join("ansible_collections")) {
                for collection in folders(&namespace.path()) {
                    let name = |entry: &std::fs::DirEntry| {
                        entry.file_name().to_string_lossy().into_owned()
                    };
                    let prefix = format!("{}.{}", name(&namespace), name(&collection));
                    add(&collection.path().join("plugins/modules"), &prefix);
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        found.retain(|(name, _)| seen.insert(name.clone()));
        found
    }
}
