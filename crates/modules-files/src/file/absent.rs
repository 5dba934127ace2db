//! `state: absent`: nothing at the path, folders with all that is in them included.

use std::fs;
use std::io;
use std::path::Path;

use rustle_module::{Failure, Object};
use serde_json::json;

use super::FileState;
use super::desired::{Desired, Planned, Step};
use crate::attributes::Kind;
use crate::os_error::describe;

pub(super) fn plan(desired: &Desired) -> Planned {
    let path = desired.path.as_str();
    let kind = Kind::of(path.as_ref());
    let mut keys = Object::new();
    keys.insert("path".into(), path.into());
    keys.insert("state".into(), "absent".into());
    if kind == Kind::Absent {
        return Planned::new(keys, path, Step::Nothing);
    }
    let mut diff = Desired::first_diff(path, kind, FileState::Absent);
    if kind == Kind::Directory {
        let (mut directories, mut files) = (Vec::new(), Vec::new());
        list(path, &mut directories, &mut files);
        diff.set_before(
            "path_content",
            json!({"directories": directories, "files": files}),
        );
    }
    Planned {
        changed: true,
        diff: Some(diff),
        ..Planned::new(keys, path, Step::Remove(kind))
    }
}

/// Lists what is in a folder: what lies in it first, then what lies deeper; sorted. What cannot be read is left out.
fn list(folder: &str, directories: &mut Vec<String>, files: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut below = Vec::new();
    let mut here = Vec::new();
    for entry in entries.flatten() {
        let path = entry.path().to_string_lossy().into_owned();
        // As Python's os.walk counts: a link to a folder is a folder, but is not entered.
        if entry.path().is_dir() {
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            below.push((path, is_link));
        } else {
            here.push(path);
        }
    }
    below.sort();
    here.sort();
    directories.extend(below.iter().map(|(path, _)| path.clone()));
    files.extend(here);
    for (path, is_link) in below {
        if !is_link {
            list(&path, directories, files);
        }
    }
}

/// Removes what is at `path`; that it is gone by now is no failure.
pub(super) fn remove(path: &str, kind: Kind) -> Result<bool, Failure> {
    let (removed, what) = if kind == Kind::Directory {
        (fs::remove_dir_all(path), "rmtree failed")
    } else {
        (fs::remove_file(path), "unlinking failed")
    };
    match removed {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !Path::new(path).exists() => {
            Ok(true)
        }
        Err(error) => {
            let failure = Failure::new(format!("{what}: {} ", describe(&error, path)).trim_end());
            Err(failure.with("path", path))
        }
    }
}
