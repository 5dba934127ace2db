//! The batches of a play and the tasks of a batch, in an order in which each comes after what it waits for.

use std::borrow::Cow;
use std::collections::BTreeSet;

use rustle_types::{ExecutionOptions, PlayPlan, TaskBatch};

use crate::execution::compile::{gathering, gathers_facts};
use crate::execution::schedule::RoundSchedule;

/// A batch as a slice runs it: its tasks are in order.
pub(crate) struct SliceBatch<'a> {
    /// Its index in the play; none for the one that gathers facts.
    pub(crate) index: Option<usize>,
    pub(crate) batch: Cow<'a, TaskBatch>,
    /// For each task, those of the batch that it waits for, by their place here.
    pub(crate) waits_for: Vec<Vec<usize>>,
}

/// The batches of a slice, in order.
pub(crate) fn slice_batches<'a>(
    play: &'a PlayPlan,
    slice: &RoundSchedule,
    options: &ExecutionOptions,
) -> Vec<SliceBatch<'a>> {
    let facts = gathers_facts(play, options).then(|| SliceBatch {
        index: None,
        batch: Cow::Owned(TaskBatch {
            tasks: vec![gathering(play)],
            ..TaskBatch::default()
        }),
        waits_for: vec![Vec::new()],
    });
    let inside = dependencies_inside(play);
    let batches = slice.batches.iter().map(|index| {
        let batch = play.batches.get(*index).map_or_else(
            || {
                Cow::Owned(TaskBatch {
                    tasks: play.tasks.clone(),
                    ..TaskBatch::default()
                })
            },
            Cow::Borrowed,
        );
        in_order(*index, batch, &inside[*index])
    });
    facts.into_iter().chain(batches).collect()
}

/// For each batch and each of its outermost tasks, those of the batch that it waits for with all that is inside of it.
fn dependencies_inside(play: &PlayPlan) -> Vec<Vec<Vec<usize>>> {
    let lists = play.batches.iter().map(|batch| &batch.tasks);
    let mut inside: Vec<Vec<Vec<usize>>> = lists
        .chain([&play.tasks])
        .map(|tasks| vec![Vec::new(); tasks.len()])
        .collect();
    let tasks = play.task_dependencies().tasks;
    for at in &tasks {
        for needed in at.waits_for.iter().map(|needed| &tasks[*needed]) {
            if needed.batch == at.batch && needed.top != at.top {
                inside[at.batch][at.top].push(needed.top);
            }
        }
    }
    inside
}

fn in_order<'a>(
    index: usize,
    batch: Cow<'a, TaskBatch>,
    waits_for: &[Vec<usize>],
) -> SliceBatch<'a> {
    let order = order(waits_for);
    let mut place = vec![0; order.len()];
    for (now, before) in order.iter().enumerate() {
        place[*before] = now;
    }
    let waits = order.iter().map(|task| {
        waits_for[*task]
            .iter()
            .map(|needed| place[*needed])
            .collect()
    });
    let waits_for = waits.collect();
    let batch = if order.is_sorted() {
        batch
    } else {
        let tasks = order.iter().map(|task| batch.tasks[*task].clone());
        Cow::Owned(TaskBatch {
            tasks: tasks.collect(),
            ..TaskBatch::clone(&batch)
        })
    };
    SliceBatch {
        index: Some(index),
        batch,
        waits_for,
    }
}

/// The batches in an order in which each comes after those it depends on, else as the play has them. Tasks outside of batches
/// count as one more, the last.
pub(crate) fn batch_order(play: &PlayPlan) -> Vec<usize> {
    let mut order = order(&play.batch_dependencies());
    if play.tasks.is_empty() {
        order.retain(|index| *index < play.batches.len());
    }
    order
}

/// Numbers in an order in which each comes after those it waits for, else as they are. What is in a circle, or waits for it, is left
/// out.
fn order(waits_for: &[Vec<usize>]) -> Vec<usize> {
    let mut missing = vec![0usize; waits_for.len()];
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); waits_for.len()];
    for (index, needed) in waits_for.iter().enumerate() {
        for needed in needed {
            missing[index] += 1;
            followers[*needed].push(index);
        }
    }
    let mut ready: BTreeSet<usize> = (0..missing.len())
        .filter(|index| missing[*index] == 0)
        .collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for follower in &followers[index] {
            missing[*follower] -= 1;
            if missing[*follower] == 0 {
                ready.insert(*follower);
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn play(json: serde_json::Value) -> PlayPlan {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn batches_come_after_those_they_or_their_tasks_depend_on() {
        let batch = |id: &str, needs: &[&str], after: &[&str]| json!({"batch_id": id, "dependencies": needs, "tasks": [{"task_id": format!("t{id}"), "ping": null, "dependencies": after}]});
        let order = |batches: serde_json::Value| {
            batch_order(&play(json!({"hosts": "all", "batches": batches})))
        };
        assert_eq!(
            order(json!([
                batch("a", &["b"], &[]),
                batch("b", &[], &[]),
                batch("c", &["a"], &[])
            ])),
            [1, 0, 2]
        );
        assert_eq!(
            order(json!([batch("a", &[], &["tb"]), batch("b", &[], &[])])),
            [1, 0]
        );
        assert_eq!(
            order(json!([batch("a", &[], &[]), batch("b", &[], &[])])),
            [0, 1]
        );
    }

    #[test]
    fn tasks_of_a_batch_come_after_those_they_depend_on() {
        let play = play(json!({"hosts": "all", "tasks": [
            {"task_id": "a", "ping": null, "dependencies": ["c"]}, {"task_id": "b", "ping": null},
            {"block": [{"task_id": "c", "ping": null}]},
        ]}));
        let slice = RoundSchedule {
            hosts: Vec::new(),
            tasks: Vec::new(),
            batches: batch_order(&play),
        };
        let batches = slice_batches(&play, &slice, &ExecutionOptions::default());
        let ids: Vec<&str> = batches[0]
            .batch
            .tasks
            .iter()
            .map(|task| &*task.task_id)
            .collect();
        assert_eq!(ids, ["b", "", "a"]);
        assert_eq!(batches[0].waits_for, [vec![], vec![], vec![1]]);
    }
}
