//! The course of a run as text: everything but results.

use rustle_events::{EventKind, UnitId};
use rustle_types::{HostConnection, HostName, JsonValue, Object};

use super::{Detail, Transcript};
use crate::escape::escape_line;
use crate::format::{TaskLine, Word, count, elapsed};
use crate::paint::Tone;

impl Transcript {
    pub(super) fn note_course(&mut self, event: &EventKind) {
        match event {
            EventKind::RunStarted { check, .. } => self.start_run(*check),
            EventKind::RunResumed { done } => self.resume_run(*done),
            EventKind::PlayStarted {
                play,
                name,
                hosts,
                strategy,
            } => {
                self.start_play(&play_title(*play, name), hosts.len(), strategy);
            }
            EventKind::PlaySkipped { play, name, reason } => {
                self.heading(&format!("{}: skipped, {reason}", play_title(*play, name)));
            }
            EventKind::BatchStarted {
                batch,
                batches,
                hosts,
                ..
            } => {
                self.start_batch(*batch, *batches, hosts.len());
            }
            EventKind::PlayStopped { stop } => {
                let host = stop
                    .host
                    .as_ref()
                    .map(|host| escape_line(host.as_str()).into_owned());
                self.warn(
                    &format!("stopped early: {}", stop.reason),
                    host.unwrap_or_default(),
                );
            }
            EventKind::PlayFinished { .. } => {
                let folded = self.unchanged.take_all();
                self.tell_folded(folded);
            }
            EventKind::Warned { message } => self.warn(message, String::new()),
            EventKind::CancelRequested { reason } => {
                self.warn(
                    &format!("cancelling ({reason}): nothing new starts"),
                    String::new(),
                );
            }
            EventKind::RunFinished { exit, .. } => self.exit = Some(*exit),
            other => self.note_work(other),
        }
    }

    fn note_work(&mut self, event: &EventKind) {
        match event {
            EventKind::HostConnected { host, connection } => self.connect(host, connection),
            EventKind::HostUnreachable { host, reason, hint } => {
                self.note_lost_host(host, reason, hint.as_deref());
            }
            EventKind::TaskStarted { unit, .. } => {
                let folded = self.unchanged.start_task(&unit.path);
                self.tell_folded(folded);
            }
            EventKind::TaskOutput {
                unit,
                is_stderr,
                text,
            } if self.verbosity.is_at_least(1) => {
                let lines = self.live.note(unit, *is_stderr, text);
                self.text.push_str(&lines);
            }
            EventKind::ItemFinished {
                unit,
                label,
                result,
            } => self.finish_item(unit, label, result),
            EventKind::TaskRetrying {
                unit,
                attempt,
                left,
                ..
            } => self.retry(unit, *attempt, *left),
            EventKind::HandlersNotified { host, handlers } => self.notify(host, handlers),
            _ => {}
        }
    }

    fn heading(&mut self, text: &str) {
        if self.detail >= Detail::Changes {
            self.text.push('\n');
            self.text
                .push_str(&self.paint.paint(Tone::Heading, &escape_line(text)));
            self.text.push('\n');
        }
    }

    fn start_run(&mut self, is_check: bool) {
        self.is_check = is_check;
        if is_check && self.detail >= Detail::Changes {
            self.text.push_str("check mode: nothing will be changed\n");
        }
    }

    fn resume_run(&mut self, done: usize) {
        if self.detail >= Detail::Changes {
            let done = count(done, "task");
            let line = format!("continues where the run ended: {done} on hosts done before\n");
            self.text.push_str(&line);
        }
    }

    fn start_play(&mut self, title: &str, hosts: usize, strategy: &str) {
        let folded = self.unchanged.start(hosts);
        self.tell_folded(folded);
        self.heading(&format!("{title}: {}, {strategy}", count(hosts, "host")));
        title.clone_into(&mut self.play);
        self.plays += 1;
    }

    fn start_batch(&mut self, batch: usize, batches: usize, hosts: usize) {
        let folded = self.unchanged.start(hosts);
        self.tell_folded(folded);
        if batches > 1 {
            self.heading(&format!(
                "batch {} of {batches}: {}",
                batch + 1,
                count(hosts, "host")
            ));
        }
    }

    fn connect(&mut self, host: &HostName, connection: &HostConnection) {
        if !self.verbosity.is_at_least(1) {
            return;
        }
        let destination = connection.destination.as_deref().unwrap_or_default();
        let took = elapsed(std::time::Duration::from_millis(connection.connect_ms));
        let uploaded = if connection.agent_uploaded {
            ", agent put there"
        } else {
            ""
        };
        let note = format!(
            "{} {destination} in {took}{uploaded}",
            connection.connection
        );
        let word = Word::new("connected", Tone::Quiet);
        let hosts = escape_line(host.as_str()).into_owned();
        self.tell(&TaskLine {
            word,
            title: "",
            hosts,
            note,
            took: None,
        });
    }

    fn finish_item(&mut self, unit: &UnitId, label: &str, result: &Object) {
        if !self.verbosity.is_at_least(1) {
            return;
        }
        let is = |key: &str| result.get(key).and_then(JsonValue::as_bool) == Some(true);
        let word = match () {
            () if is("failed") => Word::FAILED,
            () if is("skipped") => Word::SKIPPED,
            () if is("changed") => Word::changed(self.is_check),
            () => Word::OK,
        };
        let title = self.title_of(unit);
        let (hosts, note) = (
            escape_line(unit.host.as_str()).into_owned(),
            format!("item {label}"),
        );
        self.tell(&TaskLine {
            word,
            title: &title,
            hosts,
            note,
            took: None,
        });
    }

    fn retry(&mut self, unit: &UnitId, attempt: u32, left: u32) {
        if self.detail < Detail::Everything {
            return;
        }
        let title = self.title_of(unit);
        let (hosts, note) = (
            escape_line(unit.host.as_str()).into_owned(),
            format!("try {attempt} was not enough, {left} left"),
        );
        self.tell(&TaskLine {
            word: Word::RETRYING,
            title: &title,
            hosts,
            note,
            took: None,
        });
    }

    fn notify(&mut self, host: &HostName, handlers: &[String]) {
        if !self.verbosity.is_at_least(1) {
            return;
        }
        let word = Word::new("notified", Tone::Quiet);
        let (title, hosts) = (handlers.join(", "), escape_line(host.as_str()).into_owned());
        self.tell(&TaskLine {
            word,
            title: &title,
            hosts,
            note: String::new(),
            took: None,
        });
    }

    fn title_of(&self, unit: &UnitId) -> String {
        self.fold
            .running()
            .get(unit)
            .map(|running| running.task.name.clone())
            .unwrap_or_default()
    }
}

fn play_title(play: usize, name: &str) -> String {
    if name.is_empty() {
        format!("play {}", play + 1)
    } else {
        format!("play {name}")
    }
}
