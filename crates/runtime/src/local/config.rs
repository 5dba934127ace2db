//! What a local executor is made of.

use std::path::PathBuf;
use std::time::Duration;

use rustle_types::{ExecutionOptions, HostName, ParsedInventory};

use crate::execution::BecomeDefaults;

/// What a local executor is made of.
#[derive(Clone, Debug)]
pub struct RuntimeConfig {
    /// What the inventory calls this machine.
    pub host: HostName,
    /// The hosts and their variables; else those that a plan carries, else this machine alone.
    pub inventory: Option<ParsedInventory>,
    /// The options of every run: check and diff mode, tags, extra variables, the time that a task may take.
    pub options: ExecutionOptions,
    /// Where relative paths of a plan begin.
    pub base_dir: PathBuf,
    /// Where runs keep their journals, which also hold what was done before a run failed; none for no journal.
    pub state_dir: Option<PathBuf>,
    /// How tasks become another user where they do not say so.
    pub r#become: BecomeDefaults,
    /// How long a run may take; then nothing more starts, and what runs is asked to end.
    pub execution_timeout: Option<Duration>,
}

impl Default for RuntimeConfig {
    fn default() -> Self {
        Self {
            host: HostName::from("localhost"),
            inventory: None,
            options: ExecutionOptions::default(),
            base_dir: PathBuf::from("."),
            state_dir: None,
            r#become: BecomeDefaults::default(),
            execution_timeout: None,
        }
    }
}
