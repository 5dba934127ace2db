//! One host of a slice: where it stands, and what it notified.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crate::program::{Handler, Node};
use rustle_strategy::{StrandGraph, Strands};
use rustle_types::HostName;

/// A host of the slice.
pub(crate) struct HostSlot {
    pub(crate) name: HostName,
    pub(crate) state: HostState,
    /// How far it is with its strands.
    pub(crate) strands: Strands,
    /// The walks that are under way on it, by index.
    pub(crate) walks: Vec<usize>,
    /// What it notified; which handlers that means is found when they are flushed.
    pub(crate) notified: Vec<String>,
    /// Handlers of the flush that it is in, and has not come to.
    pub(crate) wanted: BTreeSet<usize>,
    /// Roles that ran on it, or began to.
    pub(crate) roles: HashSet<String>,
    pub(crate) is_flushed: bool,
    /// Whether it counts no longer as a host of the play, even while its `always` sections run or after its errors were cleared.
    pub(crate) is_removed: bool,
}

/// What became of a host in this play.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostState {
    Active,
    Failed,
    Unreachable,
    /// It left without having failed.
    Left,
}

impl HostState {
    /// Whether the host is lost to the play.
    pub(crate) const fn is_lost(self) -> bool {
        matches!(self, Self::Failed | Self::Unreachable)
    }
}

impl HostSlot {
    /// A host that has begun nothing.
    pub(crate) fn new(name: HostName, graph: Arc<StrandGraph>) -> Self {
        Self {
            name,
            state: HostState::Active,
            strands: Strands::new(graph),
            walks: Vec::new(),
            notified: Vec::new(),
            wanted: BTreeSet::new(),
            roles: HashSet::new(),
            is_flushed: false,
            is_removed: false,
        }
    }

    /// Finds the handlers that are meant by what was notified.
    pub(crate) fn want_notified(&mut self, handlers: &[Arc<Handler>]) {
        let names = std::mem::take(&mut self.notified);
        self.wanted
            .extend(names.iter().flat_map(|name| meant_by(handlers, name)));
    }
}

/// The handlers that a notification means, by index: the one with that name, and those that listen to it, of several with one name
/// one. Of several lists of handlers the last counts, and within a list the first.
pub(crate) fn meant_by(handlers: &[Arc<Handler>], notified: &str) -> BTreeSet<usize> {
    let mut lists: Vec<_> = handlers
        .iter()
        .enumerate()
        .collect::<Vec<_>>()
        .chunk_by(|(_, one), (_, next)| list_of(one) == list_of(next))
        .map(<[_]>::to_vec)
        .collect();
    lists.reverse();
    let by_rank = lists.concat();
    let named = by_rank
        .iter()
        .find(|(_, handler)| handler.is_called(notified));
    let mut meant: BTreeSet<usize> = named.map(|(index, _)| *index).into_iter().collect();
    let mut seen = HashSet::new();
    for (index, handler) in by_rank {
        if handler.listens_to(notified) && (handler.name.is_empty() || seen.insert(&handler.name)) {
            meant.insert(index);
        }
    }
    meant
}

/// The list that a handler is of: where it lies, and of which role it is.
fn list_of(handler: &Handler) -> (&[u32], Option<&str>) {
    let path = match &handler.node {
        Node::Task(node) => &node.path.0,
        Node::Block(node) => &node.path.0,
    };
    let list = path.split_last().map_or(&[][..], |(_, list)| list);
    (list, handler.role.as_deref())
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use crate::program::Compiler;
    use crate::tags::TagFilter;
    use rustle_types::{HandlerPlan, Keywords};
    use serde_json::json;

    use super::*;

    #[test]
    fn a_notification_means_the_first_of_the_last_list_with_that_name_and_those_who_listen() {
        let handlers: Vec<HandlerPlan> = serde_json::from_value(json!([
            {"name": "a", "ping": {}, "listen": ["topic"]},
            {"name": "b", "ping": {}, "role": "r"},
            {"name": "a", "ping": {}},
            {"name": "c", "ping": {}, "listen": "topic"},
            {"name": "c", "ping": {}, "listen": "topic"},
        ]))
        .unwrap();
        let compiler = Compiler {
            play: 0,
            keywords: &Keywords::default(),
            tags: &TagFilter::default(),
            hosts_of: &|_| HashSet::new(),
        };
        let first = compiler.compile(&[], &handlers).handlers;
        let later = Compiler {
            play: 1,
            ..compiler
        }
        .compile(&[], &handlers[..1])
        .handlers;
        let all: Vec<Arc<Handler>> = first.iter().chain(later.iter()).cloned().collect();
        let meant = |name: &str| meant_by(&all, name).into_iter().collect::<Vec<_>>();
        assert_eq!(meant("a"), [5]);
        assert_eq!(meant("c"), [3]);
        assert_eq!(
            meant("topic"),
            [3, 5],
            "of two with one name the first of the last list listens"
        );
        assert_eq!(meant("r : b"), [1]);
        assert_eq!(meant("nobody"), [0; 0]);
    }
}
