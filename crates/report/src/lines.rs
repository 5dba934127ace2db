//! A run as plain lines.

use std::io::Write;
use std::time::{Duration, Instant};

use chrono::Utc;
use rustle_events::{Event, Reporter};

use crate::printer::Look;
use crate::sink::Sink;
use crate::transcript::{Detail, Transcript};

/// How long nothing is said before it is said what is still at work.
const SILENCE: Duration = Duration::from_secs(60);

/// Writes a run as lines, for files, pipes and CI. The lines depend on the events only; a silence of a minute adds one that
/// tells what is still at work.
pub struct LinesReporter {
    sink: Sink,
    transcript: Transcript,
    said_at: Instant,
}

impl LinesReporter {
    /// Makes a reporter that tells everything that `look` asks for.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, look: Look) -> Self {
        Self::with(out, Transcript::new(look, Detail::Everything))
    }

    /// Makes a reporter that tells of failures and of the end only.
    #[must_use]
    pub fn of_failures(out: Box<dyn Write + Send>, look: Look) -> Self {
        Self::with(out, Transcript::new(look, Detail::Failures))
    }

    fn with(out: Box<dyn Write + Send>, transcript: Transcript) -> Self {
        Self {
            sink: Sink::new(out),
            transcript,
            said_at: Instant::now(),
        }
    }

    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            self.said_at = Instant::now();
            self.sink.write(text);
        }
    }
}

impl Reporter for LinesReporter {
    fn note(&mut self, event: &Event) {
        let text = self.transcript.note(event);
        self.say(&text);
    }

    fn replay(&mut self, event: &Event) {
        self.transcript.replay(event);
    }

    fn tick(&mut self) {
        if self.said_at.elapsed() >= SILENCE {
            let text = self.transcript.still_running(Utc::now());
            self.say(&text);
        }
    }

    fn finish(&mut self) {
        let text = self.transcript.finish();
        self.say(&text);
    }
}

#[cfg(test)]
mod tests;
