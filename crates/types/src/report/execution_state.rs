//! Where a run stands while it goes on.

use indexmap::{IndexMap, IndexSet};
use serde::{Deserialize, Serialize};

use super::TaskResult;
use crate::HostName;

/// Where a run stands: the answer to who asks while it goes on.
///
/// Tasks are named by their place in the plan, which the engine writes as text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ExecutionState {
    /// The play at work.
    pub current_play: Option<String>,
    /// The batch at work.
    pub current_batch: Option<String>,
    /// Tasks that ended well on every host.
    pub completed_tasks: IndexSet<String>,
    /// Tasks that failed on a host.
    pub failed_tasks: IndexSet<String>,
    /// Tasks that were skipped on every host.
    pub skipped_tasks: IndexSet<String>,
    /// Handlers that wait to run, by host.
    pub triggered_handlers: IndexMap<HostName, Vec<String>>,
    /// Each host's state.
    pub host_states: IndexMap<HostName, HostExecutionState>,
    /// The latest result of each task on each host.
    pub task_results: IndexMap<String, TaskResult>,
}

/// Where a host stands in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HostExecutionState {
    /// What it does.
    pub status: HostStatus,
    /// The task at work.
    pub current_task: Option<String>,
    /// Tasks that ended well.
    pub completed_tasks: u32,
    /// Tasks that failed.
    pub failed_tasks: u32,
    /// The latest failure.
    pub last_error: Option<String>,
    /// Whether it could not be reached.
    pub unreachable: bool,
    /// Whether its facts are known.
    pub gathered_facts: bool,
}

/// What a host does.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum HostStatus {
    /// It waits for a task.
    #[default]
    Ready,
    /// A task is at work.
    Executing {
        /// That task.
        task_id: String,
    },
    /// It failed and is out.
    Failed {
        /// Why.
        error: String,
    },
    /// It cannot be reached.
    Unreachable,
    /// It did all its tasks.
    Completed,
}
