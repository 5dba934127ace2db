//! The nouns of `rustle-exec`: plans, hosts, results and reports, with parsing and validation.
//!
//! Nothing here does I/O or waits. Every other crate speaks of a run in these types.

mod call;
pub mod inventory;
mod names;
pub mod plan;
mod problem;
mod read;
pub mod report;
mod secret;

pub use call::{AttachmentId, Mode, ModuleResult};
pub use inventory::{InventoryGroup, InventoryHost, ParsedInventory};
pub use names::{HostName, RunId};
pub use plan::{
    BinaryDeployment, BlockPlan, ExecutionPlan, Expression, HandlerPlan, HostOrder, Keywords,
    LoopControl, ModuleCall, OneOrMany, ParallelGroup, PlanMetadata, PlanReader, PlanningOptions,
    PlayHosts, PlayPlan, RiskLevel, RolePlan, RoleScope, Serial, StrategyKind, TagList, TaskBatch,
    TaskBody, TaskCondition, TaskPlan, Term, Tmpl, VarsPrompt, WithLookup,
};
pub use problem::{PlanErrorKind, PlanErrors, PlanProblem, PlanWarning};
pub use read::{closest, is_template};
pub use report::{
    ExecutionFailure, ExecutionOptions, ExecutionReport, ExecutionState, ExecutionSummary,
    ExitStatus, FailureKind, GatherMode, HostConnection, HostExecutionState, HostStatus,
    HostSummary, NotRunHandler, PerformanceMetrics, SlowTask, StopReason, TaskDiff, TaskResult,
    TaskStatus,
};
pub use secret::Secret;

/// A JSON object whose keys keep the order they were written in.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// Any JSON value.
pub use serde_json::Value as JsonValue;
