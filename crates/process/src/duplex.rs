//! A command that is talked with while it runs.

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::command::{Command, Stdin};
use crate::error::ProcessError;
use crate::finished::ExitStatus;
use crate::start::{Started, start};

/// A running command with all three of its streams as pipes: a program that is talked with, such as an agent.
///
/// The caller reads, writes and decides when it is over; no limit of the [`Command`] applies but its surroundings.
/// Dropping it kills the command's group with `SIGKILL`.
pub struct Duplex {
    /// Our end of its stdin, until taken.
    pub stdin: Option<ChildStdin>,
    /// Our end of its stdout, until taken.
    pub stdout: Option<ChildStdout>,
    /// Our end of its stderr, until taken.
    pub stderr: Option<ChildStderr>,
    child: Started,
    program: String,
}

impl Command {
    /// Starts the command as a [`Duplex`]. What [`stdin`](Self::stdin) was set to is not used.
    ///
    /// # Errors
    ///
    /// When the command cannot be started.
    pub async fn start(mut self) -> Result<Duplex, ProcessError> {
        self.stdin = Stdin::Bytes(bytes::Bytes::new());
        let mut child = start(&self).await?;
        let (stdin, stdout, stderr) = child.take_pipes();
        let program = self.program.display().to_string();
        Ok(Duplex {
            stdin,
            stdout,
            stderr,
            child,
            program,
        })
    }
}

impl Duplex {
    /// Its process id, which is that of its group too.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.group.leader()
    }

    /// Waits for its exit. May be dropped and called again.
    ///
    /// # Errors
    ///
    /// When the operating system cannot tell.
    pub async fn wait(&mut self) -> Result<ExitStatus, ProcessError> {
        let status = self
            .child
            .wait()
            .await
            .map_err(|source| ProcessError::Wait {
                program: self.program.clone(),
                source,
            })?;
        // The number of the group may be given to another from now on.
        self.child.release();
        Ok(ExitStatus::from_std(status))
    }
}
