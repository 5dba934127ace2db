//! Hand-made runs for tests.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::DateTime;
use rustle_events::{EVENT_VERSION, Event, EventKind, Reporter, TaskInfo, TaskPath, UnitId};
use rustle_types::{ExitStatus, HostName, JsonValue, Object, TaskResult, TaskStatus};

/// The events of a run, a hundredth of a second apart.
pub(crate) struct Story {
    pub(crate) events: Vec<Event>,
}

/// How a task ended, on a host that the story names.
pub(crate) type End = TaskResult;

impl Story {
    pub(crate) fn begin(play: &str, hosts: &[&str]) -> Self {
        Self::begin_as(play, hosts, false)
    }

    pub(crate) fn begin_as(play: &str, hosts: &[&str], check: bool) -> Self {
        let mut story = Self { events: Vec::new() };
        story.tell(EventKind::RunStarted {
            event_version: EVENT_VERSION,
            run: "01890a5d-ac96-774b-bcce-b302099a8057".parse().unwrap(),
            rustle_version: "0.1.0".into(),
            plan: Object::new(),
            plays: 1,
            expected_units: 10,
            check,
            diff: true,
        });
        let hosts = hosts.iter().map(|host| HostName::from(*host)).collect();
        story.tell(EventKind::PlayStarted {
            play: 0,
            name: play.into(),
            hosts,
            strategy: "linear".into(),
        });
        story
    }

    pub(crate) fn tell(&mut self, kind: EventKind) -> &mut Self {
        let seq = self.events.len() as u64;
        let at = DateTime::from_timestamp_millis(1_760_000_000_000 + self.events.len() as i64 * 10);
        self.events.push(Event {
            seq,
            at: at.unwrap(),
            kind,
        });
        self
    }

    pub(crate) fn start(&mut self, step: u32, name: &str, module: &str, host: &str) -> &mut Self {
        let task = TaskInfo {
            name: name.into(),
            module: module.into(),
            is_handler: false,
            is_implicit: false,
        };
        self.tell(EventKind::TaskStarted {
            unit: unit(step, host),
            task: Arc::new(task),
        })
    }

    pub(crate) fn end(&mut self, step: u32, name: &str, host: &str, end: &End) -> &mut Self {
        let result = TaskResult {
            task_name: name.into(),
            host: host.into(),
            ..end.clone()
        };
        let (effects, is_rescued) = (Object::new(), end.status == TaskStatus::Rescued);
        let (unit, result) = (unit(step, host), Box::new(result));
        self.tell(EventKind::TaskFinished {
            unit,
            result,
            effects,
            is_rescued,
            is_ignored: false,
            is_counted: true,
        })
    }

    /// A task that starts on all hosts and then ends on one after the other.
    pub(crate) fn task(
        &mut self,
        step: u32,
        name: &str,
        module: &str,
        ends: &[(&str, End)],
    ) -> &mut Self {
        for (host, _) in ends {
            self.start(step, name, module, host);
        }
        for (host, end) in ends {
            self.end(step, name, host, end);
        }
        self
    }

    pub(crate) fn finish(&mut self, exit: ExitStatus) -> &mut Self {
        self.tell(EventKind::PlayFinished { play: 0 });
        self.tell(EventKind::RunFinished {
            exit,
            connect_ms: 30,
            reconnects: 0,
            agents_uploaded: 0,
        })
    }

    pub(crate) fn play_to(&self, reporter: &mut dyn Reporter) {
        self.events.iter().for_each(|event| reporter.note(event));
        reporter.finish();
    }
}

pub(crate) fn unit(step: u32, host: &str) -> UnitId {
    UnitId {
        path: TaskPath(vec![0, step]),
        host: host.into(),
    }
}

pub(crate) fn ok() -> End {
    let started = TaskResult::started("1", "", "".into(), DateTime::UNIX_EPOCH);
    TaskResult {
        status: TaskStatus::Completed,
        duration: Some(Duration::from_millis(40)),
        ..started
    }
}

pub(crate) fn changed() -> End {
    TaskResult {
        changed: true,
        ..ok()
    }
}

pub(crate) fn skipped() -> End {
    TaskResult {
        status: TaskStatus::Skipped,
        skipped: true,
        ..ok()
    }
}

pub(crate) fn failed(error: &str) -> End {
    TaskResult {
        status: TaskStatus::Failed,
        failed: true,
        error: Some(error.into()),
        ..ok()
    }
}

pub(crate) fn with(end: End, result: JsonValue) -> End {
    TaskResult {
        result: Some(result),
        ..end
    }
}

/// A writer whose text a test reads.
#[derive(Clone, Default)]
pub(crate) struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn writer(&self) -> Box<dyn Write + Send> {
        Box::new(self.clone())
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
