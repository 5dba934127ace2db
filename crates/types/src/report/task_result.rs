//! The result of one task on one host.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::HostName;

/// What one task did on one host; a loop is one result with its items inside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskResult {
    /// The planner's id of the task; ids repeat.
    pub task_id: String,
    /// The task's name, rendered for the host.
    pub task_name: String,
    /// The host.
    pub host: HostName,
    /// How it ended.
    pub status: TaskStatus,
    /// Whether it changed something.
    pub changed: bool,
    /// Whether it failed, also where the failure was ignored or rescued.
    pub failed: bool,
    /// Whether it was skipped.
    pub skipped: bool,
    /// When it began.
    pub start_time: DateTime<Utc>,
    /// When it ended.
    pub end_time: Option<DateTime<Utc>>,
    /// How long it took.
    pub duration: Option<Duration>,
    /// The module's result object; `{"censored": …}` under `no_log`.
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<String>,
    /// What a command wrote to its output.
    pub stdout: Option<String>,
    /// What a command wrote to its error output.
    pub stderr: Option<String>,
    /// The exit status of a command.
    pub return_code: Option<i32>,
    /// What it changed in a file or setting.
    pub diff: Option<TaskDiff>,
    /// How often it was tried again.
    pub retry_count: u32,
    /// The host that it ran on in place of `host`.
    pub delegated_to: Option<HostName>,
    /// The module, as the plan names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub module: Option<String>,
    /// The name of the play.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play: Option<String>,
    /// The place of the play in the plan, from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub play_index: Option<usize>,
    /// Whether it ran as a handler.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_handler: bool,
}

impl TaskResult {
    /// Makes the result of a task that begins now and has done nothing yet.
    #[must_use]
    pub fn started(
        task_id: impl Into<String>,
        task_name: impl Into<String>,
        host: HostName,
        start_time: DateTime<Utc>,
    ) -> Self {
        Self {
            task_id: task_id.into(),
            task_name: task_name.into(),
            host,
            status: TaskStatus::Running,
            changed: false,
            failed: false,
            skipped: false,
            start_time,
            end_time: None,
            duration: None,
            result: None,
            error: None,
            stdout: None,
            stderr: None,
            return_code: None,
            diff: None,
            retry_count: 0,
            delegated_to: None,
            module: None,
            play: None,
            play_index: None,
            is_handler: false,
        }
    }
}

/// Where a task on a host stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum TaskStatus {
    /// It has not begun.
    Pending,
    /// It is at work.
    Running,
    /// It ended well, changed or not.
    Completed,
    /// It failed.
    Failed,
    /// It was not needed.
    Skipped,
    /// It failed and is tried again.
    Retrying,
    /// Its host could not be reached.
    Unreachable,
    /// It failed, and `ignore_errors` let the host go on.
    Ignored,
    /// It failed, and a block's `rescue` took over.
    Rescued,
}

impl TaskStatus {
    /// Whether nothing more happens to it.
    #[must_use]
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Running | Self::Retrying)
    }
}

/// What a task changed, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskDiff {
    /// The content before.
    pub before: Option<String>,
    /// The content after.
    pub after: Option<String>,
    /// The lines of a unified diff.
    pub diff_lines: Vec<String>,
}
