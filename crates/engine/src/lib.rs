//! The run of a plan by agents on its hosts.
//!
//! What a run is, is [`rustle_runtime::execution`]: an [`ExecutionEngine`] gives it the ways to hosts, and agents that run the
//! modules there.

mod engine;
mod invoker;

pub use engine::{ExecutionConfig, ExecutionEngine};
pub use rustle_runtime::actions::ACTIONS;
pub use rustle_runtime::execution::{
    Answer, BecomeDefaults, Confirm, ExecutionContext, ExecutionError, InventoryReader, ListedTask,
    Listing, PastRun, PastState, PlayListing, PlaySchedule, Resumption, RoundSchedule, Schedule,
    ScheduledTask, VarsOnDisk, past_runs, read_journal,
};
pub use rustle_runtime::world::{FoundModule, ModuleFinder, NoModule, Person};
