//! The machine a module works on, as far as the module needs more than the file system.

use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use rustle_process::{Command, Finished, ProcessError};
use rustle_types::{AttachmentId, Mode};
use tokio::io::AsyncRead;

use crate::coerce::Expand;
use crate::result::Failure;

/// A stream of an attachment's bytes.
pub struct Attachment {
    /// The bytes; ends with an error where the controller or the connection fails.
    pub reader: Box<dyn AsyncRead + Send + Unpin>,
}

/// The machine a module works on. Files are reached by `std::fs`: a module runs where it works.
///
/// Modules run on a thread of their own each, so they may block.
#[async_trait]
pub trait Target: Expand {
    /// Check and diff mode of this call.
    fn mode(&self) -> Mode;

    /// Runs a command with the task's environment added. Its output streams to whoever watches the task, and
    /// cancelling the task stops it.
    ///
    /// # Errors
    /// When the command cannot be started; a command that fails is a [`Finished`].
    async fn run(&self, command: Command) -> Result<Finished, ProcessError>;

    /// Opens bytes that came with the call; they are fetched from the controller if they are not here yet.
    ///
    /// # Errors
    /// When the controller does not know them or the connection is lost.
    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure>;

    /// A folder for temporary files, private to the user.
    fn temp_dir(&self) -> &Path;

    /// Comes back once the task is asked to stop; never where nobody can ask. Safe to drop and to call again.
    async fn cancelled(&self) {
        std::future::pending().await
    }
}

/// Waits for a time.
///
/// # Errors
/// When the task is asked to stop meanwhile.
pub async fn pause(target: &dyn Target, time: Duration) -> Result<(), Failure> {
    match tokio::time::timeout(time, target.cancelled()).await {
        Ok(()) => Err(Failure::new("the task was cancelled while it waited")),
        Err(_) => Ok(()),
    }
}
