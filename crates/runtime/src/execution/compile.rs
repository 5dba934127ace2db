//! From a play's tasks to the program of one slice.

use std::collections::HashSet;
use std::sync::Arc;

use crate::play::PlayContext;
use crate::program::{Compiler, Handler, Node, Program};
use crate::tags::TagFilter;
use crate::world::World;
use rustle_events::TaskInfo;
use rustle_inventory::Inventory;
use rustle_types::{
    ExecutionOptions, HostName, ModuleCall, Object, PlayPlan, TaskBatch, TaskBody, TaskPlan, Tmpl,
};
use serde_json::Value;

use crate::execution::batches::slice_batches;
use crate::execution::schedule::{RoundSchedule, ScheduledTask, hosts_of_pattern};
use crate::execution::start_at::StartAt;

/// The program of one slice.
pub(crate) fn compile(
    play: &PlayPlan,
    index: usize,
    slice: &RoundSchedule,
    inventory: &Inventory,
    options: &ExecutionOptions,
    start_at: &mut StartAt,
) -> Program {
    let tags = TagFilter::new(&options.tags, &options.skip_tags);
    let hosts_of = |pattern: &str| -> HashSet<HostName> {
        hosts_of_pattern(pattern, inventory, &mut Vec::new())
            .map(|hosts| hosts.into_iter().collect())
            .unwrap_or_default()
    };
    let compiler = Compiler {
        play: index,
        keywords: &play.keywords,
        tags: &tags,
        hosts_of: &hosts_of,
    };
    let batches = slice_batches(play, slice, options);
    let batches: Vec<&TaskBatch> = batches.iter().map(|ordered| &*ordered.batch).collect();
    let mut program = compiler.compile(&batches, &play.handlers);
    program.nodes = start_at.cut(&program.nodes);
    program
}

pub(crate) fn gathers_facts(play: &PlayPlan, options: &ExecutionOptions) -> bool {
    match &play.gather_facts {
        Some(Tmpl::Value(gathers)) => *gathers || options.gather_facts,
        // It is known when the play begins.
        Some(Tmpl::Template(_)) => true,
        None => options.gather_facts,
    }
}

/// The task that gathers facts before the first of a play.
pub(crate) fn gathering(play: &PlayPlan) -> TaskPlan {
    let mut args = Object::new();
    if !play.gather_subset.is_empty() {
        args.insert(
            "gather_subset".into(),
            play.gather_subset
                .iter()
                .cloned()
                .map(Value::String)
                .collect(),
        );
    }
    if let Some(Tmpl::Value(timeout)) = &play.gather_timeout {
        args.insert("gather_timeout".into(), (*timeout).into());
    }
    if let Some(path) = &play.fact_path {
        args.insert("fact_path".into(), Value::String(path.clone()));
    }
    let mut task = TaskPlan {
        name: Some("Gathering Facts".into()),
        body: TaskBody::Module(ModuleCall {
            module: "setup".into(),
            args,
        }),
        ..TaskPlan::default()
    };
    task.keywords.tags.0.push("always".into());
    task
}

/// Whether the plan says itself where the play's notified handlers run, as Ansible does after its tasks.
pub(crate) fn holds_flushes(play: &PlayPlan) -> bool {
    fn is_flush(task: &TaskPlan) -> bool {
        match &task.body {
            TaskBody::Module(call) => {
                task.implicit
                    && call.short_name() == "meta"
                    && call.args.values().any(|arg| arg == "flush_handlers")
            }
            TaskBody::Block(block) => [&block.block, &block.rescue, &block.always]
                .into_iter()
                .flatten()
                .any(is_flush),
        }
    }
    let batches = play.batches.iter().flat_map(|batch| &batch.tasks);
    batches.chain(&play.tasks).any(is_flush)
}

/// The names of the roles that a play's tasks are in, each once.
pub(crate) fn role_names(play: &PlayPlan) -> Vec<String> {
    fn gather(tasks: &[TaskPlan], names: &mut Vec<String>) {
        for task in tasks {
            if let Some(role) = task
                .scope
                .role
                .as_ref()
                .filter(|role| !names.contains(role))
            {
                names.push(role.clone());
            }
            if let Some(block) = task.block() {
                [&block.block, &block.rescue, &block.always]
                    .into_iter()
                    .for_each(|tasks| gather(tasks, names));
            }
        }
    }
    let mut names = Vec::new();
    play.batches
        .iter()
        .map(|batch| &batch.tasks)
        .chain([&play.tasks])
        .for_each(|tasks| gather(tasks, &mut names));
    names
}

/// Lists the tasks of a program as they are shown.
pub(crate) fn list_tasks(
    nodes: &[Node],
    depth: usize,
    hosts: &[HostName],
    into: &mut Vec<ScheduledTask>,
) {
    for node in nodes {
        match node {
            Node::Task(node) if hosts.iter().any(|host| node.is_for(host)) => {
                into.push(ScheduledTask {
                    path: node.path.to_string(),
                    name: TaskInfo::clone(&node.info).name,
                    module: node.info.module.clone(),
                    depth,
                })
            }
            Node::Task(_) => {}
            Node::Block(block) => {
                for section in [&block.block, &block.rescue, &block.always] {
                    list_tasks(section, depth + 1, hosts, into);
                }
            }
        }
    }
}

/// The handlers with their names rendered, as far as that goes without a host.
pub(crate) fn named_handlers(
    handlers: Vec<Arc<Handler>>,
    world: &World,
    play: &PlayContext,
) -> Vec<Arc<Handler>> {
    let named = handlers.into_iter().map(|handler| {
        let is_template = |text: &String| text.contains("{{") || text.contains("{%");
        if !is_template(&handler.name) && !handler.listen.iter().any(is_template) {
            return handler;
        }
        let node = match &handler.node {
            Node::Task(node) => Some(&**node),
            Node::Block(_) => None,
        };
        let scope = play.scope_without_host(world, node);
        let render = |text: &String| {
            let rendered = world.engine.render_text(text, &scope);
            rendered.unwrap_or_else(|_| text.clone())
        };
        Arc::new(Handler {
            node: handler.node.clone(),
            name: render(&handler.name),
            role: handler.role.clone(),
            listen: handler.listen.iter().map(render).collect(),
        })
    });
    named.collect()
}
