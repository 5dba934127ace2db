//! What hosts of a slice bring in and notify: tasks, roles, handlers.

use std::sync::Arc;

use crate::program::{Handler, Node};
use rustle_events::{TaskPath, UnitId};
use rustle_types::HostName;

use super::Round;
use crate::execution::slot::{HostState, meant_by};

/// What one task brought in.
pub(super) struct Included {
    /// The file or role with its item, and how often a host met it there before.
    key: (String, usize),
    nodes: Option<Arc<[Node]>>,
}

impl Round {
    /// Where the tasks lie that a task at `place` brings in, and those that another host brought in there already.
    pub(crate) fn included(
        &mut self,
        place: &TaskPath,
        key: (String, usize),
    ) -> (TaskPath, Option<Arc<[Node]>>) {
        let known = self.included.entry(place.clone()).or_default();
        let step = known.iter().position(|included| included.key == key);
        let step = step.unwrap_or_else(|| {
            known.push(Included { key, nodes: None });
            known.len() - 1
        });
        let below = place.join(u32::try_from(step).unwrap_or(u32::MAX));
        (below, known[step].nodes.clone())
    }

    /// Keeps the tasks that were brought in last at `place` for hosts that bring in the same.
    pub(crate) fn remember(&mut self, place: &TaskPath, nodes: &Arc<[Node]>) {
        let last = self
            .included
            .get_mut(place)
            .and_then(|known| known.last_mut());
        if let Some(included) = last {
            included.nodes = Some(Arc::clone(nodes));
        }
    }

    /// Adds handlers of a role that was brought in. They win over those of the same name that are there.
    pub(crate) fn add_handlers(&mut self, handlers: Vec<Arc<Handler>>) {
        self.handlers.extend(handlers);
    }

    /// Notifies handlers; returns the names that mean none.
    pub(crate) fn notify(&mut self, host: &HostName, names: &[String]) -> Vec<String> {
        let Some(index) = self.index.get(host) else {
            return Vec::new();
        };
        let is_flushing = |walk: &usize| self.walks[*walk].cursor.is_flushing();
        let is_flushing = self.hosts[*index].walks.iter().any(is_flushing);
        let slot = &mut self.hosts[*index];
        let mut unknown = Vec::new();
        for name in names {
            if meant_by(&self.handlers, name).is_empty() {
                unknown.push(name.clone());
            } else if !slot.notified.contains(name) {
                slot.notified.push(name.clone());
            }
        }
        if is_flushing {
            slot.want_notified(&self.handlers);
        }
        unknown
    }

    /// Whether a role ran on the host, or began to; from here on it did.
    pub(crate) fn has_begun_role(&mut self, host: &HostName, role: String) -> bool {
        match self.index.get(host) {
            Some(index) => !self.hosts[*index].roles.insert(role),
            None => false,
        }
    }

    /// Runs the host's notified handlers in place of the flush that the unit is.
    pub(crate) fn flush(&mut self, unit: &UnitId) {
        if let Some(walk) = self.walk_of(unit) {
            let host = self.walks[walk].host;
            self.hosts[host].want_notified(&self.handlers);
            self.walks[walk].cursor.flush();
            self.end_unit(walk);
        }
    }

    /// Handlers that were notified and did not run, by host.
    pub(crate) fn not_run(&self) -> Vec<(HostName, String, HostState)> {
        let left = self.hosts.iter().flat_map(|slot| {
            let mut wanted = slot.wanted.clone();
            wanted.extend(
                slot.notified
                    .iter()
                    .flat_map(|name| meant_by(&self.handlers, name)),
            );
            wanted.into_iter().map(|index| {
                (
                    slot.name.clone(),
                    self.handlers[index].name.clone(),
                    slot.state,
                )
            })
        });
        left.collect()
    }
}
