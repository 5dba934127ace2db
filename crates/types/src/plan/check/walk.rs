//! Every task of a plan with its path.

use std::fmt::Write;

use crate::plan::{HandlerPlan, PlayPlan, TaskPlan};

/// Shows `visit` each of `tasks` and those inside its blocks; `path` leads to the list and is left as it was.
pub(super) fn tasks<'a>(
    path: &mut String,
    tasks: &'a [TaskPlan],
    visit: &mut dyn FnMut(&str, &'a TaskPlan),
) {
    for (index, task) in tasks.iter().enumerate() {
        one(path, index, task, visit);
    }
}

/// Shows `visit` each of `handlers` and those inside its blocks.
pub(super) fn handlers<'a>(
    path: &mut String,
    handlers: &'a [HandlerPlan],
    visit: &mut dyn FnMut(&str, &'a TaskPlan),
) {
    for (index, handler) in handlers.iter().enumerate() {
        one(path, index, &handler.task, visit);
    }
}

/// Shows `visit` each task of a play, with the place of its batch; tasks outside batches count as one more batch.
pub(super) fn play<'a>(
    index: usize,
    play: &'a PlayPlan,
    visit: &mut dyn FnMut(usize, &str, &'a TaskPlan),
) {
    for (batch, plan) in play.batches.iter().enumerate() {
        let mut path = format!("plays[{index}].batches[{batch}].tasks");
        tasks(&mut path, &plan.tasks, &mut |path, task| {
            visit(batch, path, task)
        });
    }
    let mut path = format!("plays[{index}].tasks");
    tasks(&mut path, &play.tasks, &mut |path, task| {
        visit(play.batches.len(), path, task)
    });
}

fn one<'a>(
    path: &mut String,
    index: usize,
    task: &'a TaskPlan,
    visit: &mut dyn FnMut(&str, &'a TaskPlan),
) {
    let length = path.len();
    // Writing to a `String` cannot fail.
    let _ = write!(path, "[{index}]");
    visit(path, task);
    if let Some(block) = task.block() {
        for (part, inner) in [
            ("block", &block.block),
            ("rescue", &block.rescue),
            ("always", &block.always),
        ] {
            let length = path.len();
            path.push('.');
            path.push_str(part);
            tasks(path, inner, visit);
            path.truncate(length);
        }
    }
    path.truncate(length);
}
