//! Each host at its own pace.

use crate::{Standing, Strategy, starting};

/// A host never waits for another but for room.
///
/// Room goes to hosts in turn, so that with few forks none waits to the end.
#[derive(Clone, Copy, Debug, Default)]
pub struct Free {
    turn: usize,
}

impl<P: Ord + Send> Strategy<P> for Free {
    fn next(&mut self, hosts: &[Standing<P>], free: usize) -> Vec<usize> {
        let mut waiting = starting(hosts, usize::MAX, |_, _| true);
        let split = waiting.partition_point(|index| *index < self.turn);
        waiting.rotate_left(split);
        waiting.truncate(free);
        if let Some(last) = waiting.last() {
            self.turn = last + 1;
        }
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Standing::{At, Busy, Done};

    #[test]
    fn every_waiting_host_starts_wherever_it_stands() {
        assert_eq!(
            Free::default().next(&[At(5), Busy(1), Done, At(1)], 9),
            [0, 3]
        );
    }

    #[test]
    fn room_goes_round() {
        let mut free = Free::default();
        assert_eq!(free.next(&[At(0), At(0), At(0)], 1), [0]);
        assert_eq!(free.next(&[At(1), At(0), At(0)], 1), [1]);
        assert_eq!(free.next(&[At(1), At(1), At(0)], 2), [2, 0]);
    }
}
