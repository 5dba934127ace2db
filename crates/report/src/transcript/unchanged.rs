//! Holds back hosts on which a task changed nothing.

use std::collections::HashSet;

use indexmap::IndexMap;
use rustle_events::TaskPath;
use rustle_types::HostName;

use crate::format::Word;

/// Hosts on which a task ended in the same dull way.
#[derive(Debug, PartialEq)]
pub(super) struct Folded {
    pub(super) word: Word,
    pub(super) title: String,
    pub(super) hosts: Vec<HostName>,
}

/// Tasks that are under way on some host, with the hosts on which they were ok or skipped.
///
/// A task is given out once it has ended on as many hosts as take part, or, where other hosts were not to run it, when another
/// task starts while it is at work nowhere.
#[derive(Debug, Default)]
pub(super) struct Unchanged {
    hosts: usize,
    /// Hosts that are not among them any more.
    lost: HashSet<HostName>,
    open: IndexMap<TaskPath, Open>,
}

#[derive(Debug, Default)]
struct Open {
    running: usize,
    ended: usize,
    held: Vec<Folded>,
}

impl Unchanged {
    /// So many hosts take part from now on. Gives out what is left of the hosts before.
    pub(super) fn start(&mut self, hosts: usize) -> Vec<Folded> {
        self.hosts = hosts;
        self.lost.clear();
        self.take_all()
    }

    /// A host takes part no longer; false where that was known.
    pub(super) fn lose_host(&mut self, host: &HostName) -> bool {
        let is_new = self.lost.insert(host.clone());
        if is_new {
            self.hosts = self.hosts.saturating_sub(1);
        }
        is_new
    }

    pub(super) fn start_task(&mut self, path: &TaskPath) -> Vec<Folded> {
        let mut given = Vec::new();
        self.open.retain(|other, open| {
            let stays = other == path || open.running > 0;
            if !stays {
                given.append(&mut open.held);
            }
            stays
        });
        self.open.entry(path.clone()).or_default().running += 1;
        given
    }

    /// Keeps a host back until its task has ended everywhere.
    pub(super) fn hold(&mut self, path: &TaskPath, word: Word, title: &str, host: &HostName) {
        let held = &mut self.open.entry(path.clone()).or_default().held;
        if let Some(folded) = held.iter_mut().find(|folded| folded.word == word) {
            folded.hosts.push(host.clone());
        } else {
            held.push(Folded {
                word,
                title: title.to_owned(),
                hosts: vec![host.clone()],
            });
        }
    }

    pub(super) fn end_task(&mut self, path: &TaskPath, host: &HostName) -> Vec<Folded> {
        let Some(open) = self.open.get_mut(path) else {
            return Vec::new();
        };
        open.running = open.running.saturating_sub(1);
        open.ended += usize::from(!self.lost.contains(host));
        if open.running > 0 || open.ended < self.hosts {
            return Vec::new();
        }
        self.open
            .shift_remove(path)
            .map(|open| open.held)
            .unwrap_or_default()
    }

    pub(super) fn take_all(&mut self) -> Vec<Folded> {
        self.open
            .drain(..)
            .flat_map(|(_, open)| open.held)
            .collect()
    }
}
