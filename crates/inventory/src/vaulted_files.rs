//! The controller's file system, in which encrypted files are read as what is in them.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustle_vault::VaultSecrets;

use crate::file_tree::{Disk, FileKind, FileTree};

/// Decrypts vaulted files as they are read. Without a password they are read as they are, so that the reader says what it needs.
#[derive(Clone, Debug)]
pub struct VaultedFiles {
    secrets: Arc<VaultSecrets>,
}

impl VaultedFiles {
    /// The disk, read with these passwords.
    #[must_use]
    pub fn new(secrets: Arc<VaultSecrets>) -> Self {
        Self { secrets }
    }
}

impl FileTree for VaultedFiles {
    fn kind(&self, path: &Path) -> io::Result<Option<FileKind>> {
        Disk.kind(path)
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let content = Disk.read(path)?;
        if self.secrets.is_empty() {
            return Ok(content);
        }
        self.secrets.reveal(content).map_err(io::Error::other)
    }

    fn names(&self, path: &Path) -> io::Result<Vec<String>> {
        Disk.names(path)
    }
}
