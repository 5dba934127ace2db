//! Lookups of files: their text, and their names by a pattern.

use std::path::{Path, PathBuf};

use glob::{MatchOptions, Pattern};
use rustle_template::LookupCall;
use serde_json::Value;

use super::{ControllerLookups, Found, flag_option, texts};

/// The text of files, without white space at its end unless told otherwise.
pub(super) fn file(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let (lstrip, rstrip) = (
        flag_option(call, "lstrip", false)?,
        flag_option(call, "rstrip", true)?,
    );
    let read = |name: &String| {
        let path = lookups.find_file(call, "files", name)?;
        let text = lookups.text_of(call, &path)?;
        let text = if lstrip { text.trim_start() } else { &text };
        let text = if rstrip { text.trim_end() } else { text };
        Ok(Value::String(text.to_owned()))
    };
    texts(&call.terms).iter().map(read).collect()
}

/// The text of files as it is, decrypted.
pub(super) fn unvault(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let read = |name: &String| {
        let path = lookups.find_file(call, "files", name)?;
        lookups.text_of(call, &path).map(Value::String)
    };
    texts(&call.terms).iter().map(read).collect()
}

/// The files whose names match, of the first folder that has any.
pub(super) fn fileglob(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let mut found = Vec::new();
    for term in texts(&call.terms) {
        let (folder, name) = term
            .rsplit_once('/')
            .map_or((None, &*term), |(folder, name)| (Some(folder), name));
        let folders: Vec<PathBuf> = match folder {
            Some(folder) => {
                let folder = if folder.is_empty() { "/" } else { folder };
                lookups
                    .find(call, Some("files"), folder)
                    .into_iter()
                    .collect()
            }
            None => {
                let folders = lookups.folders(call).into_iter();
                folders
                    .flat_map(|folder| [folder.join("files"), folder])
                    .collect()
            }
        };
        let matched = folders
            .iter()
            .map(|folder| files_like(&format!("{}/{name}", escaped(folder).trim_end_matches('/'))))
            .find(|files| !files.is_empty());
        found.extend(matched.into_iter().flatten().map(Value::String));
    }
    Ok(found)
}

/// A folder's name in a pattern, where it stands for itself.
fn escaped(folder: &Path) -> String {
    Pattern::escape(&folder.to_string_lossy())
}

/// The files that a pattern with `*`, `?` and `[…]` means; what cannot be read is left out.
///
/// The files of a folder come in the order that the disk has them in, as with Ansible.
pub(crate) fn files_like(pattern: &str) -> Vec<String> {
    let options = MatchOptions {
        case_sensitive: true,
        require_literal_separator: true,
        require_literal_leading_dot: true,
    };
    // As in Python, `**` is no more than `*`.
    let mut pattern = pattern.to_owned();
    while pattern.contains("**") {
        pattern = pattern.replace("**", "*");
    }
    let (folder, name) = pattern.rsplit_once('/').unwrap_or((".", &pattern));
    let folder = if folder.is_empty() { "/" } else { folder };
    let (Ok(folders), Ok(name)) = (glob::glob_with(folder, options), Pattern::new(name)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    for folder in folders.filter_map(Result::ok) {
        let entries = std::fs::read_dir(folder).into_iter().flatten();
        let files = entries.filter_map(Result::ok).filter(|entry| {
            name.matches_with(&entry.file_name().to_string_lossy(), options)
                && entry.path().is_file()
        });
        found.extend(files.map(|entry| entry.path().to_string_lossy().into_owned()));
    }
    found
}
