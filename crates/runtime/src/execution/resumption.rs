//! A run that is continued: what it was, whether it still is that, and what it had done.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustle_events::{Event, EventKind};
use rustle_inventory::Inventory;
use rustle_types::{ExecutionPlan, Object, RunId};
use serde_json::Value;
use sha1::{Digest as _, Sha1};

use crate::execution::error::ExecutionError;
use crate::execution::journal::{HOSTS, JOURNAL, Journal, PLAN, Unusable, folder_of, read_journal};
use crate::execution::replay::Replay;

/// How many differences of a plan are told.
const TOLD: usize = 10;

/// A run that is continued.
pub struct Resumption {
    pub(crate) run: RunId,
    pub(crate) journal: Journal,
    /// The first event, and the number of the next one.
    pub(crate) begin: (Event, u64),
    pub(crate) replay: Replay,
    folder: PathBuf,
    /// Whether plan and inventory may be others than they were.
    with_changes: bool,
    /// Whether units of which nobody knows whether they were done are done again.
    pub(crate) reruns_unknown: bool,
}

impl Resumption {
    /// Opens a run that has ended in some way.
    ///
    /// # Errors
    /// When it still goes on, its files cannot be read, or nothing of it is there.
    pub fn open(state_dir: &Path, run: RunId) -> Result<Self, ExecutionError> {
        let folder = folder_of(state_dir, run);
        let journal = Journal::reopen(&folder).map_err(unusable)?;
        let path = folder.join(JOURNAL);
        let events = read_journal(&path).map_err(|error| unusable((path.clone(), error)))?;
        let next = events.last().map_or(0, |event| event.seq + 1);
        let first = events.first().cloned();
        let Some(first) = first.filter(|first| matches!(first.kind, EventKind::RunStarted { .. }))
        else {
            let empty = io::Error::new(io::ErrorKind::UnexpectedEof, "it has no beginning");
            return Err(unusable((path, empty)));
        };
        Ok(Self {
            run,
            journal,
            begin: (first, next),
            replay: Replay::of(events),
            folder,
            with_changes: false,
            reruns_unknown: false,
        })
    }

    /// Lets plan and inventory be others than they were.
    #[must_use]
    pub const fn with_changes(mut self, may_differ: bool) -> Self {
        self.with_changes = may_differ;
        self
    }

    /// Does units again of which nobody knows whether they were done.
    #[must_use]
    pub const fn rerunning_unknown(mut self, reruns: bool) -> Self {
        self.reruns_unknown = reruns;
        self
    }

    /// Compares plan and hosts with those of the run.
    pub(crate) fn check(&self, plan: &ExecutionPlan, hosts: &Object) -> Result<(), ExecutionError> {
        if self.with_changes {
            return Ok(());
        }
        let mut differences = Vec::new();
        let plan = serde_json::to_value(plan).unwrap_or_default();
        compare("plan", &self.read(PLAN)?, &plan, &mut differences);
        let hosts = Value::Object(hosts.clone());
        compare("inventory", &self.read(HOSTS)?, &hosts, &mut differences);
        if differences.is_empty() {
            Ok(())
        } else {
            Err(ExecutionError::Changed { differences })
        }
    }

    fn read(&self, name: &str) -> Result<Value, ExecutionError> {
        let path = self.folder.join(name);
        let read = || Ok(serde_json::from_slice(&fs::read(&path)?)?);
        read().map_err(|error| unusable((path.clone(), error)))
    }
}

/// A digest a host of its variables and groups; the values themselves may be secret.
pub(crate) fn digests(inventory: &Inventory) -> Object {
    let parsed = inventory.parsed();
    let digest = |value: &Value| {
        let sum = Sha1::digest(value.to_string().as_bytes());
        Value::String(sum.iter().map(|byte| format!("{byte:02x}")).collect())
    };
    let Ok(Value::Object(mut parsed)) = serde_json::to_value(parsed) else {
        return Object::new();
    };
    let mut digests = Object::new();
    for kind in ["hosts", "groups"] {
        if let Some(Value::Object(members)) = parsed.shift_remove(kind) {
            let members = members.iter().map(|(name, is)| (name.clone(), digest(is)));
            digests.insert(kind.into(), Value::Object(members.collect()));
        }
    }
    digests
}

/// Tells where two values differ, by their place.
fn compare(place: &str, before: &Value, now: &Value, differences: &mut Vec<String>) {
    if before == now || differences.len() >= TOLD {
        return;
    }
    match (before, now) {
        (Value::Object(before), Value::Object(now)) => {
            for (name, value) in before {
                match now.get(name) {
                    Some(other) => compare(&format!("{place}.{name}"), value, other, differences),
                    None => differences.push(format!("{place}.{name} is not there any more")),
                }
            }
            let added = now.keys().filter(|name| !before.contains_key(*name));
            differences.extend(added.map(|name| format!("{place}.{name} is new")));
        }
        (Value::Array(before), Value::Array(now)) if before.len() == now.len() => {
            for (index, (before, now)) in before.iter().zip(now).enumerate() {
                compare(&format!("{place}[{index}]"), before, now, differences);
            }
        }
        (Value::Array(before), Value::Array(now)) => {
            let (before, now) = (before.len(), now.len());
            differences.push(format!("{place} had {before} entries and has {now}"));
        }
        _ => differences.push(format!("{place} is another")),
    }
}

pub(crate) fn unusable((path, source): Unusable) -> ExecutionError {
    ExecutionError::Journal { path, source }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_their_place() {
        let before = json!({"plays": [{"name": "a", "tasks": [1, 2]}, 1], "x": 1});
        let now = json!({"plays": [{"name": "b", "tasks": [1]}, 1], "y": 1});
        let mut differences = Vec::new();
        compare("plan", &before, &now, &mut differences);
        assert_eq!(
            differences,
            [
                "plan.plays[0].name is another",
                "plan.plays[0].tasks had 2 entries and has 1",
                "plan.x is not there any more",
                "plan.y is new"
            ]
        );
    }
}
