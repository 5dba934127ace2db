//! What can happen in a run.

use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustle_types::{
    ExitStatus, HostConnection, HostName, NotRunHandler, Object, RunId, StopReason, TaskResult,
};
use serde::{Deserialize, Serialize};

/// The version of the vocabulary, written into [`EventKind::RunStarted`]. A reader that meets a kind it does not know keeps it
/// as [`EventKind::Unknown`]; only a change of meaning raises the version.
pub const EVENT_VERSION: u32 = 1;

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// Counts the events of a run, from 0, without gaps.
    pub seq: u64,
    /// When it happened, by the controller's clock.
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// Where a task stands in the plan: the index of its play, then the way through blocks to it.
///
/// This is the task's identity in a run: planners give the same `task_id` to several tasks.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TaskPath(pub Vec<u32>);

impl TaskPath {
    /// The path of what lies at `step` inside of what this path names.
    #[must_use]
    pub fn join(&self, step: u32) -> Self {
        let mut steps = Vec::with_capacity(self.0.len() + 1);
        steps.extend_from_slice(&self.0);
        steps.push(step);
        Self(steps)
    }

    /// The index of the play.
    #[must_use]
    pub fn play(&self) -> usize {
        self.0.first().map_or(0, |play| *play as usize)
    }
}

impl fmt::Display for TaskPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

/// One task on one host.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub struct UnitId {
    /// The task.
    pub path: TaskPath,
    /// The host.
    pub host: HostName,
}

/// What is told about a task when it starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskInfo {
    /// Its name, rendered as far as that went; the module's name where it has none.
    pub name: String,
    /// Its module, as the plan names it.
    pub module: String,
    /// Whether it is a handler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_handler: bool,
    /// Whether it is one that is not shown, such as an implied flush of handlers.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_implicit: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// The run began. First of all events.
    RunStarted {
        /// [`EVENT_VERSION`] of the writer.
        event_version: u32,
        /// The run.
        run: RunId,
        /// The version of the program.
        rustle_version: String,
        /// The plan's metadata.
        plan: Object,
        /// How many plays there are.
        plays: usize,
        /// Tasks times hosts, as far as the plan tells.
        expected_units: u64,
        /// Whether nothing is to be changed.
        check: bool,
        /// Whether differences are shown.
        diff: bool,
    },
    /// The run goes on after it was interrupted, or had failed. What follows in its journal comes in addition to what stands before.
    RunResumed {
        /// How many tasks on hosts had ended well, and are not run again.
        done: usize,
    },
    /// A play began.
    PlayStarted {
        /// Its index.
        play: usize,
        /// Its name.
        name: String,
        /// Its hosts, in the order they are worked on.
        hosts: Vec<HostName>,
        /// Its strategy's name.
        strategy: String,
    },
    /// A play does not run.
    PlaySkipped {
        /// Its index.
        play: usize,
        /// Its name.
        name: String,
        /// Why.
        reason: String,
    },
    /// A slice of a play's hosts began.
    BatchStarted {
        /// The play.
        play: usize,
        /// The slice, counted from 0.
        batch: usize,
        /// How many slices there are.
        batches: usize,
        /// Its hosts.
        hosts: Vec<HostName>,
    },
    /// A connection to a host was opened.
    HostConnected {
        /// The host.
        host: HostName,
        /// How.
        connection: HostConnection,
    },
    /// A task began on a host.
    TaskStarted {
        /// The task and host.
        unit: UnitId,
        /// About the task; shared by all hosts.
        task: Arc<TaskInfo>,
    },
    /// A task's process wrote something. Not kept in the journal.
    TaskOutput {
        /// The task and host.
        unit: UnitId,
        /// Whether it went to standard error.
        is_stderr: bool,
        /// What it wrote, as text; what is no UTF-8 is replaced.
        text: String,
    },
    /// An item of a loop ended.
    ItemFinished {
        /// The task and host.
        unit: UnitId,
        /// The item as it is shown.
        label: String,
        /// The item's own result, as far as it may be shown.
        result: Object,
    },
    /// An attempt did not do, and another follows.
    TaskRetrying {
        /// The task and host.
        unit: UnitId,
        /// The attempt that ended, from 1.
        attempt: u32,
        /// How many may follow.
        left: u32,
        /// What the attempt gave.
        result: Object,
    },
    /// A task ended on a host.
    TaskFinished {
        /// The task and host.
        unit: UnitId,
        /// How.
        result: Box<TaskResult>,
        /// What it left behind for the rest of the run.
        #[serde(default, skip_serializing_if = "Object::is_empty")]
        effects: Object,
        /// Whether a `rescue` takes over from the failure.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_rescued: bool,
        /// Whether the host goes on although it could not be reached.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        is_ignored: bool,
        /// Whether the task counts in the statistics (a `meta` does not).
        #[serde(default = "yes")]
        is_counted: bool,
    },
    /// A task brought in others for a host. It counts in the statistics in place of the task itself.
    TasksIncluded {
        /// The host.
        host: HostName,
        /// The file or role.
        name: String,
    },
    /// Numbers were left for the report.
    StatsSet {
        /// The host that they belong to; none where they belong to the run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<HostName>,
        /// The numbers, by name.
        data: Object,
        /// Whether they are added to what is there.
        aggregate: bool,
    },
    /// Handlers were notified.
    HandlersNotified {
        /// The host.
        host: HostName,
        /// The names or topics.
        handlers: Vec<String>,
    },
    /// A host could not be reached, and leaves the play.
    HostUnreachable {
        /// The host.
        host: HostName,
        /// Why.
        reason: String,
        /// What to do about it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// A slice of hosts or a whole play ended early.
    PlayStopped {
        /// Why.
        stop: StopReason,
    },
    /// A play ended.
    PlayFinished {
        /// Its index.
        play: usize,
    },
    /// Handlers that were notified did not run.
    HandlersNotRun {
        /// Which, where and why.
        handlers: Vec<NotRunHandler>,
    },
    /// Something the user should know.
    Warned {
        /// What.
        message: String,
    },
    /// The run was asked to end.
    CancelRequested {
        /// Why, as `SIGINT`.
        reason: String,
    },
    /// The run ended. Last of all events.
    RunFinished {
        /// How.
        exit: ExitStatus,
        /// What opening connections took, added up over hosts, in milliseconds.
        connect_ms: u64,
        /// Tasks that were tried again because a connection failed.
        reconnects: u32,
        /// Agents that were put on hosts.
        agents_uploaded: u32,
    },
    /// A kind that this version does not know.
    #[serde(other)]
    Unknown,
}

const fn yes() -> bool {
    true
}
