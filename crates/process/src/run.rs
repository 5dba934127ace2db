//! The loop of one run: waits for what happens, tells the course, does what it says.

use std::io;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use rustix::process::Signal;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::time::Instant;

use crate::capture::Capture;
use crate::command::{Command, Stdin};
use crate::course::{Course, Step, Streams};
use crate::error::ProcessError;
use crate::feed::Feed;
use crate::finished::{BackgroundOutput, ExitStatus, Finished};
use crate::pump::{OutputStream, Pump, Pumped};
use crate::start::{Started, start};
use crate::{CancelLevel, CancelToken};

/// Everything that can happen to a run.
enum Event {
    Cancelled(CancelLevel),
    Exited(io::Result<std::process::ExitStatus>),
    Output(OutputStream, io::Result<Pumped>),
    Fed,
    TimePassed,
}

struct Run {
    program: String,
    child: Started,
    stdin: Feed,
    stdout: Pump<ChildStdout>,
    stderr: Pump<ChildStderr>,
    course: Course,
    started: SystemTime,
    start: Instant,
}

pub(crate) async fn run(command: Command, cancel: &CancelToken) -> Result<Finished, ProcessError> {
    if cancel.level() > CancelLevel::Run {
        let program = command.program.display().to_string();
        return Err(ProcessError::CancelledBeforeStart { program });
    }
    let child = start(&command).await?;
    let mut run = Run::new(command, child);
    loop {
        let now = Instant::now();
        match run.course.step(run.streams(), now) {
            Step::Wait(until) => {
                let event = run.next_event(until, cancel).await;
                run.note(event)?;
            }
            Step::LookAtGroup => run.course.note_group(run.child.group.is_alive(), now),
            Step::StopStreaming => run.stop_streaming(now),
            Step::GiveUp => return Err(run.unkillable()),
            Step::Finish(status) => return Ok(run.finish(status)),
        }
    }
}

impl Run {
    fn new(command: Command, mut child: Started) -> Self {
        let start = Instant::now();
        let course = Course::new(&command, start);
        let (stdin, stdout, stderr) = child.take_pipes();
        let bytes = match command.stdin {
            Stdin::Null => Bytes::new(),
            Stdin::Bytes(bytes) => bytes,
        };
        let capture = || Capture::new(command.output_limit);
        let chunk_tx = command.chunk_tx;
        Self {
            program: command.program.display().to_string(),
            child,
            stdin: Feed::new(stdin, bytes),
            stdout: Pump::new(OutputStream::Stdout, stdout, capture(), chunk_tx.clone()),
            stderr: Pump::new(OutputStream::Stderr, stderr, capture(), chunk_tx),
            course,
            started: SystemTime::now(),
            start,
        }
    }

    fn streams(&self) -> Streams {
        Streams {
            open: self.stdout.is_open() || self.stderr.is_open(),
            blocked: self.stdout.is_blocked() || self.stderr.is_blocked(),
        }
    }

    /// Every branch may be dropped without loss, as all but one are.
    async fn next_event(&mut self, until: Option<Instant>, cancel: &CancelToken) -> Event {
        tokio::select! {
            level = cancel.raised_above(self.course.level()) => Event::Cancelled(level),
            status = self.child.wait(), if self.course.is_running() => Event::Exited(status),
            pumped = self.stdout.next(), if self.stdout.is_open() => Event::Output(OutputStream::Stdout, pumped),
            pumped = self.stderr.next(), if self.stderr.is_open() => Event::Output(OutputStream::Stderr, pumped),
            () = self.stdin.finish(), if self.stdin.is_open() => Event::Fed,
            () = sleep_until(until) => Event::TimePassed,
        }
    }

    fn note(&mut self, event: Event) -> Result<(), ProcessError> {
        let now = Instant::now();
        let signal = match event {
            Event::Cancelled(level) => self.course.note_cancel(level, now),
            Event::TimePassed => self.course.note_time(self.streams(), now),
            Event::Exited(status) => {
                self.note_exit(status, now)?;
                None
            }
            Event::Output(stream, pumped) => {
                self.note_output(stream, pumped, now)?;
                // A stream that is never quiet would otherwise leave few turns for the clock.
                self.course.note_time(self.streams(), now)
            }
            Event::Fed => None,
        };
        if let Some(signal) = signal {
            self.child.group.signal(signal);
            // A stopped process hears nothing but a kill until it goes on.
            self.child.group.signal(Signal::CONT);
        }
        Ok(())
    }

    fn note_exit(
        &mut self,
        status: io::Result<std::process::ExitStatus>,
        now: Instant,
    ) -> Result<(), ProcessError> {
        let status = status.map_err(|source| ProcessError::Wait {
            program: self.program.clone(),
            source,
        })?;
        self.stdin.close();
        self.course.note_exit(ExitStatus::from_std(status), now);
        if self.course.level() == CancelLevel::Run {
            self.child.release();
        }
        Ok(())
    }

    fn note_output(
        &mut self,
        stream: OutputStream,
        pumped: io::Result<Pumped>,
        now: Instant,
    ) -> Result<(), ProcessError> {
        let pumped = pumped.map_err(|source| ProcessError::Read {
            program: self.program.clone(),
            stream,
            source,
        })?;
        match pumped {
            Pumped::Read => self.course.note_output(Duration::ZERO, now),
            Pumped::Delivered { waited } => self.course.note_output(waited, now),
            Pumped::Ended => {}
        }
        Ok(())
    }

    fn stop_streaming(&mut self, now: Instant) {
        self.stdout.stop_streaming();
        self.stderr.stop_streaming();
        self.course.note_streaming_stopped(now);
    }

    fn unkillable(&self) -> ProcessError {
        ProcessError::Unkillable {
            program: self.program.clone(),
            pid: self.child.group.leader(),
        }
    }

    fn finish(mut self, status: ExitStatus) -> Finished {
        self.child.release();
        let (stdout, stdout_pipe) = self.stdout.finish();
        let (stderr, stderr_pipe) = self.stderr.finish();
        let background = BackgroundOutput {
            stdout: stdout_pipe,
            stderr: stderr_pipe,
        };
        Finished {
            status,
            outcome: self.course.outcome(),
            stdout,
            stderr,
            started: self.started,
            elapsed: self.start.elapsed(),
            background: background.is_open().then_some(background),
        }
    }
}

async fn sleep_until(until: Option<Instant>) {
    match until {
        Some(until) => tokio::time::sleep_until(until).await,
        None => std::future::pending().await,
    }
}
