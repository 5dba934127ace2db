//! Which hosts may go ahead of which, and what a failure means for the others: a play's strategy and rules.

use std::collections::HashMap;

use rustle_strategy::{Batch, BatchGraph, Free, HostPinned, Linear, Strategy};
use rustle_types::{ExecutionOptions, HostName, PlayPlan, StrategyKind, Tmpl};

use crate::execution::compile::gathers_facts;
use crate::execution::round::Position;
use crate::execution::schedule::RoundSchedule;
use crate::execution::stop::Losses;

pub(crate) fn strategy_of(
    kind: StrategyKind,
    play: &PlayPlan,
    slice: &RoundSchedule,
    hosts: &[HostName],
    options: &ExecutionOptions,
) -> Box<dyn Strategy<Position>> {
    match kind {
        StrategyKind::Linear | StrategyKind::Rolling { .. } => Box::new(Linear),
        StrategyKind::Free => Box::new(Free::default()),
        StrategyKind::HostPinned | StrategyKind::BinaryHybrid | StrategyKind::BinaryOnly => {
            Box::new(HostPinned::new(options.forks as usize))
        }
        StrategyKind::Batch => {
            let graph = batch_graph(play, slice, hosts, gathers_facts(play, options));
            Box::new(Batch::new(graph, |position: &Position| position.batch))
        }
    }
}

/// The graph of a slice's batches, by their place in its order.
fn batch_graph(
    play: &PlayPlan,
    slice: &RoundSchedule,
    hosts: &[HostName],
    has_facts: bool,
) -> BatchGraph {
    let offset = usize::from(has_facts);
    let place_of: HashMap<&str, usize> = slice
        .batches
        .iter()
        .enumerate()
        .map(|(place, index)| (play.batches[*index].batch_id.as_str(), place + offset))
        .collect();
    let everyone = || (0..hosts.len()).collect::<Vec<usize>>();
    let mut graph = BatchGraph::default();
    if has_facts {
        graph.dependencies.push(Vec::new());
        graph.members.push(everyone());
    }
    for index in &slice.batches {
        let batch = &play.batches[*index];
        let needs = batch
            .dependencies
            .iter()
            .filter_map(|id| place_of.get(id.as_str()).copied());
        graph
            .dependencies
            .push(needs.chain(has_facts.then_some(0)).collect());
        let members = hosts
            .iter()
            .enumerate()
            .filter(|(_, host)| batch.hosts.contains(host))
            .map(|(place, _)| place);
        graph.members.push(if batch.hosts.is_empty() {
            everyone()
        } else {
            members.collect()
        });
    }
    graph
}

pub(crate) fn rules(play: &PlayPlan, strategy: StrategyKind, options: &ExecutionOptions) -> Losses {
    let percentage = play.max_fail_percentage.as_ref().and_then(Tmpl::as_value);
    Losses {
        max_fail_percentage: percentage.map(|percent| percent.0),
        is_rolling: matches!(strategy, StrategyKind::Rolling { .. }),
        continues: options.continue_on_error,
        ..Losses::default()
    }
}
