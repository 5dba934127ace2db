//! The strands of one host: lists of tasks that run side by side.
//!
//! Tasks of a strand run in order. A strand begins when those that it waits for have ended, and while its groups have room.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

/// One strand of a graph.
#[derive(Clone, Debug, Default)]
pub struct Strand {
    /// The strands that have to end first, by index; all of them lower than its own.
    pub waits_for: Vec<usize>,
    /// The groups that it is in, by index.
    pub groups: Vec<usize>,
}

/// Strands that share something.
#[derive(Clone, Debug, Default)]
pub struct StrandGroup {
    /// How many of them run at once; none is no limit.
    pub at_once: Option<usize>,
    /// What they share. Strands of groups that name the same thing exclude each other, those of one group do not.
    pub resources: Vec<String>,
}

/// How the strands of a host hang together; the same for all hosts of a slice.
#[derive(Debug, Default)]
pub struct StrandGraph {
    strands: Vec<Strand>,
    groups: Vec<StrandGroup>,
    /// For each strand, those that wait for it.
    followers: Vec<Vec<usize>>,
    /// For each group, the groups that exclude it.
    rivals: Vec<Vec<usize>>,
}

impl StrandGraph {
    /// A graph of strands. What a strand waits for counts only where it comes before it, so there are no cycles.
    #[must_use]
    pub fn new(mut strands: Vec<Strand>, groups: Vec<StrandGroup>) -> Self {
        let mut followers = vec![Vec::new(); strands.len()];
        for (index, strand) in strands.iter_mut().enumerate() {
            strand.waits_for.sort_unstable();
            strand.waits_for.dedup();
            strand.waits_for.retain(|needed| *needed < index);
            strand.groups.retain(|group| *group < groups.len());
            for needed in &strand.waits_for {
                followers[*needed].push(index);
            }
        }
        let share = |one: &StrandGroup, other: &StrandGroup| {
            one.resources
                .iter()
                .any(|resource| other.resources.contains(resource))
        };
        let rivals_of = |index: usize| {
            (0..groups.len())
                .filter(|other| *other != index && share(&groups[index], &groups[*other]))
                .collect()
        };
        Self {
            rivals: (0..groups.len()).map(rivals_of).collect(),
            strands,
            groups,
            followers,
        }
    }

    /// The strands that have to end before each.
    #[must_use]
    pub fn waits_for(&self) -> Vec<Vec<usize>> {
        let waits_for = |strand: &Strand| strand.waits_for.clone();
        self.strands.iter().map(waits_for).collect()
    }

    /// Whether two strands exclude each other: some of their groups do, and they have none in common.
    fn are_rivals(&self, one: usize, other: usize) -> bool {
        let (ours, theirs) = (&self.strands[one].groups, &self.strands[other].groups);
        !ours.iter().any(|group| theirs.contains(group))
            && ours.iter().any(|group| {
                self.rivals[*group]
                    .iter()
                    .any(|rival| theirs.contains(rival))
            })
    }
}

/// How far one host is with its strands.
#[derive(Clone, Debug)]
pub struct Strands {
    graph: Arc<StrandGraph>,
    /// For each strand, how many have to end yet before it.
    missing: Vec<usize>,
    ready: BTreeSet<usize>,
    running: HashSet<usize>,
}

impl Strands {
    /// A host that has begun nothing.
    #[must_use]
    pub fn new(graph: Arc<StrandGraph>) -> Self {
        let missing: Vec<usize> = graph
            .strands
            .iter()
            .map(|strand| strand.waits_for.len())
            .collect();
        let ready = (0..missing.len())
            .filter(|index| missing[*index] == 0)
            .collect();
        Self {
            graph,
            missing,
            ready,
            running: HashSet::new(),
        }
    }

    /// The next strand that may begin now; it counts as running from here on.
    pub fn begin(&mut self) -> Option<usize> {
        let found = self
            .ready
            .iter()
            .copied()
            .find(|strand| self.has_room(*strand))?;
        self.ready.remove(&found);
        self.running.insert(found);
        Some(found)
    }

    fn has_room(&self, strand: usize) -> bool {
        let is_full = |group: &usize| {
            let is_in = |other: &&usize| self.graph.strands[**other].groups.contains(group);
            self.graph.groups[*group]
                .at_once
                .is_some_and(|limit| self.running.iter().filter(is_in).count() >= limit.max(1))
        };
        !self.graph.strands[strand].groups.iter().any(is_full)
            && !self
                .running
                .iter()
                .any(|other| self.graph.are_rivals(strand, *other))
    }

    /// A strand has come to its end.
    pub fn end(&mut self, strand: usize) {
        if !self.running.remove(&strand) {
            return;
        }
        for follower in &self.graph.followers[strand] {
            self.missing[*follower] -= 1;
            if self.missing[*follower] == 0 {
                self.ready.insert(*follower);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{Strategy as _, any, prop, proptest};

    /// Any graph: strands that wait for some before them, in some of three groups, two of which share something.
    fn graphs() -> impl proptest::strategy::Strategy<Value = (Vec<Strand>, Vec<StrandGroup>)> {
        let strand = (
            prop::collection::vec(any::<prop::sample::Index>(), 0..3),
            prop::collection::vec(0usize..3, 0..2),
        );
        let limits = prop::collection::vec(prop::option::of(1usize..4), 3);
        (prop::collection::vec(strand, 0..12), limits).prop_map(|(strands, limits)| {
            let strands = strands
                .into_iter()
                .enumerate()
                .map(|(index, (needs, groups))| Strand {
                    waits_for: needs
                        .iter()
                        .filter(|_| index > 0)
                        .map(|need| need.index(index))
                        .collect(),
                    groups,
                });
            let groups = limits
                .into_iter()
                .enumerate()
                .map(|(index, at_once)| StrandGroup {
                    at_once,
                    resources: (index < 2).then(|| "disk".to_owned()).into_iter().collect(),
                });
            (strands.collect(), groups.collect())
        })
    }

    proptest! {
        #[test]
        fn every_strand_runs_once_after_what_it_waits_for_and_groups_keep_their_bounds(
            (strands, groups) in graphs(), picks in prop::collection::vec(0usize..100, 0..40)
        ) {
            let mut host = Strands::new(Arc::new(StrandGraph::new(strands.clone(), groups.clone())));
            let (mut ended, mut running): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
            let mut picks = picks.into_iter().chain(std::iter::repeat(0));
            loop {
                while let Some(strand) = host.begin() {
                    assert!(strands[strand].waits_for.iter().all(|needed| ended.contains(needed)));
                    assert!(!ended.contains(&strand) && !running.contains(&strand));
                    running.push(strand);
                }
                for (index, group) in groups.iter().enumerate() {
                    let inside = running.iter().filter(|strand| strands[**strand].groups.contains(&index));
                    assert!(inside.count() <= group.at_once.unwrap_or(usize::MAX));
                }
                let only_in = |group: usize| running.iter().any(|strand| strands[*strand].groups == [group]);
                assert!(!(only_in(0) && only_in(1)), "what two groups share is not used by both at once");
                if running.is_empty() {
                    break;
                }
                let end = running.remove(picks.next().unwrap_or(0) % running.len());
                ended.push(end);
                host.end(end);
            }
            assert_eq!(ended.len(), strands.len(), "all come to their end");
        }
    }

    #[test]
    fn strands_that_wait_for_nothing_run_side_by_side() {
        let after = |waits_for: &[usize]| Strand {
            waits_for: waits_for.to_vec(),
            groups: Vec::new(),
        };
        let graph = StrandGraph::new(vec![after(&[]), after(&[]), after(&[0, 1])], Vec::new());
        let mut host = Strands::new(Arc::new(graph));
        assert_eq!(
            [host.begin(), host.begin(), host.begin()],
            [Some(0), Some(1), None]
        );
        host.end(1);
        assert_eq!(host.begin(), None);
        host.end(0);
        assert_eq!(host.begin(), Some(2));
    }
}
