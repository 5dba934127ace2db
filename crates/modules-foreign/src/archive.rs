//! A Python module with all that it imports, as one archive that Python runs.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::imports::{Import, imports};
use crate::installed::Installed;
use crate::routing::Route;

/// What Python runs first.
const BOOTSTRAP: &str = include_str!("bootstrap.py");

/// What every module needs, whatever it imports.
const ALWAYS: &str = "ansible.module_utils.basic";

/// A module to be packed.
pub(crate) struct Packed<'a> {
    /// What Ansible has.
    pub(crate) installed: &'a Installed,
    /// Folders with files of the plan's author that modules share.
    pub(crate) shared: &'a [PathBuf],
    /// The module's name as Python has it: `ansible.modules.x`.
    pub(crate) module: String,
    /// Its file.
    pub(crate) path: &'a Path,
}

/// A Python file that goes into the archive.
struct Found {
    text: Vec<u8>,
    is_package: bool,
}

impl Packed<'_> {
    /// Packs it. The same files give the same bytes.
    ///
    /// # Errors
    /// A text for people, when a file cannot be read, or one that is imported is not there.
    pub(crate) fn pack(&self) -> Result<Vec<u8>, String> {
        let mut files = BTreeMap::new();
        let bootstrap = BOOTSTRAP.replace("@MODULE@", &self.module);
        files.insert("__main__.py".to_owned(), bootstrap.into_bytes());
        let text = read(self.path)?;
        let mut waiting = VecDeque::new();
        let basic: Vec<String> = ALWAYS.split('.').map(str::to_owned).collect();
        self.need(&basic, &mut files, &mut waiting)?
            .then_some(())
            .ok_or_else(|| format!("Ansible has no `{ALWAYS}`"))?;
        self.profiles(&mut files, &mut waiting)?;
        let name: Vec<String> = self.module.split('.').map(str::to_owned).collect();
        self.add(
            &name,
            Found {
                text,
                is_package: false,
            },
            &mut files,
            &mut waiting,
        )?;
        while let Some((name, is_package, import)) = waiting.pop_front() {
            self.follow(&name, is_package, &import, &mut files, &mut waiting)?;
        }
        archive(&files)
    }

    /// Brings in how arguments and results are written, where Ansible has files for that (since 2.19): it imports them by names that
    /// it puts together as it runs.
    fn profiles(&self, files: &mut Files, waiting: &mut Waiting) -> Result<(), String> {
        let Some(ansible) = &self.installed.ansible else {
            return Ok(());
        };
        let folder = ["ansible", "module_utils", "_internal", "_json", "_profiles"];
        let inside: PathBuf = folder[1..].iter().collect();
        let entries = std::fs::read_dir(ansible.package.join(inside));
        let names = entries.into_iter().flatten().flatten();
        let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
        for name in names.filter(|name| name.starts_with("_module_legacy_")) {
            if let Some(name) = name.strip_suffix(".py") {
                let name = with(&folder.map(str::to_owned), name);
                self.need(&name, files, waiting)?;
            }
        }
        Ok(())
    }

    /// Brings in what one import asks for.
    fn follow(
        &self,
        name: &[String],
        is_package: bool,
        import: &Import,
        files: &mut Files,
        waiting: &mut Waiting,
    ) -> Result<(), String> {
        let Some(base) = absolute(name, is_package, import) else {
            return Ok(());
        };
        let mut is_there = !is_shared(&base);
        if is_shared(&base) {
            let depth = shared_depth(&base);
            self.need(&base[..depth], files, waiting)?;
            // What follows the longest name of a file is made by that file as it runs.
            for length in (depth + 1..=base.len()).rev() {
                if self.need(&base[..length], files, waiting)? {
                    is_there = true;
                    break;
                }
            }
        }
        for taken in &import.names {
            let inner = with(&base, taken);
            if is_shared(&inner) && inner.len() > shared_depth(&inner) {
                is_there |= self.need(&inner, files, waiting)?;
            }
        }
        if is_there || import.is_optional {
            return Ok(());
        }
        Err(format!(
            "the module `{}` imports `{}`, which is not on the controller",
            self.module,
            [&base[..], &import.names].concat().join(".")
        ))
    }

    /// Brings in a file, if it is there.
    fn need(
        &self,
        name: &[String],
        files: &mut Files,
        waiting: &mut Waiting,
    ) -> Result<bool, String> {
        if files.contains_key(&as_file(name)) || files.contains_key(&as_package(name)) {
            return Ok(true);
        }
        match self.locate(name)? {
            Some(found) => self.add(name, found, files, waiting).map(|()| true),
            None => Ok(false),
        }
    }

    /// Adds a file with the packages around it, and notes what it imports.
    fn add(
        &self,
        name: &[String],
        found: Found,
        files: &mut Files,
        waiting: &mut Waiting,
    ) -> Result<(), String> {
        let path = if found.is_package {
            as_package(name)
        } else {
            as_file(name)
        };
        let text = String::from_utf8_lossy(&found.text).into_owned();
        files.insert(path, found.text);
        for import in imports(&text) {
            waiting.push_back((name.to_vec(), found.is_package, import));
        }
        for length in 1..name.len() {
            let around = &name[..length];
            if files.contains_key(&as_package(around)) || files.contains_key(&as_file(around)) {
                continue;
            }
            // Packages above those that modules share hold nothing that modules may use.
            let inside = length >= shared_depth(around);
            let found = if inside { self.locate(around)? } else { None };
            let empty = Found {
                text: Vec::new(),
                is_package: true,
            };
            let found = found.filter(|found| found.is_package).unwrap_or(empty);
            self.add(around, found, files, waiting)?;
        }
        Ok(())
    }

    /// Where a file that modules share is.
    fn locate(&self, name: &[String]) -> Result<Option<Found>, String> {
        let depth = shared_depth(name);
        if !is_shared(name) {
            return Ok(None);
        }
        let rest: PathBuf = name[depth..].iter().collect();
        let mut folders = Vec::new();
        if name[0] == "ansible" {
            folders.extend(self.shared.iter().cloned());
            let ansible = self.installed.ansible.iter();
            folders.extend(ansible.map(|ansible| ansible.package.join("module_utils")));
        } else {
            let collection = Path::new(&name[1]).join(&name[2]);
            let Some(collection) = self.installed.collection(&collection) else {
                return Ok(None);
            };
            if let Some(moved) = self.moved(&collection, &name[depth..])? {
                return Ok(Some(moved));
            }
            folders.push(collection.join("plugins/module_utils"));
        }
        for folder in folders {
            let place = folder.join(&rest);
            let package = place.join("__init__.py");
            if package.is_file() {
                return Ok(Some(Found {
                    text: read(&package)?,
                    is_package: true,
                }));
            }
            let file = place.with_extension("py");
            if !rest.as_os_str().is_empty() && file.is_file() {
                return Ok(Some(Found {
                    text: read(&file)?,
                    is_package: false,
                }));
            }
            if place.is_dir() {
                return Ok(Some(Found {
                    text: Vec::new(),
                    is_package: true,
                }));
            }
        }
        Ok(None)
    }

    /// What stands in place of a file that moved to another collection.
    fn moved(&self, collection: &Path, name: &[String]) -> Result<Option<Found>, String> {
        let routing = self
            .installed
            .routing(&collection.join("meta/runtime.yml"))?;
        let Some(Route::Moved(to)) = routing.of("module_utils", &name.join(".")) else {
            return Ok(None);
        };
        let parts: Vec<&str> = to.splitn(3, '.').collect();
        let to = match parts.as_slice() {
            [namespace, collection, file] if *namespace != "ansible_collections" => {
                format!("ansible_collections.{namespace}.{collection}.plugins.module_utils.{file}")
            }
            _ => to,
        };
        let text = format!("import sys\nimport {to} as moved\nsys.modules[__name__] = moved\n");
        Ok(Some(Found {
            text: text.into_bytes(),
            is_package: false,
        }))
    }
}

type Files = BTreeMap<String, Vec<u8>>;
type Waiting = VecDeque<(Vec<String>, bool, Import)>;

fn with(base: &[String], name: &str) -> Vec<String> {
    [base, &[name.to_owned()]].concat()
}

fn as_file(name: &[String]) -> String {
    format!("{}.py", name.join("/"))
}

fn as_package(name: &[String]) -> String {
    format!("{}/__init__.py", name.join("/"))
}

/// How many parts lead to the folder of what modules share.
fn shared_depth(name: &[String]) -> usize {
    if name[0] == "ansible" { 2 } else { 5 }
}

/// Whether a name is of what modules share, or of the folder with that.
fn is_shared(name: &[String]) -> bool {
    let has = |at: usize, part: &str| name.get(at).is_some_and(|found| found == part);
    has(0, "ansible") && has(1, "module_utils")
        || has(0, "ansible_collections") && has(3, "plugins") && has(4, "module_utils")
}

/// The whole name of what an import in the file `name` means; none where it leads out of everything.
fn absolute(name: &[String], is_package: bool, import: &Import) -> Option<Vec<String>> {
    if import.level == 0 {
        return (!import.path.is_empty()).then(|| import.path.clone());
    }
    let up = import.level - usize::from(is_package);
    let kept = name.len().checked_sub(up)?;
    (kept > 0).then(|| [&name[..kept], &import.path].concat())
}

fn archive(files: &Files) -> Result<Vec<u8>, String> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let mut write = || {
        for (path, text) in files {
            writer.start_file(path.as_str(), options)?;
            writer.write_all(text)?;
        }
        Ok::<_, zip::result::ZipError>(())
    };
    let written = write();
    let written = written.and_then(|()| writer.finish());
    written
        .map(Cursor::into_inner)
        .map_err(|error| format!("cannot pack a module: {error}"))
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
}
