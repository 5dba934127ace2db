//! Which hosts may go ahead of which, and what a failure means for the others: a play's strategy and rules.

use rustle_strategy::{Batch, Free, HostPinned, Linear, Strategy};
use rustle_types::{ExecutionOptions, PlayPlan, StrategyKind, Tmpl};

use crate::execution::round::Position;
use crate::execution::stop::Losses;
use crate::execution::strands::StrandPlan;

pub(crate) fn strategy_of(
    kind: StrategyKind,
    strands: &StrandPlan,
    options: &ExecutionOptions,
) -> Box<dyn Strategy<Position>> {
    match kind {
        StrategyKind::Linear | StrategyKind::Rolling { .. } => Box::new(Linear),
        StrategyKind::Free => Box::new(Free::default()),
        StrategyKind::HostPinned | StrategyKind::BinaryHybrid | StrategyKind::BinaryOnly => {
            Box::new(HostPinned::new(options.forks as usize))
        }
        // Of this strategy each batch is a strand.
        StrategyKind::Batch => Box::new(Batch::new(
            &strands.graph.waits_for(),
            |position: &Position| position.strand,
        )),
    }
}

/// Whether the strategy keeps the hosts together at each task.
pub(crate) const fn is_in_step(kind: StrategyKind) -> bool {
    matches!(
        kind,
        StrategyKind::Linear | StrategyKind::Rolling { .. } | StrategyKind::Batch
    )
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
