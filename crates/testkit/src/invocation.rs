//! A program run from outside, with its output, exit status and a bound on its time.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write as _;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, kill_process, kill_process_group, pidfd_open};

use crate::collected::Collected;
use crate::mask::Masks;
use crate::processes::wait_for_end;
use crate::program;

/// How long the output may stay open after the program has ended: a daemon it left may hold it.
const OUTPUT_PATIENCE: Duration = Duration::from_secs(2);

/// One run of a program, being described. Made by [`World::command`](crate::World::command).
#[must_use = "nothing runs before `run` or `spawn`"]
pub struct Invocation {
    command: Command,
    stdin: Vec<u8>,
    timeout: Duration,
    masks: Masks,
}

impl Invocation {
    pub(crate) fn new(program: &OsStr, masks: Masks) -> Self {
        let mut command = program::command(program);
        command.env_clear();
        Self {
            command,
            stdin: Vec::new(),
            timeout: Duration::from_secs(60),
            masks,
        }
    }

    /// Adds one argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds arguments.
    pub fn args(mut self, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets an environment variable for this run.
    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in another folder than the world's.
    pub fn current_dir(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Gives the program this standard input; without it, there is none.
    pub fn stdin(mut self, input: impl Into<Vec<u8>>) -> Self {
        self.stdin = input.into();
        self
    }

    /// Bounds the run's time (default: 60 seconds). One that takes longer is killed, and the test fails.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Runs the program to its end.
    pub fn run(self) -> Output {
        self.spawn().wait()
    }

    /// Starts the program, for tests that do something meanwhile.
    pub fn spawn(mut self) -> Running {
        self.command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        let mut child = self
            .command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {:?}: {error}", self.command));
        let mut pipe = child.stdin.take().expect("stdin is piped");
        let input = self.stdin;
        // A program need not read all its input, so that a broken pipe is no failure here.
        thread::spawn(move || pipe.write_all(&input));
        Running {
            stdout: Collected::drain(child.stdout.take().expect("stdout is piped")),
            stderr: Collected::drain(child.stderr.take().expect("stderr is piped")),
            pid: Pid::from_child(&child),
            child: Some(child),
            name: format!("{:?}", self.command),
            timeout: self.timeout,
            masks: self.masks,
        }
    }
}

/// A program that runs, the leader of a process group. Dropped before [`wait`](Self::wait), the group is killed.
pub struct Running {
    /// `None` once it was waited for.
    child: Option<Child>,
    pid: Pid,
    stdout: Collected,
    stderr: Collected,
    name: String,
    timeout: Duration,
    masks: Masks,
}

impl Running {
    /// Returns its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid.as_raw_nonzero().get().unsigned_abs()
    }

    /// Sends a signal to the program alone, as `kill` does.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid, signal)
            .unwrap_or_else(|error| panic!("cannot signal {}: {error}", self.name));
    }

    /// Sends a signal to the program's whole process group, as a terminal does for `^C`.
    pub fn signal_group(&self, signal: Signal) {
        kill_process_group(self.pid, signal)
            .unwrap_or_else(|error| panic!("cannot signal {}: {error}", self.name));
    }

    /// Waits until standard output holds `text`; panics if the program ends or its time is over before.
    pub fn wait_for_stdout(&self, text: &str) {
        self.wait_for(&self.stdout, text);
    }

    /// Waits until standard error holds `text`; panics if the program ends or its time is over before.
    pub fn wait_for_stderr(&self, text: &str) {
        self.wait_for(&self.stderr, text);
    }

    fn wait_for(&self, stream: &Collected, text: &str) {
        if let Err(missed) = stream.wait_for(text, 1, self.timeout) {
            panic!(
                "{} did not print {text:?}: {missed:?}\n{}",
                self.name,
                self.printed()
            );
        }
    }

    /// Waits for the program's end and returns its output.
    pub fn wait(mut self) -> Output {
        let handle =
            pidfd_open(self.pid, PidfdFlags::empty()).expect("an unreaped child has a handle");
        if !wait_for_end(&handle, self.timeout) {
            // The guard in `drop` ends it.
            panic!(
                "{} still runs after {:?}\n{}",
                self.name,
                self.timeout,
                self.printed()
            );
        }
        let status = self
            .child
            .take()
            .expect("waited for once")
            .wait()
            .expect("an ended child can be reaped");
        self.stdout.wait_closed(OUTPUT_PATIENCE);
        self.stderr.wait_closed(OUTPUT_PATIENCE);
        Output {
            stdout: self.stdout.text(),
            stderr: self.stderr.text(),
            code: exit_code(status),
            masks: self.masks.clone(),
        }
    }

    fn printed(&self) -> String {
        format!(
            "--- stdout\n{}\n--- stderr\n{}",
            self.stdout.text(),
            self.stderr.text()
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // Both fail only where it has ended already.
            let _ = kill_process_group(self.pid, Signal::KILL);
            let _ = child.wait();
        }
    }
}

/// What a program left: its output and its exit status.
///
/// [`Display`](fmt::Display) gives all of it in one text, masked, to compare with a snapshot.
#[must_use = "a run whose outcome nobody looks at tests nothing"]
#[derive(Clone, Debug)]
pub struct Output {
    /// Standard output, as it came.
    pub stdout: String,
    /// Standard error, as it came.
    pub stderr: String,
    /// The exit status; 128 and the signal's number for a program that was killed.
    pub code: i32,
    masks: Masks,
}

impl Output {
    /// Panics with all that was printed, unless the exit status is `code`.
    #[track_caller]
    pub fn expect_code(&self, code: i32) -> &Self {
        assert!(
            self.code == code,
            "expected exit status {code}, found:\n{self}"
        );
        self
    }

    /// Panics with all that was printed, unless the exit status is 0.
    #[track_caller]
    pub fn success(&self) -> &Self {
        self.expect_code(0)
    }

    /// Returns standard output with what differs from run to run masked: see [`Masks`].
    #[must_use]
    pub fn masked_stdout(&self) -> String {
        self.masks.apply(&self.stdout)
    }

    /// Returns a text that belongs to this run, of a file it wrote, with what differs from run to run masked.
    #[must_use]
    pub fn masked(&self, text: &str) -> String {
        self.masks.apply(text)
    }

    /// Returns standard error with what differs from run to run masked: see [`Masks`].
    #[must_use]
    pub fn masked_stderr(&self) -> String {
        self.masks.apply(&self.stderr)
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "exit status: {}", self.code)?;
        for (name, text) in [
            ("stdout", self.masked_stdout()),
            ("stderr", self.masked_stderr()),
        ] {
            if !text.is_empty() {
                writeln!(f, "----- {name}")?;
                f.write_str(&text)?;
                if !text.ends_with('\n') {
                    writeln!(f, "[no newline]")?;
                }
            }
        }
        Ok(())
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .expect("an ended process has one of them")
}
