//! The file tree that facts are read from.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

/// More than any `/proc` or `/etc` file that facts are read from needs.
const LIMIT: u64 = 16 * 1024 * 1024;

/// Names the tree whose `/etc`, `/proc` and `/sys` describe the host: `/`, or a fixture in tests.
///
/// What only the running kernel can tell (uname, addresses, free space) is asked only when the root is `/`,
/// so that a fixture gives the same facts on every machine.
#[derive(Debug, Clone)]
pub struct Root {
    path: PathBuf,
}

impl Root {
    /// Takes the tree at `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Takes the host itself, `/`.
    pub fn host() -> Self {
        Self::new("/")
    }

    pub(super) fn is_host(&self) -> bool {
        self.path == Path::new("/")
    }

    /// Where the absolute `path` lies in this tree.
    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.path.join(path.strip_prefix("/").unwrap_or(path))
    }

    pub(super) fn exists(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).exists()
    }

    pub(super) fn is_dir(&self, path: impl AsRef<Path>) -> bool {
        self.path(path).is_dir()
    }

    pub(super) fn is_executable(&self, path: impl AsRef<Path>) -> bool {
        is_executable(&self.path(path))
    }

    /// The bytes of a file, or nothing when it cannot be read.
    pub(super) fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let file = File::open(self.path(path)).ok()?;
        if file.metadata().ok()?.is_dir() {
            return None;
        }
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    /// The text of a file, or nothing when it cannot be read. Bytes that are not UTF-8 are replaced.
    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let bytes = self.bytes(path)?;
        Some(
            String::from_utf8(bytes)
                .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
        )
    }

    /// The text of a file without the white space around it.
    pub(super) fn trimmed(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// The names in a folder, sorted; none when it cannot be listed.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Vec<String> {
        let Ok(entries) = fs::read_dir(self.path(path)) else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// The last part of where a symbolic link points.
    pub(super) fn link_name(&self, path: impl AsRef<Path>) -> Option<String> {
        let target = fs::read_link(self.path(path)).ok()?;
        Some(target.file_name()?.to_string_lossy().into_owned())
    }
}

/// Whether `path` is a regular file that somebody may execute.
pub(super) fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path)
        .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_under_the_root() {
        assert_eq!(
            Root::new("/fixture").path("/etc/os-release"),
            Path::new("/fixture/etc/os-release")
        );
        assert_eq!(
            Root::host().path("/etc/os-release"),
            Path::new("/etc/os-release")
        );
    }

    #[test]
    fn a_folder_has_no_text() {
        assert_eq!(Root::host().text("/proc"), None);
    }
}
