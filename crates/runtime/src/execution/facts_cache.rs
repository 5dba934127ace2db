//! Facts that are kept between runs: a folder with one file a host.
//!
//! The folder has mode 0700 and its files 0600: facts may hold anything that `set_fact: cacheable` was given. A file is replaced as a
//! whole, so a reader never sees half of one. What is older than the limit, or cannot be read, counts as not there.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustle_types::{ExecutionOptions, HostName, Object};

use crate::execution::error::ExecutionError;

/// Facts of hosts, on disk.
#[derive(Debug)]
pub(crate) struct FactsCache {
    folder: PathBuf,
    /// How old facts may be; zero is no limit.
    limit: Duration,
    /// What the user should know, not told yet.
    warnings: Mutex<Vec<String>>,
}

impl FactsCache {
    /// The cache that a run was asked to use.
    pub(crate) fn of(options: &ExecutionOptions) -> Result<Option<Self>, ExecutionError> {
        let open = |folder: &PathBuf| Self::open(folder.clone(), options.facts_cache_timeout);
        let opened = options.facts_cache.as_ref().map(open).transpose();
        opened.map_err(|(path, source)| ExecutionError::FactsCache { path, source })
    }

    /// Opens the folder, which is made where it is missing.
    fn open(folder: PathBuf, limit: Duration) -> Result<Self, (PathBuf, io::Error)> {
        let made = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        match made {
            Ok(()) => Ok(Self {
                folder,
                limit,
                warnings: Mutex::default(),
            }),
            Err(error) => Err((folder, error)),
        }
    }

    /// The facts that are kept of a host.
    pub(crate) fn load(&self, host: &HostName) -> Object {
        let path = self.path(host);
        match self.read(host) {
            Ok(facts) => facts.unwrap_or_default(),
            Err(error) => {
                self.warn(format!(
                    "the facts of {host} in `{}` cannot be used: {error}",
                    path.display()
                ));
                Object::new()
            }
        }
    }

    fn read(&self, host: &HostName) -> io::Result<Option<Object>> {
        let path = self.path(host);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        // A time that lies ahead is no age.
        let age = fs::metadata(&path)?
            .modified()?
            .elapsed()
            .unwrap_or_default();
        if !self.limit.is_zero() && age > self.limit {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&text).map(Some)?)
    }

    /// Keeps the facts of a host.
    pub(crate) fn store(&self, host: &HostName, facts: &Object) {
        if let Err(error) = self.write(host, facts) {
            self.warn(format!(
                "the facts of {host} cannot be kept in `{}`: {error}",
                self.folder.display()
            ));
        }
    }

    fn write(&self, host: &HostName, facts: &Object) -> io::Result<()> {
        let path = self.path(host);
        let fresh = self
            .folder
            .join(format!(".{}.{}", file_name(host), std::process::id()));
        let written = OpenOptions::new()
            .create(true)
            .truncate(true)
            .write(true)
            .mode(0o600)
            .open(&fresh)
            .and_then(|mut file| {
                file.write_all(&serde_json::to_vec(facts)?)?;
                fs::rename(&fresh, &path)
            });
        if written.is_err() {
            // Where it is not there, there is nothing to remove.
            let _ = fs::remove_file(&fresh);
        }
        written
    }

    /// Forgets the facts of a host.
    pub(crate) fn clear(&self, host: &HostName) {
        match fs::remove_file(self.path(host)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.warn(format!(
                "the facts of {host} cannot be removed from `{}`: {error}",
                self.folder.display()
            )),
            _ => {}
        }
    }

    /// What was not told yet.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        std::mem::take(&mut *self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn warn(&self, message: String) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&message) {
            warnings.push(message);
        }
    }

    fn path(&self, host: &HostName) -> PathBuf {
        self.folder.join(file_name(host))
    }
}

/// The host's name as that of a file: other signs than letters, digits, `-`, `_` and dots are written as `%` and their number, and so
/// is a dot at the beginning.
fn file_name(host: &HostName) -> String {
    let mut name = String::new();
    for byte in host.as_str().bytes() {
        let is_plain = byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_')
            || (byte == b'.' && !name.is_empty());
        if is_plain {
            name.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(name, "%{byte:02X}");
        }
    }
    name + ".json"
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::SystemTime;

    use super::*;

    fn facts(value: u32) -> Object {
        Object::from_iter([("ansible_answer".to_owned(), value.into())])
    }

    fn cache(limit: Duration) -> (tempfile::TempDir, FactsCache) {
        let folder = tempfile::tempdir().unwrap();
        let cache = FactsCache::open(folder.path().join("facts"), limit).unwrap();
        (folder, cache)
    }

    #[test]
    fn facts_come_back_until_they_are_cleared_and_are_for_nobody_else() {
        let (_folder, cache) = cache(Duration::from_secs(60));
        let host = HostName::from("web1");
        assert!(cache.load(&host).is_empty());
        cache.store(&host, &facts(1));
        cache.store(&host, &facts(2));
        assert_eq!(cache.load(&host), facts(2));
        let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(
            (mode(&cache.folder), mode(&cache.path(&host))),
            (0o700, 0o600)
        );
        assert_eq!(
            fs::read_dir(&cache.folder).unwrap().count(),
            1,
            "nothing else is left there"
        );
        cache.clear(&host);
        cache.clear(&host);
        assert!(cache.load(&host).is_empty());
        assert!(cache.take_warnings().is_empty());
    }

    #[test]
    fn old_facts_count_as_not_there() {
        let (_folder, limited) = cache(Duration::from_secs(60));
        let host = HostName::from("web1");
        limited.store(&host, &facts(1));
        let hour_ago = SystemTime::now() - Duration::from_secs(3600);
        let file = OpenOptions::new()
            .write(true)
            .open(limited.path(&host))
            .unwrap();
        file.set_modified(hour_ago).unwrap();
        assert!(limited.load(&host).is_empty());
        let forever = FactsCache::open(limited.folder.clone(), Duration::ZERO).unwrap();
        assert_eq!(forever.load(&host), facts(1));
    }

    #[test]
    fn a_file_that_is_broken_is_a_warning_and_no_facts() {
        let (_folder, cache) = cache(Duration::ZERO);
        let host = HostName::from("web1");
        fs::write(cache.path(&host), "{\"ansible_").unwrap();
        assert!(cache.load(&host).is_empty());
        let warnings = cache.take_warnings();
        assert_eq!(warnings.len(), 1);
        assert!(warnings[0].contains("the facts of web1"), "{warnings:?}");
        cache.store(&host, &facts(3));
        assert_eq!(cache.load(&host), facts(3));
    }

    #[test]
    fn a_name_of_a_host_cannot_lead_out_of_the_folder() {
        let name = |host: &str| file_name(&host.into());
        assert_eq!(name("web1.example.com"), "web1.example.com.json");
        assert_eq!(name("../etc/passwd"), "%2E.%2Fetc%2Fpasswd.json");
        assert_eq!(name("::1"), "%3A%3A1.json");
    }
}
