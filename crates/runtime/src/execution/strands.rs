//! Which tasks of a host may run side by side, and which wait for others.
//!
//! Under `Free` tasks of a batch overlap where both are marked `can_run_parallel` or are in one of its `parallel_groups`. All others
//! run in order. In any case a task waits for those that it names, and for those that set a variable which it mentions. Planners mark
//! tasks by their modules alone, so marked tasks that have to do with the same thing run in order too. Batches overlap unless one
//! waits for the other. A block is one task here.

mod things;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::include::{is_import, is_include};
use crate::program::Node;
use rustle_strategy::{Strand, StrandGraph, StrandGroup};
use rustle_types::{PlayPlan, StrategyKind, TaskBody, TaskPlan};
use serde_json::Value;

use self::things::Things;
use crate::execution::batches::SliceBatch;

/// The tasks of a slice as strands.
pub(crate) struct StrandPlan {
    /// How they hang together.
    pub(crate) graph: Arc<StrandGraph>,
    /// The tasks of each.
    pub(crate) nodes: Vec<Arc<[Node]>>,
}

/// The strands that a strategy makes of the batches of a slice.
pub(crate) fn strands(
    kind: StrategyKind,
    play: &PlayPlan,
    batches: &[SliceBatch<'_>],
    nodes: &Arc<[Node]>,
) -> StrandPlan {
    let mut weaver = Weaver::default();
    match kind {
        StrategyKind::Free => weaver.batches(play, batches, Weaver::side_by_side),
        StrategyKind::Batch => weaver.batches(play, batches, Weaver::in_order),
        _ => return StrandPlan::single(nodes),
    }
    weaver.finish(nodes)
}

impl StrandPlan {
    /// Everything in order.
    pub(crate) fn single(nodes: &Arc<[Node]>) -> Self {
        Self {
            graph: Arc::new(StrandGraph::new(vec![Strand::default()], Vec::new())),
            nodes: vec![Arc::clone(nodes)],
        }
    }
}

/// Makes strands of tasks.
#[derive(Default)]
struct Weaver {
    strands: Vec<Strand>,
    groups: Vec<StrandGroup>,
    /// The strand of every task, by the task's number in the slice.
    strand_of: Vec<usize>,
}

/// Adds the tasks of a batch that waits for these strands; gives the strand at whose end all of the batch is done.
type Weave = fn(&mut Weaver, &SliceBatch<'_>, &[usize]) -> usize;

impl Weaver {
    fn batches(&mut self, play: &PlayPlan, batches: &[SliceBatch<'_>], weave: Weave) {
        let dependencies = play.batch_dependencies();
        let mut end_of: HashMap<usize, usize> = HashMap::new();
        let mut facts = None;
        for ordered in batches {
            let needed = ordered.index.and_then(|index| dependencies.get(index));
            let ends = needed.into_iter().flatten();
            let mut waits_for: Vec<usize> = ends
                .filter_map(|batch| end_of.get(batch))
                .copied()
                .collect();
            waits_for.extend(facts);
            let end = weave(self, ordered, &waits_for);
            match ordered.index {
                Some(index) => _ = end_of.insert(index, end),
                None => facts = Some(end),
            }
        }
    }

    fn strand(&mut self, waits_for: Vec<usize>, groups: Vec<usize>) -> usize {
        self.strands.push(Strand { waits_for, groups });
        self.strands.len() - 1
    }

    /// The whole batch as one strand.
    fn in_order(&mut self, ordered: &SliceBatch<'_>, waits_for: &[usize]) -> usize {
        let strand = self.strand(waits_for.to_vec(), Vec::new());
        let tasks = ordered.batch.tasks.iter().map(|_| strand);
        self.strand_of.extend(tasks);
        strand
    }

    /// Tasks that may overlap as strands of their own, the others together as far as nothing lies between them.
    fn side_by_side(&mut self, ordered: &SliceBatch<'_>, waits_for: &[usize]) -> usize {
        let first_group = self.groups.len();
        let groups = ordered
            .batch
            .parallel_groups
            .iter()
            .map(|group| StrandGroup {
                at_once: group.max_parallelism.map(|limit| limit as usize),
                resources: group.shared_resources.clone(),
            });
        self.groups.extend(groups);
        let mut barrier: Option<usize> = None;
        // What has begun since then, and may overlap with what comes.
        let mut open: Vec<(usize, usize, Traits)> = Vec::new();
        for (place, task) in ordered.batch.tasks.iter().enumerate() {
            let traits = Traits::of(task, ordered);
            let before = || barrier.map_or_else(|| waits_for.to_vec(), |strand| vec![strand]);
            if traits.runs_beside_others() {
                let explicit = &ordered.waits_for[place];
                let waits = open.iter().filter(|(other, _, earlier)| {
                    explicit.contains(other) || !earlier.may_overlap(&traits)
                });
                let waits = waits.map(|(_, strand, _)| *strand);
                let groups = traits.groups.iter().map(|group| first_group + group);
                let (waits, groups) = (
                    before().into_iter().chain(waits).collect(),
                    groups.collect(),
                );
                let strand = self.strand(waits, groups);
                self.strand_of.push(strand);
                open.push((place, strand, traits));
            } else {
                let strand = match barrier.filter(|_| open.is_empty()) {
                    Some(strand) => strand,
                    None => self.join(before(), &open),
                };
                self.strand_of.push(strand);
                barrier = Some(strand);
                open.clear();
            }
        }
        match barrier.filter(|_| open.is_empty()) {
            Some(strand) => strand,
            None => {
                let before = barrier.map_or_else(|| waits_for.to_vec(), |strand| vec![strand]);
                self.join(before, &open)
            }
        }
    }

    /// A strand that waits for all that is open.
    fn join(&mut self, before: Vec<usize>, open: &[(usize, usize, Traits)]) -> usize {
        let open = open.iter().map(|(_, strand, _)| *strand);
        self.strand(before.into_iter().chain(open).collect(), Vec::new())
    }

    fn finish(self, nodes: &Arc<[Node]>) -> StrandPlan {
        let mut lists: Vec<Vec<Node>> = vec![Vec::new(); self.strands.len()];
        for node in nodes.iter() {
            if let Some(strand) = self.strand_of.get(node.step() as usize) {
                lists[*strand].push(node.clone());
            }
        }
        StrandPlan {
            graph: Arc::new(StrandGraph::new(self.strands, self.groups)),
            nodes: lists.into_iter().map(Arc::from).collect(),
        }
    }
}

/// What of a task says beside which others it may run.
#[derive(Default)]
struct Traits {
    is_parallel: bool,
    /// The groups of its batch that it is in.
    groups: Vec<usize>,
    /// The variables that it sets.
    sets: HashSet<String>,
    /// Every word in it that may be the name of a variable.
    words: HashSet<String>,
    /// What it has to do with on the host.
    things: Things,
}

impl Traits {
    fn of(task: &TaskPlan, ordered: &SliceBatch<'_>) -> Self {
        if concerns_others(task) {
            return Self::default();
        }
        let groups = ordered.batch.parallel_groups.iter().enumerate();
        let is_in = groups.filter(|(_, group)| group.tasks.contains(&task.task_id));
        let mut traits = Self {
            is_parallel: task.can_run_parallel,
            groups: is_in.map(|(index, _)| index).collect(),
            ..Self::default()
        };
        if traits.runs_beside_others() {
            add_names(task, &mut traits.sets);
            traits.things.add(task);
            add_words(
                &serde_json::to_value(task).unwrap_or_default(),
                &mut traits.words,
            );
        }
        traits
    }

    fn runs_beside_others(&self) -> bool {
        self.is_parallel || !self.groups.is_empty()
    }

    fn may_overlap(&self, later: &Self) -> bool {
        let is_allowed =
            (self.is_parallel && later.is_parallel && !self.things.meet(&later.things))
                || self.groups.iter().any(|group| later.groups.contains(group));
        is_allowed
            && self.sets.is_disjoint(&later.words)
            && later.sets.is_disjoint(&self.words)
            && self.sets.is_disjoint(&later.sets)
    }
}

/// Whether a task, or one inside of it, has a meaning for those around it: it brings in others, changes what they see of the host, or
/// says how the play goes on. Such a task runs alone.
fn concerns_others(task: &TaskPlan) -> bool {
    match &task.body {
        TaskBody::Block(block) => [&block.block, &block.rescue, &block.always]
            .into_iter()
            .flatten()
            .any(concerns_others),
        TaskBody::Module(call) => {
            let name = call.short_name();
            let alone = [
                "meta",
                "add_host",
                "group_by",
                "include_vars",
                "setup",
                "pause",
                "reboot",
            ];
            let has_open_names = || call.args.keys().any(|name| name.contains("{{"));
            alone.contains(&name)
                || (name == "set_fact" && has_open_names())
                || is_include(name)
                || is_import(name)
                || name.ends_with("_facts")
        }
    }
}

/// The variables that a task sets.
fn add_names(task: &TaskPlan, names: &mut HashSet<String>) {
    names.extend(task.register.clone());
    match &task.body {
        TaskBody::Block(block) => [&block.block, &block.rescue, &block.always]
            .into_iter()
            .flatten()
            .for_each(|task| add_names(task, names)),
        TaskBody::Module(call) if call.short_name() == "set_fact" => {
            names.extend(call.args.keys().cloned());
        }
        TaskBody::Module(_) => {}
    }
}

/// Every word of a value's texts that may be the name of a variable.
fn add_words(value: &Value, words: &mut HashSet<String>) {
    match value {
        Value::String(text) => {
            let found = text.split(|c: char| c != '_' && !c.is_alphanumeric());
            words.extend(found.filter(|word| !word.is_empty()).map(str::to_owned));
        }
        Value::Array(items) => items.iter().for_each(|item| add_words(item, words)),
        Value::Object(fields) => fields.values().for_each(|field| add_words(field, words)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
