//! What a plan holds for this inventory and these options, without running any of it: hosts, tasks, tags.

use std::collections::BTreeSet;

use rustle_inventory::Inventory;
use rustle_types::{
    ExecutionOptions, ExecutionPlan, HostName, ParsedInventory, PlayPlan, TaskCondition,
};

use crate::execution::compile::compile;
use crate::execution::error::ExecutionError;
use crate::execution::executor::PlanExecutor;
use crate::execution::schedule::{
    RoundSchedule, pattern_of, patterns_of, resolve_limit, schedule_play,
};
use crate::execution::slices::batches_of_a_slice;
use crate::execution::start_at::StartAt;
use crate::program::{Node, TaskNode};

/// What a plan holds.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Its plays, in order.
    pub plays: Vec<PlayListing>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What a play holds.
#[derive(Clone, Debug)]
pub struct PlayListing {
    /// Its name, or its pattern where it has none.
    pub name: String,
    /// The pattern of its hosts; their names where it has none.
    pub pattern: String,
    /// Its own tags, sorted.
    pub tags: Vec<String>,
    /// Its hosts, those that the limit leaves.
    pub hosts: Vec<HostName>,
    /// Its tasks that the tags leave. Tasks of `rescue` and `always`, handlers, and tasks that are brought in as the plan runs
    /// are not among them, as with Ansible.
    pub tasks: Vec<ListedTask>,
}

/// A task of a play.
#[derive(Clone, Debug)]
pub struct ListedTask {
    /// Its name, after that of its role.
    pub name: String,
    /// Its tags and those it inherits, sorted.
    pub tags: Vec<String>,
}

impl PlanExecutor {
    /// Lists what a plan holds. No host is touched, and a play without hosts is no mistake.
    ///
    /// # Errors
    /// When the inventory or a pattern is wrong, or a limit leaves no host.
    pub fn list(
        &self,
        plan: &ExecutionPlan,
        inventory: ParsedInventory,
        options: &ExecutionOptions,
    ) -> Result<Listing, ExecutionError> {
        let inventory = Inventory::new(inventory).map_err(ExecutionError::Inventory)?;
        let mut warnings = Vec::new();
        if let Some(limit) = &options.limit
            && resolve_limit(limit, &inventory, &mut warnings)?.is_empty()
        {
            return Err(ExecutionError::NoHosts {
                patterns: patterns_of(plan),
                limit: options.limit.clone(),
            });
        }
        let plan = self.foreseen(plan, &inventory, options);
        let plays = plan.plays.iter().enumerate().map(|(index, play)| {
            let scheduled = schedule_play((index, play), &inventory, options, &mut warnings)?;
            let mut tasks = Vec::new();
            let slice = RoundSchedule {
                hosts: Vec::new(),
                tasks: Vec::new(),
                batches: batches_of_a_slice(play, scheduled.strategy, options),
            };
            gather((index, play), &slice, &inventory, options, &mut tasks);
            let pattern = pattern_of(play);
            Ok(PlayListing {
                name: Some(scheduled.name)
                    .filter(|name| !name.is_empty())
                    .unwrap_or_else(|| pattern.clone()),
                pattern,
                tags: sorted(play.keywords.tags.0.iter()),
                hosts: scheduled.hosts,
                tasks,
            })
        });
        let plays = plays.collect::<Result<_, ExecutionError>>()?;
        Ok(Listing { plays, warnings })
    }
}

/// Lists the tasks of a play, its own and not the one that gathers facts.
fn gather(
    (index, play): (usize, &PlayPlan),
    slice: &RoundSchedule,
    inventory: &Inventory,
    options: &ExecutionOptions,
    tasks: &mut Vec<ListedTask>,
) {
    let play = PlayPlan {
        gather_facts: None,
        ..play.clone()
    };
    let options = ExecutionOptions {
        gather_facts: false,
        start_at_task: None,
        ..options.clone()
    };
    let mut start_at = StartAt::new(&options);
    let program = compile(&play, index, slice, inventory, &options, &mut start_at);
    list(&program.nodes, tasks);
}

fn list(nodes: &[Node], tasks: &mut Vec<ListedTask>) {
    for node in nodes {
        match node {
            Node::Task(node) if !node.info.is_implicit => tasks.push(listed(node)),
            Node::Task(_) => {}
            Node::Block(block) => list(&block.block, tasks),
        }
    }
}

fn listed(node: &TaskNode) -> ListedTask {
    let name = &node.info.name;
    let name = match &node.role {
        Some((role, _)) if !name.starts_with(&format!("{role} : ")) => format!("{role} : {name}"),
        _ => name.clone(),
    };
    let of_conditions = node
        .task
        .conditions
        .iter()
        .filter_map(|condition| match condition {
            TaskCondition::Tag { tags } => Some(&tags.0),
            _ => None,
        })
        .flatten();
    ListedTask {
        name,
        tags: sorted(node.keywords.tags.0.iter().chain(of_conditions)),
    }
}

fn sorted<'t>(tags: impl Iterator<Item = &'t String>) -> Vec<String> {
    let tags: BTreeSet<&String> = tags.collect();
    tags.into_iter().cloned().collect()
}
