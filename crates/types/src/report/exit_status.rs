//! The exit status of the program: the one table of it.

use serde::{Deserialize, Serialize};

/// How the program ended, as its exit status tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ExitStatus {
    /// 0: all was done.
    Done,
    /// 1: a mistake in the program itself.
    InternalError,
    /// 2: a task failed on a host.
    TaskFailed,
    /// 3: the plan, the inventory or the configuration is not valid; no host was touched.
    NotValid,
    /// 4: a host could not be reached.
    HostUnreachable,
    /// 5: the command line is wrong.
    WrongUsage,
    /// 6: a task failed on a host, and a host could not be reached.
    TaskFailedAndHostUnreachable,
    /// 7: the journal or the report could not be written.
    NotRecorded,
    /// 8: no hosts matched.
    NoHosts,
    /// 130: the run was cancelled.
    Cancelled,
}

impl ExitStatus {
    /// Every status, by its number.
    pub const ALL: [Self; 10] = [
        Self::Done,
        Self::InternalError,
        Self::TaskFailed,
        Self::NotValid,
        Self::HostUnreachable,
        Self::WrongUsage,
        Self::TaskFailedAndHostUnreachable,
        Self::NotRecorded,
        Self::NoHosts,
        Self::Cancelled,
    ];

    /// The status of a run that went to its end.
    #[must_use]
    pub fn of_run(has_failed: bool, has_unreachable: bool) -> Self {
        match (has_failed, has_unreachable) {
            (false, false) => Self::Done,
            (true, false) => Self::TaskFailed,
            (false, true) => Self::HostUnreachable,
            (true, true) => Self::TaskFailedAndHostUnreachable,
        }
    }

    /// The number that the program exits with.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::InternalError => 1,
            Self::TaskFailed => 2,
            Self::NotValid => 3,
            Self::HostUnreachable => 4,
            Self::WrongUsage => 5,
            Self::TaskFailedAndHostUnreachable => 6,
            Self::NotRecorded => 7,
            Self::NoHosts => 8,
            Self::Cancelled => 130,
        }
    }

    /// What it means, for help and documentation.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::InternalError => "internal error",
            Self::TaskFailed => "a task failed on a host",
            Self::NotValid => "plan, inventory or configuration not valid",
            Self::HostUnreachable => "a host was unreachable",
            Self::WrongUsage => "wrong usage",
            Self::TaskFailedAndHostUnreachable => "a task failed, and a host was unreachable",
            Self::NotRecorded => "journal or report could not be written",
            Self::NoHosts => "no hosts matched",
            Self::Cancelled => "cancelled",
        }
    }
}

impl From<ExitStatus> for std::process::ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_listed_by_their_number_and_differ() {
        let codes: Vec<u8> = ExitStatus::ALL.iter().map(|status| status.code()).collect();
        assert!(codes.is_sorted_by(|one, next| one < next), "{codes:?}");
    }

    #[test]
    fn run_with_failures_and_unreachable_hosts_ends_with_both_bits() {
        assert_eq!(
            ExitStatus::of_run(true, true).code(),
            ExitStatus::TaskFailed.code() | ExitStatus::HostUnreachable.code()
        );
    }
}
