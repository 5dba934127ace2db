//! A file that the controller sent, kept in a folder of its own for as long as a call needs it by name.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::attached::Attached;
use crate::random::random_name;
use crate::result::Failure;
use crate::target::Target;

/// A private temporary folder with one file in it; dropping it removes both.
pub struct Received {
    folder: PathBuf,
    file: PathBuf,
}

impl Received {
    fn empty(target: &dyn Target, name: &str) -> Result<Self, Failure> {
        let unique = random_name().map_err(|error| cannot_keep(&error))?;
        let folder = target.temp_dir().join(format!("received-{unique}"));
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(|error| cannot_keep(&error))?;
        let file = folder.join(name.replace('/', "_"));
        Ok(Self { folder, file })
    }

    /// Fetches a file from the controller, and gives it a mode.
    ///
    /// # Errors
    /// When it does not arrive whole, or cannot be kept.
    pub async fn fetch(
        target: &dyn Target,
        attached: &Attached,
        name: &str,
        mode: u32,
    ) -> Result<Self, Failure> {
        let received = Self::empty(target, name)?;
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(&received.file);
        let mut file = file.map_err(|error| cannot_keep(&error))?;
        let mut keep = |bytes: &[u8]| file.write_all(bytes).map_err(|error| cannot_keep(&error));
        attached.stream(target, &mut keep).await?;
        Ok(received)
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.file
    }
}

impl Drop for Received {
    fn drop(&mut self) {
        // What stays is in a private folder, and cannot be helped.
        let _ignored = fs::remove_dir_all(&self.folder);
    }
}

fn cannot_keep(error: &io::Error) -> Failure {
    Failure::new(format!("cannot keep what the controller sent: {error}"))
}
