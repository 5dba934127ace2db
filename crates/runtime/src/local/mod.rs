//! Whole plans in one process: the plays of the machine that the process is on, without a controller, agents or connections.
//!
//! A [`LocalExecutor`] is the run of [`crate::execution`] with an invoker that calls the modules of a [`ModuleRegistry`] right
//! here. So whatever a plan means to an engine, it means to it.

mod config;
mod executor;
mod folder;
mod invoker;
mod registry;

pub use config::RuntimeConfig;
pub use executor::LocalExecutor;
pub use registry::ModuleRegistry;
