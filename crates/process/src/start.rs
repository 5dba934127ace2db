//! Starts a child, and says exactly why one did not start.
#![expect(
    unsafe_code,
    reason = "`pre_exec` is the only way to set a child's umask, session or terminal"
)]

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::fs::{Access, Mode, access};
use rustix::process::{Signal, ioctl_tiocsctty, setsid, umask};
use tokio::process::{self, ChildStderr, ChildStdin, ChildStdout};

use crate::command::{Command, Stdin};
use crate::error::ProcessError;
use crate::group::Group;

/// Another thread that forks can hold a file open for writing that was just written and closed here; it is executable some milliseconds later.
const BUSY_RETRIES: u32 = 10;
const BUSY_WAIT: Duration = Duration::from_millis(10);

/// A started child with its group. Dropping it kills the group, unless it was released.
///
/// tokio reaps a dropped child: the runtime collects its orphans on every `SIGCHLD`.
pub(crate) struct Started {
    child: process::Child,
    pub(crate) group: Group,
    released: bool,
}

impl Started {
    /// Our ends of the child's pipes, once.
    pub(crate) fn take_pipes(
        &mut self,
    ) -> (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>) {
        let child = &mut self.child;
        (child.stdin.take(), child.stdout.take(), child.stderr.take())
    }

    /// Waits for the exit of the child, and reaps it. May be dropped and called again.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Leaves the group alone from now on.
    pub(crate) fn release(&mut self) {
        self.released = true;
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        if !self.released {
            self.group.signal(Signal::KILL);
        }
    }
}

/// Starts `command`. Returns once the program itself runs, so an error here is an error of its start.
pub(crate) async fn start(command: &Command) -> Result<Started, ProcessError> {
    let mut builder = builder(command).map_err(|error| explain(command, error))?;
    let mut retries = 0;
    let child = loop {
        match builder.spawn() {
            Ok(child) => break child,
            Err(error)
                if error.kind() == io::ErrorKind::ExecutableFileBusy && retries < BUSY_RETRIES =>
            {
                retries += 1;
                tokio::time::sleep(BUSY_WAIT).await;
            }
            Err(error) => return Err(explain(command, error)),
        }
    };
    let Some(group) = child.id().and_then(Group::from_leader) else {
        return Err(ProcessError::Start {
            program: command.program.display().to_string(),
            source: io::Error::other("the child has no process id"),
        });
    };
    Ok(Started {
        child,
        group,
        released: false,
    })
}

fn builder(command: &Command) -> io::Result<process::Command> {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is where children are started"
    )]
    let mut builder = process::Command::new(&command.program);
    builder.args(&command.args);
    if command.env_clear {
        builder.env_clear();
    }
    for (name, value) in &command.env {
        match value {
            Some(value) => builder.env(name, value),
            None => builder.env_remove(name),
        };
    }
    if let Some(folder) = &command.current_dir {
        builder.current_dir(folder);
    }
    match &command.terminal {
        Some(terminal) if command.streams_are_terminal => {
            builder.stdin(terminal.try_clone()?);
            builder.stdout(terminal.try_clone()?);
            builder.stderr(terminal.try_clone()?);
        }
        _ => {
            builder.stdin(match command.stdin {
                Stdin::Null => Stdio::null(),
                Stdin::Bytes(_) => Stdio::piped(),
            });
            builder.stdout(Stdio::piped()).stderr(Stdio::piped());
        }
    }
    builder.kill_on_drop(true);
    set_group_and_umask(&mut builder, command);
    Ok(builder)
}

/// Without `pre_exec`, which most commands need not, std starts the child by `posix_spawn`: no page of ours is copied.
fn set_group_and_umask(builder: &mut process::Command, command: &Command) {
    let (new_session, mask) = (command.new_session, command.umask);
    let terminal = command.terminal.clone();
    if !new_session {
        builder.process_group(0);
    }
    if !new_session && mask.is_none() {
        return;
    }
    let in_child = move || {
        if new_session {
            setsid()?;
        }
        if let Some(terminal) = &terminal {
            ioctl_tiocsctty(terminal)?;
        }
        if let Some(mask) = mask {
            umask(Mode::from_bits_truncate(mask));
        }
        Ok(())
    };
    // SAFETY: between fork and exec only async-signal-safe things may happen. The closure makes system calls, owns plain numbers and
    // a descriptor, and neither allocates nor locks.
    unsafe {
        builder.pre_exec(in_child);
    }
}

fn explain(command: &Command, source: io::Error) -> ProcessError {
    let program = command.program.display().to_string();
    if let Some(path) = &command.current_dir
        && let Err(source) = check_enterable(path)
    {
        let path = path.clone();
        return ProcessError::WorkingDirectory { path, source };
    }
    match source.kind() {
        io::ErrorKind::NotFound if is_present(command) => {
            ProcessError::InterpreterNotFound { program, source }
        }
        io::ErrorKind::NotFound => ProcessError::ProgramNotFound { program, source },
        io::ErrorKind::PermissionDenied => ProcessError::PermissionDenied { program, source },
        // std finds a NUL before it asks the operating system, so there is no number.
        io::ErrorKind::InvalidInput if source.raw_os_error().is_none() => {
            ProcessError::NulByte { program }
        }
        _ => ProcessError::Start { program, source },
    }
}

fn check_enterable(folder: &Path) -> io::Result<()> {
    if !folder.metadata()?.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    Ok(access(folder, Access::EXEC_OK)?)
}

/// Whether the program is a file that is there. One without a slash is looked up in `PATH`, which passes over what cannot be run.
fn is_present(command: &Command) -> bool {
    let has_slash = |program: &OsStr| program.as_encoded_bytes().contains(&b'/');
    let folder = command.current_dir.clone().unwrap_or_default();
    has_slash(&command.program) && folder.join(&command.program).is_file()
}
