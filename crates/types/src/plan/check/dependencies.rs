//! What batches and tasks wait for must be there, and must not wait for them.

use std::collections::HashSet;

use super::{cycle, walk};
use crate::plan::{DependingTask, ExecutionPlan, PlayPlan, TaskBatch};
use crate::problem::PlanProblem;
use crate::read::closest;

/// Notes dependencies on unknown ids, cycles, and groups of tasks that are not there.
pub(super) fn check(plan: &ExecutionPlan, problems: &mut Vec<PlanProblem>) {
    for (index, play) in plan.plays.iter().enumerate() {
        check_batches(index, play, problems);
        check_tasks(index, play, problems);
        for (number, batch) in play.batches.iter().enumerate() {
            let path = format!("plays[{index}].batches[{number}]");
            check_groups(&path, batch, problems);
        }
    }
}

fn check_batches(index: usize, play: &PlayPlan, problems: &mut Vec<PlanProblem>) {
    let known: HashSet<&str> = play.batches.iter().map(|batch| &*batch.batch_id).collect();
    for (node, batch) in play.batches.iter().enumerate() {
        for (place, id) in batch.dependencies.iter().enumerate() {
            if !known.contains(id.as_str()) {
                let path = format!("plays[{index}].batches[{node}].dependencies[{place}]");
                problems.push(unknown_id(
                    "batch of the play",
                    path,
                    id,
                    known.iter().copied(),
                ));
            }
        }
    }
    if let Some(found) = cycle::find(&play.batch_dependencies()) {
        let id = |batch: usize| {
            play.batches
                .get(batch)
                .map_or("tasks", |batch| &batch.batch_id)
        };
        let names = cycle::shown(&found, id);
        problems.push(PlanProblem::new(
            format!("plays[{index}].batches"),
            format!("batches wait for each other: {names}"),
        ));
    }
}

fn check_tasks(play_index: usize, play: &PlayPlan, problems: &mut Vec<PlanProblem>) {
    let tasks = play.task_dependencies().tasks;
    if tasks.iter().all(|at| at.task.dependencies.is_empty()) {
        return;
    }
    let mut paths = Vec::with_capacity(tasks.len());
    walk::play(play_index, play, &mut |_, path, _| {
        paths.push(path.to_owned())
    });
    let known: HashSet<&str> = tasks.iter().map(|at| &*at.task.task_id).collect();
    for (at, path) in tasks.iter().zip(&paths) {
        for (place, id) in at.task.dependencies.iter().enumerate() {
            if !known.contains(id.as_str()) {
                let path = format!("{path}.dependencies[{place}]");
                problems.push(unknown_id(
                    "task of the play",
                    path,
                    id,
                    known.iter().copied(),
                ));
            }
        }
    }
    for (index, (at, path)) in tasks.iter().zip(&paths).enumerate() {
        // A list of a block runs in order.
        let is_later = |needed: &&usize| {
            let other = &tasks[**needed];
            **needed > index && (other.batch, other.top) == (at.batch, at.top)
        };
        if let Some(later) = at.waits_for.iter().find(is_later) {
            problems.push(PlanProblem::new(
                path.clone(),
                format!(
                    "the task waits for `{}`, which comes after it in the same block",
                    tasks[*later].task.task_id
                ),
            ));
        }
    }
    // First by the tasks themselves, then by the blocks that they are in: a block is done as a whole.
    let own: Vec<Vec<usize>> = tasks.iter().map(|at| at.waits_for.clone()).collect();
    let of_blocks = edges_of_blocks(&tasks);
    if let Some(found) = cycle::find(&own).or_else(|| cycle::find(&of_blocks)) {
        let names = cycle::shown(&found, |at| &tasks[at].task.task_id);
        let path = found
            .first()
            .map_or_else(String::new, |at| paths[*at].clone());
        problems.push(PlanProblem::new(
            path,
            format!("tasks wait for each other: {names}"),
        ));
    }
}

/// What each outermost task waits for with all that is inside of it, as indices of outermost tasks.
fn edges_of_blocks(tasks: &[DependingTask<'_>]) -> Vec<Vec<usize>> {
    let mut outermost = Vec::with_capacity(tasks.len());
    for (index, at) in tasks.iter().enumerate() {
        let is_inside =
            index > 0 && (tasks[index - 1].batch, tasks[index - 1].top) == (at.batch, at.top);
        outermost.push(if is_inside {
            outermost[index - 1]
        } else {
            index
        });
    }
    let mut edges = vec![Vec::new(); tasks.len()];
    for (at, from) in tasks.iter().zip(&outermost) {
        let others = at.waits_for.iter().map(|needed| outermost[*needed]);
        edges[*from].extend(others.filter(|other| other != from));
    }
    edges
}

/// The tasks of a group must be tasks of its batch. What is inside a block runs in order, so it cannot be in a group by itself.
fn check_groups(path: &str, batch: &TaskBatch, problems: &mut Vec<PlanProblem>) {
    let known: HashSet<&str> = batch.tasks.iter().map(|task| &*task.task_id).collect();
    for (number, group) in batch.parallel_groups.iter().enumerate() {
        for (place, id) in group.tasks.iter().enumerate() {
            if !known.contains(id.as_str()) {
                let path = format!("{path}.parallel_groups[{number}].tasks[{place}]");
                problems.push(unknown_id(
                    "task of the batch",
                    path,
                    id,
                    known.iter().copied(),
                ));
            }
        }
    }
}

fn unknown_id<'a>(
    noun: &str,
    path: String,
    id: &str,
    known: impl Iterator<Item = &'a str>,
) -> PlanProblem {
    let problem = PlanProblem::new(path, format!("no {noun} has the id `{id}`"));
    match closest(id, known) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}
