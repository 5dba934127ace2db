//! What is under way on a host: a cursor for each of its strands.

use std::sync::Arc;

use crate::cursor::{Cursor, Flush, Step};
use rustle_events::{TaskPath, UnitId};
use rustle_strategy::Standing;

use super::{Position, Round};
use crate::execution::slot::HostState;

/// One strand of one host that is under way; when it has come to its end, the next that may begin takes its place.
pub(super) struct Walk {
    /// The host, by its index.
    pub(super) host: usize,
    /// The strand; none before the first, and for handlers after the last.
    strand: Option<usize>,
    pub(super) cursor: Cursor,
    pub(super) step: Option<Step>,
}

impl Round {
    /// Adds a walk for a host, which has come to the end of nothing yet.
    pub(super) fn add_walk(&mut self, host: usize) {
        let name = self.hosts[host].name.clone();
        let mut cursor = Cursor::new(name, TaskPath(Vec::new()), Arc::default());
        cursor.leave();
        self.hosts[host].walks.push(self.walks.len());
        self.walks.push(Walk {
            host,
            strand: None,
            cursor,
            step: None,
        });
        self.standings.push(Standing::Done);
    }

    /// The walk that a unit which runs is of.
    pub(super) fn walk_of(&self, unit: &UnitId) -> Option<usize> {
        let host = self.index.get(&unit.host).copied()?;
        let is_it = |walk: &usize| matches!(&self.standings[*walk], Standing::Busy(position) if position.path == unit.path);
        self.walks_of(host).into_iter().find(is_it)
    }

    /// All walks of a host.
    pub(super) fn walks_of(&self, host: usize) -> Vec<usize> {
        self.hosts[host].walks.clone()
    }

    /// The unit of a walk has ended, and its cursor knows: finds out where the host stands now.
    pub(super) fn end_unit(&mut self, walk: usize) {
        self.standings[walk] = Standing::Done;
        let Walk { host, cursor, .. } = &mut self.walks[walk];
        match self.hosts[*host].state {
            // It failed at another task meanwhile.
            HostState::Failed if cursor.is_abandoned() => cursor.abandon(false),
            HostState::Left => cursor.leave(),
            _ => {}
        }
        self.look(walk);
    }

    /// Keeps the places of a host that starts nothing for now.
    pub(super) fn park(&mut self, host: usize) {
        for walk in self.walks_of(host) {
            if !matches!(self.standings[walk], Standing::Busy(_)) {
                self.walks[walk].step = None;
                self.standings[walk] = Standing::Done;
            }
        }
    }

    /// Finds out where a walk stands now. One that runs a unit stands where it is.
    pub(super) fn look(&mut self, walk: usize) {
        if matches!(self.standings[walk], Standing::Busy(_)) {
            return;
        }
        let host = self.walks[walk].host;
        if self.hosts[host].state == HostState::Unreachable {
            return self.park(host);
        }
        loop {
            let step = self.advance(walk);
            if self.walks[walk].cursor.has_failed() && self.hosts[host].state == HostState::Active {
                self.hosts[host].state = HostState::Failed;
                self.abandon_others(walk);
            }
            if step.is_none() && self.take_up(walk) {
                continue;
            }
            self.standings[walk] = step.as_ref().map_or(Standing::Done, |step| {
                Standing::At(Position {
                    path: step.place.clone(),
                    strand: self.walks[walk].strand.unwrap_or(usize::MAX),
                })
            });
            if let Some(role) = step.as_ref().and_then(|step| step.node.plan_role()) {
                self.hosts[host].roles.insert(role);
            }
            self.walks[walk].step = step;
            return;
        }
    }

    /// The task that a walk has come to.
    fn advance(&mut self, walk: usize) -> Option<Step> {
        let Walk { host, cursor, .. } = &mut self.walks[walk];
        let wanted = &mut self.hosts[*host].wanted;
        let mut flush = Flush {
            handlers: &self.handlers,
            take: &mut |handler| wanted.remove(&handler),
        };
        cursor.current(&mut flush).cloned()
    }

    /// A strand has come to its end: its walk takes up what the host has to do next, and further walks what may run beside it.
    /// Tells whether there is something for this walk.
    fn take_up(&mut self, walk: usize) -> bool {
        let host = self.walks[walk].host;
        if let Some(strand) = self.walks[walk].strand.take() {
            self.hosts[host].strands.end(strand);
        }
        if self.hosts[host].state == HostState::Active {
            let first = self.hosts[host].strands.begin();
            if let Some(strand) = first {
                self.begin(walk, strand);
            }
            while let Some(strand) = self.hosts[host].strands.begin() {
                let idle = self.idle_walk(host, walk);
                self.begin(idle, strand);
                self.look(idle);
            }
            if first.is_some() {
                return true;
            }
        }
        self.flush_at_end(walk)
    }

    /// A walk of the host's that has nothing to do.
    fn idle_walk(&mut self, host: usize, but: usize) -> usize {
        let is_it = |walk: &usize| *walk != but && self.is_idle(*walk);
        let found = self.hosts[host].walks.iter().copied().find(is_it);
        found.unwrap_or_else(|| {
            self.add_walk(host);
            self.walks.len() - 1
        })
    }

    fn is_idle(&self, walk: usize) -> bool {
        self.walks[walk].strand.is_none() && self.standings[walk] == Standing::Done
    }

    fn begin(&mut self, walk: usize, strand: usize) {
        let name = self.hosts[self.walks[walk].host].name.clone();
        let nodes = Arc::clone(&self.strands.nodes[strand]);
        self.walks[walk].cursor = Cursor::new(name, self.start.clone(), nodes);
        self.walks[walk].strand = Some(strand);
    }

    /// Runs what the host notified, once nothing else is under way on it.
    fn flush_at_end(&mut self, walk: usize) -> bool {
        let host = self.walks[walk].host;
        let is_done = |other: &usize| *other == walk || self.is_idle(*other);
        if !self.hosts[host].walks.iter().all(is_done) {
            return false;
        }
        let slot = &mut self.hosts[host];
        let may_run = (slot.state == HostState::Active && self.flushes_at_end)
            || (slot.state == HostState::Failed && self.force_handlers);
        if slot.is_flushed || !may_run {
            return false;
        }
        slot.is_flushed = true;
        slot.want_notified(&self.handlers);
        if slot.wanted.is_empty() {
            return false;
        }
        self.walks[walk].cursor.flush_at_end(self.end.clone());
        true
    }

    /// The host failed at one task: the others that it has come to do not run. Those that run come to their ends.
    fn abandon_others(&mut self, failed: usize) {
        let host = self.walks[failed].host;
        for walk in self.walks_of(host) {
            if walk != failed {
                let is_running = matches!(self.standings[walk], Standing::Busy(_));
                self.walks[walk].cursor.abandon(is_running);
                self.look(walk);
            }
        }
    }
}
