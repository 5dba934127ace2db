//! The state of one run and what follows from events: plain code that waits for nothing.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::CancelLevel;
use crate::command::Command;
use crate::finished::{ExitStatus, Outcome, TimeLimit};
use crate::ladder::Ladder;
use crate::linger::Linger;

/// How often we look whether a group that was told to end is gone; nothing else would tell us.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// The course of one run: which limits it reached, how far up the ladder it is, whether its command has exited.
#[derive(Debug)]
pub(crate) struct Course {
    total_at: Option<Instant>,
    idle_limit: Option<Duration>,
    last_output: Instant,
    linger: Duration,
    ladder: Ladder,
    outcome: Outcome,
    phase: Phase,
    /// The run has been asked to end, so the receiver of chunks may not hold it up.
    is_hurried: bool,
}

#[derive(Debug)]
enum Phase {
    /// The command runs.
    Running,
    /// The command exited when it was told to; the rest of its group may not have.
    Settling {
        status: ExitStatus,
        look_at: Instant,
    },
    /// All have gone that will; streams may still be open.
    Lingering { status: ExitStatus, linger: Linger },
}

/// How the streams are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Streams {
    /// One of them has not ended.
    pub(crate) open: bool,
    /// The receiver of chunks keeps us from reading one of them.
    pub(crate) blocked: bool,
}

/// What a run is to do now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Wait for the next event, and at most until then.
    Wait(Option<Instant>),
    /// Look whether the group is gone.
    LookAtGroup,
    /// Leave the receiver of chunks behind and read on without it.
    StopStreaming,
    /// Give up: the command survived the whole ladder.
    GiveUp,
    /// Finish with this status.
    Finish(ExitStatus),
}

impl Course {
    pub(crate) fn new(command: &Command, now: Instant) -> Self {
        Self {
            total_at: command.timeout.and_then(|limit| now.checked_add(limit)),
            idle_limit: command.idle_timeout,
            last_output: now,
            linger: command.linger,
            ladder: Ladder::new(command.grace),
            outcome: Outcome::Exited,
            phase: Phase::Running,
            is_hurried: false,
        }
    }

    pub(crate) fn level(&self) -> CancelLevel {
        self.ladder.level()
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }

    pub(crate) fn is_running(&self) -> bool {
        matches!(self.phase, Phase::Running)
    }

    pub(crate) fn note_output(&mut self, waited: Duration, now: Instant) {
        self.last_output = now;
        if let Phase::Lingering { linger, .. } = &mut self.phase {
            linger.note_output(waited, now);
        }
    }

    /// The command exited. If nobody told it to, what it left in the background is left alone.
    pub(crate) fn note_exit(&mut self, status: ExitStatus, now: Instant) {
        self.phase = if self.is_ending() {
            Phase::Settling {
                status,
                look_at: now,
            }
        } else {
            self.lingering(status, now)
        };
    }

    /// Somebody looked at the group.
    pub(crate) fn note_group(&mut self, is_alive: bool, now: Instant) {
        if let Phase::Settling { status, .. } = self.phase {
            self.phase = if is_alive && !self.ladder.has_given_up(now) {
                let look_at = now + LOOK_EVERY;
                Phase::Settling { status, look_at }
            } else {
                self.lingering(status, now)
            };
        }
    }

    /// The receiver of chunks was left behind: what it kept us from reading is there to be read now.
    pub(crate) fn note_streaming_stopped(&mut self, now: Instant) {
        if let Phase::Lingering { status, .. } = self.phase {
            self.phase = self.lingering(status, now);
        }
    }

    /// The caller asks for more than before; says the signal to send for that.
    pub(crate) fn note_cancel(&mut self, level: CancelLevel, now: Instant) -> Option<Signal> {
        self.end(Outcome::Cancelled, level, now)
    }

    /// Time has passed; says the signal to send for that.
    pub(crate) fn note_time(&mut self, streams: Streams, now: Instant) -> Option<Signal> {
        if self.is_ending() {
            return if self.is_lingering() {
                None
            } else {
                self.ladder.tick(now)
            };
        }
        let limit = if self.total_at.is_some_and(|at| now >= at) {
            TimeLimit::Total
        } else if self.idle_at(streams).is_some_and(|at| now >= at) {
            TimeLimit::Idle
        } else {
            return None;
        };
        self.end(Outcome::TimedOut { limit }, CancelLevel::Stop, now)
    }

    /// Decides what to do now.
    pub(crate) fn step(&self, streams: Streams, now: Instant) -> Step {
        match &self.phase {
            Phase::Running if self.ladder.has_given_up(now) => Step::GiveUp,
            Phase::Running => Step::Wait(self.wake_at(streams)),
            Phase::Settling { look_at, .. } if now >= *look_at => Step::LookAtGroup,
            Phase::Settling { look_at, .. } => {
                Step::Wait(earliest(Some(*look_at), self.ladder.wake_at()))
            }
            Phase::Lingering { status, linger } => {
                self.step_lingering(*status, linger, streams, now)
            }
        }
    }

    fn step_lingering(
        &self,
        status: ExitStatus,
        linger: &Linger,
        streams: Streams,
        now: Instant,
    ) -> Step {
        if !streams.open {
            return Step::Finish(status);
        }
        match (streams.blocked, self.is_hurried) {
            // What the command wrote is not lost because its receiver is slow.
            (true, false) => Step::Wait(self.wake_at(streams)),
            (true, true) if linger.is_over(now) => Step::StopStreaming,
            (false, _) if linger.is_over(now) => Step::Finish(status),
            _ => Step::Wait(Some(linger.wake_at())),
        }
    }

    /// Begins or hastens the end. A command that exited by itself is not to be ended any more, only the listening is.
    fn end(&mut self, outcome: Outcome, level: CancelLevel, now: Instant) -> Option<Signal> {
        self.is_hurried = true;
        let was_ending = self.is_ending();
        let signal = self.ladder.raise(level, now);
        if self.is_lingering() {
            return None;
        }
        if !was_ending {
            self.outcome = outcome;
        }
        signal
    }

    /// The ladder's time while it is climbed; before that the limits of the command.
    fn wake_at(&self, streams: Streams) -> Option<Instant> {
        if self.is_ending() {
            self.ladder.wake_at()
        } else {
            earliest(self.total_at, self.idle_at(streams))
        }
    }

    fn idle_at(&self, streams: Streams) -> Option<Instant> {
        if streams.blocked || !self.is_running() {
            return None;
        }
        self.last_output.checked_add(self.idle_limit?)
    }

    fn lingering(&self, status: ExitStatus, now: Instant) -> Phase {
        let linger = Linger::new(self.linger, now);
        Phase::Lingering { status, linger }
    }

    fn is_ending(&self) -> bool {
        self.ladder.has_begun()
    }

    fn is_lingering(&self) -> bool {
        matches!(self.phase, Phase::Lingering { .. })
    }
}

fn earliest(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const QUIET: Streams = Streams {
        open: true,
        blocked: false,
    };
    const BLOCKED: Streams = Streams {
        open: true,
        blocked: true,
    };
    const ENDED: Streams = Streams {
        open: false,
        blocked: false,
    };
    const DONE: ExitStatus = ExitStatus::Code(0);

    fn course(now: Instant) -> Course {
        Course::new(
            &Command::new("true")
                .timeout(10 * SECOND)
                .idle_timeout(2 * SECOND),
            now,
        )
    }

    #[test]
    fn silence_ends_a_command_before_its_total_time() {
        let start = Instant::now();
        let mut course = course(start);
        course.note_output(Duration::ZERO, start + SECOND);
        assert_eq!(
            course.step(QUIET, start),
            Step::Wait(Some(start + 3 * SECOND))
        );
        assert_eq!(course.note_time(QUIET, start + 2 * SECOND), None);
        assert_eq!(
            course.note_time(QUIET, start + 3 * SECOND),
            Some(Signal::TERM)
        );
        assert_eq!(
            course.outcome(),
            Outcome::TimedOut {
                limit: TimeLimit::Idle
            }
        );
    }

    #[test]
    fn slow_receiver_is_not_silence() {
        let start = Instant::now();
        let mut course = course(start);
        assert_eq!(course.note_time(BLOCKED, start + 9 * SECOND), None);
        assert_eq!(
            course.note_time(BLOCKED, start + 10 * SECOND),
            Some(Signal::TERM)
        );
        assert_eq!(
            course.outcome(),
            Outcome::TimedOut {
                limit: TimeLimit::Total
            }
        );
    }

    #[test]
    fn first_reason_to_end_stays_the_outcome() {
        let start = Instant::now();
        let mut course = course(start);
        assert_eq!(
            course.note_cancel(CancelLevel::Stop, start),
            Some(Signal::TERM)
        );
        assert_eq!(
            course.note_time(QUIET, start + 20 * SECOND),
            Some(Signal::KILL)
        );
        assert_eq!(course.outcome(), Outcome::Cancelled);
        assert_eq!(course.step(QUIET, start + 60 * SECOND), Step::GiveUp);
    }

    #[test]
    fn cancel_after_the_exit_sends_no_signal() {
        let start = Instant::now();
        let mut course = course(start);
        course.note_exit(DONE, start);
        assert_eq!(course.note_cancel(CancelLevel::Kill, start), None);
        assert_eq!(course.outcome(), Outcome::Exited);
        assert_eq!(course.step(ENDED, start), Step::Finish(DONE));
    }

    #[test]
    fn group_of_a_cancelled_command_is_waited_for_and_killed_in_the_end() {
        let start = Instant::now();
        let mut course = course(start);
        course.note_cancel(CancelLevel::Stop, start);
        course.note_exit(DONE, start);
        assert_eq!(course.step(ENDED, start), Step::LookAtGroup);
        course.note_group(true, start);
        assert_eq!(
            course.step(ENDED, start),
            Step::Wait(Some(start + LOOK_EVERY))
        );
        assert_eq!(
            course.note_time(ENDED, start + 5 * SECOND),
            Some(Signal::KILL)
        );
        course.note_group(false, start + 5 * SECOND);
        assert_eq!(course.step(ENDED, start + 5 * SECOND), Step::Finish(DONE));
    }

    #[test]
    fn stalled_receiver_holds_the_end_up_until_somebody_is_in_a_hurry() {
        let start = Instant::now();
        let mut course = course(start);
        course.note_exit(DONE, start);
        let later = start + 5 * SECOND;
        assert_eq!(
            course.step(BLOCKED, later),
            Step::Wait(Some(start + 10 * SECOND))
        );
        assert_eq!(course.note_cancel(CancelLevel::Stop, later), None);
        assert_eq!(course.step(BLOCKED, later), Step::StopStreaming);
        course.note_streaming_stopped(later);
        assert!(matches!(course.step(QUIET, later), Step::Wait(Some(until)) if until > later));
    }
}
