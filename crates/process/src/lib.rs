//! Runs commands: process groups, streamed and bounded output, timeouts, a cancel ladder.
//!
//! [`Command`] says what to run; [`Command::run`] starts it in a process group of its own, feeds its
//! stdin, reads its output and always comes back with what happened. A non-zero exit, a timeout and a
//! cancel are data in [`Finished`], with the output there was; [`ProcessError`] means that the command could not be
//! started or that the operating system failed.
//!
//! ```
//! use rustle_process::{CancelToken, Command, ExitStatus};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), rustle_process::ProcessError> {
//! let finished = Command::new("tr")
//!     .args(["a-z", "A-Z"])
//!     .stdin("hello")
//!     .run(&CancelToken::new())
//!     .await?;
//! assert_eq!(finished.status, ExitStatus::Code(0));
//! assert_eq!(finished.stdout.bytes(), "HELLO");
//! # Ok(())
//! # }
//! ```
//!
//! # The runtime
//!
//! Any tokio runtime with I/O and time enabled will do, current-thread or multi-thread. Nothing is spawned: a run lives in
//! the future that [`Command::run`] returns, and makes progress only while that is polled.
//!
//! # What is not promised
//!
//! - A process that left the group (`setsid`, a shell with job control) is reached neither by the cancel ladder nor by a drop.
//! - Chunks of stdout and of stderr come in order within each stream; between the two the order is only about right.
//! - `SIGPIPE` and the signal mask are at their defaults in the child, and no handler survives `exec`. Another signal that this
//!   process ignores (`SIGHUP` under `nohup`) is ignored in the child as well.
//! - A process that ignores `SIGCHLD` cannot learn how its children ended: runs fail with [`ProcessError::Wait`].

mod cancel;
mod capture;
mod command;
mod course;
mod duplex;
mod error;
mod feed;
mod finished;
mod group;
mod ladder;
mod linger;
mod pump;
mod quote;
mod run;
mod start;
mod terminal;

pub use cancel::{CancelLevel, CancelToken};
pub use capture::{Captured, OutputLimit};
pub use command::{Command, Stdin};
pub use duplex::Duplex;
pub use error::ProcessError;
pub use finished::{BackgroundOutput, ExitStatus, Finished, Outcome, TimeLimit};
pub use pump::{OutputChunk, OutputStream};
pub use quote::{SplitError, shell_quote, split_command};
pub use terminal::Terminal;
