//! The end of a run: what failed, what did not run, what took long, each host in numbers, the verdict.

use std::fmt::Write as _;
use std::time::Duration;

use rustle_types::{ExecutionReport, ExecutionSummary, ExitStatus, HostName, HostSummary};

use super::details::Details;
use super::line::{TaskLine, Word};
use super::text::{count, elapsed, host_list};
use crate::escape::escape_line;
use crate::paint::{Paint, Tone};
use crate::verbosity::Verbosity;

/// How many of the slowest tasks are named unless more is asked for, and from which time on.
const SLOWEST: usize = 5;
const SLOW_MS: u64 = 1000;
/// How many hosts with the same failure are named.
const NAMED_HOSTS: usize = 10;

/// A failure as it is told again: once for all hosts that had the same.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Failed {
    pub(crate) word: Word,
    pub(crate) play: String,
    pub(crate) title: String,
    pub(crate) details: Details,
}

/// What the end of a run is told from.
pub(crate) struct Summary<'a> {
    pub(crate) report: &'a ExecutionReport,
    pub(crate) failed: Vec<(&'a Failed, &'a [HostName])>,
    /// Whether failures are told with their play.
    pub(crate) names_plays: bool,
    /// How the run ended; nothing where it was cut off.
    pub(crate) exit: Option<ExitStatus>,
    pub(crate) is_check: bool,
    pub(crate) paint: Paint,
    pub(crate) verbosity: Verbosity,
}

impl Summary<'_> {
    /// All sections, those that have nothing to say left out, the verdict last.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        self.add(&mut text, "failures", &self.failures());
        self.add(&mut text, "stopped early", &self.stops());
        self.add(&mut text, "handlers that did not run", &self.handlers());
        self.add(&mut text, "slowest tasks", &self.slowest());
        self.add(&mut text, "recap", &self.recap());
        text.push('\n');
        text.push_str(&self.verdict());
        text
    }

    fn add(&self, text: &mut String, title: &str, section: &str) {
        if !section.is_empty() {
            text.push('\n');
            text.push_str(&self.paint.paint(Tone::Heading, title));
            text.push('\n');
            text.push_str(section);
        }
    }

    fn failures(&self) -> String {
        let mut text = String::new();
        for (failed, hosts) in &self.failed {
            let line = TaskLine {
                word: failed.word,
                title: &failed.title,
                hosts: named(hosts),
                note: if self.names_plays {
                    format!("in {}", failed.play)
                } else {
                    String::new()
                },
                took: None,
            };
            text.push_str(&line.text(self.paint));
            text.push_str(&failed.details.text(self.paint));
        }
        text
    }

    fn stops(&self) -> String {
        let mut text = String::new();
        for stop in &self.report.stop_reasons {
            let host = stop.host.as_ref().map(|host| host.as_str().to_owned());
            let who = host.or_else(|| stop.play.as_ref().map(|play| format!("play {play}")));
            let who = who.unwrap_or_else(|| "run".to_owned());
            let _ = writeln!(
                text,
                "  {}: {}",
                escape_line(&who),
                escape_line(&stop.reason)
            );
        }
        text
    }

    fn handlers(&self) -> String {
        let mut text = String::new();
        for handler in &self.report.not_run_handlers {
            let (name, host) = (
                escape_line(&handler.handler),
                escape_line(handler.host.as_str()),
            );
            let _ = writeln!(text, "  {name}  [{host}]  {}", escape_line(&handler.reason));
        }
        text
    }

    fn slowest(&self) -> String {
        let mut text = String::new();
        let slowest = self.report.performance_metrics.slowest_tasks.iter();
        let tells_all = self.verbosity.is_at_least(1);
        let worth_it = slowest.filter(|slow| tells_all || slow.elapsed_ms >= SLOW_MS);
        for slow in worth_it.take(if tells_all { usize::MAX } else { SLOWEST }) {
            let time = elapsed(Duration::from_millis(slow.elapsed_ms));
            let (name, host) = (
                escape_line(&slow.task_name),
                escape_line(slow.host.as_str()),
            );
            let _ = writeln!(text, "  {time:>8}  {name}  [{host}]");
        }
        text
    }

    fn recap(&self) -> String {
        let hosts = &self.report.host_results;
        let names: Vec<_> = hosts
            .keys()
            .map(|host| escape_line(host.as_str()))
            .collect();
        let width = names
            .iter()
            .map(|name| console::measure_text_width(name))
            .max()
            .unwrap_or(0)
            .max(4);
        let mut text = String::new();
        let head = COLUMNS.map(|(title, _, _)| title).join("  ");
        if !hosts.is_empty() {
            let head = self
                .paint
                .paint(Tone::Quiet, &format!("{:width$}  {head}", "host"));
            let _ = writeln!(text, "  {head}");
        }
        for (name, numbers) in names.iter().zip(hosts.values()) {
            let pad = " ".repeat(width - console::measure_text_width(name));
            let _ = write!(text, "  {}{pad}", self.paint.paint(tone_of(numbers), name));
            for (title, number, tone) in COLUMNS {
                let (number, wide) = (number(numbers), title.len());
                let cell = format!("{number:>wide$}");
                let tone = if number == 0 { Tone::Quiet } else { tone };
                let _ = write!(text, "  {}", self.paint.paint(tone, &cell));
            }
            text.push('\n');
        }
        text
    }

    /// The last line: how it ended, in one sentence.
    pub(crate) fn verdict(&self) -> String {
        let summary = &self.report.summary;
        let bad = count_bad(summary);
        let all = count(summary.total_hosts as usize, "host");
        let some = format!("{bad} of {all}");
        let (tone, word, who) = match self.exit {
            Some(ExitStatus::Done) if self.is_check => {
                (Tone::Good, "done, nothing was changed (check mode)", all)
            }
            Some(ExitStatus::Done) => (Tone::Good, "done", all),
            Some(ExitStatus::TaskFailed | ExitStatus::TaskFailedAndHostUnreachable) => {
                (Tone::Bad, "failed", some)
            }
            Some(ExitStatus::HostUnreachable) => (Tone::Lost, "unreachable", some),
            Some(other) => (Tone::Bad, other.meaning(), all),
            None => (Tone::Bad, "cut off", all),
        };
        let (word, time) = (self.paint.paint(tone, word), elapsed(self.report.duration));
        format!("{word}: {who} in {time}; {}\n", self.numbers(summary))
    }

    fn numbers(&self, summary: &ExecutionSummary) -> String {
        let sum = |number: fn(&HostSummary) -> u32| -> u32 {
            self.report.host_results.values().map(number).sum()
        };
        let numbers = [
            (summary.successful_tasks, "ok", true),
            (
                summary.changed_tasks,
                Word::changed(self.is_check).text,
                true,
            ),
            (summary.failed_tasks, "failed", false),
            (sum(|host| host.unreachable), "unreachable", false),
            (summary.skipped_tasks, "skipped", false),
            (sum(|host| host.rescued), "rescued", false),
            (sum(|host| host.ignored), "ignored", false),
        ];
        let told = numbers
            .iter()
            .filter(|(number, _, is_always_told)| *is_always_told || *number > 0);
        told.map(|(number, word, _)| format!("{number} {word}"))
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// A column of the recap: its title, its number, its colour.
type Column = (&'static str, fn(&HostSummary) -> u32, Tone);

const COLUMNS: [Column; 7] = [
    ("  ok", |host| host.ok, Tone::Good),
    ("changed", |host| host.changed, Tone::Changed),
    ("unreachable", |host| host.unreachable, Tone::Lost),
    ("failed", |host| host.failures, Tone::Bad),
    ("skipped", |host| host.skipped, Tone::Skipped),
    ("rescued", |host| host.rescued, Tone::Warning),
    ("ignored", |host| host.ignored, Tone::Warning),
];

fn tone_of(host: &HostSummary) -> Tone {
    match host {
        host if host.unreachable > 0 => Tone::Lost,
        host if host.failures > 0 => Tone::Bad,
        host if host.changed > 0 => Tone::Changed,
        _ => Tone::Good,
    }
}

fn count_bad(summary: &ExecutionSummary) -> u32 {
    summary.total_hosts.saturating_sub(summary.successful_hosts)
}

fn named(hosts: &[HostName]) -> String {
    let names = host_list(&hosts[..hosts.len().min(1)]);
    if hosts.len() <= 1 {
        return names;
    }
    let shown: Vec<_> = hosts
        .iter()
        .take(NAMED_HOSTS)
        .map(|host| escape_line(host.as_str()))
        .collect();
    let more = if hosts.len() > NAMED_HOSTS {
        ", …"
    } else {
        ""
    };
    format!("{}: {}{more}", count(hosts.len(), "host"), shown.join(", "))
}
