//! Why a command could not be run.

use std::io;
use std::path::PathBuf;

use crate::OutputStream;

/// Why a command could not be run, or not be watched to its end.
///
/// The message names the program and never its arguments, which may be secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProcessError {
    /// Nothing by this name is in `PATH`, or at this path.
    #[error("program `{program}` was not found")]
    ProgramNotFound {
        /// As the caller named it.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The script is there, but what its first line (or its ELF header) names is not.
    #[error("the interpreter of `{program}` was not found")]
    InterpreterNotFound {
        /// As the caller named it.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The program is there and may not be executed.
    #[error("no permission to execute `{program}`")]
    PermissionDenied {
        /// As the caller named it.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder to start in is missing, is no folder, or may not be entered.
    #[error("cannot enter the working directory `{}`", path.display())]
    WorkingDirectory {
        /// The folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The program, an argument or a variable has a NUL byte, which no command can be given.
    #[error("an argument or variable of `{program}` has a NUL byte")]
    NulByte {
        /// As the caller named it.
        program: String,
    },
    /// The command was cancelled before it was started; nothing ran.
    #[error("`{program}` was cancelled before it started")]
    CancelledBeforeStart {
        /// As the caller named it.
        program: String,
    },
    /// It could not be started for another reason: no memory, too many processes, too long arguments …
    #[error("cannot start `{program}`")]
    Start {
        /// As the caller named it.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It ran, but its end could not be waited for. The group was killed.
    #[error("cannot wait for `{program}`")]
    Wait {
        /// As the caller named it.
        program: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// It ran, but its output could not be read. The group was killed.
    #[error("cannot read {stream} of `{program}`")]
    Read {
        /// As the caller named it.
        program: String,
        /// The stream that could not be read.
        stream: OutputStream,
        /// What the operating system said.
        source: io::Error,
    },
    /// It lives on after `SIGKILL`: it hangs in the kernel, or belongs to another user.
    #[error("`{program}` (process {pid}) did not end when it was killed")]
    Unkillable {
        /// As the caller named it.
        program: String,
        /// Its process id, and that of its group.
        pid: u32,
    },
}

impl ProcessError {
    /// What the operating system said, where it said something.
    #[must_use]
    pub fn io_error(&self) -> Option<&io::Error> {
        match self {
            Self::ProgramNotFound { source, .. }
            | Self::InterpreterNotFound { source, .. }
            | Self::PermissionDenied { source, .. }
            | Self::WorkingDirectory { source, .. }
            | Self::Start { source, .. }
            | Self::Wait { source, .. }
            | Self::Read { source, .. } => Some(source),
            Self::NulByte { .. } | Self::CancelledBeforeStart { .. } | Self::Unkillable { .. } => {
                None
            }
        }
    }
}
