//! A play must name hosts.

use crate::plan::{ExecutionPlan, PlayPlan};
use crate::problem::PlanProblem;

/// Notes each play that names no hosts and no pattern.
pub(super) fn check(plan: &ExecutionPlan, problems: &mut Vec<PlanProblem>) {
    for (index, play) in plan.plays.iter().enumerate() {
        if play.hosts_pattern.is_none() && !names_hosts(play) {
            let message = format!(
                "play `{}` names no hosts: neither it nor any of its batches",
                play.title()
            );
            problems.push(PlanProblem::new(format!("plays[{index}].hosts"), message).with_hint(
                "`rustle-plan` 0.1 resolves only `all` and literal names, and writes an empty list for a group or a pattern; \
                 give the `rustle-parse` output with `-i`, or a `hosts_pattern` in the play",
            ));
        }
    }
}

/// Whether a play, a batch of it or a task of a batch names a host or a pattern.
pub(in crate::plan) fn names_hosts(play: &PlayPlan) -> bool {
    !play.hosts.is_empty()
        || play.batches.iter().any(|batch| !batch.hosts.is_empty())
        || play.all_tasks().any(|task| !task.hosts.is_empty())
}
