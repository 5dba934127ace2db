//! A host keeps its place to the end.

use std::collections::BTreeSet;

use crate::{Standing, Strategy, starting};

/// Never more than so many hosts are on their way; a new one begins when one has come to its end.
#[derive(Clone, Debug)]
pub struct HostPinned {
    places: usize,
    on_the_way: BTreeSet<usize>,
}

impl HostPinned {
    /// A strategy with `places` hosts on their way at most.
    #[must_use]
    pub fn new(places: usize) -> Self {
        Self {
            places: places.max(1),
            on_the_way: BTreeSet::new(),
        }
    }
}

impl<P: Ord + Send> Strategy<P> for HostPinned {
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize> {
        self.on_the_way.retain(|index| {
            hosts
                .get(*index)
                .is_some_and(|host| !matches!(host, Standing::Done))
        });
        for index in starting(hosts, usize::MAX, |_, _| true) {
            if self.on_the_way.len() >= self.places {
                break;
            }
            self.on_the_way.insert(index);
        }
        starting(hosts, free, |index, _| self.on_the_way.contains(&index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{At, Busy, Done};

    #[test]
    fn a_host_begins_only_when_another_has_come_to_its_end() {
        let mut pinned = HostPinned::new(2);
        assert_eq!(pinned.next(&[At(0), At(0), At(0)], 9), [0, 1]);
        assert_eq!(pinned.next(&[At(1), Busy(0), At(0)], 9), [0]);
        assert_eq!(pinned.next(&[Busy(1), Done, At(0)], 9), [2]);
    }
    proptest::proptest! {
        /// Plays any course of a play: hosts that have begun are never more than there are places.
        #[test]
        fn never_more_hosts_are_under_way_than_there_are_places(
            hosts in 1usize..7, tasks in 1u8..5, places in 1usize..5, picks in proptest::collection::vec(0usize..100, 0..150)
        ) {
            let mut pinned = HostPinned::new(places);
            let mut field: Vec<Standing<u8>> = vec![At(0); hosts];
            let mut picks = picks.into_iter().chain(std::iter::repeat(0));
            while field.iter().any(|host| *host != Done) {
                for index in pinned.next(&field, usize::MAX) {
                    let At(position) = field[index] else { panic!("only waiting hosts start") };
                    field[index] = Busy(position);
                }
                let has_begun = |host: &&Standing<u8>| matches!(host, Busy(_) | At(1..));
                assert!(field.iter().filter(has_begun).count() <= places);
                let running: Vec<usize> = (0..hosts).filter(|i| matches!(field[*i], Busy(_))).collect();
                assert!(!running.is_empty(), "somebody always runs");
                let ends = running[picks.next().unwrap_or(0) % running.len()];
                let Busy(position) = field[ends] else { unreachable!() };
                field[ends] = if position + 1 < tasks { At(position + 1) } else { Done };
            }
        }
    }
}
