//! The run of a plan: one loop that owns its state, units that talk to it by messages.
//!
//! A [`PlanExecutor`] resolves what a plan comes to ([`Schedule`]) and runs it. Where its modules run is the business of the
//! [`ModuleInvoker`](crate::world::ModuleInvoker) that it is given: of agents on hosts, or of this process. Everything that
//! happens is an event; the journal has it before any reporter does.

mod batches;
mod check;
mod compile;
mod error;
mod executor;
mod facts_cache;
mod granting;
mod hosts;
mod includes;
mod journal;
mod lazy_facts;
mod library;
mod listing;
mod past_runs;
mod placement;
mod play_keywords;
mod plays;
mod replay;
mod resumption;
mod roster;
mod round;
mod run;
mod schedule;
mod settle;
mod single;
mod slices;
mod slot;
mod start_at;
mod step;
mod stop;
mod strands;
mod templates;
mod vars_file;

pub use error::ExecutionError;
pub use executor::{
    BecomeDefaults, ExecutionContext, ExecutorConfig, InventoryReader, PlanExecutor,
};
pub use hosts::VarsOnDisk;
pub use journal::read_journal;
pub use listing::{ListedTask, Listing, PlayListing};
pub use past_runs::{PastRun, PastState, past_runs};
pub use resumption::Resumption;
pub use schedule::{PlaySchedule, RoundSchedule, Schedule, ScheduledTask};
pub use step::{Answer, Confirm};
