//! What a run did before it was interrupted, by its journal.
//!
//! A run that is continued goes through its plan from the beginning. A unit (a task on a host) whose good end is in the
//! journal does not run: it ends again as it did, with what it left behind. So hosts, variables, includes and handlers come to stand where they stood.
//! What such a unit asked of the engine (an include, a new host) is not in the journal; it runs again, for only the controller is
//! asked. Units end in the order of the journal, whatever takes how long now.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};

use rustle_events::{Event, EventKind, UnitId};
use rustle_types::{HostName, Object, TaskResult, TaskStatus};
use serde_json::Value;

use crate::effects::Effects;
use crate::execution::run::UnitEnd;
use crate::outcome::UnitOutcome;
use crate::program::TaskNode;
use crate::world::Unreachable;

/// Marks the result of a unit of which nobody knows whether it was done.
pub(crate) const UNKNOWN: &str = "unknown";

/// In the journal: the handlers that a unit notified.
pub(crate) const NOTIFY: &str = "notify";

/// What units did before.
#[derive(Default)]
pub(crate) struct Replay {
    records: HashMap<UnitId, VecDeque<Record>>,
    /// Units that were under way when the run ended.
    unknown: HashSet<UnitId>,
    /// How many records there are still.
    left: usize,
    /// Units that ended, by their place in the journal.
    ended: BTreeMap<u64, UnitEnd>,
    /// Units that run again although their end is known, and their place in the journal.
    again: HashMap<UnitId, u64>,
}

/// The end of a unit.
struct Record {
    seq: u64,
    result: Box<TaskResult>,
    effects: Object,
}

/// How a unit begins.
pub(crate) enum Begin {
    /// It has not been done.
    Fresh,
    /// It was done, and is asked again for what the journal does not tell.
    Again,
    /// It was done.
    Done(u64, Box<UnitOutcome>),
    /// Nobody knows whether it was done.
    Unknown,
    /// It was done, what it left behind was secret, and it must not be done again.
    Hidden,
}

impl Replay {
    /// Reads what `events` tell; hosts that were lost do again what they did behind their failure.
    pub(crate) fn of(events: Vec<Event>) -> Self {
        let mut replay = Self::default();
        let mut lost: HashSet<HostName> = HashSet::new();
        for Event { seq, kind, .. } in events {
            match kind {
                EventKind::RunResumed { .. } => lost.clear(),
                EventKind::TaskStarted { unit, .. } if !lost.contains(&unit.host) => {
                    replay.unknown.insert(unit);
                }
                EventKind::TaskFinished {
                    unit,
                    result,
                    effects,
                    is_rescued,
                    is_ignored,
                    ..
                } => {
                    let is_known = !has(&result, UNKNOWN);
                    if is_known {
                        replay.unknown.remove(&unit);
                    }
                    if lost.contains(&unit.host) {
                        continue;
                    }
                    if is_lost(&result, is_rescued || is_ignored) {
                        lost.insert(unit.host);
                        continue;
                    }
                    replay.left += 1;
                    replay.records.entry(unit).or_default().push_back(Record {
                        seq,
                        result,
                        effects,
                    });
                }
                _ => {}
            }
        }
        replay
    }

    /// How many ends there are that units have not come to.
    pub(crate) const fn left(&self) -> usize {
        self.left
    }

    /// Says how a unit begins. One that runs once for all may have been another host's.
    pub(crate) fn begin(&mut self, id: &UnitId, runs_once: bool, is_safe: bool) -> Begin {
        let of_another = || {
            let same = |unit: &&UnitId| unit.path == id.path;
            self.records.keys().find(same).cloned()
        };
        let known = if !runs_once || self.records.contains_key(id) {
            Some(id.clone())
        } else {
            of_another()
        };
        let Some(record) = known.and_then(|unit| self.take(&unit)) else {
            return match self.unknown.remove(id) {
                true if !is_safe => Begin::Unknown,
                _ => Begin::Fresh,
            };
        };
        let is_hidden = record.effects.contains_key(Effects::HIDDEN);
        if is_hidden && !is_safe {
            return Begin::Hidden;
        }
        if is_hidden || record.effects.contains_key(Effects::ASKS) {
            self.again.insert(id.clone(), record.seq);
            return Begin::Again;
        }
        Begin::Done(record.seq, Box::new(record.into_outcome()))
    }

    fn take(&mut self, unit: &UnitId) -> Option<Record> {
        let records = self.records.get_mut(unit)?;
        let record = records.pop_front();
        if records.is_empty() {
            self.records.remove(unit);
        }
        self.left -= usize::from(record.is_some());
        record
    }

    /// Keeps the end of a unit until it is its turn. One that ended for the first time is given back.
    pub(crate) fn hold(&mut self, end: UnitEnd) -> Option<UnitEnd> {
        match self.again.remove(&end.id) {
            Some(seq) => {
                self.ended.insert(seq, end);
                None
            }
            None => Some(end),
        }
    }

    /// Keeps the end of a unit that did not run.
    pub(crate) fn note(&mut self, seq: u64, end: UnitEnd) {
        self.ended.insert(seq, end);
    }

    /// The unit whose end comes next, unless one before it is still at work.
    pub(crate) fn next(&mut self) -> Option<UnitEnd> {
        let first = *self.ended.keys().next()?;
        if self.again.values().any(|seq| *seq < first) {
            return None;
        }
        self.ended.remove(&first)
    }
}

impl Record {
    fn into_outcome(mut self) -> UnitOutcome {
        let result = *self.result;
        let unreachable = (result.status == TaskStatus::Unreachable).then(|| Unreachable {
            reason: result.error.clone().unwrap_or_default(),
            hint: None,
        });
        let notify = self.effects.shift_remove(NOTIFY).unwrap_or_default();
        UnitOutcome {
            effects: Effects::from_object(self.effects),
            notify: serde_json::from_value(notify).unwrap_or_default(),
            ignores_unreachable: unreachable.is_some(),
            unreachable,
            is_fatal_for_all: false,
            is_missing_include: false,
            is_secret: false,
            result,
        }
    }
}

/// The end of a unit of which nobody knows whether it was done.
pub(crate) fn unknown(node: &TaskNode, host: &HostName) -> UnitOutcome {
    let msg = "it is not known whether this was done: the run ended while it was under way; look at the host, \
        then continue with `--rerun-unknown` to do it again";
    let mark = [(UNKNOWN.to_owned(), Value::Bool(true))];
    UnitOutcome::of_failure(node, host, msg.into(), mark.into_iter().collect())
}

/// The end of a unit whose result was secret, and which must not be done again for it.
pub(crate) fn hidden(node: &TaskNode, host: &HostName) -> UnitOutcome {
    let msg = "this was done, and its result is not known any more: `no_log` keeps it out of the journal; \
        continue with `--rerun-unknown` to do it again";
    UnitOutcome::of_failure(node, host, msg.into(), Object::new())
}

/// Whether a result takes its host out of the play.
fn is_lost(result: &TaskResult, goes_on: bool) -> bool {
    matches!(result.status, TaskStatus::Failed | TaskStatus::Unreachable) && !goes_on
}

fn has(result: &TaskResult, mark: &str) -> bool {
    let fields = result.result.as_ref();
    fields.and_then(|fields| fields.get(mark)) == Some(&Value::Bool(true))
}
