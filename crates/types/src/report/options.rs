//! The options of a run.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::Object;
use crate::plan::{ExecutionPlan, Serial, StrategyKind};

/// Which facts a play gathers that says nothing of it itself (`--gather`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GatherMode {
    /// All.
    #[default]
    Full,
    /// Those that the plan uses.
    Lazy,
}

impl GatherMode {
    /// Every mode.
    pub const ALL: [Self; 2] = [Self::Full, Self::Lazy];

    /// The mode as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Lazy => "lazy",
        }
    }
}

impl fmt::Display for GatherMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for GatherMode {
    type Err = UnknownGatherMode;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == given);
        mode.ok_or_else(|| UnknownGatherMode(given.to_owned()))
    }
}

/// A word that names no [`GatherMode`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown way to gather facts `{0}`")]
pub struct UnknownGatherMode(pub String);

/// The options of a run, once command line, environment, configuration and plan are put together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExecutionOptions {
    /// Predicts changes only.
    pub check: bool,
    /// Shows differences.
    pub diff: bool,
    /// How many hosts are worked on at once.
    pub forks: u32,
    /// Sizes of the slices of hosts, in place of each play's.
    pub serial: Vec<Serial>,
    /// The strategy, in place of each play's.
    pub strategy: Option<StrategyKind>,
    /// The hosts to stay with, as a pattern.
    pub limit: Option<String>,
    /// Tags that are run; none means all.
    pub tags: Vec<String>,
    /// Tags that are skipped.
    pub skip_tags: Vec<String>,
    /// The name of the first task that is run.
    pub start_at_task: Option<String>,
    /// Asks before each task.
    pub step: bool,
    /// Shows what would be done, and does nothing.
    pub dry_run: bool,
    /// Goes on where a strategy would stop at a failure.
    pub continue_on_error: bool,
    /// How long a task may take where it says nothing itself.
    pub timeout: Duration,
    /// How often a lost connection is made again.
    pub retries: u32,
    /// The time between tries, before it grows.
    pub retry_delay: Duration,
    /// Gathers facts also in plays that do not ask for them.
    pub gather_facts: bool,
    /// Which facts plays gather that do not say.
    pub gather: GatherMode,
    /// Removes what a run left on hosts when it fails.
    pub cleanup_on_failure: bool,
    /// Runs handlers also on hosts that failed.
    pub force_handlers: bool,
    /// Variables above all others.
    pub extra_vars: Object,
    /// The connection of hosts that name none.
    pub connection: Option<String>,
    /// Folders with more modules.
    pub module_path: Vec<PathBuf>,
    /// Where facts are kept between runs.
    pub facts_cache: Option<PathBuf>,
    /// How old facts of another run may be; zero is no limit.
    pub facts_cache_timeout: Duration,
    /// Makes warnings of the plan errors.
    pub strict: bool,
    /// How much is told: 0 is the least.
    pub verbosity: u8,
}

impl Default for ExecutionOptions {
    fn default() -> Self {
        Self {
            check: false,
            diff: false,
            forks: 50,
            serial: Vec::new(),
            strategy: None,
            limit: None,
            tags: Vec::new(),
            skip_tags: Vec::new(),
            start_at_task: None,
            step: false,
            dry_run: false,
            continue_on_error: false,
            timeout: Duration::from_secs(600),
            retries: 3,
            retry_delay: Duration::from_secs(5),
            gather_facts: false,
            gather: GatherMode::Full,
            cleanup_on_failure: false,
            force_handlers: false,
            extra_vars: Object::new(),
            connection: None,
            module_path: Vec::new(),
            facts_cache: None,
            facts_cache_timeout: Duration::from_secs(24 * 60 * 60),
            strict: false,
            verbosity: 0,
        }
    }
}

impl ExecutionOptions {
    /// Makes the options of a run that says nothing itself: the plan's own, else the defaults.
    ///
    /// `serial` and `strategy` are in the plan's plays already, and so are not taken from its planning options.
    #[must_use]
    pub fn of_plan(plan: &ExecutionPlan) -> Self {
        let planned = &plan.metadata.planning_options;
        let defaults = Self::default();
        Self {
            check: planned.check_mode.unwrap_or(false) || plan.is_made_for_check(),
            diff: planned.diff_mode.unwrap_or(false),
            forks: planned
                .forks
                .filter(|forks| *forks > 0)
                .unwrap_or(defaults.forks),
            limit: planned.limit.clone(),
            tags: planned.tags.to_vec(),
            skip_tags: planned.skip_tags.to_vec(),
            ..defaults
        }
    }
}
