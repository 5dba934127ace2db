//! What tasks and batches of a play wait for.

use std::collections::HashMap;

use super::{PlayPlan, TaskPlan};

/// Every task of a play, also those inside blocks, and what each waits for.
#[derive(Debug, Default)]
pub struct TaskDependencies<'a> {
    /// The tasks, in the order of the plan.
    pub tasks: Vec<DependingTask<'a>>,
}

/// A task, where it stands, and what it waits for.
#[derive(Debug)]
pub struct DependingTask<'a> {
    /// The index of its batch; tasks outside of batches count as one more batch.
    pub batch: usize,
    /// Its index in the batch, or that of the outermost block that it is in.
    pub top: usize,
    /// The task.
    pub task: &'a TaskPlan,
    /// The tasks that have to end before it, as indices.
    pub waits_for: Vec<usize>,
}

impl PlayPlan {
    /// What the tasks of the play wait for by their `dependencies`. Ids that mean no task are left out.
    #[must_use]
    pub fn task_dependencies(&self) -> TaskDependencies<'_> {
        let mut tasks = Vec::new();
        let lists = self.batches.iter().map(|batch| &batch.tasks);
        for (batch, list) in lists.chain([&self.tasks]).enumerate() {
            for (top, task) in list.iter().enumerate() {
                gather(batch, top, task, &mut tasks);
            }
        }
        if tasks.iter().any(|at| !at.task.dependencies.is_empty()) {
            let ids = Ids::of(&tasks);
            let waits_for: Vec<Vec<usize>> = (0..tasks.len())
                .map(|at| {
                    let meant = |id: &String| ids.meant_by(at, tasks[at].batch, id);
                    tasks[at]
                        .task
                        .dependencies
                        .iter()
                        .filter_map(meant)
                        .collect()
                })
                .collect();
            for (task, waits_for) in tasks.iter_mut().zip(waits_for) {
                task.waits_for = waits_for;
            }
        }
        TaskDependencies { tasks }
    }

    /// What each batch waits for, as indices: the batches that it names, and those of the tasks that its own tasks name.
    /// Tasks outside of batches count as one more batch, which waits for all others.
    #[must_use]
    pub fn batch_dependencies(&self) -> Vec<Vec<usize>> {
        let mut by_id: HashMap<&str, Vec<usize>> = HashMap::new();
        for (index, batch) in self.batches.iter().enumerate() {
            by_id.entry(&batch.batch_id).or_default().push(index);
        }
        let named = |ids: &[String]| -> Vec<usize> {
            let meant = ids.iter().filter_map(|id| by_id.get(id.as_str()));
            meant.flatten().copied().collect()
        };
        let mut waits_for: Vec<Vec<usize>> = self
            .batches
            .iter()
            .map(|batch| named(&batch.dependencies))
            .collect();
        waits_for.push(if self.tasks.is_empty() {
            Vec::new()
        } else {
            (0..self.batches.len()).collect()
        });
        let tasks = self.task_dependencies().tasks;
        for at in &tasks {
            let others = at.waits_for.iter().map(|needed| tasks[*needed].batch);
            waits_for[at.batch].extend(others.filter(|batch| *batch != at.batch));
        }
        waits_for
    }
}

fn gather<'a>(batch: usize, top: usize, task: &'a TaskPlan, tasks: &mut Vec<DependingTask<'a>>) {
    tasks.push(DependingTask {
        batch,
        top,
        task,
        waits_for: Vec::new(),
    });
    if let Some(block) = task.block() {
        for inner in [&block.block, &block.rescue, &block.always] {
            for task in inner {
                gather(batch, top, task, tasks);
            }
        }
    }
}

/// Where each id stands, in the order of the tasks.
struct Ids<'a> {
    in_play: HashMap<&'a str, Vec<usize>>,
    in_batch: HashMap<(usize, &'a str), Vec<usize>>,
}

impl<'a> Ids<'a> {
    fn of(tasks: &[DependingTask<'a>]) -> Self {
        let mut ids = Self {
            in_play: HashMap::new(),
            in_batch: HashMap::new(),
        };
        for (at, node) in tasks.iter().enumerate() {
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
