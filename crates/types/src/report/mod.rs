//! What a run did: results of tasks, the state while it runs, the report at its end.

mod execution_report;
mod execution_state;
mod exit_status;
mod options;
mod task_result;

pub use execution_report::{
    ExecutionFailure, ExecutionReport, ExecutionSummary, FailureKind, HostConnection, HostSummary,
    NotRunHandler, PerformanceMetrics, SlowTask, StopReason,
};
pub use execution_state::{ExecutionState, HostExecutionState, HostStatus};
pub use exit_status::ExitStatus;
pub use options::{ExecutionOptions, GatherMode, UnknownGatherMode};
pub use task_result::{TaskDiff, TaskResult, TaskStatus};
