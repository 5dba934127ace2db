//! Why a run could not go on, or not begin.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rustle_types::{ExitStatus, HostName, PlanErrors};

/// Why a run could not go on, or not begin. A task or host that fails is data in the report instead.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecutionError {
    /// The plan is not valid.
    #[error(transparent)]
    InvalidPlan(PlanErrors),
    /// The inventory is not valid.
    #[error("the inventory is not valid")]
    Inventory(#[source] rustle_inventory::InventoryError),
    /// A host pattern cannot be read.
    #[error("the host pattern `{pattern}` cannot be read")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// Why.
        source: rustle_inventory::patterns::PatternError,
    },
    /// No play has a host to run on.
    #[error("no hosts matched {}", shown(patterns, limit.as_deref()))]
    NoHosts {
        /// What the plays asked for.
        patterns: BTreeSet<String>,
        /// The limit, if one was given.
        limit: Option<String>,
    },
    /// No task has the name that `--start-at-task` asks for.
    #[error("no task is called `{name}`")]
    NoSuchTask {
        /// The name or glob.
        name: String,
    },
    /// A file of variables cannot be used.
    #[error("cannot read variables from `{}`: {reason}", path.display())]
    VarsFile {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A keyword of a play cannot be rendered.
    #[error("play `{play}`: {reason}")]
    Play {
        /// The play.
        play: String,
        /// Why.
        reason: String,
    },
    /// A play addresses hosts that a run in one process cannot reach.
    #[error("`{play}` addresses {others}, and this run is for `{own}` alone")]
    OtherHosts {
        /// The play.
        play: String,
        /// The machine that the run is for.
        own: HostName,
        /// The others.
        others: String,
    },
    /// Facts cannot be gathered.
    #[error("cannot gather facts: {reason}")]
    Facts {
        /// Why.
        reason: String,
    },
    /// The folder for facts cannot be used.
    #[error("cannot keep facts in `{}`", path.display())]
    FactsCache {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The journal cannot be written.
    #[error("cannot write the journal `{}`", path.display())]
    Journal {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Plan or inventory are not what they were when the run began.
    #[error("the run began with another plan or inventory:\n  {}", differences.join("\n  "))]
    Changed {
        /// What differs, by its place.
        differences: Vec<String>,
    },
    /// Something the run needs of the machine is not there.
    #[error("{what}")]
    Setup {
        /// What was tried.
        what: String,
        /// Why it failed.
        source: std::io::Error,
    },
}

impl ExecutionError {
    /// The exit status that tells of it.
    #[must_use]
    pub const fn exit_status(&self) -> ExitStatus {
        match self {
            Self::InvalidPlan(_)
            | Self::Inventory(_)
            | Self::Pattern { .. }
            | Self::NoSuchTask { .. }
            | Self::VarsFile { .. }
            | Self::OtherHosts { .. }
            | Self::FactsCache { .. }
            | Self::Changed { .. }
            | Self::Play { .. } => ExitStatus::NotValid,
            Self::NoHosts { .. } => ExitStatus::NoHosts,
            Self::Journal { .. } => ExitStatus::NotRecorded,
            Self::Setup { .. } | Self::Facts { .. } => ExitStatus::InternalError,
        }
    }

    /// What may help.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoHosts { .. } => {
                Some("check `--limit`, and the hosts of the plays against the inventory".into())
            }
            Self::NoSuchTask { .. } => Some("`--dry-run` lists the tasks by name".into()),
            Self::Journal { .. } => {
                Some("set RUSTLE_STATE_DIR to a folder that can be written to".into())
            }
            Self::OtherHosts { own, .. } => Some(format!(
                "limit the run to `{own}`, or run the plan from a controller"
            )),
            Self::Changed { .. } => Some(
                "`--with-changes` continues with what is there now; tasks that were done are not done again".into(),
            ),
            Self::Inventory(error) => error.hint(),
            _ => None,
        }
    }
}

/// Patterns of hosts with the limit, as they are shown.
fn shown(patterns: &BTreeSet<String>, limit: Option<&str>) -> String {
    let patterns: Vec<String> = patterns
        .iter()
        .map(|pattern| format!("`{pattern}`"))
        .collect();
    let limit = limit.map(|limit| format!("`--limit {limit}`"));
    match (patterns.is_empty(), limit) {
        (true, None) => "the plays".into(),
        (true, Some(limit)) => limit,
        (false, None) => patterns.join(", "),
        (false, Some(limit)) => format!("{} with {limit}", patterns.join(", ")),
    }
}
