//! What the name of a module means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use rustle_module::foreign::Protocol;
use rustle_module::{Catalogue, hex};
use rustle_runtime::world::{ForeignModule, FoundModule, ModuleFinder, ModuleProgram, NoModule};
use sha2::{Digest, Sha256};

use crate::ansible::AnsiblePlaces;
use crate::archive::Packed;
use crate::folders::Folders;
use crate::installed::{Installed, Meant};
use crate::source;

/// The version of Ansible that modules are told of where no Ansible is there.
const ANSIBLE: &str = "2.19.14";

/// Where modules are looked for.
#[derive(Clone, Default)]
pub struct FinderConfig {
    /// The native modules.
    pub native: Catalogue,
    /// The folders of the plan's author.
    pub folders: Folders,
    /// Where Ansible may be.
    pub ansible: AnsiblePlaces,
}

/// Looks for modules, and remembers what it found for the whole run.
pub struct Finder {
    config: FinderConfig,
    /// Looked for at the first name that needs it.
    installed: OnceLock<Installed>,
    found: Mutex<HashMap<Wanted, Result<FoundModule, NoModule>>>,
    programs: Mutex<HashMap<PathBuf, Arc<ModuleProgram>>>,
}

/// A module's name, and the role that it is looked for from.
type Wanted = (String, Option<PathBuf>);

impl Finder {
    /// A finder that has found nothing yet.
    #[must_use]
    pub fn new(config: FinderConfig) -> Self {
        Self {
            config,
            installed: OnceLock::new(),
            found: Mutex::default(),
            programs: Mutex::default(),
        }
    }

    /// The modules of the plan's author, by name, with their files.
    #[must_use]
    pub fn own_modules(&self) -> Vec<(String, PathBuf)> {
        self.config.folders.modules()
    }

    /// The modules of Ansible and its collections, by name, with their files.
    #[must_use]
    pub fn ansible_modules(&self) -> Vec<(String, PathBuf)> {
        self.installed().modules()
    }

    fn look(&self, name: &str, role: Option<&Path>) -> Result<FoundModule, NoModule> {
        if let Some(short) = in_folders(name)
            && let Some(path) = self.config.folders.module(short, role)
        {
            return self.custom(short, path, role);
        }
        if let Some(native) = self.native(name) {
            return Ok(native);
        }
        let refused = |why| NoModule::Refused { why, hint: None };
        match self
            .installed()
            .meaning(name, &|name| self.native(name).is_some())
        {
            Meant::Native(name) => self.native(&name).ok_or_else(|| self.unknown(&name, role)),
            Meant::Python(name, path) => self.python(name, path).map_err(refused),
            Meant::HalfHere(name, action) => Err(half_here(&name, &action)),
            Meant::Refused(why) => Err(refused(why)),
            Meant::Nothing => Err(self.unknown(name, role)),
        }
    }

    fn native(&self, name: &str) -> Option<FoundModule> {
        let module = self.config.native.find(name)?;
        Some(FoundModule::Native(module.spec().name.to_owned()))
    }

    fn installed(&self) -> &Installed {
        let config = &self.config;
        self.installed
            .get_or_init(|| Installed::find(&config.ansible, &config.folders.base_dir))
    }

    fn unknown(&self, name: &str, role: Option<&Path>) -> NoModule {
        NoModule::Unknown {
            name: name.to_owned(),
            looked: self.looked(role),
        }
    }

    /// A Python module that uses what Ansible has for them.
    fn python(&self, name: String, path: PathBuf) -> Result<FoundModule, String> {
        let Some(ansible) = &self.installed().ansible else {
            return Err(format!(
                "module `{name}` (`{}`) needs {}",
                path.display(),
                self.installed().looked().join(", ")
            ));
        };
        let bytes = std::fs::read(&path)
            .map_err(|error| format!("cannot read the module `{}`: {error}", path.display()))?;
        Ok(FoundModule::Foreign(Arc::new(ForeignModule {
            name,
            path,
            protocol: Protocol::JsonOnStdin,
            interpreter: source::python_interpreter(&bytes),
            ansible_version: ansible.version.clone(),
            told: ansible.told.clone().map(Into::into),
        })))
    }

    /// A module of the plan's author.
    fn custom(
        &self,
        name: &str,
        path: PathBuf,
        role: Option<&Path>,
    ) -> Result<FoundModule, NoModule> {
        if let Some(action) = self.config.folders.action(name, role) {
            return Err(half_here(name, &action));
        }
        let refused = |why: String| NoModule::Refused { why, hint: None };
        let bytes = std::fs::read(&path).map_err(|error| {
            refused(format!(
                "cannot read the module `{}`: {error}",
                path.display()
            ))
        })?;
        let source = source::read(&bytes)
            .map_err(|why| refused(format!("module `{name}` (`{}`) {why}", path.display())))?;
        if source.protocol == Protocol::JsonOnStdin {
            return self.python(name.to_owned(), path).map_err(refused);
        }
        Ok(FoundModule::Foreign(Arc::new(ForeignModule {
            name: name.to_owned(),
            path,
            protocol: source.protocol,
            interpreter: source.interpreter,
            ansible_version: ANSIBLE.to_owned(),
            told: None,
        })))
    }

    /// Folders where a module was looked for in vain.
    fn looked(&self, role: Option<&Path>) -> Vec<String> {
        let libraries = self.config.folders.libraries(role).into_iter();
        let there = libraries.filter(|folder| folder.is_dir());
        let there = there.map(|folder| format!("`{}`", folder.display()));
        there.chain(self.installed().looked()).collect()
    }

    /// What is sent to hosts for a module.
    fn bytes(&self, module: &ForeignModule) -> Result<Vec<u8>, String> {
        if module.protocol != Protocol::JsonOnStdin {
            return std::fs::read(&module.path).map_err(|error| {
                format!(
                    "cannot read the module `{}`: {error}",
                    module.path.display()
                )
            });
        }
        let folders = &self.config.folders;
        let mut shared = folders.beside("module_utils", None);
        // A role that is found as the plan runs has its own.
        let beside = module.path.parent().and_then(Path::parent);
        shared.extend(beside.map(|folder| folder.join("module_utils")));
        let packed = Packed {
            installed: self.installed(),
            shared: &shared,
            module: python_name(&module.name),
            path: &module.path,
        };
        packed.pack()
    }
}

/// The name by which a module may lie in a folder of the plan's author: qualified names mean others.
fn in_folders(name: &str) -> Option<&str> {
    let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
    let is_name = !short.is_empty() && !short.contains(['.', '/']);
    is_name.then_some(short)
}

/// How Python calls a module.
fn python_name(name: &str) -> String {
    let short = rustle_module::short_name(name);
    let mut parts = short.splitn(3, '.');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(namespace), Some(collection), Some(module)) => {
            format!("ansible_collections.{namespace}.{collection}.plugins.modules.{module}")
        }
        _ => format!("ansible.modules.{short}"),
    }
}

fn half_here(name: &str, action: &Path) -> NoModule {
    NoModule::Refused {
        why: format!(
            "module `{name}` does part of its work on the controller (`{}`), by a plugin of Ansible's that is not run here",
            action.display()
        ),
        hint: Some("nothing is run in its place".into()),
    }
}

impl ModuleFinder for Finder {
    fn find(&self, name: &str, role: Option<&Path>) -> Result<FoundModule, NoModule> {
        let wanted = (name.to_owned(), role.map(Path::to_owned));
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = found.get(&wanted) {
            return known.clone();
        }
        let answer = self.look(name, role);
        found.insert(wanted, answer.clone());
        answer
    }

    fn program(&self, module: &ForeignModule) -> Result<Arc<ModuleProgram>, String> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = programs.get(&module.path) {
            return Ok(Arc::clone(known));
        }
        let bytes = self.bytes(module)?;
        let program = Arc::new(ModuleProgram {
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: Bytes::from(bytes),
        });
        programs.insert(module.path.clone(), Arc::clone(&program));
        Ok(program)
    }
}
