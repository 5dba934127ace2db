//! Reads inventories from their sources.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use rustle_types::{HostName, Object, ParsedInventory};
use serde_json::Value;

use crate::draft::Draft;
use crate::error::{InventoryError, InventoryErrorKind as Kind, Warning};
use crate::file_tree::{FileKind, FileTree};
use crate::json::{self, HostFacts};
use crate::program;
use crate::source::InventorySource;
use crate::tree::{self, Misfit, describe};
use crate::var_folders::VarFolders;
use crate::{address, ini, yaml};

/// Endings of files that a folder may hold without their being inventories.
const IGNORED_ENDINGS: [&str; 12] = [
    ".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry",
];

/// Folders inside of folders beyond this are a loop of links.
const DEEPEST_FOLDER: usize = 20;

/// An inventory as it was loaded.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Loaded {
    /// The hosts and groups, variables of `group_vars/` and `host_vars/` included.
    pub inventory: ParsedInventory,
    /// Facts that a JSON inventory brought along. They are the hosts' words, not the user's.
    pub host_facts: IndexMap<HostName, Object>,
    /// Where variables of hosts and groups are that come later.
    pub var_folders: VarFolders,
    /// What is odd but did not stop the loading.
    pub warnings: Vec<Warning>,
}

/// Loads sources in order; where two say something of one host or group, the later wins. `playbook_dir` is where a
/// second `group_vars/` and `host_vars/` may be.
///
/// # Errors
/// When any source, or any file of variables for a host or group of it, cannot be read or does not parse.
pub fn load(
    sources: &[InventorySource],
    playbook_dir: Option<&Path>,
    files: &dyn FileTree,
) -> Result<Loaded, InventoryError> {
    let mut loader = Loader {
        files,
        draft: Draft::new(),
        facts: HostFacts::new(),
        folders: VarFolders::new(playbook_dir),
    };
    for source in sources {
        loader.source(source)?;
    }
    let (mut inventory, mut warnings) = loader.draft.finish();
    loader.folders.fill(&mut inventory, files, &mut warnings)?;
    Ok(Loaded {
        inventory,
        host_facts: loader.facts,
        var_folders: loader.folders,
        warnings,
    })
}

/// Loads the inventory that a plan carries, in any of the JSON shapes.
///
/// # Errors
/// When it has none of the shapes.
pub fn from_value(value: &Value, origin: &str) -> Result<Loaded, InventoryError> {
    let source = InventorySource::Value {
        value: value.clone(),
        origin: origin.to_owned(),
    };
    load(&[source], None, &crate::file_tree::Disk)
}

/// An inventory of names only, for a run without one: this machine is reached locally, the others by ssh.
#[must_use]
pub fn from_names(names: &[HostName]) -> ParsedInventory {
    let mut draft = Draft::new();
    add_names(&mut draft, names);
    draft.finish().0
}

fn add_names(draft: &mut Draft, names: &[HostName]) {
    draft.begin_unplaced_source();
    for name in names {
        // An empty name names nothing.
        let is_new = draft
            .add_host(name.as_str(), "ungrouped", None)
            .unwrap_or(false);
        if is_new && name.is_localhost() {
            draft.set_host_var(name.as_str(), "ansible_connection", "local".into());
        }
    }
}

struct Loader<'f> {
    files: &'f dyn FileTree,
    draft: Draft,
    facts: HostFacts,
    folders: VarFolders,
}

impl Loader<'_> {
    fn source(&mut self, source: &InventorySource) -> Result<(), InventoryError> {
        match source {
            InventorySource::Typed(text) => self.typed(text),
            InventorySource::Names(names) => {
                add_names(&mut self.draft, names);
                Ok(())
            }
            InventorySource::Value { value, origin } => {
                self.draft.begin_unplaced_source();
                json::read(value, &mut self.draft, &mut self.facts)
                    .map_err(|misfit| InventoryError::new(origin, misfit.kind))
            }
            InventorySource::Path(path) => self.path(path),
        }
    }

    fn typed(&mut self, text: &str) -> Result<(), InventoryError> {
        self.draft.begin_source(text, None);
        for word in text
            .split(',')
            .map(str::trim)
            .filter(|word| !word.is_empty())
        {
            // Ranges are not expanded here, and what is no address is a name as it is.
            let (host, port) = address::parse(word)
                .filter(|(host, _)| !host.contains('['))
                .unwrap_or((word, None));
            self.draft
                .add_host(host, "ungrouped", port)
                .map_err(|kind| InventoryError::new(text, kind))?;
        }
        Ok(())
    }

    fn path(&mut self, path: &Path) -> Result<(), InventoryError> {
        let path = absolute(path);
        match self.kind(&path)? {
            FileKind::Folder => {
                self.folders.add_inventory_folder(path.clone());
                let is_empty = !self.folder(&path, 0)?;
                if is_empty {
                    self.draft.begin_source(&path.to_string_lossy(), None);
                    self.draft.warn("the folder holds no inventory");
                }
                Ok(())
            }
            FileKind::File { executable } => {
                if let Some(folder) = path.parent() {
                    self.folders.add_inventory_folder(folder.to_owned());
                }
                self.file(&path, executable)
            }
        }
    }

    fn kind(&self, path: &Path) -> Result<FileKind, InventoryError> {
        let missing = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let kind = self
            .files
            .kind(path)
            .and_then(|kind| kind.ok_or_else(missing));
        kind.map_err(|error| unreadable(path, error))
    }

    /// Reads the files of a folder; whether there were any.
    fn folder(&mut self, folder: &Path, depth: usize) -> Result<bool, InventoryError> {
        let names = self
            .files
            .names(folder)
            .map_err(|error| unreadable(folder, error))?;
        let mut has_any = false;
        for name in names.iter().filter(|name| !is_ignored(name)) {
            let path = folder.join(name);
            match self.kind(&path)? {
                FileKind::Folder if depth < DEEPEST_FOLDER => {
                    has_any |= self.folder(&path, depth + 1)?
                }
                FileKind::Folder => {}
                FileKind::File { executable } => {
                    self.file(&path, executable)?;
                    has_any = true;
                }
            }
        }
        Ok(has_any)
    }

    fn file(&mut self, path: &Path, executable: bool) -> Result<(), InventoryError> {
        let origin = path.to_string_lossy();
        let bytes = self
            .files
            .read(path)
            .map_err(|error| unreadable(path, error))?;
        let folder = path.parent().map(Path::to_string_lossy);
        self.draft.begin_source(&origin, folder.as_deref());
        if executable && (bytes.starts_with(b"#!") || bytes.contains(&0)) {
            return self.program(path, &origin);
        }
        if bytes.starts_with(b"$ANSIBLE_VAULT;") {
            return Err(InventoryError::new(&origin, Kind::Vaulted));
        }
        match format_of(path, &bytes, &origin)? {
            Format::Ini => ini::read(&bytes, &origin, &mut self.draft),
            Format::Document { value, text } => self.document(&value, text, &origin),
        }
    }

    /// Runs an executable inventory with `--list`, and where it does not tell of its hosts there, with `--host` for each.
    fn program(&mut self, path: &Path, origin: &str) -> Result<(), InventoryError> {
        let wrong = |kind| InventoryError::new(origin, kind);
        let listed = program::list(path).map_err(wrong)?;
        self.hear(&listed.said);
        let hosts = json::read_listed(&listed.object, &mut self.draft)
            .map_err(|misfit| wrong(misfit.kind))?;
        if !listed.object.contains_key("_meta") {
            for (host, told) in hosts
                .iter()
                .zip(program::variables(path, &hosts).map_err(wrong)?)
            {
                self.hear(&told.said);
                for (key, value) in told.object {
                    self.draft.set_host_var(host.as_str(), &key, value);
                }
            }
        }
        Ok(())
    }

    /// Passes on what a program said to people.
    fn hear(&mut self, said: &str) {
        if !said.is_empty() {
            self.draft.warn(format!("the program says: {said}"));
        }
    }

    fn document(&mut self, value: &Value, text: &str, origin: &str) -> Result<(), InventoryError> {
        if value.is_null() {
            self.draft.warn("the file is empty");
            return Ok(());
        }
        let read = match value {
            // The JSON shapes hold lists where YAML inventories must not.
            Value::Object(groups) if !text.trim_start().starts_with('{') => {
                tree::read(groups, &mut self.draft)
            }
            _ => json::read(value, &mut self.draft, &mut self.facts),
        };
        read.map_err(|Misfit { path, kind }| InventoryError {
            line: yaml::line_of(text, &path),
            ..InventoryError::new(origin, kind)
        })
    }
}

enum Format<'t> {
    Ini,
    Document { value: Value, text: &'t str },
}

/// Tells by its ending, and without one by its content, what a file is.
fn format_of<'t>(path: &Path, bytes: &'t [u8], origin: &str) -> Result<Format<'t>, InventoryError> {
    let extension = path
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    let text = match (extension, std::str::from_utf8(bytes)) {
        ("" | "yml" | "yaml" | "json", Ok(text)) => text,
        ("yml" | "yaml" | "json", Err(_)) => {
            return Err(InventoryError::new(origin, Kind::NotUtf8));
        }
        _ => return Ok(Format::Ini),
    };
    let value = match yaml::parse(text, origin) {
        Ok(value @ (Value::Object(_) | Value::Null)) => value,
        Ok(_) | Err(_) if extension.is_empty() && !looks_like_yaml(text) => return Ok(Format::Ini),
        Ok(other) => {
            let kind = Kind::Shape {
                path: "the document".to_owned(),
                expected: "groups (`name:` lines)",
                found: describe(&other),
            };
            return Err(InventoryError::at_line(origin, 1, kind));
        }
        Err(error) => return Err(error.into()),
    };
    Ok(Format::Document { value, text })
}

/// Whether a file without an ending that is no good YAML was meant to be some.
fn looks_like_yaml(text: &str) -> bool {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.is_empty() && !line.starts_with(['#', ';']));
    lines.next().is_some_and(|first| {
        first == "---"
            || first.starts_with(['{', '%'])
            || (first.ends_with(':') && !first.starts_with('['))
    })
}

fn is_ignored(name: &str) -> bool {
    name.starts_with('.')
        || matches!(name, "host_vars" | "group_vars" | "vars_plugins")
        || IGNORED_ENDINGS.iter().any(|ending| name.ends_with(ending))
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn unreadable(path: &Path, error: std::io::Error) -> InventoryError {
    InventoryError::new(&path.to_string_lossy(), Kind::Unreadable(error))
}
