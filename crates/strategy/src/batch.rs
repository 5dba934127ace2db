//! The plan's own batches by their dependencies, each linear inside.

use std::collections::BTreeSet;

use crate::{Standing, Strategy, starting};

/// A batch starts when nobody is in a batch that it depends on; inside, it is linear.
///
/// A host may be in several batches at once, and then stands at several places. Who has not come to a batch yet stands in one that
/// this depends on, so it is enough to look at where hosts stand.
pub struct Batch<P> {
    /// For each batch, all that have to end first, also by way of others.
    ancestors: Vec<BTreeSet<usize>>,
    batch_of: fn(&P) -> usize,
}

impl<P> Batch<P> {
    /// A strategy over batches that come after those they depend on; `depends_on` has these for each, and `batch_of` tells a
    /// position's batch.
    #[must_use]
    pub fn new(depends_on: &[Vec<usize>], batch_of: fn(&P) -> usize) -> Self {
        let mut ancestors: Vec<BTreeSet<usize>> = Vec::with_capacity(depends_on.len());
        for needed in depends_on {
            let mut all = BTreeSet::new();
            for batch in needed {
                all.insert(*batch);
                all.extend(ancestors.get(*batch).into_iter().flatten());
            }
            ancestors.push(all);
        }
        Self {
            ancestors,
            batch_of,
        }
    }
}

impl<P: Ord + Send> Strategy<P> for Batch<P> {
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize> {
        let taken: BTreeSet<usize> = hosts
            .iter()
            .filter_map(Standing::position)
            .map(self.batch_of)
            .collect();
        starting(hosts, free, |_, position| {
            let batch = (self.batch_of)(position);
            let is_first = hosts
                .iter()
                .filter_map(Standing::position)
                .filter(|other| (self.batch_of)(other) == batch)
                .all(|other| other >= position);
            is_first
                && self
                    .ancestors
                    .get(batch)
                    .is_none_or(|needed| needed.is_disjoint(&taken))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{At, Busy, Done};

    fn strategy(depends_on: &[Vec<usize>]) -> Batch<(usize, u8)> {
        Batch::new(depends_on, |position| position.0)
    }

    #[test]
    fn independent_batches_run_at_the_same_time() {
        let mut batch = strategy(&[vec![], vec![]]);
        assert_eq!(batch.next(&[At((0, 0)), At((1, 0))], 9), [0, 1]);
    }

    #[test]
    fn a_batch_waits_for_all_that_it_depends_on_also_by_way_of_others() {
        let mut batch = strategy(&[vec![], vec![0], vec![1]]);
        assert_eq!(batch.next(&[Busy((0, 1)), At((1, 0))], 9), [0; 0]);
        assert_eq!(batch.next(&[Busy((0, 1)), At((2, 0))], 9), [0; 0]);
        assert_eq!(batch.next(&[Done, At((1, 0))], 9), [1]);
    }

    #[test]
    fn a_batch_is_linear_inside() {
        let mut batch = strategy(&[vec![]]);
        assert_eq!(batch.next(&[Busy((0, 0)), At((0, 1))], 9), [0; 0]);
    }

    proptest::proptest! {
        /// Plays any course of hosts that go through a chain of batches, or side by side where they do not depend on each other.
        #[test]
        fn nobody_starts_a_batch_before_all_have_left_those_it_depends_on(
            hosts in 1usize..5, tasks in 1u8..4, is_chain: bool, forks in 1usize..4,
            picks in proptest::collection::vec(0usize..100, 0..120)
        ) {
            let depends_on = if is_chain { [vec![], vec![0], vec![1]] } else { [vec![], vec![], vec![0, 1]] };
            let mut batch = strategy(&depends_on);
            // Each host stands at one place: it goes through the batches in order.
            let mut field: Vec<Standing<(usize, u8)>> = vec![At((0, 0)); hosts];
            let mut picks = picks.into_iter().chain(std::iter::repeat(0));
            let mut started = 0;
            while field.iter().any(|host| *host != Done) {
                let busy = field.iter().filter(|host| matches!(host, Busy(_))).count();
                for index in batch.next(&field, forks.saturating_sub(busy)) {
                    let At((at, task)) = field[index] else { panic!("only waiting hosts start") };
                    for (other, step) in field.iter().filter_map(Standing::position) {
                        assert!(!depends_on[at].contains(other), "a batch is open that this one depends on");
                        assert!(*other != at || *step >= task, "a batch is linear inside");
                    }
                    field[index] = Busy((at, task));
                    started += 1;
                }
                let running: Vec<usize> = (0..hosts).filter(|i| matches!(field[*i], Busy(_))).collect();
                assert!(!running.is_empty() && running.len() <= forks, "somebody always runs");
                let ends = running[picks.next().unwrap_or(0) % running.len()];
                let Busy((at, task)) = field[ends] else { unreachable!() };
                field[ends] = match (task + 1 < tasks, at) {
                    (true, _) => At((at, task + 1)),
                    (false, 2) => Done,
                    (false, at) => At((at + 1, 0)),
                };
            }
            assert_eq!(started, hosts * 3 * usize::from(tasks));
        }
    }
}
