//! Where files of the controller are looked for.

use std::path::{Path, PathBuf};

use rustle_template::LookupCall;
use serde_json::Value;

use super::ControllerLookups;

/// The places where a file may be, best first: in each folder, first in the one of its kind.
pub(crate) fn places(folders: &[PathBuf], kind: Option<&str>, name: &str) -> Vec<PathBuf> {
    let name = expand_home(name);
    if name.is_absolute() {
        return vec![name];
    }
    // A name that begins with the folder of its kind says so itself.
    let kind = kind.filter(|kind| !name.starts_with(kind) || name.components().count() == 1);
    let mut places = Vec::new();
    for folder in folders {
        places.extend(kind.map(|kind| folder.join(kind).join(&name)));
        places.push(folder.join(&name));
    }
    places
}

/// A path with `~/` at its beginning replaced.
pub(crate) fn expand_home(name: &str) -> PathBuf {
    match (name.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    }
}

impl ControllerLookups {
    /// The folders that the task's files are looked for in: its role's, those it was included from, the plan's.
    pub(super) fn folders(&self, call: &LookupCall<'_>) -> Vec<PathBuf> {
        let variable = |name: &str| {
            let is_there = call.scope.contains(name);
            is_there
                .then(|| call.engine.evaluate(name, call.scope).ok())
                .flatten()
        };
        let mut names = Vec::new();
        names.extend(variable("role_path"));
        match variable("ansible_search_path") {
            Some(Value::Array(paths)) => names.extend(paths),
            other => names.extend(other),
        }
        let mut folders: Vec<PathBuf> = Vec::new();
        let known = names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| self.base_dir.join(name));
        for folder in known.chain([self.base_dir.clone()]) {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The first place where there is something of this name.
    pub(super) fn find(
        &self,
        call: &LookupCall<'_>,
        kind: Option<&str>,
        name: &str,
    ) -> Option<PathBuf> {
        let places = places(&self.folders(call), kind, name);
        places.into_iter().find(|place| place.exists())
    }

    /// As [`Self::find`]; where there is nothing, the error says where it was looked for.
    pub(super) fn find_file(
        &self,
        call: &LookupCall<'_>,
        kind: &str,
        name: &str,
    ) -> Result<PathBuf, String> {
        let places = places(&self.folders(call), Some(kind), name);
        if let Some(found) = places.iter().find(|place| place.exists()) {
            return Ok(found.clone());
        }
        let looked: Vec<String> = places
            .iter()
            .map(|place| place.display().to_string())
            .collect();
        Err(format!(
            "there is no file `{name}`; looked for {}",
            looked.join(", ")
        ))
    }

    /// The text of a file, decrypted where it is encrypted.
    pub(super) fn text_of(&self, call: &LookupCall<'_>, path: &Path) -> Result<String, String> {
        self.text_in(call, path, "utf-8")
    }

    /// As [`Self::text_of`], in another encoding.
    pub(super) fn text_in(
        &self,
        call: &LookupCall<'_>,
        path: &Path,
        encoding: &str,
    ) -> Result<String, String> {
        let wrong =
            |reason: &dyn std::fmt::Display| format!("cannot read `{}`: {reason}", path.display());
        let bytes = std::fs::read(path).map_err(|error| wrong(&error))?;
        let text = match encoding.to_ascii_lowercase().replace('_', "-").as_str() {
            "utf-8" | "utf8" | "ascii" | "utf-8-sig" => {
                String::from_utf8(bytes).map_err(|_| wrong(&"it is not UTF-8 text"))?
            }
            "latin-1" | "latin1" | "iso-8859-1" => bytes.into_iter().map(char::from).collect(),
            other => return Err(wrong(&format!("the encoding `{other}` is not available"))),
        };
        if rustle_vault::is_encrypted(text.as_bytes()) {
            return call.engine.decrypt(&text).map_err(|error| wrong(&error));
        }
        Ok(text)
    }
}
