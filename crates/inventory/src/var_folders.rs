//! `group_vars/` and `host_vars/`, beside the inventory and beside the playbook.

use std::path::{Path, PathBuf};

use rustle_types::{InventoryGroup, InventoryHost, Object, ParsedInventory};
use serde_json::Value;

use crate::error::{InventoryError, InventoryErrorKind as Kind, Warning};
use crate::file_tree::{FileKind, FileTree};
use crate::tree::describe;
use crate::yaml;

const ENDINGS: [&str; 4] = ["", ".yml", ".yaml", ".json"];

/// Folders inside of folders beyond this are a loop of links.
const DEEPEST: usize = 20;

/// The folders that hold `group_vars/` and `host_vars/`, lowest precedence first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VarFolders {
    /// The folders of the inventory's sources.
    pub inventory: Vec<PathBuf>,
    /// The playbook's folder, which wins over the inventory's.
    pub playbook: Option<PathBuf>,
}

impl VarFolders {
    pub(crate) fn new(playbook: Option<&Path>) -> Self {
        Self {
            inventory: Vec::new(),
            playbook: playbook.map(Path::to_owned),
        }
    }

    pub(crate) fn add_inventory_folder(&mut self, folder: PathBuf) {
        if !self.inventory.contains(&folder) {
            self.inventory.push(folder);
        }
    }

    /// Reads the variables of every host and group of an inventory. For `localhost` that no source names, what
    /// `host_vars/localhost` says is kept too.
    pub(crate) fn fill(
        &self,
        inventory: &mut ParsedInventory,
        files: &dyn FileTree,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), InventoryError> {
        for (name, group) in &mut inventory.groups {
            self.read_group(name, group, files, warnings)?;
        }
        for (name, host) in &mut inventory.hosts {
            self.read_host(name.as_str(), host, files, warnings)?;
        }
        if !inventory
            .hosts
            .keys()
            .any(rustle_types::HostName::is_localhost)
        {
            let mut localhost = crate::inventory::implicit_localhost();
            self.read_host("localhost", &mut localhost, files, warnings)?;
            if !localhost.file_vars.is_empty() {
                inventory.hosts.insert("localhost".into(), localhost);
            }
        }
        Ok(())
    }

    /// Reads the variables of one group, also of one that only a run made.
    ///
    /// # Errors
    /// When a file cannot be read or does not parse.
    pub fn read_group(
        &self,
        name: &str,
        group: &mut InventoryGroup,
        files: &dyn FileTree,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), InventoryError> {
        let mut reader = Reader { files, warnings };
        group.file_vars = reader.merged(&self.inventory, "group_vars", name)?;
        group.playbook_file_vars = reader.merged(self.playbook.as_slice(), "group_vars", name)?;
        Ok(())
    }

    /// Reads the variables of one host, also of one that only a run made.
    ///
    /// # Errors
    /// When a file cannot be read or does not parse.
    pub fn read_host(
        &self,
        name: &str,
        host: &mut InventoryHost,
        files: &dyn FileTree,
        warnings: &mut Vec<Warning>,
    ) -> Result<(), InventoryError> {
        let mut reader = Reader { files, warnings };
        host.file_vars = reader.merged(&self.inventory, "host_vars", name)?;
        host.file_vars
            .extend(reader.merged(self.playbook.as_slice(), "host_vars", name)?);
        Ok(())
    }
}

struct Reader<'f> {
    files: &'f dyn FileTree,
    warnings: &'f mut Vec<Warning>,
}

impl Reader<'_> {
    fn merged(
        &mut self,
        folders: &[PathBuf],
        kind: &str,
        name: &str,
    ) -> Result<Object, InventoryError> {
        let mut vars = Object::new();
        // A name may be a path (a chroot), or come from a program: it never leads out of the folder.
        if name.contains('/') || matches!(name, "" | "." | "..") {
            return Ok(vars);
        }
        for folder in folders {
            for file in self.files_of(&folder.join(kind), name)? {
                vars.extend(self.vars(&file)?);
            }
        }
        Ok(vars)
    }

    /// The files for a name: those of the folder `name`, else the first of `name`, `name.yml`, `name.yaml`, `name.json`.
    fn files_of(&self, folder: &Path, name: &str) -> Result<Vec<PathBuf>, InventoryError> {
        for ending in ENDINGS {
            let path = folder.join(format!("{name}{ending}"));
            match self.kind(&path)? {
                None => {}
                Some(FileKind::File { .. }) => return Ok(vec![path]),
                Some(FileKind::Folder) => {
                    let mut found = Vec::new();
                    self.files_below(&path, 0, &mut found)?;
                    return Ok(found);
                }
            }
        }
        Ok(Vec::new())
    }

    fn files_below(
        &self,
        folder: &Path,
        depth: usize,
        found: &mut Vec<PathBuf>,
    ) -> Result<(), InventoryError> {
        for name in self
            .files
            .names(folder)
            .map_err(|error| unreadable(folder, error))?
        {
            if name.starts_with('.') || name.ends_with('~') {
                continue;
            }
            let path = folder.join(&name);
            let ending = name.rfind('.').map_or("", |at| &name[at..]);
            match self.kind(&path)? {
                Some(FileKind::Folder) if ending.is_empty() && depth < DEEPEST => {
                    self.files_below(&path, depth + 1, found)?;
                }
                Some(FileKind::File { .. }) if ENDINGS.contains(&ending) => found.push(path),
                _ => {}
            }
        }
        Ok(())
    }

    fn kind(&self, path: &Path) -> Result<Option<FileKind>, InventoryError> {
        self.files
            .kind(path)
            .map_err(|error| unreadable(path, error))
    }

    fn vars(&mut self, path: &Path) -> Result<Object, InventoryError> {
        let origin = path.to_string_lossy();
        let bytes = self
            .files
            .read(path)
            .map_err(|error| unreadable(path, error))?;
        if bytes.starts_with(b"$ANSIBLE_VAULT;") {
            return Err(InventoryError::new(&origin, Kind::Vaulted));
        }
        let text =
            std::str::from_utf8(&bytes).map_err(|_| InventoryError::new(&origin, Kind::NotUtf8))?;
        match yaml::parse_noting(text, &origin, self.warnings)? {
            Value::Null => Ok(Object::new()),
            Value::Object(vars) => Ok(vars),
            other => {
                let kind = Kind::Shape {
                    path: "the document".to_owned(),
                    expected: "variables (`name: value` lines)",
                    found: describe(&other),
                };
                Err(InventoryError::at_line(&origin, 1, kind))
            }
        }
    }
}

fn unreadable(path: &Path, error: std::io::Error) -> InventoryError {
    InventoryError::new(&path.to_string_lossy(), Kind::Unreadable(error))
}
