//! What the name of a module means.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use rustle_module::{Catalogue, hex};
use rustle_runtime::world::{ForeignModule, FoundModule, ModuleFinder, ModuleProgram, NoModule};
use sha2::{Digest, Sha256};

use crate::folders::Folders;
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
}

/// Looks for modules, and remembers what it found for the whole run.
pub struct Finder {
    config: FinderConfig,
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
            found: Mutex::default(),
            programs: Mutex::default(),
        }
    }

    fn look(&self, name: &str, role: Option<&Path>) -> Result<FoundModule, NoModule> {
        if let Some(short) = in_folders(name)
            && let Some(path) = self.config.folders.module(short, role)
        {
            return self.custom(short, path, role);
        }
        if self.config.native.find(name).is_some() {
            return Ok(FoundModule::Native);
        }
        Err(NoModule::Unknown {
            name: name.to_owned(),
            looked: self.looked(role),
        })
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
        there
            .map(|folder| format!("`{}`", folder.display()))
            .collect()
    }
}

/// The name by which a module may lie in a folder of the plan's author: qualified names mean others.
fn in_folders(name: &str) -> Option<&str> {
    let short = name.strip_prefix("ansible.legacy.").unwrap_or(name);
    let is_name = !short.is_empty() && !short.contains(['.', '/']);
    is_name.then_some(short)
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
        let bytes = std::fs::read(&module.path).map_err(|error| {
            format!(
                "cannot read the module `{}`: {error}",
                module.path.display()
            )
        })?;
        let program = Arc::new(ModuleProgram {
            sha256: hex(&Sha256::digest(&bytes)),
            bytes: Bytes::from(bytes),
        });
        programs.insert(module.path.clone(), Arc::clone(&program));
        Ok(program)
    }
}
