//! A run as a bar at the bottom of a terminal, with the lines that stay above it.

use std::io::Write;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressFinish, ProgressStyle};
use rustle_events::{Event, EventKind, Reporter};

use crate::escape::escape_line;
use crate::format::elapsed;
use crate::paint::{Paint, Tone};
use crate::printer::Look;
use crate::sink::Sink;
use crate::transcript::{Detail, Transcript};

/// How long a run goes on before there is a bar: what is over at once needs none.
const SILENCE: Duration = Duration::from_millis(250);
/// How often the bar is made anew.
const PACE: Duration = Duration::from_millis(66);
/// How wide the bar itself is; its template says so too.
const BAR_WIDTH: usize = 24;
/// A rest that is shorter is not worth telling.
const LEAST_ETA: Duration = Duration::from_secs(1);
/// How many tasks at work are named.
const ROWS: usize = 8;

/// Draws the course of a run at the bottom of a terminal, and writes what changed and what failed above it.
///
/// The bar is drawn on standard error, so `out` should go there too. It is gone when the run has ended.
pub struct BarReporter {
    sink: Sink,
    transcript: Transcript,
    bar: ProgressBar,
    /// Where the bar is drawn once it is time.
    target: Option<ProgressDrawTarget>,
    began_at: Instant,
    drawn_at: Instant,
    /// Rows and columns of the terminal, where they are not to be asked for.
    size: Option<(u16, u16)>,
    expected: u64,
}

impl BarReporter {
    /// Makes a reporter that draws on standard error.
    #[must_use]
    pub fn new(out: Box<dyn Write + Send>, look: Look) -> Self {
        Self::with_target(out, look, ProgressDrawTarget::stderr(), None)
    }

    fn with_target(
        out: Box<dyn Write + Send>,
        look: Look,
        target: ProgressDrawTarget,
        size: Option<(u16, u16)>,
    ) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len}  {msg}");
        bar.set_style(
            style
                .unwrap_or_else(|_| ProgressStyle::default_bar())
                .progress_chars("=> "),
        );
        Self {
            sink: Sink::new(out),
            transcript: Transcript::new(look, Detail::Changes),
            bar: bar.with_finish(ProgressFinish::AndClear),
            target: Some(target),
            began_at: Instant::now(),
            drawn_at: Instant::now(),
            size,
            expected: 0,
        }
    }

    fn say(&mut self, text: &str) {
        if !text.is_empty() {
            let sink = &mut self.sink;
            self.bar.suspend(|| sink.write(text));
        }
    }

    /// Takes how many tasks there are from the first event.
    fn expect(&mut self, event: &Event) {
        if let EventKind::RunStarted { expected_units, .. } = &event.kind {
            self.expected = *expected_units;
        }
    }

    fn draw_if_due(&mut self) {
        if let Some(target) = self.target.take_if(|_| self.began_at.elapsed() >= SILENCE) {
            self.bar.set_draw_target(target);
            self.draw();
        } else if self.target.is_none() && self.drawn_at.elapsed() >= PACE {
            self.draw();
        }
    }

    fn draw(&mut self) {
        let fold = self.transcript.fold();
        let ended = u64::from(fold.tally().total);
        let known = ended + fold.running().len() as u64;
        self.bar.set_length(self.expected.max(known));
        self.bar.set_position(ended);
        self.bar.set_message(self.message(Utc::now()));
        self.drawn_at = Instant::now();
    }

    /// What stands beside the bar and below it.
    fn message(&self, now: DateTime<Utc>) -> String {
        let (height, width) = self.size.unwrap_or_else(|| Term::stderr().size());
        // Half of the terminal belongs to the lines that stay.
        let rows = ROWS.min(usize::from(height) / 2);
        let width = usize::from(width).saturating_sub(1);
        let (fold, paint) = (self.transcript.fold(), self.transcript.paint());
        let mut message = self.headline(width);
        for (unit, running) in fold.running().iter().take(rows) {
            let took = elapsed((now - running.since).to_std().unwrap_or_default());
            let host = escape_line(unit.host.as_str());
            let row = format!("    {host}  {took:>6}  {}", escape_line(&running.task.name));
            message.push('\n');
            message.push_str(&console::truncate_str(&row, width, "…"));
        }
        let more = fold.running().len().saturating_sub(rows);
        if more > 0 {
            let more = format!("    … and {more} more");
            message.push('\n');
            message.push_str(&paint.paint(Tone::Quiet, &more));
        }
        message
    }

    /// The time that is left and the numbers, in what the bar leaves of its line.
    fn headline(&self, width: usize) -> String {
        let counters = counters(
            &self.transcript.fold().tally().summary(),
            self.transcript.paint(),
        );
        let eta = self.bar.eta();
        let headline = if eta < LEAST_ETA {
            counters
        } else {
            format!("eta {}  {counters}", elapsed(eta))
        };
        let (done, all) = (self.bar.position(), self.bar.length().unwrap_or_default());
        let taken = BAR_WIDTH + format!(" {done}/{all}  ").len();
        console::truncate_str(&headline, width.saturating_sub(taken), "…").into_owned()
    }
}

fn counters(summary: &rustle_types::ExecutionSummary, paint: Paint) -> String {
    let counters = [
        (summary.successful_tasks, "ok", Tone::Good),
        (summary.changed_tasks, "changed", Tone::Changed),
        (summary.failed_tasks, "failed", Tone::Bad),
        (summary.unreachable_hosts, "unreachable", Tone::Lost),
    ];
    let told = counters.into_iter().filter(|(number, _, _)| *number > 0);
    let told: Vec<String> = told
        .map(|(number, word, tone)| paint.paint(tone, &format!("{number} {word}")))
        .collect();
    told.join(", ")
}

impl Reporter for BarReporter {
    fn note(&mut self, event: &Event) {
        self.expect(event);
        let text = self.transcript.note(event);
        self.say(&text);
        self.draw_if_due();
    }

    fn replay(&mut self, event: &Event) {
        self.expect(event);
        self.transcript.replay(event);
        self.draw_if_due();
    }

    fn tick(&mut self) {
        self.draw_if_due();
    }

    fn finish(&mut self) {
        self.target = None;
        self.bar.finish_and_clear();
        let text = self.transcript.finish();
        self.sink.write(&text);
    }
}

#[cfg(test)]
mod tests {
    use indicatif::InMemoryTerm;
    use rustle_types::ExitStatus;

    use super::*;
    use crate::story::{Shared, Story, changed, failed, ok};

    fn reporter(shared: &Shared, term: &InMemoryTerm) -> BarReporter {
        let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
        BarReporter::with_target(shared.writer(), Look::default(), target, Some((8, 60)))
    }

    fn story() -> Story {
        let mut story = Story::begin("web", &["web1", "web2", "web3"]);
        story.task(
            0,
            "Ping",
            "ping",
            &[("web1", ok()), ("web2", changed()), ("web3", failed("no"))],
        );
        for (step, host) in (1..).zip(["web1", "web2", "db1", "db2", "db3"]) {
            story.start(
                step,
                "Install a package with quite a long name, and more",
                "apt",
                host,
            );
        }
        story
    }

    #[test]
    fn short_run_draws_no_bar() {
        let (shared, term) = (Shared::default(), InMemoryTerm::new(8, 60));
        let mut reporter = reporter(&shared, &term);
        story().events.iter().for_each(|event| reporter.note(event));
        reporter.tick();
        assert_eq!(term.contents(), "");
        assert!(
            shared.text().contains("changed  Ping  [web2]"),
            "{}",
            shared.text()
        );
    }

    #[test]
    fn bar_counts_and_names_what_is_at_work() {
        let (shared, term) = (Shared::default(), InMemoryTerm::new(8, 60));
        let mut reporter = reporter(&shared, &term);
        let story = story();
        story.events.iter().for_each(|event| reporter.note(event));
        reporter.began_at -= SILENCE;
        reporter.draw_if_due();
        let now = story.events[8].at + chrono::Duration::seconds(5);
        let message = reporter.message(now);
        insta::assert_snapshot!(message);
        assert!(term.contents().contains("3/10"), "{}", term.contents());
        assert!(
            term.contents().contains("… and 1 more"),
            "{}",
            term.contents()
        );
    }

    #[test]
    fn bar_is_gone_at_the_end_and_the_summary_is_there() {
        let (shared, term) = (Shared::default(), InMemoryTerm::new(8, 60));
        let mut reporter = reporter(&shared, &term);
        reporter.began_at -= SILENCE;
        let mut story = story();
        story.finish(ExitStatus::TaskFailed).play_to(&mut reporter);
        assert_eq!(term.contents(), "");
        insta::assert_snapshot!(shared.text());
    }
}
