//! The plan's own batches by their dependencies, each linear inside.

use crate::{Standing, Strategy, starting};

/// Batches in an order in which each comes after those it depends on.
#[derive(Clone, Debug, Default)]
pub struct BatchGraph {
    /// For each batch, the batches that have to end first.
    pub dependencies: Vec<Vec<usize>>,
    /// For each batch, the indices of its hosts.
    pub members: Vec<Vec<usize>>,
}

/// A batch starts when all hosts of those it depends on have left them; inside, it is linear.
pub struct Batch<P> {
    graph: BatchGraph,
    batch_of: fn(&P) -> usize,
}

impl<P> Batch<P> {
    /// A strategy over `graph`; `batch_of` tells a position's batch.
    #[must_use]
    pub const fn new(graph: BatchGraph, batch_of: fn(&P) -> usize) -> Self {
        Self { graph, batch_of }
    }

    /// Whether a host still is in the batch or has not come to it.
    fn is_open(&self, batch: usize, hosts: &[Standing<P>]) -> bool {
        let members = self.graph.members.get(batch).map_or(&[][..], Vec::as_slice);
        members
            .iter()
            .filter_map(|index| hosts.get(*index)?.position())
            .any(|at| (self.batch_of)(at) <= batch)
    }
}

impl<P: Ord + Send> Strategy<P> for Batch<P> {
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize> {
        starting(hosts, free, |_, position| {
            let batch = (self.batch_of)(position);
            let is_first = hosts
                .iter()
                .filter_map(Standing::position)
                .filter(|other| (self.batch_of)(other) == batch)
                .all(|other| other >= position);
            let depends_on = self
                .graph
                .dependencies
                .get(batch)
                .map_or(&[][..], Vec::as_slice);
            is_first
                && depends_on
                    .iter()
                    .all(|needed| !self.is_open(*needed, hosts))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{At, Busy, Done};

    fn strategy(dependencies: Vec<Vec<usize>>, members: Vec<Vec<usize>>) -> Batch<(usize, u8)> {
        Batch::new(
            BatchGraph {
                dependencies,
                members,
            },
            |position| position.0,
        )
    }

    #[test]
    fn independent_batches_run_at_the_same_time() {
        let mut batch = strategy(vec![vec![], vec![]], vec![vec![0], vec![1]]);
        assert_eq!(batch.next(&[At((0, 0)), At((1, 0))], 9), [0, 1]);
    }

    #[test]
    fn a_batch_waits_for_those_it_depends_on() {
        let mut batch = strategy(vec![vec![], vec![0]], vec![vec![0], vec![1]]);
        assert_eq!(batch.next(&[Busy((0, 1)), At((1, 0))], 9), [0; 0]);
        assert_eq!(batch.next(&[Done, At((1, 0))], 9), [1]);
    }

    #[test]
    fn a_batch_is_linear_inside() {
        let mut batch = strategy(vec![vec![]], vec![vec![0, 1]]);
        assert_eq!(batch.next(&[Busy((0, 0)), At((0, 1))], 9), [0; 0]);
    }
}
