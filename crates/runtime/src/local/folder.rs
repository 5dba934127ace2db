//! A folder that nobody else can look into.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use rustle_module::random_name;

/// A folder for temporary files and jobs, mode 0700; removed on drop.
#[derive(Debug)]
pub(super) struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Makes one, below the system's folder for temporary files.
    pub(super) fn make() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("rustle-local-{}", random_name()?));
        // A folder that is there already is somebody else's, and so an error.
        DirBuilder::new().mode(0o700).create(&path)?;
        Ok(Self(path))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Removes all that is in it.
    pub(super) fn empty(&self) -> io::Result<()> {
        for entry in std::fs::read_dir(&self.0)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                std::fs::remove_dir_all(entry.path())?;
            } else {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed stays; there is nobody left to tell.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
