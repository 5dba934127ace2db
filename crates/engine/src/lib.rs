//! The run: one loop that owns its state, units that talk to it by messages.
//!
//! [`ExecutionEngine`] checks a plan, resolves what it comes to ([`Schedule`]), and runs it. Everything that happens is an event;
//! the journal has it before any reporter does.

mod check;
mod compile;
mod engine;
mod error;
mod granting;
mod hosts;
mod includes;
mod invoker;
mod journal;
mod library;
mod placement;
mod play_keywords;
mod plays;
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
mod templates;
mod vars_files;

pub use engine::{
    BecomeDefaults, ExecutionConfig, ExecutionContext, ExecutionEngine, InventoryReader,
};
pub use error::ExecutionError;
pub use journal::read_journal;
pub use rustle_runtime::world::Person;
pub use schedule::{PlaySchedule, RoundSchedule, Schedule, ScheduledTask};
pub use step::{Answer, Confirm};
