//! What batches and tasks wait for must be there, and must not wait for them.

use std::collections::HashMap;

use super::{cycle, walk};
use crate::plan::{ExecutionPlan, PlayPlan, TaskPlan};
use crate::problem::PlanProblem;
use crate::read::closest;

/// Notes dependencies on unknown ids, and cycles.
pub(super) fn check(plan: &ExecutionPlan, problems: &mut Vec<PlanProblem>) {
    for (index, play) in plan.plays.iter().enumerate() {
        check_batches(index, play, problems);
        check_tasks(index, play, problems);
    }
}

fn check_batches(index: usize, play: &PlayPlan, problems: &mut Vec<PlanProblem>) {
    let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
    for (node, batch) in play.batches.iter().enumerate() {
        by_id.entry(&batch.batch_id).or_default().push(node);
    }
    let mut edges = vec![Vec::new(); play.batches.len()];
    for (node, batch) in play.batches.iter().enumerate() {
        for (place, id) in batch.dependencies.iter().enumerate() {
            match by_id.get(id.as_str()) {
                Some(targets) => edges[node].extend(targets),
                None => {
                    let path = format!("plays[{index}].batches[{node}].dependencies[{place}]");
                    problems.push(unknown_id("batch", path, id, by_id.keys().copied()));
                }
            }
        }
    }
    if let Some(found) = cycle::find(&edges) {
        let names = cycle::shown(&found, |node| &play.batches[node].batch_id);
        problems.push(PlanProblem::new(
            format!("plays[{index}].batches"),
            format!("batches wait for each other: {names}"),
        ));
    }
}

/// A task of a play, wherever it stands in it.
struct Node<'a> {
    batch: usize,
    path: String,
    task: &'a TaskPlan,
}

fn check_tasks(index: usize, play: &PlayPlan, problems: &mut Vec<PlanProblem>) {
    let mut nodes = Vec::new();
    let mut depends = false;
    walk::play(index, play, &mut |batch, path, task| {
        depends |= !task.dependencies.is_empty();
        let path = if task.dependencies.is_empty() {
            String::new()
        } else {
            path.to_owned()
        };
        nodes.push(Node { batch, path, task });
    });
    if !depends {
        return;
    }
    let ids = Ids::of(&nodes);
    let mut edges = vec![Vec::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        for (place, id) in node.task.dependencies.iter().enumerate() {
            if ids.in_play.contains_key(id.as_str()) {
                edges[at].extend(ids.meant_by(at, node.batch, id));
            } else {
                let path = format!("{}.dependencies[{place}]", node.path);
                problems.push(unknown_id("task", path, id, ids.in_play.keys().copied()));
            }
        }
    }
    if let Some(found) = cycle::find(&edges) {
        let names = cycle::shown(&found, |at| &nodes[at].task.task_id);
        let path = found
            .first()
            .map_or_else(String::new, |at| nodes[*at].path.clone());
        problems.push(PlanProblem::new(
            path,
            format!("tasks wait for each other: {names}"),
        ));
    }
}

/// Where each id stands, in the order of the tasks.
struct Ids<'a> {
    in_play: HashMap<&'a str, Vec<usize>>,
    in_batch: HashMap<(usize, &'a str), Vec<usize>>,
}

impl<'a> Ids<'a> {
    fn of(nodes: &[Node<'a>]) -> Self {
        let mut ids = Self {
            in_play: HashMap::new(),
            in_batch: HashMap::new(),
        };
        for (at, node) in nodes.iter().enumerate() {
            let id = node.task.task_id.as_str();
            ids.in_play.entry(id).or_default().push(at);
            ids.in_batch.entry((node.batch, id)).or_default().push(at);
        }
        ids
    }

    /// The task that an id means for the task at `at`.
    ///
    /// Ids repeat: of several the one in the same batch is meant, and of several there the nearest one before it.
    fn meant_by(&self, at: usize, batch: usize, id: &'a str) -> Option<usize> {
        let same_id = self
            .in_batch
            .get(&(batch, id))
            .or_else(|| self.in_play.get(id))?;
        match same_id.as_slice() {
            [only] => Some(*only),
            several => several[..several.partition_point(|other| *other < at)]
                .last()
                .copied(),
        }
    }
}

fn unknown_id<'a>(
    noun: &str,
    path: String,
    id: &str,
    known: impl Iterator<Item = &'a str>,
) -> PlanProblem {
    let problem = PlanProblem::new(path, format!("no {noun} of the play has the id `{id}`"));
    match closest(id, known) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem,
    }
}
