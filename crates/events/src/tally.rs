//! The numbers of a run, folded from its events.

use indexmap::IndexMap;
use rustle_types::{ExecutionSummary, HostName, HostSummary, TaskResult, TaskStatus};

use crate::event::EventKind;

/// Counts results a host as Ansible counts them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tally {
    /// Each host in numbers, in the order in which they first did something.
    pub hosts: IndexMap<HostName, HostSummary>,
    /// Tasks that ended in any way.
    pub total: u32,
}

impl Tally {
    /// Takes an event into account.
    pub fn note(&mut self, event: &EventKind) {
        match event {
            EventKind::TaskFinished {
                result,
                is_rescued,
                is_ignored,
                is_counted: true,
                ..
            } => {
                self.count(result, *is_rescued, *is_ignored);
            }
            EventKind::TasksIncluded { host, .. } => {
                self.total += 1;
                self.hosts.entry(host.clone()).or_default().ok += 1;
            }
            EventKind::PlayStarted { hosts, .. } => {
                for host in hosts {
                    self.hosts.entry(host.clone()).or_default();
                }
            }
            _ => {}
        }
    }

    fn count(&mut self, result: &TaskResult, is_rescued: bool, is_ignored: bool) {
        self.total += 1;
        let host = self.hosts.entry(result.host.clone()).or_default();
        match result.status {
            TaskStatus::Completed => {
                host.ok += 1;
                host.changed += u32::from(result.changed);
            }
            TaskStatus::Skipped => host.skipped += 1,
            TaskStatus::Unreachable if is_ignored => {
                host.ok += 1;
                host.ignored += 1;
            }
            TaskStatus::Unreachable => host.unreachable += 1,
            TaskStatus::Ignored => {
                host.ok += 1;
                host.ignored += 1;
                host.changed += u32::from(result.changed);
            }
            TaskStatus::Rescued => host.rescued += 1,
            TaskStatus::Failed if is_rescued => host.rescued += 1,
            TaskStatus::Failed => host.failures += 1,
            TaskStatus::Pending | TaskStatus::Running | TaskStatus::Retrying => {}
        }
    }

    /// The whole run in numbers.
    #[must_use]
    pub fn summary(&self) -> ExecutionSummary {
        let sum = |number: fn(&HostSummary) -> u32| self.hosts.values().map(number).sum::<u32>();
        let count = |is: fn(&HostSummary) -> bool| {
            u32::try_from(self.hosts.values().filter(|host| is(host)).count()).unwrap_or(u32::MAX)
        };
        ExecutionSummary {
            total_tasks: self.total,
            successful_tasks: sum(|host| host.ok),
            failed_tasks: sum(|host| host.failures),
            skipped_tasks: sum(|host| host.skipped),
            changed_tasks: sum(|host| host.changed),
            total_hosts: count(|_| true),
            successful_hosts: count(|host| host.failures == 0 && host.unreachable == 0),
            unreachable_hosts: count(|host| host.unreachable > 0),
            failed_hosts: count(|host| host.failures > 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{TaskPath, UnitId};

    fn ended(host: &str, status: TaskStatus) -> EventKind {
        let at = chrono::DateTime::UNIX_EPOCH;
        let result = TaskResult {
            status,
            ..TaskResult::started("1", "Ping", host.into(), at)
        };
        let unit = UnitId {
            path: TaskPath(vec![0, 0]),
            host: host.into(),
        };
        let effects = rustle_types::Object::new();
        EventKind::TaskFinished {
            unit,
            result: Box::new(result),
            effects,
            is_rescued: false,
            is_ignored: false,
            is_counted: true,
        }
    }

    fn tally(events: &[EventKind]) -> Tally {
        let mut tally = Tally::default();
        events.iter().for_each(|event| tally.note(event));
        tally
    }

    #[test]
    fn unreachable_host_counts_each_time() {
        let events = [
            ended("web1", TaskStatus::Unreachable),
            ended("web1", TaskStatus::Unreachable),
        ];
        assert_eq!(tally(&events).hosts["web1"].unreachable, 2);
    }

    #[test]
    fn unreachable_host_that_may_go_on_counts_as_ignored() {
        let EventKind::TaskFinished {
            unit,
            result,
            effects,
            ..
        } = ended("web1", TaskStatus::Unreachable)
        else {
            panic!("a task ended");
        };
        let ignored = EventKind::TaskFinished {
            unit,
            result,
            effects,
            is_rescued: false,
            is_ignored: true,
            is_counted: true,
        };
        let host = tally(&[ignored]).hosts["web1"];
        assert_eq!((host.unreachable, host.ok, host.ignored), (0, 1, 1));
    }

    #[test]
    fn rescued_failure_is_no_failure() {
        let host = tally(&[ended("web1", TaskStatus::Rescued)]).hosts["web1"];
        assert_eq!((host.rescued, host.failures), (1, 0));
    }
}
