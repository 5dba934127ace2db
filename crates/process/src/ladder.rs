//! The way from a running group to a dead one, which only goes up.

use std::time::Duration;

use rustix::process::Signal;
use tokio::time::Instant;

use crate::CancelLevel;

/// How long the dead may take to go after `SIGKILL`; more is the kernel's trouble, or another user's process.
const KILL_WAIT: Duration = Duration::from_secs(5);

/// Says which signal is due; sends none itself.
#[derive(Debug)]
pub(crate) struct Ladder {
    grace: Duration,
    level: CancelLevel,
    /// When the next step is due: the kill after a stop, giving up after a kill.
    next_at: Option<Instant>,
}

impl Ladder {
    pub(crate) fn new(grace: Duration) -> Self {
        Self {
            grace,
            level: CancelLevel::Run,
            next_at: None,
        }
    }

    pub(crate) fn level(&self) -> CancelLevel {
        self.level
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.level > CancelLevel::Run
    }

    pub(crate) fn wake_at(&self) -> Option<Instant> {
        self.next_at
    }

    /// Climbs to `level` and says the signal to send, or nothing if that is no climb.
    pub(crate) fn raise(&mut self, level: CancelLevel, now: Instant) -> Option<Signal> {
        if level <= self.level {
            return None;
        }
        self.level = level;
        let (wait, signal) = match level {
            CancelLevel::Run => return None,
            CancelLevel::Stop => (self.grace, Signal::TERM),
            CancelLevel::Kill => (KILL_WAIT, Signal::KILL),
        };
        // A grace beyond what the clock can tell is one without an end.
        self.next_at = now.checked_add(wait);
        Some(signal)
    }

    /// Climbs from stop to kill once the grace is over.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Signal> {
        if self.level == CancelLevel::Stop && self.is_due(now) {
            self.raise(CancelLevel::Kill, now)
        } else {
            None
        }
    }

    /// Whether there is nothing left to try.
    pub(crate) fn has_given_up(&self, now: Instant) -> bool {
        self.level == CancelLevel::Kill && self.is_due(now)
    }

    fn is_due(&self, now: Instant) -> bool {
        self.next_at.is_some_and(|at| now >= at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(3);

    #[test]
    fn grace_lies_between_stop_and_kill() {
        let start = Instant::now();
        let mut ladder = Ladder::new(GRACE);
        assert_eq!(ladder.raise(CancelLevel::Stop, start), Some(Signal::TERM));
        assert_eq!(ladder.tick(start + GRACE / 2), None);
        assert_eq!(ladder.tick(start + GRACE), Some(Signal::KILL));
        assert_eq!(ladder.tick(start + GRACE), None);
        assert!(!ladder.has_given_up(start + GRACE));
        assert!(ladder.has_given_up(start + GRACE + KILL_WAIT));
    }

    #[test]
    fn second_level_kills_at_once_and_nothing_leads_down() {
        let start = Instant::now();
        let mut ladder = Ladder::new(GRACE);
        assert_eq!(ladder.raise(CancelLevel::Stop, start), Some(Signal::TERM));
        assert_eq!(ladder.raise(CancelLevel::Stop, start), None);
        assert_eq!(ladder.raise(CancelLevel::Kill, start), Some(Signal::KILL));
        assert_eq!(ladder.raise(CancelLevel::Stop, start), None);
        assert_eq!(ladder.level(), CancelLevel::Kill);
    }

    #[test]
    fn endless_grace_does_not_overflow() {
        let start = Instant::now();
        let mut ladder = Ladder::new(Duration::MAX);
        assert_eq!(ladder.raise(CancelLevel::Stop, start), Some(Signal::TERM));
        assert_eq!(ladder.wake_at(), None);
        assert_eq!(ladder.tick(start + GRACE), None);
    }
}
