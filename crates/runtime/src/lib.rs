//! What a task means on one host: conditions, loops, registration, blocks.
//!
//! [`program`] makes a tree of a play's tasks, a [`cursor::Cursor`] walks it for one host, and a [`unit::Unit`] runs one task.
//! [`execution`] is the run of a whole plan. The world is reached by the traits of [`world`] alone, so the same code runs in the
//! controller and elsewhere.

pub mod actions;
mod attempt;
mod connection;
mod controller_disk;
pub mod cursor;
pub mod effects;
mod evaluate;
pub mod execution;
pub mod files;
pub mod include;
mod keywords;
mod live_vars;
pub mod local;
mod lookups;
mod loop_items;
mod looping;
mod magic;
pub mod outcome;
pub mod play;
pub mod program;
pub mod requests;
mod result;
pub mod tags;
mod told;
pub mod unit;
pub mod vars_files;
pub mod world;

pub use controller_disk::ControllerDisk;
pub use lookups::{ControllerLookups, WITH_LOOKUPS};
