//! One slice of a play's hosts on its way through the tasks: who stands where, and what follows from what happened.
//!
//! Plain synchronous code: the loop asks [`Round::startable`], runs units, and tells [`Round::note`] how they ended.

mod notices;
#[cfg(test)]
mod tests;
mod walks;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use crate::cursor::{Fate, Step};
use crate::program::{Handler, Node};
use rustle_events::{TaskPath, UnitId};
use rustle_strategy::{Standing, Strategy};
use rustle_types::HostName;

use self::notices::Included;
use self::walks::Walk;
use crate::execution::slot::{HostSlot, HostState};
use crate::execution::stop::Losses;
use crate::execution::strands::StrandPlan;

/// Where a step stands in the order of the play, and in which strand.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    path: TaskPath,
    pub(crate) strand: usize,
}

/// One slice of hosts.
pub(crate) struct Round {
    hosts: Vec<HostSlot>,
    /// What is under way on the hosts: of each host the first at the host's own index, and further ones where strands run side by
    /// side.
    walks: Vec<Walk>,
    /// Where each walk stands.
    standings: Vec<Standing<Position>>,
    strands: StrandPlan,
    start: TaskPath,
    index: HashMap<HostName, usize>,
    /// The play's handlers; those of roles that are brought in come at the end.
    handlers: Vec<Arc<Handler>>,
    strategy: Box<dyn Strategy<Position>>,
    in_step: bool,
    /// What was brought in, by the place of the task that did: a file or role, how often it was met, and its tasks.
    included: HashMap<TaskPath, Vec<Included>>,
    /// Tasks that run on one host for all: who runs them, or that they ran.
    once: HashMap<TaskPath, Once>,
    /// Where handlers run that are left at the end.
    end: TaskPath,
    rules: Losses,
    force_handlers: bool,
    /// Whether handlers that are left run at the end; a plan may hold the flushes of its plays itself.
    flushes_at_end: bool,
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
    pub(crate) strands: StrandPlan,
    pub(crate) handlers: Vec<Arc<Handler>>,
    pub(crate) strategy: Box<dyn Strategy<Position>>,
    /// Whether the strategy keeps the hosts together at each task.
    pub(crate) in_step: bool,
    pub(crate) play: u32,
    pub(crate) rules: Losses,
    pub(crate) force_handlers: bool,
    pub(crate) flushes_at_end: bool,
}

impl Round {
    pub(crate) fn new(plan: RoundPlan) -> Self {
        let slot = |name: &HostName| HostSlot::new(name.clone(), Arc::clone(&plan.strands.graph));
        let mut round = Self {
            hosts: plan.hosts.iter().map(slot).collect(),
            walks: Vec::new(),
            standings: Vec::new(),
            strands: plan.strands,
            start: TaskPath(vec![plan.play]),
            index: plan.hosts.iter().cloned().zip(0..).collect(),
            handlers: plan.handlers,
            strategy: plan.strategy,
            in_step: plan.in_step,
            included: HashMap::new(),
            once: HashMap::new(),
            end: TaskPath(vec![plan.play, u32::MAX]),
            rules: Losses {
                hosts: plan.hosts.len(),
                ..plan.rules
            },
            force_handlers: plan.force_handlers,
            flushes_at_end: plan.flushes_at_end,
            hold: None,
            met: BTreeSet::new(),
            is_closed: false,
        };
        (0..round.hosts.len()).for_each(|host| round.add_walk(host));
        (0..round.hosts.len()).for_each(|walk| round.look(walk));
        round
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
            for walk in self.strategy.next(&self.standings, usize::MAX) {
                let Some(step) = self.walks[walk].step.clone() else {
                    continue;
                };
                if self.hold.as_ref().is_some_and(|hold| step.place > *hold) {
                    continue;
                }
                let name = &self.hosts[self.walks[walk].host].name;
                let UnitRules {
                    runs_once,
                    throttle,
                } = rules_of(&step, name);
                match self.once.get(&step.place).copied().filter(|_| runs_once) {
                    Some(Once::Running) => continue,
                    Some(Once::Ran(ended)) => {
                        self.follow(walk, ended);
                        has_followed = true;
                        continue;
                    }
                    None => {}
                }
                if starts.len() >= free || !self.has_room(&step, throttle) {
                    continue;
                }
                if let Standing::At(position) = self.standings[walk].clone() {
                    starts.push((name.clone(), step.clone()));
                    self.standings[walk] = Standing::Busy(position);
                    if runs_once {
                        self.once.insert(step.place, Once::Running);
                    }
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
    fn follow(&mut self, walk: usize, ended: Ended) {
        let cursor = &mut self.walks[walk].cursor;
        match ended {
            Ended::Passed => cursor.pass(),
            Ended::Failed | Ended::Unreachable => {
                let fate = cursor.fail();
                if fate == Fate::Out {
                    cursor.leave();
                }
                let host = self.walks[walk].host;
                self.hosts[host].is_removed |= fate != Fate::Rescued;
            }
        }
        self.look(walk);
    }

    /// Takes the end of a unit into account; tells what a failure means for its host. What the task brought in runs next.
    pub(crate) fn note(
        &mut self,
        unit: &UnitId,
        ended: Ended,
        ran_once: bool,
        brought: Vec<(TaskPath, Arc<[Node]>)>,
    ) -> Option<Fate> {
        let walk = self.walk_of(unit)?;
        let host = self.walks[walk].host;
        if ran_once {
            self.once.insert(unit.path.clone(), Once::Ran(ended));
        }
        let cursor = &mut self.walks[walk].cursor;
        let is_last_flush = cursor.is_in_last_flush();
        let fate = match ended {
            Ended::Passed => {
                cursor.enter_lists(brought);
                None
            }
            Ended::Failed => Some(cursor.fail()),
            Ended::Unreachable => {
                // Its place is kept: the errors of hosts may be cleared.
                cursor.pass();
                self.standings[walk] = Standing::Done;
                self.hosts[host].state = HostState::Unreachable;
                self.hosts[host].is_removed = true;
                self.park(host);
                return Some(Fate::Out);
            }
        };
        self.hosts[host].is_removed |= fate.is_some_and(|fate| fate != Fate::Rescued);
        // Of the handlers that run in any case none follows one that fails.
        self.hosts[host].is_flushed |= is_last_flush && fate == Some(Fate::Out);
        if ended == Ended::Failed && self.hosts[host].state == HostState::Left {
            self.hosts[host].state = HostState::Failed;
        }
        self.end_unit(walk);
        fate
    }

    /// The host leaves the role that the unit is in.
    pub(crate) fn end_role(&mut self, unit: &UnitId) {
        if let Some(walk) = self.walk_of(unit) {
            self.walks[walk].cursor.end_role();
            self.end_unit(walk);
        }
    }

    /// A host leaves without having failed; what it notified does not run. What runs on it comes to its end.
    pub(crate) fn end_host(&mut self, host: &HostName) {
        if let Some(index) = self.index.get(host).copied() {
            let slot = &mut self.hosts[index];
            slot.notified.clear();
            slot.wanted.clear();
            slot.is_removed = true;
            if slot.state == HostState::Active {
                slot.state = HostState::Left;
            }
            for walk in self.walks_of(index) {
                self.walks[walk].cursor.leave();
                self.look(walk);
            }
        }
    }

    /// Forgets failures: hosts that could not be reached go on from where they were, failed ones from the next play.
    pub(crate) fn forgive(&mut self) {
        for index in 0..self.hosts.len() {
            match self.hosts[index].state {
                HostState::Unreachable => {
                    self.hosts[index].state = HostState::Active;
                    for walk in self.walks_of(index) {
                        self.look(walk);
                    }
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
        let is_met = |walk: &Walk| {
            self.hosts[walk.host].state == HostState::Active && !self.met.contains(&walk.host)
        };
        let failing: Vec<usize> = (0..self.walks.len())
            .filter(|walk| {
                matches!(self.standings[*walk], Standing::At(_))
                    || self.walks_of(self.walks[*walk].host).len() == 1
            })
            .filter(|walk| is_met(&self.walks[*walk]))
            .collect();
        for walk in &failing {
            // It fails where it was, not where it would go on: the block that it has just left may rescue it.
            let Walk { cursor, host, .. } = &mut self.walks[*walk];
            cursor.fail_behind();
            self.hosts[*host].is_flushed = false;
        }
        for walk in failing {
            self.look(walk);
        }
        self.met.clear();
        // Whoever was rescued goes on as after any failure.
        self.rules.is_fatal = self.hosts.iter().any(|slot| slot.state.is_lost());
        self.standings
            .iter()
            .any(|standing| *standing != Standing::Done)
    }

    /// Whether the hosts go through the tasks together.
    pub(crate) fn is_in_step(&self) -> bool {
        self.in_step
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

    /// Hosts that count no longer as hosts of the play.
    pub(crate) fn removed(&self) -> impl Iterator<Item = &HostName> {
        let is_gone = |slot: &&HostSlot| slot.is_removed || slot.state != HostState::Active;
        self.hosts.iter().filter(is_gone).map(|slot| &slot.name)
    }

    /// All hosts, and what became of them.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = (&HostName, HostState)> {
        self.hosts.iter().map(|slot| (&slot.name, slot.state))
    }
}
