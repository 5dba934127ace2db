//! How a play's hosts are cut into slices.

use std::collections::HashSet;

use rustle_types::{ExecutionOptions, HostName, PlayPlan, Serial, StrategyKind, TaskBatch};

use crate::execution::batches::batch_order;
use crate::execution::schedule::RoundSchedule;

/// The slices of a play's hosts.
pub(crate) fn rounds(
    play: &PlayPlan,
    strategy: StrategyKind,
    hosts: &[HostName],
    options: &ExecutionOptions,
) -> Vec<RoundSchedule> {
    let all: Vec<usize> = batch_order(play);
    let round = |hosts: Vec<HostName>, batches: Vec<usize>| RoundSchedule {
        hosts,
        tasks: Vec::new(),
        batches,
    };
    if let StrategyKind::Rolling { batch_size } = strategy {
        if options.serial.is_empty() && has_slices_of_its_own(&play.batches) {
            let loose = all.iter().filter(|index| **index >= play.batches.len());
            let slices = all.iter().filter(|index| **index < play.batches.len());
            let slices = slices.map(|index| {
                let members: HashSet<&HostName> = play.batches[*index].hosts.iter().collect();
                round(
                    hosts
                        .iter()
                        .filter(|host| members.contains(host))
                        .cloned()
                        .collect(),
                    [index].into_iter().chain(loose.clone()).copied().collect(),
                )
            });
            return slices.filter(|round| !round.hosts.is_empty()).collect();
        }
        let sizes = if !options.serial.is_empty() {
            options.serial.clone()
        } else if !play.serial.is_empty() {
            play.serial.to_vec()
        } else {
            vec![Serial::Count(batch_size.unwrap_or(1))]
        };
        return slices(hosts, &sizes)
            .into_iter()
            .map(|hosts| round(hosts, all.clone()))
            .collect();
    }
    let sizes = if options.serial.is_empty() {
        play.serial.to_vec()
    } else {
        options.serial.clone()
    };
    slices(hosts, &sizes)
        .into_iter()
        .map(|hosts| round(hosts, all.clone()))
        .collect()
}

/// The batches that hold each task of a play once: those of one slice.
pub(crate) fn batches_of_a_slice(
    play: &PlayPlan,
    strategy: StrategyKind,
    options: &ExecutionOptions,
) -> Vec<usize> {
    let mut all = batch_order(play);
    let is_rolling = matches!(strategy, StrategyKind::Rolling { .. });
    if is_rolling && options.serial.is_empty() && has_slices_of_its_own(&play.batches) {
        all.truncate(1);
    }
    all
}

/// Whether the plan itself cut the hosts: each host is in one batch only.
fn has_slices_of_its_own(batches: &[TaskBatch]) -> bool {
    let mut seen = HashSet::new();
    batches.len() > 1
        && batches.iter().all(|batch| !batch.hosts.is_empty())
        && batches
            .iter()
            .flat_map(|batch| &batch.hosts)
            .all(|host| seen.insert(host))
}

/// Cuts hosts into slices; the last size is used for all that are left.
fn slices(hosts: &[HostName], sizes: &[Serial]) -> Vec<Vec<HostName>> {
    let mut slices = Vec::new();
    let mut rest = hosts;
    let mut sizes = sizes.iter();
    let mut size = hosts.len();
    while !rest.is_empty() {
        if let Some(next) = sizes.next() {
            size = size_of(next, hosts.len());
        }
        let (slice, after) = rest.split_at(size.clamp(1, rest.len()));
        slices.push(slice.to_vec());
        rest = after;
    }
    slices
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "shares of a number of hosts"
)]
fn size_of(serial: &Serial, hosts: usize) -> usize {
    match serial {
        Serial::Count(0) | Serial::Template(_) => hosts,
        Serial::Count(count) => *count as usize,
        Serial::Percent(percent) => ((percent.0 * hosts as f64 / 100.0) as usize).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustle_types::plan::Percent;

    fn hosts(count: usize) -> Vec<HostName> {
        (0..count)
            .map(|n| HostName::from(format!("h{n}")))
            .collect()
    }

    fn sizes(count: usize, serial: &[Serial]) -> Vec<usize> {
        slices(&hosts(count), serial).iter().map(Vec::len).collect()
    }

    #[test]
    fn hosts_are_cut_by_numbers_and_shares() {
        assert_eq!(sizes(5, &[]), [5]);
        assert_eq!(sizes(5, &[Serial::Count(2)]), [2, 2, 1]);
        assert_eq!(sizes(6, &[Serial::Count(1), Serial::Count(3)]), [1, 3, 2]);
        assert_eq!(sizes(10, &[Serial::Percent(Percent(30.0))]), [3, 3, 3, 1]);
        assert_eq!(sizes(3, &[Serial::Percent(Percent(1.0))]), [1, 1, 1]);
        assert_eq!(sizes(3, &[Serial::Count(0)]), [3]);
        assert_eq!(sizes(0, &[Serial::Count(2)]), [0; 0]);
    }

    proptest::proptest! {
        #[test]
        fn a_slice_is_never_larger_than_asked_for_and_each_host_is_in_one(
            count in 0usize..40, asked in proptest::collection::vec(1u32..9, 1..4)
        ) {
            let serial: Vec<Serial> = asked.iter().copied().map(Serial::Count).collect();
            let cut = slices(&hosts(count), &serial);
            let largest = asked.iter().max().copied().unwrap_or(0) as usize;
            assert!(cut.iter().all(|slice| !slice.is_empty() && slice.len() <= largest));
            assert_eq!(cut.concat(), hosts(count));
        }
    }
}
