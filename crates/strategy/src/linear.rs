//! Each task on all hosts, then the next task.

use crate::{Standing, Strategy, starting};

/// No host starts a task before all hosts that take part have finished those before it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Linear;

impl<P: Ord + Send> Strategy<P> for Linear {
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize> {
        let Some(first) = hosts.iter().filter_map(Standing::position).min() else {
            return Vec::new();
        };
        starting(hosts, free, |_, position| position == first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{At, Busy, Done};

    #[test]
    fn hosts_at_the_first_task_start_and_those_ahead_wait() {
        assert_eq!(Linear.next(&[At(1), At(2), Done, At(1)], 9), [0, 3]);
        assert_eq!(Linear.next(&[Busy(1), At(2), At(1)], 9), [2]);
        assert_eq!(Linear.next(&[Busy(1), At(2)], 9), [0; 0]);
        assert_eq!(Linear.next(&[Done::<u8>, Done], 9), [0; 0]);
    }

    #[test]
    fn no_more_start_than_there_is_room_for() {
        assert_eq!(Linear.next(&[At(1), At(1), At(1)], 2), [0, 1]);
        assert_eq!(Linear.next(&[At(1)], 0), [0; 0]);
    }

    proptest::proptest! {
        /// Plays any course of a play and checks that no host is ever ahead of one that has not finished.
        #[test]
        fn nobody_starts_before_all_have_finished_what_comes_before(
            hosts in 1usize..6, tasks in 1u8..6, forks in 1usize..4, picks in proptest::collection::vec(0usize..100, 0..200)
        ) {
            let mut field: Vec<Standing<u8>> = vec![At(0); hosts];
            let mut picks = picks.into_iter().chain(std::iter::repeat(0));
            while field.iter().any(|host| *host != Done) {
                let busy = field.iter().filter(|host| matches!(host, Busy(_))).count();
                for index in Linear.next(&field, forks.saturating_sub(busy)) {
                    let At(position) = field[index] else { panic!("only waiting hosts start") };
                    assert!(field.iter().filter_map(Standing::position).all(|other| *other >= position));
                    field[index] = Busy(position);
                }
                let running: Vec<usize> = (0..hosts).filter(|i| matches!(field[*i], Busy(_))).collect();
                assert!(!running.is_empty() && running.len() <= forks, "somebody always runs");
                let ends = running[picks.next().unwrap_or(0) % running.len()];
                let Busy(position) = field[ends] else { unreachable!() };
                field[ends] = if position + 1 < tasks { At(position + 1) } else { Done };
            }
        }
    }
}
