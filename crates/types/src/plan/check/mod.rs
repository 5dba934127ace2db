//! Checks of a plan that was read: what it says must fit together.

mod cycle;
mod dependencies;
mod hosts;
mod names;
mod notify;
mod registers;
mod subjects;
mod walk;

use super::ExecutionPlan;
use crate::problem::{PlanProblem, PlanWarning};

pub(super) use hosts::names_hosts;
pub(super) use subjects::add as add_subjects;

/// Checks all that needs neither modules nor an inventory.
pub(super) fn check(
    plan: &ExecutionPlan,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    hosts::check(plan, problems);
    dependencies::check(plan, problems);
    notify::check(plan, problems, warnings);
    registers::check(plan, problems);
}
