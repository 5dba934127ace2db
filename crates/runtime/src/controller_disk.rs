//! The disk and the environment of the controller, as filters and tests of templates see them.

use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use rustle_module::accounts::parse_user;
use rustle_module::{Expand, expand_path};
use rustle_template::{Controller, PathKind};

use crate::lookups::files_like;

/// The real disk; relative paths begin in the plan's folder.
#[derive(Debug)]
pub struct ControllerDisk {
    base_dir: PathBuf,
}

impl ControllerDisk {
    /// The disk as a plan in `base_dir` sees it.
    #[must_use]
    pub fn new(base_dir: PathBuf) -> Self {
        Self { base_dir }
    }

    fn path(&self, path: &str) -> PathBuf {
        self.base_dir.join(path)
    }
}

impl Controller for ControllerDisk {
    fn expand_user(&self, path: &str) -> String {
        expand_path(path, &Homes)
    }

    fn expand_variables(&self, text: &str) -> String {
        expand_path(text, &Variables)
    }

    fn real_path(&self, path: &str) -> String {
        resolved(&self.path(path)).to_string_lossy().into_owned()
    }

    fn kind(&self, path: &str) -> Option<PathKind> {
        let metadata = std::fs::metadata(self.path(path)).ok()?;
        Some(if metadata.is_dir() {
            PathKind::Folder
        } else if metadata.is_file() {
            PathKind::File
        } else {
            PathKind::Other
        })
    }

    fn is_link(&self, path: &str) -> bool {
        self.path(path).is_symlink()
    }

    fn is_mount(&self, path: &str) -> bool {
        let path = self.path(path);
        let Ok(here) = std::fs::symlink_metadata(&path) else {
            return false;
        };
        let above = std::fs::symlink_metadata(path.join(".."));
        !here.is_symlink()
            && above.is_ok_and(|above| above.dev() != here.dev() || above.ino() == here.ino())
    }

    fn is_same_file(&self, one: &str, other: &str) -> Result<bool, String> {
        let id = |path: &str| {
            let metadata = std::fs::metadata(self.path(path));
            metadata
                .map(|metadata| (metadata.dev(), metadata.ino()))
                .map_err(|error| format!("`{path}`: {error}"))
        };
        Ok(id(one)? == id(other)?)
    }

    fn files_like(&self, pattern: &str) -> Vec<String> {
        if pattern.starts_with('/') {
            return files_like(pattern);
        }
        let folder = format!(
            "{}/",
            glob::Pattern::escape(&self.base_dir.to_string_lossy())
        );
        let found = files_like(&format!("{folder}{pattern}")).into_iter();
        let base = format!("{}/", self.base_dir.display());
        found
            .map(|path| {
                path.strip_prefix(&base)
                    .map_or_else(|| path.clone(), str::to_owned)
            })
            .collect()
    }

    fn beginning(&self, path: &str, length: usize) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let read = std::fs::File::open(self.path(path))
            .and_then(|file| file.take(length as u64).read_to_end(&mut bytes));
        read.map(|_| bytes)
            .map_err(|error| format!("cannot read `{path}`: {error}"))
    }
}

/// The path without links as far as it is there, and without `.` and `..`.
fn resolved(path: &Path) -> PathBuf {
    let mut out = PathBuf::from("/");
    for component in path.components() {
        match component {
            Component::ParentDir => {
                out.pop();
            }
            Component::Normal(name) => {
                out.push(name);
                if let Ok(real) = out.canonicalize() {
                    out = real;
                }
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    out
}

/// Knows home folders and no variables.
struct Homes;

impl Expand for Homes {
    fn variable(&self, _: &str) -> Option<String> {
        None
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        let passwd = || std::fs::read_to_string("/etc/passwd").unwrap_or_default();
        match user {
            None => std::env::var("HOME").ok(),
            Some(name) => {
                let passwd = passwd();
                let mut users = passwd.lines().filter_map(parse_user);
                users.find(|user| user.name == name).map(|user| user.home)
            }
        }
    }
}

/// Knows variables and no home folders.
struct Variables;

impl Expand for Variables {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn home(&self, _: Option<&str>) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_seen_as_python_sees_them() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        std::fs::create_dir(base.join("d")).unwrap();
        for name in ["d/a.txt", "d/b.txt", "d/.hidden.txt", "f"] {
            std::fs::write(base.join(name), "$ANSIBLE_VAULT;1.1").unwrap();
        }
        std::os::unix::fs::symlink("d", base.join("link")).unwrap();
        std::os::unix::fs::symlink("none", base.join("broken")).unwrap();
        let disk = ControllerDisk::new(base.clone());
        assert_eq!(disk.kind("d"), Some(PathKind::Folder));
        assert_eq!(disk.kind("link"), Some(PathKind::Folder));
        assert_eq!(disk.kind("broken"), None);
        assert!(
            disk.is_link("broken")
                && !disk.is_link("d")
                && !disk.is_mount("d")
                && disk.is_mount("/")
        );
        assert_eq!(disk.is_same_file("link/a.txt", "d/a.txt"), Ok(true));
        assert!(disk.is_same_file("d", "none").is_err());
        let mut files = disk.files_like("d/*.txt");
        files.sort();
        assert_eq!(files, ["d/a.txt", "d/b.txt"]);
        assert_eq!(disk.files_like("*/a.*"), ["d/a.txt", "link/a.txt"]);
        assert_eq!(
            disk.real_path("link/../f"),
            base.join("f").display().to_string()
        );
        assert_eq!(
            disk.real_path("link/none/x"),
            base.join("d/none/x").display().to_string()
        );
        assert_eq!(disk.beginning("f", 4), Ok(b"$ANS".to_vec()));
        assert_eq!(disk.expand_user("~nobodyhere/x"), "~nobodyhere/x");
        assert_eq!(disk.expand_user("~root/$X"), "/root/$X");
    }
}
