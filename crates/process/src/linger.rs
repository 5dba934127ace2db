//! How long streams are listened to after the command ended.

use std::time::Duration;

use tokio::time::Instant;

/// A background process that never stops writing is left after this many times the quiet time.
const TOTAL_FACTOR: u32 = 10;

/// The time for streams that did not end with the command: until they are quiet, and not for ever.
#[derive(Debug)]
pub(crate) struct Linger {
    quiet: Duration,
    quiet_at: Instant,
    end_at: Instant,
}

impl Linger {
    pub(crate) fn new(quiet: Duration, now: Instant) -> Self {
        Self {
            quiet,
            quiet_at: after(now, quiet),
            end_at: after(now, quiet.saturating_mul(TOTAL_FACTOR)),
        }
    }

    /// Something was read, after the receiver of chunks had kept us `waited` long: its slowness must not cost output.
    pub(crate) fn note_output(&mut self, waited: Duration, now: Instant) {
        self.quiet_at = after(now, self.quiet);
        self.end_at = after(self.end_at, waited);
    }

    pub(crate) fn wake_at(&self) -> Instant {
        self.quiet_at.min(self.end_at)
    }

    pub(crate) fn is_over(&self, now: Instant) -> bool {
        now >= self.wake_at()
    }
}

/// Far away is as good as never; a year is what a clock can always tell.
fn after(start: Instant, wait: Duration) -> Instant {
    start + wait.min(Duration::from_secs(365 * 24 * 3600))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUIET: Duration = Duration::from_millis(100);

    #[test]
    fn output_prolongs_it_but_not_for_ever() {
        let start = Instant::now();
        let mut linger = Linger::new(QUIET, start);
        let mut now = start;
        while !linger.is_over(now) {
            linger.note_output(Duration::ZERO, now);
            now += QUIET / 2;
        }
        assert_eq!(now, start + QUIET * TOTAL_FACTOR);
    }

    #[test]
    fn waiting_for_the_receiver_is_not_counted() {
        let start = Instant::now();
        let mut linger = Linger::new(QUIET, start);
        let hour = Duration::from_secs(3600);
        linger.note_output(hour, start + hour);
        assert!(!linger.is_over(start + hour));
        assert!(linger.is_over(start + hour + QUIET));
    }
}
