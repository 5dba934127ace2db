//! All hosts that a play's pattern means, also those that were added since the play began.

use rustle_types::{ExecutionOptions, HostName, PlayHosts, PlayPlan};

use crate::execution::error::ExecutionError;
use crate::execution::hosts::HostBook;
use crate::execution::schedule::{PlaySchedule, hosts_of_pattern, resolve_limit};

/// The hosts of a play's pattern in inventory order, lost or not, and then those that were added: `ansible_play_hosts_all`.
pub(crate) struct Roster {
    hosts: Vec<HostName>,
    pattern: Option<String>,
    /// How often the inventory had been changed when they were looked up.
    changes: u64,
}

impl Roster {
    /// Those that a play begins with.
    pub(crate) fn new(play: &PlayPlan, scheduled: &PlaySchedule, changes: u64) -> Self {
        let pattern = match (&play.hosts, &play.hosts_pattern) {
            (PlayHosts::Pattern(pattern), _) => Some(pattern),
            (PlayHosts::Names(_), pattern) => pattern.as_ref(),
        };
        Self {
            hosts: scheduled.matched.clone(),
            pattern: pattern.cloned(),
            changes,
        }
    }

    /// Those that there are now.
    pub(crate) fn hosts(&mut self, book: &HostBook, options: &ExecutionOptions) -> &[HostName] {
        let changes = book.changes();
        if changes != self.changes
            && let Some(pattern) = &self.pattern
        {
            self.changes = changes;
            let found = book.inventory(|inventory| {
                let mut hosts = hosts_of_pattern(pattern, inventory, &mut Vec::new())?;
                if let Some(limit) = &options.limit {
                    let limit = resolve_limit(limit, inventory, &mut Vec::new())?;
                    hosts.retain(|host| limit.contains(host));
                }
                Ok::<_, ExecutionError>(hosts)
            });
            // The pattern was read before, so nothing is wrong with it. New hosts come last.
            if let Ok(found) = found {
                let known = self.hosts.iter().filter(|host| found.contains(host));
                let new = found.iter().filter(|host| !self.hosts.contains(host));
                self.hosts = known.chain(new).cloned().collect();
            }
        }
        &self.hosts
    }
}
