//! How a run ended.

use std::fmt;
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, SystemTime};

use tokio::io::AsyncReadExt;
use tokio::process::{ChildStderr, ChildStdout};

use crate::Captured;

/// How a run ended, and what it wrote.
#[derive(Debug)]
#[non_exhaustive]
pub struct Finished {
    /// The exit status of the command itself.
    pub status: ExitStatus,
    /// Why the run ended.
    pub outcome: Outcome,
    /// What was kept of stdout.
    pub stdout: Captured,
    /// What was kept of stderr.
    pub stderr: Captured,
    /// When it was started.
    pub started: SystemTime,
    /// How long it took from the start to the end of the run, by a clock that is never set.
    pub elapsed: Duration,
    /// The output streams that a process in the background still holds open, if there is one.
    ///
    /// Dropping this closes our ends, and such a process gets `SIGPIPE` when it next writes there.
    pub background: Option<BackgroundOutput>,
}

impl Finished {
    /// Whether the command ended by itself with exit code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.outcome == Outcome::Exited && self.status == ExitStatus::Code(0)
    }

    /// Whether a process in the background still holds an output stream open, so that more may be written than was captured.
    #[must_use]
    pub fn background_holds_output(&self) -> bool {
        self.background.is_some()
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It exited with this code, 0 to 255.
    Code(i32),
    /// A signal of this number ended it.
    Signal(i32),
}

impl ExitStatus {
    /// One number as Python's `returncode` and Ansible's `rc` have it: the code, or the negative number of the signal.
    #[must_use]
    pub fn to_return_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => -signal,
        }
    }

    pub(crate) fn from_std(status: std::process::ExitStatus) -> Self {
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Code(code),
            (None, Some(signal)) => Self::Signal(signal),
            // Neither is only for stopped processes, which nobody asks about; the raw value is better than a wrong 0.
            (None, None) => Self::Code(status.into_raw()),
        }
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Code(code) => write!(f, "exit code {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
        }
    }
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The command ended, with or without success.
    Exited,
    /// It was ended because it took too long.
    TimedOut {
        /// The limit that it reached.
        limit: TimeLimit,
    },
    /// It was ended because the caller asked for that.
    Cancelled,
}

/// A limit in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TimeLimit {
    /// The whole run, [`Command::timeout`](crate::Command::timeout).
    Total,
    /// Time without output, [`Command::idle_timeout`](crate::Command::idle_timeout).
    Idle,
}

/// Our ends of output streams that a process in the background holds open.
///
/// Keep and [`drain`](Self::drain) it to let that process write on in peace; drop it to close them.
#[derive(Debug)]
pub struct BackgroundOutput {
    pub(crate) stdout: Option<ChildStdout>,
    pub(crate) stderr: Option<ChildStderr>,
}

impl BackgroundOutput {
    pub(crate) fn is_open(&self) -> bool {
        self.stdout.is_some() || self.stderr.is_some()
    }

    /// Reads and forgets what is written, until the last process closes the streams. That may be never; dropping the future closes them.
    pub async fn drain(self) {
        tokio::join!(discard(self.stdout), discard(self.stderr));
    }
}

async fn discard(pipe: Option<impl AsyncReadExt + Unpin>) {
    let Some(mut pipe) = pipe else { return };
    let mut buffer = vec![0; 8 * 1024];
    // An error ends it like the end of the stream: nobody wants these bytes.
    while matches!(pipe.read(&mut buffer).await, Ok(1..)) {}
}
