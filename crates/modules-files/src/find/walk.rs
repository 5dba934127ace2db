//! The walk through the folders that `find` looks in.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustle_module::accounts::Accounts;
use rustle_module::{Object, Target};
use serde_json::Value;

use super::content::Contains;
use super::{Args, Search};
use crate::checksum::of_file;
use crate::metadata::describe;
use crate::os_error::describe_bare;

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    /// A result for each file.
    pub(super) files: Vec<Value>,
    /// How many files and folders were looked at.
    pub(super) examined: usize,
    /// Paths that were left out, each with the reason.
    pub(super) skipped: Object,
    /// Whether as many were found as were asked for.
    pub(super) is_full: bool,
}

/// A walk through one of the paths after the other.
pub(super) struct Walk<'a> {
    pub(super) target: &'a dyn Target,
    pub(super) args: &'a Args,
    pub(super) search: Search,
    /// When the walk began, in seconds since 1970.
    pub(super) now: f64,
    pub(super) found: Found,
    /// Names of users and groups that were looked up already.
    pub(super) names: HashMap<(bool, u32), String>,
}

/// A folder on the way.
struct Folder {
    path: String,
    /// How deep what is in it lies below the path of the walk, from 1 on.
    depth: i64,
    /// The folders above it and itself, so that links cannot lead round in circles.
    line: Vec<(u64, u64)>,
}

impl Walk<'_> {
    /// Looks through all paths.
    pub(super) async fn run(mut self) -> Found {
        for path in &self.args.paths {
            if let Err(why) = self.look_in(path).await {
                self.found.skipped.insert(path.clone(), why.into());
            }
            if self.found.is_full {
                break;
            }
        }
        self.found
    }

    /// Looks through one path.
    ///
    /// # Errors
    /// When a folder cannot be read, or something asked for cannot be compared.
    async fn look_in(&mut self, path: &str) -> Result<(), String> {
        let Some(metadata) = fs::metadata(path).ok().filter(Metadata::is_dir) else {
            return Err(format!("'{path}' is not a directory"));
        };
        let contains = self.args.contains.as_deref().map(|pattern| {
            let encoding = self.args.encoding.as_deref();
            Contains::new(pattern, self.args.read_whole_file, encoding)
        });
        let mut todo = vec![Folder {
            path: normal(path),
            depth: 1,
            line: vec![(metadata.dev(), metadata.ino())],
        }];
        while let Some(folder) = todo.pop() {
            let below = self.look_in_folder(&folder, contains.as_ref()).await?;
            if self.found.is_full || !self.args.recurse {
                break;
            }
            todo.extend(below.into_iter().rev());
        }
        Ok(())
    }

    /// Looks at what is in a folder, and returns the folders in it.
    async fn look_in_folder(
        &mut self,
        folder: &Folder,
        contains: Option<&Result<Contains, String>>,
    ) -> Result<Vec<Folder>, String> {
        let (files, folders) = list(&folder.path)
            .map_err(|error| format!("{}: '{}'", describe_bare(&error), folder.path))?;
        self.found.examined += files.len() + folders.len();
        if self
            .args
            .depth
            .is_some_and(|depth| depth != 0 && folder.depth > depth)
        {
            return Ok(Vec::new());
        }
        for name in files.iter().chain(&folders) {
            if name.starts_with('.') && !self.args.hidden {
                continue;
            }
            self.look_at(
                &format!("{}/{name}", folder.path.trim_end_matches('/')),
                name,
                contains,
            )
            .await?;
            if self.found.is_full {
                return Ok(Vec::new());
            }
        }
        let below = folders.iter().filter_map(|name| {
            let path = format!("{}/{name}", folder.path.trim_end_matches('/'));
            let is_link = Path::new(&path).is_symlink();
            let metadata = fs::metadata(&path).ok()?;
            let id = (metadata.dev(), metadata.ino());
            if is_link && (!self.args.follow || folder.line.contains(&id)) {
                return None;
            }
            let mut line = folder.line.clone();
            line.push(id);
            Some(Folder {
                path,
                depth: folder.depth + 1,
                line,
            })
        });
        Ok(below.collect())
    }

    /// Adds one file, if it is what is looked for.
    async fn look_at(
        &mut self,
        path: &str,
        name: &str,
        contains: Option<&Result<Contains, String>>,
    ) -> Result<(), String> {
        let metadata = match fs::symlink_metadata(path) {
            Ok(metadata) => metadata,
            Err(error) => {
                let why = format!("{}: '{path}'", describe_bare(&error));
                self.found.skipped.insert(path.into(), why.into());
                return Ok(());
            }
        };
        let search = &self.search;
        if !self.args.file_type.fits(&metadata)
            || !search.names.fit(name)?
            || !search.fits(self.args, &metadata, self.now)?
        {
            return Ok(());
        }
        let is_only_files = self.args.file_type == super::FileType::File;
        if let (Some(contains), true) = (contains, is_only_files)
            && !contains.as_ref().map_err(Clone::clone)?.is_in(path)?
        {
            return Ok(());
        }
        let mut file = Object::new();
        file.insert("path".into(), path.into());
        describe(&mut file, &metadata);
        let group = self.name_of(false, metadata.gid()).await;
        let owner = self.name_of(true, metadata.uid()).await;
        file.insert("gr_name".into(), group.into());
        file.insert("pw_name".into(), owner.into());
        if self.args.get_checksum
            && metadata.is_file()
            && let Ok(sum) = of_file(path, self.args.checksum_algorithm)
        {
            file.insert("checksum".into(), sum.into());
        }
        self.found.files.push(file.into());
        self.found.is_full = self.args.limit.is_some_and(|limit| {
            usize::try_from(limit).is_ok_and(|limit| self.found.files.len() >= limit)
        });
        Ok(())
    }

    /// The name of a user or group; empty where it has none.
    async fn name_of(&mut self, is_user: bool, id: u32) -> String {
        if let Some(name) = self.names.get(&(is_user, id)) {
            return name.clone();
        }
        let accounts = Accounts::new(self.target);
        let name = if is_user {
            accounts.user_with_id(id).await.map(|user| user.name)
        } else {
            accounts.group_with_id(id).await.map(|group| group.name)
        };
        let name = name.unwrap_or_default();
        self.names.insert((is_user, id), name.clone());
        name
    }
}

/// The names in a folder, sorted: those that are no folders, and those that are (or lead to one).
///
/// Ansible takes them as the file system has them; here a `limit` gives the same files each time.
fn list(folder: &str) -> std::io::Result<(Vec<String>, Vec<String>)> {
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            folders.push(name);
        } else {
            files.push(name);
        }
    }
    files.sort_unstable();
    folders.sort_unstable();
    Ok((files, folders))
}

/// The path without needless slashes and dots, as Python's `os.path.normpath` has it.
fn normal(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let is_absolute = path.starts_with('/');
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if is_absolute => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (is_absolute, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_as_python_does() {
        for (path, expected) in [
            ("/a//b/./c/", "/a/b/c"),
            ("/a/../..", "/"),
            ("a/..", "."),
            ("../a", "../a"),
            ("/", "/"),
        ] {
            assert_eq!(normal(path), expected, "{path}");
        }
    }
}
