//! One slice of a play's hosts on its way through the tasks: who stands where, and what follows from what happened.
//!
//! Plain synchronous code: the loop asks [`Round::startable`], runs units, and tells [`Round::note`] how they ended.

mod notices;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::cursor::{Cursor, Fate, Flush, Step};
use crate::program::{Handler, Node, Program};
use rustle_events::TaskPath;
use rustle_strategy::{Standing, Strategy};
use rustle_types::HostName;

use self::notices::Included;
use crate::execution::slot::{HostSlot, HostState};
use crate::execution::stop::Losses;

/// Where a step stands in the order of the play, and in which batch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    path: TaskPath,
    pub(crate) batch: usize,
}

/// One slice of hosts.
pub(crate) struct Round {
    hosts: Vec<HostSlot>,
    /// Where each host stands, by the index of its slot.
    standings: Vec<Standing<Position>>,
    index: HashMap<HostName, usize>,
    /// The play's handlers; those of roles that are brought in come at the end.
    handlers: Vec<Arc<Handler>>,
    strategy: Box<dyn Strategy<Position>>,
    /// What was brought in, by the place of the task that did: a file or role, how often it was met, and its tasks.
    included: HashMap<TaskPath, Vec<Included>>,
    /// Tasks that run on one host for all: who runs them, or that they ran.
    once: HashMap<TaskPath, Once>,
    /// Where handlers run that are left at the end.
    end: TaskPath,
    rules: Losses,
    force_handlers: bool,
    /// Nothing behind this task starts: a failure at it ends the slice, or is fatal for all.
    hold: Option<TaskPath>,
    /// Hosts that a fatal failure has met already, by index.
    met: BTreeSet<usize>,
    is_closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Once {
    Running,
    Ran(Ended),
}

/// How a unit ended, as far as it matters to where hosts go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// Well, or it does not count.
    Passed,
    /// It failed, and that counts.
    Failed,
    /// The host could not be reached.
    Unreachable,
}

/// What the keywords of a task say about who else may run it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct UnitRules {
    /// It runs on one host for all.
    pub(crate) runs_once: bool,
    /// How many hosts may run it at once; 0 is no limit.
    pub(crate) throttle: u32,
}

/// What the loop has to know of a slice.
pub(crate) struct RoundPlan {
    pub(crate) hosts: Vec<HostName>,
    pub(crate) program: Program,
    pub(crate) strategy: Box<dyn Strategy<Position>>,
    pub(crate) play: u32,
    pub(crate) rules: Losses,
    pub(crate) force_handlers: bool,
}

impl Round {
    pub(crate) fn new(plan: RoundPlan) -> Self {
        let start = TaskPath(vec![plan.play]);
        let slot = |name: &HostName| HostSlot {
            name: name.clone(),
            state: HostState::Active,
            cursor: Cursor::new(name.clone(), start.clone(), Arc::clone(&plan.program.nodes)),
            step: None,
            notified: Vec::new(),
            wanted: BTreeSet::new(),
            roles: HashSet::new(),
            is_flushed: false,
        };
        let mut round = Self {
            hosts: plan.hosts.iter().map(slot).collect(),
            standings: vec![Standing::Done; plan.hosts.len()],
            index: plan.hosts.iter().cloned().zip(0..).collect(),
            handlers: plan.program.handlers.to_vec(),
            strategy: plan.strategy,
            included: HashMap::new(),
            once: HashMap::new(),
            end: TaskPath(vec![plan.play, u32::MAX]),
            rules: Losses {
                hosts: plan.hosts.len(),
                ..plan.rules
            },
            force_handlers: plan.force_handlers,
            hold: None,
            met: BTreeSet::new(),
            is_closed: false,
        };
        (0..round.hosts.len()).for_each(|index| round.look(index));
        round
    }

    /// Finds out where a host stands now.
    fn look(&mut self, index: usize) {
        let slot = &mut self.hosts[index];
        loop {
            let wanted = &mut slot.wanted;
            let mut flush = Flush {
                handlers: &self.handlers,
                take: &mut |handler| wanted.remove(&handler),
            };
            let step = slot.cursor.current(&mut flush).cloned();
            if slot.cursor.has_failed() && slot.state == HostState::Active {
                slot.state = HostState::Failed;
            }
            if step.is_none()
                && !slot.is_flushed
                && (slot.state == HostState::Active
                    || (slot.state == HostState::Failed && self.force_handlers))
            {
                slot.is_flushed = true;
                slot.want_notified(&self.handlers);
                if !slot.wanted.is_empty() {
                    slot.cursor.flush_at_end(self.end.clone());
                    continue;
                }
            }
            self.standings[index] = step.as_ref().map_or(Standing::Done, |step| {
                let batch = if step.node.info.is_handler {
                    usize::MAX
                } else {
                    step.node.batch
                };
                Standing::At(Position {
                    path: step.place.clone(),
                    batch,
                })
            });
            if let Some(role) = step.as_ref().and_then(|step| step.node.plan_role()) {
                slot.roles.insert(role);
            }
            slot.step = step;
            return;
        }
    }

    /// The hosts whose task may start now, with the task; at most `free`. They count as busy from here on.
    pub(crate) fn startable(
        &mut self,
        free: usize,
        rules_of: &dyn Fn(&Step, &HostName) -> UnitRules,
    ) -> Vec<(HostName, Step)> {
        let mut starts = Vec::new();
        while !self.is_closed {
            let mut has_followed = false;
            for index in self.strategy.next(&self.standings, usize::MAX) {
                let Some(step) = self.hosts[index].step.clone() else {
                    continue;
                };
                if self.hold.as_ref().is_some_and(|hold| step.place > *hold) {
                    continue;
                }
                let UnitRules {
                    runs_once,
                    throttle,
                } = rules_of(&step, &self.hosts[index].name);
                match self.once.get(&step.place).copied().filter(|_| runs_once) {
                    Some(Once::Running) => continue,
                    Some(Once::Ran(ended)) => {
                        self.follow(index, ended);
                        has_followed = true;
                        continue;
                    }
                    None => {}
                }
                if starts.len() >= free || !self.has_room(&step, throttle) {
                    continue;
                }
                if runs_once {
                    self.once.insert(step.place.clone(), Once::Running);
                }
                if let Standing::At(position) = self.standings[index].clone() {
                    self.standings[index] = Standing::Busy(position);
                    starts.push((self.hosts[index].name.clone(), step));
                }
            }
            if !has_followed {
                break;
            }
        }
        starts
    }

    /// Whether `throttle` lets one more host start the step.
    fn has_room(&self, step: &Step, limit: u32) -> bool {
        let is_at_it = |standing: &&Standing<Position>| matches!(standing, Standing::Busy(position) if position.path == step.place);
        limit == 0 || self.standings.iter().filter(is_at_it).count() < limit as usize
    }

    /// A host follows what a task that ran once, elsewhere, came to.
    fn follow(&mut self, index: usize, ended: Ended) {
        let slot = &mut self.hosts[index];
        match ended {
            Ended::Passed => slot.cursor.pass(),
            Ended::Failed | Ended::Unreachable => {
                if slot.cursor.fail() == Fate::Out {
                    slot.cursor.leave();
                }
            }
        }
        self.look(index);
    }

    /// Takes the end of a unit into account; tells what a failure means for its host. What the task brought in runs next.
    pub(crate) fn note(
        &mut self,
        host: &HostName,
        ended: Ended,
        ran_once: bool,
        brought: Vec<(TaskPath, Arc<[Node]>)>,
    ) -> Option<Fate> {
        let index = self.index.get(host).copied()?;
        let slot = &mut self.hosts[index];
        if let Some(step) = slot.step.as_ref().filter(|_| ran_once) {
            self.once.insert(step.place.clone(), Once::Ran(ended));
        }
        let fate = match ended {
            Ended::Passed => {
                slot.cursor.enter_lists(brought);
                None
            }
            Ended::Failed => Some(slot.cursor.fail()),
            Ended::Unreachable => {
                // Its place is kept: the errors of hosts may be cleared.
                slot.cursor.pass();
                slot.state = HostState::Unreachable;
                slot.step = None;
                self.standings[index] = Standing::Done;
                return Some(Fate::Out);
            }
        };
        self.look(index);
        fate
    }

    /// The host leaves the role that it is in.
    pub(crate) fn end_role(&mut self, host: &HostName) {
        if let Some(index) = self.index.get(host).copied() {
            self.hosts[index].cursor.end_role();
            self.look(index);
        }
    }

    /// A host leaves without having failed; what it notified does not run.
    pub(crate) fn end_host(&mut self, host: &HostName) {
        if let Some(index) = self.index.get(host).copied() {
            let slot = &mut self.hosts[index];
            slot.cursor.leave();
            slot.notified.clear();
            slot.wanted.clear();
            if slot.state == HostState::Active {
                slot.state = HostState::Left;
            }
            self.look(index);
        }
    }

    /// Forgets failures: hosts that could not be reached go on from where they were, failed ones from the next play.
    pub(crate) fn forgive(&mut self) {
        for index in 0..self.hosts.len() {
            match self.hosts[index].state {
                HostState::Unreachable => {
                    self.hosts[index].state = HostState::Active;
                    self.look(index);
                }
                HostState::Failed => self.hosts[index].state = HostState::Left,
                HostState::Active | HostState::Left => {}
            }
        }
    }

    /// All hosts leave without having failed.
    pub(crate) fn end_all(&mut self) {
        let names: Vec<HostName> = self.hosts.iter().map(|slot| slot.name.clone()).collect();
        names.iter().for_each(|name| self.end_host(name));
    }

    /// A failure at `place` is fatal for all: the others finish that task, and then fail where they stand.
    pub(crate) fn note_fatal(&mut self, host: &HostName, place: &TaskPath) {
        self.rules.is_fatal = true;
        self.met.extend(self.index.get(host));
        self.hold_at(place);
    }

    /// The failures at `place` end the slice if the rules say so: the others finish that task.
    pub(crate) fn hold_if_lost(&mut self, place: &TaskPath) {
        if self.losses().ends_slice().is_some() && !self.rules.continues {
            self.hold_at(place);
        }
    }

    fn hold_at(&mut self, place: &TaskPath) {
        if self.hold.as_ref().is_none_or(|hold| place < hold) {
            self.hold = Some(place.clone());
        }
    }

    /// Called when nothing runs and nothing may start. Where a failure was fatal for all, whoever still walks fails now, and
    /// may be rescued: then there is more to do, which is what is returned.
    pub(crate) fn spread_fatal(&mut self) -> bool {
        if !self.rules.is_fatal || self.hold.take().is_none() || self.is_closed {
            return false;
        }
        for index in 0..self.hosts.len() {
            let slot = &mut self.hosts[index];
            let is_walking = matches!(self.standings[index], Standing::At(_));
            if slot.state == HostState::Active && is_walking && !self.met.contains(&index) {
                slot.cursor.fail();
                self.look(index);
            }
        }
        self.met.clear();
        // Whoever was rescued goes on as after any failure.
        self.rules.is_fatal = self.hosts.iter().any(|slot| slot.state.is_lost());
        self.standings
            .iter()
            .any(|standing| *standing != Standing::Done)
    }

    /// Nothing more starts.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
    }

    /// Whether nothing more starts.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// The rules with the hosts that are lost by now.
    pub(crate) fn losses(&self) -> Losses {
        let lost = self
            .hosts
            .iter()
            .filter(|slot| slot.state.is_lost())
            .count();
        Losses { lost, ..self.rules }
    }

    /// All hosts, and what became of them.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&HostName, HostState)> {
        self.hosts.iter().map(|slot| (&slot.name, slot.state))
    }
}
