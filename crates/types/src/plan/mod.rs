//! The execution plan, version 1, as its document says it: what a planner writes and a run reads.
//!
//! The types hold a plan as it was written: nothing is rendered, combined or looked up. [`PlanReader`] reads one and
//! reports every mistake with its place.

mod batch;
mod check;
mod condition;
mod dependencies;
mod deployment;
mod execution_plan;
mod expression;
mod free_form;
mod handler;
mod keywords;
mod looping;
mod metadata;
mod play;
mod raw_task;
mod reading;
mod role;
mod schema;
mod serial;
mod strategy;
mod task;
mod template;

pub use crate::read::{OneOrMany, TagList};
pub use batch::{ParallelGroup, TaskBatch};
pub use condition::TaskCondition;
pub use dependencies::{DependingTask, TaskDependencies};
pub use deployment::{BinaryDeployment, Rest};
pub use execution_plan::{ExecutionPlan, PLAN_VERSION};
pub use expression::{Expression, Term};
pub use free_form::{key_values, split_free_form};
pub use handler::HandlerPlan;
pub use keywords::Keywords;
pub use looping::{LoopControl, WithLookup};
pub use metadata::{PlanMetadata, PlanningOptions};
pub use play::{HostOrder, PlayHosts, PlayPlan, VarsPrompt};
pub use reading::PlanReader;
pub use role::{RolePlan, RoleScope};
pub use serial::{Percent, Serial};
pub use strategy::{StrategyKind, UnknownStrategy};
pub use task::{BlockPlan, ModuleCall, RiskLevel, TaskBody, TaskPlan, short_module_name};
pub use template::Tmpl;
