//! What is to be packed: the paths of a task, with their patterns resolved, and everything below them.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustle_module::Failure;

use crate::fnmatch;
use crate::os_error::describe;

/// The paths of a task.
#[derive(Debug)]
pub(super) struct Sources {
    /// All that the paths name, patterns resolved.
    pub(super) expanded: Vec<PathBuf>,
    /// All that the paths to leave out name.
    pub(super) left_out: Vec<PathBuf>,
    /// Whether a path is a pattern.
    pub(super) has_patterns: bool,
    /// What is in the first list and not in the second, in order.
    pub(super) paths: Vec<PathBuf>,
}

/// One thing to pack, and its name in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) name: PathBuf,
}

impl Sources {
    /// Resolves the patterns.
    pub(super) fn expand(paths: &[String], left_out: &[String]) -> Self {
        let has_patterns = paths.iter().any(|path| is_pattern(path));
        let expanded: Vec<PathBuf> = paths.iter().flat_map(|path| expand(path)).collect();
        let left_out: Vec<PathBuf> = left_out.iter().flat_map(|path| expand(path)).collect();
        let wanted: BTreeSet<&OsStr> = expanded.iter().map(|path| path.as_os_str()).collect();
        let is_left_out = |path: &&&OsStr| left_out.iter().any(|out| out.as_os_str() == **path);
        let paths = wanted.iter().filter(|path| !is_left_out(path));
        let paths = paths.map(PathBuf::from).collect();
        Self {
            expanded,
            left_out,
            has_patterns,
            paths,
        }
    }

    /// The folder that all paths lie in, with a slash at its end; names in the archive begin behind it.
    pub(super) fn root(&self) -> OsString {
        let mut folders = self.paths.iter().map(|path| folder_of(path));
        let mut root = folders.next().unwrap_or_default().to_owned();
        for folder in folders {
            let common = root
                .iter()
                .zip(folder)
                .take_while(|(one, other)| one == other);
            let common = common.count();
            root.truncate(common);
            let slash = root.iter().rposition(|byte| *byte == b'/');
            root.truncate(slash.map_or(0, |slash| slash + 1));
        }
        OsString::from_vec(root)
    }

    /// The paths where something is, and those where nothing is.
    pub(super) fn look(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        let paths = self.paths.iter().cloned();
        paths.partition(|path| path.symlink_metadata().is_ok())
    }
}

/// Everything at the paths and below, folders before what is in them. A path that is a folder is not an entry itself.
///
/// # Errors
/// When a folder cannot be read.
pub(super) fn entries(
    paths: &[PathBuf],
    root: &OsStr,
    is_wanted: impl Fn(&Entry) -> bool,
) -> Result<Vec<Entry>, Failure> {
    let mut found = Vec::new();
    let mut add = |path: PathBuf| {
        let name = name_below(&path, root);
        let entry = Entry { path, name };
        if is_wanted(&entry) {
            found.push(entry);
        }
    };
    for path in paths {
        if !path.is_dir() {
            add(path.clone());
            continue;
        }
        let mut folders = vec![path.clone()];
        while let Some(folder) = folders.pop() {
            let failed =
                |error: std::io::Error| Failure::new(describe(&error, &folder.to_string_lossy()));
            let read = fs::read_dir(&folder).map_err(failed)?;
            let mut inner = Vec::new();
            for entry in read {
                let entry = entry.map_err(failed)?;
                inner.push((entry.path(), entry.file_type().map_err(failed)?.is_dir()));
            }
            inner.sort_unstable();
            let deeper = inner.iter().rev().filter(|(_, is_dir)| *is_dir);
            folders.extend(deeper.map(|(path, _)| path.clone()));
            inner.into_iter().for_each(|(path, _)| add(path));
        }
    }
    Ok(found)
}

/// The path behind the root; never absolute.
fn name_below(path: &Path, root: &OsStr) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let below = bytes.strip_prefix(root.as_bytes()).unwrap_or(bytes);
    let slashes = below.iter().take_while(|byte| **byte == b'/').count();
    PathBuf::from(OsStr::from_bytes(&below[slashes..]))
}

/// A path up to its last slash.
fn folder_of(path: &Path) -> &[u8] {
    let bytes = path.as_os_str().as_bytes();
    let slash = bytes.iter().rposition(|byte| *byte == b'/');
    &bytes[..slash.map_or(0, |slash| slash + 1)]
}

/// A bracket alone makes no pattern, as with Ansible.
fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?'])
}

/// All that a pattern names, in order; a path that is none is itself, whether it is there or not.
fn expand(path: &str) -> Vec<PathBuf> {
    if !is_pattern(path) {
        return vec![path.into()];
    }
    let mut found = vec![OsString::new()];
    for (at, part) in path.split('/').enumerate() {
        if at > 0 {
            found.iter_mut().for_each(|path| path.push("/"));
        }
        if part.contains(['*', '?', '[']) {
            found = found.iter().flat_map(|path| matching(path, part)).collect();
        } else {
            found.iter_mut().for_each(|path| path.push(part));
        }
    }
    let paths = found.into_iter().map(PathBuf::from);
    paths
        .filter(|path| path.symlink_metadata().is_ok())
        .collect()
}

/// What matches a pattern in a folder, which ends in a slash or is empty.
fn matching(folder: &OsStr, pattern: &str) -> Vec<OsString> {
    let place = if folder.is_empty() {
        Path::new(".")
    } else {
        Path::new(folder)
    };
    let entries = fs::read_dir(place).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name()).filter(|name| {
        let text = name.to_string_lossy();
        let is_hidden = text.starts_with('.') && !pattern.starts_with('.');
        !is_hidden && fnmatch::matches(pattern, &text)
    });
    let mut paths: Vec<OsString> = names
        .map(|name| {
            let mut path = folder.to_owned();
            path.push(name);
            path
        })
        .collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_is_the_folder_of_all_paths() {
        for (paths, expected) in [
            (&["/s/src"][..], "/s/"),
            (&["/s/src/"], "/s/src/"),
            (&["/s/src/a", "/s/src/sub"], "/s/src/"),
            (&["/s/src/a", "/s/src2/a"], "/s/"),
            (&["/a", "/b/c"], "/"),
            (&["a", "b/c"], ""),
        ] {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            let sources = Sources::expand(&paths, &[]);
            assert_eq!(sources.root(), expected, "{paths:?}");
        }
    }

    #[test]
    fn names_lie_behind_the_root() {
        let name = |path: &str, root: &str| name_below(Path::new(path), OsStr::new(root));
        assert_eq!(name("/s/src/a", "/s/"), Path::new("src/a"));
        assert_eq!(name("/x", "/s/"), Path::new("x"));
    }
}
