//! The one line that a task on a host gets.

use std::fmt::Write as _;
use std::time::Duration;

use rustle_types::{TaskResult, TaskStatus};

use super::text::elapsed;
use crate::escape::escape_line;
use crate::paint::{Paint, Tone};

/// How wide the first column is.
const WORD_WIDTH: usize = 12;
/// Times below are not worth a word.
const LONG: Duration = Duration::from_secs(1);

/// How a line begins, and how that is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word {
    pub(crate) text: &'static str,
    pub(crate) tone: Tone,
}

impl Word {
    pub(crate) const OK: Self = Self::new("ok", Tone::Good);
    pub(crate) const CHANGED: Self = Self::new("changed", Tone::Changed);
    pub(crate) const WOULD_CHANGE: Self = Self::new("would change", Tone::Changed);
    pub(crate) const SKIPPED: Self = Self::new("skipped", Tone::Skipped);
    pub(crate) const FAILED: Self = Self::new("failed", Tone::Bad);
    pub(crate) const IGNORED: Self = Self::new("ignored", Tone::Warning);
    pub(crate) const RESCUED: Self = Self::new("rescued", Tone::Warning);
    pub(crate) const UNREACHABLE: Self = Self::new("unreachable", Tone::Lost);
    pub(crate) const RETRYING: Self = Self::new("retrying", Tone::Warning);
    pub(crate) const WARNING: Self = Self::new("warning", Tone::Warning);

    pub(crate) const fn new(text: &'static str, tone: Tone) -> Self {
        Self { text, tone }
    }

    /// The word for how a task ended.
    pub(crate) fn of(result: &TaskResult, is_settled: bool, is_check: bool) -> Self {
        match result.status {
            TaskStatus::Completed if result.changed => Self::changed(is_check),
            TaskStatus::Skipped => Self::SKIPPED,
            TaskStatus::Unreachable => Self::UNREACHABLE,
            TaskStatus::Ignored => Self::IGNORED,
            TaskStatus::Rescued => Self::RESCUED,
            TaskStatus::Failed if is_settled => Self::RESCUED,
            TaskStatus::Failed => Self::FAILED,
            _ => Self::OK,
        }
    }

    pub(crate) fn changed(is_check: bool) -> Self {
        if is_check {
            Self::WOULD_CHANGE
        } else {
            Self::CHANGED
        }
    }
}

/// A line about a task: a word, the task's title, the hosts, and what else there is to say.
#[derive(Clone, Debug)]
pub(crate) struct TaskLine<'a> {
    pub(crate) word: Word,
    /// The task's title, not yet escaped.
    pub(crate) title: &'a str,
    /// The hosts, escaped.
    pub(crate) hosts: String,
    /// More, not yet escaped.
    pub(crate) note: String,
    pub(crate) took: Option<Duration>,
}

impl TaskLine<'_> {
    /// The line with its end.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let word = format!("{:>WORD_WIDTH$}", self.word.text);
        let mut line = paint.paint(self.word.tone, &word);
        if !self.title.is_empty() {
            line.push_str("  ");
            line.push_str(&escape_line(self.title));
        }
        if !self.hosts.is_empty() {
            let _ = write!(line, "  [{}]", self.hosts);
        }
        if !self.note.is_empty() {
            line.push_str("  ");
            line.push_str(&escape_line(&self.note));
        }
        if let Some(took) = self.took.filter(|took| *took >= LONG) {
            line.push_str("  ");
            line.push_str(&paint.paint(Tone::Quiet, &elapsed(took)));
        }
        line.push('\n');
        line
    }
}
