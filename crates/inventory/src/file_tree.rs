//! The files that inventories and variables are read from.

use std::io;
use std::path::Path;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file.
    File {
        /// Whether anyone may execute it.
        executable: bool,
    },
    /// A folder.
    Folder,
}

/// Files by path. [`Disk`] is the real one; a wrapper may decrypt vaulted files as they are read.
pub trait FileTree {
    /// What the path is, links followed; `None` where nothing is.
    ///
    /// # Errors
    /// When it cannot be told, as for a folder that may not be searched.
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>>;

    /// The whole file.
    ///
    /// # Errors
    /// When it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The names in a folder, sorted.
    ///
    /// # Errors
    /// When the folder cannot be read.
    fn names(&self, path: &Path) -> io::Result<Vec<String>>;
}

/// The controller's own file system.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl FileTree for Disk {
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        let metadata = match std::fs::metadata(path) {
            Ok(metadata) => metadata,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        Ok(Some(if metadata.is_dir() {
            FileKind::Folder
        } else {
            FileKind::File {
                executable: is_executable(&metadata),
            }
        }))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        let mut names = std::fs::read_dir(path)?
            .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
            .collect::<io::Result<Vec<_>>>()?;
        names.sort_unstable();
        Ok(names)
    }
}

fn is_absence(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    false
}
