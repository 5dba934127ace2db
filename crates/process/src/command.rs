//! What to run, and within which limits.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::mpsc;

use crate::{CancelToken, Finished, OutputChunk, OutputLimit, ProcessError, run};

const DEFAULT_GRACE: Duration = Duration::from_secs(5);
const DEFAULT_LINGER: Duration = Duration::from_millis(100);

/// What a command reads on its stdin. It never gets ours.
#[derive(Clone, Default)]
pub enum Stdin {
    /// `/dev/null`: the end of input at once.
    #[default]
    Null,
    /// These bytes, and then the end of input. They are written while output is read, so no size can block; a command that does not
    /// read them all is no error.
    Bytes(Bytes),
}

impl<T: Into<Bytes>> From<T> for Stdin {
    fn from(bytes: T) -> Self {
        Self::Bytes(bytes.into())
    }
}

/// A command to run: program, arguments, surroundings and limits.
///
/// The program is looked up in `PATH` unless it has a slash: in the `PATH` given by [`env`](Self::env) if there is one, else in that
/// of this process. A relative path with a slash is relative to [`current_dir`](Self::current_dir). No shell is involved.
///
/// `Debug` shows neither the values of variables nor stdin, which may be secret; arguments it shows, as `ps` does.
#[derive(Clone)]
pub struct Command {
    pub(crate) program: OsString,
    pub(crate) args: Vec<OsString>,
    pub(crate) env: Vec<(OsString, Option<OsString>)>,
    pub(crate) env_clear: bool,
    pub(crate) current_dir: Option<PathBuf>,
    pub(crate) stdin: Stdin,
    pub(crate) umask: Option<u32>,
    pub(crate) new_session: bool,
    pub(crate) terminal: Option<Arc<OwnedFd>>,
    pub(crate) streams_are_terminal: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) idle_timeout: Option<Duration>,
    pub(crate) grace: Duration,
    pub(crate) linger: Duration,
    pub(crate) output_limit: OutputLimit,
    pub(crate) chunk_tx: Option<mpsc::Sender<OutputChunk>>,
}

impl Command {
    /// Makes a command without arguments: environment and folder of this process, no stdin, no timeouts.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            env_clear: false,
            current_dir: None,
            stdin: Stdin::Null,
            umask: None,
            new_session: false,
            terminal: None,
            streams_are_terminal: false,
            timeout: None,
            idle_timeout: None,
            grace: DEFAULT_GRACE,
            linger: DEFAULT_LINGER,
            output_limit: OutputLimit::default(),
            chunk_tx: None,
        }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args(mut self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.args
            .extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
        self.env.push((name, Some(value)));
        self
    }

    /// Sets variables of the environment.
    #[must_use]
    pub fn envs(
        self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Self {
        variables
            .into_iter()
            .fold(self, |command, (name, value)| command.env(name, value))
    }

    /// Sets variables of the environment that the command itself says nothing about so far.
    ///
    /// What it was made with stays: a command whose output is read is told its language, and no surroundings change that.
    #[must_use]
    pub fn envs_where_unset(
        mut self,
        variables: impl IntoIterator<Item = (impl AsRef<OsStr>, impl AsRef<OsStr>)>,
    ) -> Self {
        let fresh = variables.into_iter().map(|(name, value)| {
            let (name, value) = (name.as_ref().to_owned(), value.as_ref().to_owned());
            (name, Some(value))
        });
        let own = std::mem::take(&mut self.env);
        self.env = fresh.chain(own).collect();
        self
    }

    /// Takes a variable out of the environment.
    #[must_use]
    pub fn env_remove(mut self, name: impl AsRef<OsStr>) -> Self {
        self.env.push((name.as_ref().to_owned(), None));
        self
    }

    /// Starts from an empty environment, forgetting what [`env`](Self::env) set before this call.
    #[must_use]
    pub fn env_clear(mut self) -> Self {
        self.env_clear = true;
        self.env.clear();
        self
    }

    /// Sets the folder that the command starts in.
    #[must_use]
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.current_dir = Some(folder.as_ref().to_owned());
        self
    }

    /// Sets what the command reads on its stdin: [`Stdin`], or anything that is bytes.
    #[must_use]
    pub fn stdin(mut self, stdin: impl Into<Stdin>) -> Self {
        self.stdin = stdin.into();
        self
    }

    /// Sets the file mode creation mask (such as `0o022`); `None` leaves that of this process.
    #[must_use]
    pub fn umask(mut self, mask: Option<u32>) -> Self {
        self.umask = mask;
        self
    }

    /// Starts the command as the leader of a new session, without a controlling terminal, so that it cannot ask a person anything.
    ///
    /// Without this it leads a process group of its own in our session.
    #[must_use]
    pub fn new_session(mut self) -> Self {
        self.new_session = true;
        self
    }

    /// Limits how long the command may run, from its start; then the cancel ladder begins at `SIGTERM`.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    /// Limits how long the command may write nothing, to either stream; then the cancel ladder begins at `SIGTERM`.
    ///
    /// Time in which the receiver of [`stream_to`](Self::stream_to) makes us wait is not counted.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }

    /// Sets how long the group has between `SIGTERM` and `SIGKILL`; 5 seconds by default.
    #[must_use]
    pub fn grace(mut self, grace: Duration) -> Self {
        self.grace = grace;
        self
    }

    /// Sets how long a quiet stream that a background process holds open is listened to after the command ended; 100 ms by default.
    ///
    /// What the command itself wrote is always read. A background process that keeps writing is listened to for ten times as long.
    #[must_use]
    pub fn linger(mut self, linger: Duration) -> Self {
        self.linger = linger;
        self
    }

    /// Sets how much of each stream is kept for [`Finished`].
    #[must_use]
    pub fn output_limit(mut self, limit: OutputLimit) -> Self {
        self.output_limit = limit;
        self
    }

    /// Streams output as it arrives, in chunks of at most 64 KiB; it is captured all the same.
    ///
    /// The run is the sender and drops it at its end, so the receiver sees the end of the channel then. The bound is the caller's choice: a full
    /// channel stops us reading, so that the command blocks once its pipe is full. Timeouts and cancels work meanwhile. A
    /// receiver that is dropped stops the streaming, not the run. Receive in another task or a `join!`, not after the run.
    #[must_use]
    pub fn stream_to(mut self, chunk_tx: mpsc::Sender<OutputChunk>) -> Self {
        self.chunk_tx = Some(chunk_tx);
        self
    }

    /// Runs the command to its end and says how that was.
    ///
    /// The end is that the command itself exited, and its output with it: what it left in the background is neither waited for nor killed
    /// (see [`Finished::background`]), unless a timeout or a cancel took the whole group down.
    ///
    /// A cancel or timeout climbs a ladder, which never goes back: `SIGTERM` (and `SIGCONT`, for what is stopped) to the group; after [`grace`](Self::grace), or on
    /// [`CancelLevel::Kill`](crate::CancelLevel::Kill), `SIGKILL`. The run ends when no process of the group is left.
    ///
    /// # Dropping
    ///
    /// A future that is dropped before its end kills the group with `SIGKILL`. The command is reaped by the tokio runtime, shortly
    /// after; or by the next runtime that this process runs, if that one is gone. What it left in the background after it exited is not killed.
    ///
    /// # Errors
    ///
    /// When the command cannot be started or is cancelled before, when waiting or reading fails, and when it survives `SIGKILL`
    /// ([`ProcessError::Unkillable`]).
    pub async fn run(self, cancel: &CancelToken) -> Result<Finished, ProcessError> {
        run::run(self, cancel).await
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("args", &self.args)
            .field("current_dir", &self.current_dir)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_no_secrets() {
        let command = Command::new("mysql")
            .env("MYSQL_PWD", "s3cret")
            .stdin("s3cret");
        assert!(!format!("{command:?}").contains("s3cret"));
    }
}
