//! A run as text that stays: the one place where events become lines.

mod course;
mod output;
mod result;
mod unchanged;

use std::collections::HashSet;
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use rustle_events::{Event, EventKind, ReportFold};
use rustle_types::{ExitStatus, HostName, TaskResult};

use self::output::LiveOutput;
use self::unchanged::{Folded, Unchanged};
use crate::format::{Failed, Summary, TaskLine, Word, host_list};
use crate::paint::{Paint, Tone};
use crate::printer::Look;
use crate::verbosity::Verbosity;

/// Which of the lines are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Detail {
    /// Failures and the verdict.
    Verdict,
    /// Failures, warnings and the end.
    Failures,
    /// These, and what changed.
    Changes,
    /// These, and what did not change.
    Everything,
}

/// Turns events into text. Text is made as soon as it can be; hosts on which a task changed nothing are held back until the
/// task has ended everywhere, so that they are one line.
pub(crate) struct Transcript {
    detail: Detail,
    verbosity: Verbosity,
    paint: Paint,
    is_check: bool,
    fold: ReportFold,
    unchanged: Unchanged,
    live: LiveOutput,
    failed: IndexMap<Failed, Vec<HostName>>,
    /// The play that is under way, and how many have begun.
    play: String,
    plays: usize,
    warned: HashSet<String>,
    /// The result that found a host lost, until it is told why and what to do.
    lost: Option<Box<TaskResult>>,
    exit: Option<ExitStatus>,
    text: String,
}

impl Transcript {
    pub(crate) fn new(look: Look, detail: Detail) -> Self {
        let detail = match look.verbosity {
            Verbosity::Quiet => Detail::Verdict,
            Verbosity::Verbose(_) if detail == Detail::Changes => Detail::Everything,
            _ => detail,
        };
        Self {
            detail,
            verbosity: look.verbosity,
            paint: Paint { is_on: look.color },
            is_check: false,
            fold: ReportFold::without_results(),
            unchanged: Unchanged::default(),
            live: LiveOutput::default(),
            failed: IndexMap::new(),
            play: String::new(),
            plays: 0,
            warned: HashSet::new(),
            lost: None,
            exit: None,
            text: String::new(),
        }
    }

    /// The numbers and what is at work.
    pub(crate) fn fold(&self) -> &ReportFold {
        &self.fold
    }

    pub(crate) fn paint(&self) -> Paint {
        self.paint
    }

    /// Takes the next event, and gives the text that it leads to: whole lines, or nothing.
    pub(crate) fn note(&mut self, event: &Event) -> String {
        if !matches!(event.kind, EventKind::HostUnreachable { .. }) {
            self.settle_loss();
        }
        match &event.kind {
            EventKind::TaskFinished {
                unit,
                result,
                is_rescued,
                is_ignored,
                is_counted,
                ..
            } => {
                self.finish_task(unit, result, *is_rescued || *is_ignored, *is_counted);
            }
            other => self.note_course(other),
        }
        self.fold.note(event);
        std::mem::take(&mut self.text)
    }

    /// Takes an event of an earlier part of the run into account, which was told then.
    pub(crate) fn replay(&mut self, event: &Event) {
        if let EventKind::RunStarted { check, .. } = event.kind {
            self.is_check = check;
        }
        self.fold.note(event);
    }

    /// The text that ends a run.
    pub(crate) fn finish(&mut self) -> String {
        self.settle_loss();
        let folded = self.unchanged.take_all();
        self.tell_folded(folded);
        let fold = std::mem::replace(&mut self.fold, ReportFold::without_results());
        if let Some(report) = fold.finish() {
            let failed = self.failed.iter().map(|(failed, hosts)| (failed, &**hosts));
            let summary = Summary {
                report: &report,
                // Where nothing stood between, a failure is not told twice.
                failed: if self.detail >= Detail::Changes {
                    failed.collect()
                } else {
                    Vec::new()
                },
                names_plays: self.plays > 1,
                exit: self.exit,
                is_check: self.is_check,
                paint: self.paint,
                verbosity: self.verbosity,
            };
            let text = if self.detail == Detail::Verdict {
                summary.verdict()
            } else {
                summary.text()
            };
            self.text.push_str(&text);
        }
        std::mem::take(&mut self.text)
    }

    /// A line a task that is still at work, for those who wait long and see nothing.
    pub(crate) fn still_running(&self, now: DateTime<Utc>) -> String {
        let mut tasks: IndexMap<&str, (Vec<HostName>, Duration)> = IndexMap::new();
        if self.detail < Detail::Everything {
            return String::new();
        }
        for (unit, running) in self.fold.running() {
            let (hosts, longest) = tasks.entry(&running.task.name).or_default();
            hosts.push(unit.host.clone());
            *longest = (now - running.since)
                .to_std()
                .unwrap_or_default()
                .max(*longest);
        }
        let word = Word::new("running", Tone::Quiet);
        let lines = tasks.into_iter().map(|(title, (hosts, longest))| {
            let (hosts, note) = (host_list(&hosts), String::new());
            TaskLine {
                word,
                title,
                hosts,
                note,
                took: Some(longest),
            }
            .text(self.paint)
        });
        lines.collect()
    }

    fn tell(&mut self, line: &TaskLine<'_>) {
        self.text.push_str(&line.text(self.paint));
    }

    fn tell_folded(&mut self, folded: Vec<Folded>) {
        for folded in folded {
            let (hosts, note) = (host_list(&folded.hosts), String::new());
            self.tell(&TaskLine {
                word: folded.word,
                title: &folded.title,
                hosts,
                note,
                took: None,
            });
        }
    }

    /// Warns once, however many hosts say the same.
    fn warn(&mut self, message: &str, hosts: String) {
        if self.detail >= Detail::Failures && self.warned.insert(message.to_owned()) {
            let note = String::new();
            self.tell(&TaskLine {
                word: Word::WARNING,
                title: message,
                hosts,
                note,
                took: None,
            });
        }
    }
}
