//! Processes that somebody else started: told of by a named pipe, and watched until they end.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use crate::processes::wait_for_end;
use crate::program;

/// How long what a test waits for may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A named pipe by which a command under test says where it is: `echo $$ > PIPE`. So a test waits for just that, and sleeps nowhere.
pub struct Pipe {
    path: PathBuf,
}

impl Pipe {
    /// Makes a pipe that every user can write to; its folder may keep them out.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let tool = program::require("mkfifo", "coreutils");
        program::run_tool(program::command(tool).args(["-m", "666"]).arg(&path));
        Self { path }
    }

    /// Returns its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until somebody writes a line, and returns it; panics if nobody does in time.
    #[must_use]
    pub fn line(&self) -> String {
        let (line_tx, line_rx) = mpsc::channel();
        let path = self.path.clone();
        // Where nobody writes the thread stays in `open`, and ends with the test.
        thread::spawn(move || {
            let mut line = String::new();
            let read = File::open(path).and_then(|pipe| BufReader::new(pipe).read_line(&mut line));
            line_tx.send(read.map(|_| line.trim_end().to_owned()))
        });
        line_rx
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|_| panic!("nobody wrote to {} in time", self.path.display()))
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", self.path.display()))
    }

    /// Waits for a line of process ids and returns the processes.
    #[must_use]
    pub fn processes(&self) -> Vec<Process> {
        self.line()
            .split_whitespace()
            .map(|word| Process::open(word.parse().expect("a process id")))
            .collect()
    }
}

/// A process that is not our child.
pub struct Process {
    pid: Pid,
    handle: OwnedFd,
}

impl Process {
    /// Opens the process that has this id now; panics where there is none.
    #[must_use]
    pub fn open(pid: i32) -> Self {
        let pid = Pid::from_raw(pid).expect("a process id is positive");
        let handle = pidfd_open(pid, PidfdFlags::empty())
            .unwrap_or_else(|error| panic!("cannot watch process {pid:?}: {error}"));
        Self { pid, handle }
    }

    /// Returns the name of its program.
    #[must_use]
    pub fn name(&self) -> String {
        let path = format!("/proc/{}/comm", self.pid.as_raw_nonzero());
        fs::read_to_string(path)
            .unwrap_or_default()
            .trim_end()
            .to_owned()
    }

    /// Kills it.
    pub fn kill(&self) {
        pidfd_send_signal(&self.handle, Signal::KILL)
            .unwrap_or_else(|error| panic!("cannot kill {:?}: {error}", self.pid));
    }

    /// Waits until it has ended; panics if it still runs when the time is over.
    pub fn wait_for_end(&self) {
        assert!(
            wait_for_end(&self.handle, PATIENCE),
            "process {} ({}) still runs after {PATIENCE:?}",
            self.pid.as_raw_nonzero(),
            self.name()
        );
    }
}
