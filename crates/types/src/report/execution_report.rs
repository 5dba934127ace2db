//! The report of a run.

use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use super::TaskResult;
use crate::{HostName, Object, RunId};

/// All that a run did, as `--report-file` writes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExecutionReport {
    /// The run.
    pub execution_id: RunId,
    /// The version of the program that made it.
    pub rustle_version: String,
    /// The plan's metadata.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub plan: Object,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: DateTime<Utc>,
    /// How long it took.
    pub duration: Duration,
    /// It in numbers.
    pub summary: ExecutionSummary,
    /// Each host in numbers.
    pub host_results: IndexMap<HostName, HostSummary>,
    /// Each host in the numbers of Ansible's `json` callback.
    pub stats: IndexMap<HostName, HostSummary>,
    /// Every result, in the order in which they came.
    pub task_results: Vec<TaskResult>,
    /// What failed and was neither ignored nor rescued.
    pub failures: Vec<ExecutionFailure>,
    /// How fast it was.
    pub performance_metrics: PerformanceMetrics,
    /// Handlers that were notified and did not run.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_run_handlers: Vec<NotRunHandler>,
    /// Why it ended before its last task, if it did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stop_reasons: Vec<StopReason>,
    /// Numbers that tasks left by `set_stats`: by host, those of the whole run under `_run`.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub custom_stats: Object,
    /// How each host was reached.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub host_connections: IndexMap<HostName, HostConnection>,
}

/// A run in numbers; a task counts once a host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionSummary {
    /// Tasks that ended in any way.
    pub total_tasks: u32,
    /// Tasks that ended well.
    pub successful_tasks: u32,
    /// Tasks that failed, without those that were ignored or rescued.
    pub failed_tasks: u32,
    /// Tasks that were skipped.
    pub skipped_tasks: u32,
    /// Tasks that changed something.
    pub changed_tasks: u32,
    /// Hosts that took part.
    pub total_hosts: u32,
    /// Hosts that did all their tasks.
    pub successful_hosts: u32,
    /// Hosts that could not be reached.
    pub unreachable_hosts: u32,
    /// Hosts on which a task failed.
    pub failed_hosts: u32,
}

/// A host in numbers, counted as Ansible counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostSummary {
    /// Tasks that ended well, changed or not.
    pub ok: u32,
    /// Tasks that changed something.
    pub changed: u32,
    /// Tasks that failed and were neither ignored nor rescued.
    pub failures: u32,
    /// Times that it could not be reached.
    pub unreachable: u32,
    /// Tasks that were skipped.
    pub skipped: u32,
    /// Blocks whose `rescue` took over.
    pub rescued: u32,
    /// Failures that were ignored.
    pub ignored: u32,
}

/// One failure that counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecutionFailure {
    /// The host.
    pub host: HostName,
    /// What kind of failure it is.
    pub kind: FailureKind,
    /// The name of the play.
    pub play: Option<String>,
    /// The planner's id of the task.
    pub task_id: Option<String>,
    /// The task's name.
    pub task_name: Option<String>,
    /// The module.
    pub module: Option<String>,
    /// What happened.
    pub error: String,
    /// What may help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// When it happened.
    pub time: DateTime<Utc>,
}

/// The kinds of failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum FailureKind {
    /// A task failed.
    Failed,
    /// The host could not be reached.
    Unreachable,
    /// The task took too long.
    TimedOut,
    /// The run was cancelled.
    Cancelled,
    /// The connection was lost and nobody knows what the task did.
    Unknown,
}

/// How fast a run was, and what it cost.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PerformanceMetrics {
    /// The run from its start to its end.
    pub wall_ms: u64,
    /// The connecting to all hosts, added up.
    pub connect_ms: u64,
    /// The tasks at work on all hosts, added up.
    pub task_ms: u64,
    /// The gathering of facts on all hosts, added up.
    pub facts_ms: u64,
    /// Results by the run's wall time.
    pub tasks_per_second: f64,
    /// The most tasks that were at work at one time.
    pub peak_parallelism: u32,
    /// Connections that were lost and made again.
    pub reconnects: u32,
    /// Tasks that were tried again.
    pub retries: u32,
    /// Agents that were put on hosts which had none.
    pub agents_uploaded: u32,
    /// The results that took longest, the longest first.
    pub slowest_tasks: Vec<SlowTask>,
}

/// A task that took long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SlowTask {
    /// The task's name.
    pub task_name: String,
    /// The host.
    pub host: HostName,
    /// How long it took there.
    pub elapsed_ms: u64,
}

/// A handler that was notified and did not run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotRunHandler {
    /// The host that notified it.
    pub host: HostName,
    /// The handler's name.
    pub handler: String,
    /// Why it did not run.
    pub reason: String,
}

/// Why a run, or a host in it, ended early.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StopReason {
    /// The play that was at work.
    pub play: Option<String>,
    /// The host that was stopped; nothing where it was the whole run.
    pub host: Option<HostName>,
    /// The reason, as a fragment.
    pub reason: String,
}

/// How a host was reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostConnection {
    /// The kind of connection: `ssh`, `local` …
    pub connection: String,
    /// What it led to, as `user@address:port`.
    pub destination: Option<String>,
    /// The time that connecting took.
    pub connect_ms: u64,
    /// The machine's architecture, once it is known.
    pub architecture: Option<String>,
    /// Whether the agent was put there by this run.
    pub agent_uploaded: bool,
}
