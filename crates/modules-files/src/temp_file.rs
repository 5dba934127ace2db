//! What is downloaded, before it gets its place.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustle_module::{Failure, random_name};

use crate::os_error::describe_bare;

/// A file under a name that nobody can guess, gone when this is dropped.
pub(crate) struct TempFile {
    file: File,
    path: PathBuf,
}

impl TempFile {
    /// Makes an empty file in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn new(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            let text = describe_bare(&error);
            Failure::new(format!("failed to create temporary content file: {text}"))
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .map_err(failed)?;
        let path = folder.join(format!("tmp{}", random_name().map_err(failed)?));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        let file = options.open(&path).map_err(failed)?;
        Ok(Self { file, path })
    }

    /// Adds content.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // What stays cannot be helped.
        let _ignored = fs::remove_file(&self.path);
    }
}
