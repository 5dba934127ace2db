//! A play's tasks as a tree that cursors walk: keywords inherited, places numbered.

use std::collections::HashSet;
use std::sync::Arc;

use rustle_events::{TaskInfo, TaskPath};
use rustle_template::{Layer, Trust};
use rustle_types::{
    Expression, HandlerPlan, HostName, Keywords, ModuleCall, Object, TaskBatch, TaskBody,
    TaskCondition, TaskPlan, Term,
};

use crate::include::{is_import, is_include};
use crate::keywords::inherit;
use crate::tags::TagFilter;

/// The tasks of one slice of a play.
#[derive(Debug)]
pub struct Program {
    /// What is run, in the plan's order.
    pub nodes: Arc<[Node]>,
    /// The handlers, in the order they run.
    pub handlers: Arc<[Arc<Handler>]>,
}

/// A task or a block.
#[derive(Clone, Debug)]
pub enum Node {
    /// A task.
    Task(Arc<TaskNode>),
    /// A block.
    Block(Arc<BlockNode>),
}

/// A task and what it inherits.
#[derive(Debug)]
pub struct TaskNode {
    /// Where it stands.
    pub path: TaskPath,
    /// The task as the plan has it.
    pub task: TaskPlan,
    /// What it calls.
    pub call: ModuleCall,
    /// Its keywords, with those of the play and the blocks around it.
    pub keywords: Keywords,
    /// The variables of those keywords.
    pub vars_layer: Arc<Layer>,
    /// Variables of the roles around it, outermost first: defaults.
    pub role_defaults: Vec<Arc<Object>>,
    /// Parameters of the roles and includes around it, outermost first.
    pub params: Vec<Arc<Layer>>,
    /// The innermost role's name and folder.
    pub role: Option<(String, Option<String>)>,
    /// The roles around that one, outermost first.
    pub parents: Vec<(String, Option<String>)>,
    /// The roles that need that one, outermost first.
    pub dependents: Vec<(String, Option<String>)>,
    /// The folder of its task file, below the role's `tasks` or the plan's folder.
    pub folder: Option<String>,
    /// What is told of it.
    pub info: Arc<TaskInfo>,
    /// The hosts it is for; all of the slice where there are none.
    pub hosts: Option<Arc<HashSet<HostName>>>,
    /// The index of its batch.
    pub batch: usize,
    /// Whether it was brought in as the plan ran.
    pub is_brought: bool,
    /// Where it brings in tasks: what those inherit.
    pub(crate) around: Option<Arc<Surroundings>>,
}

/// A block and what is in it.
#[derive(Debug)]
pub struct BlockNode {
    /// Where it stands.
    pub path: TaskPath,
    /// Its tasks.
    pub block: Arc<[Node]>,
    /// What is run when one of them fails.
    pub rescue: Arc<[Node]>,
    /// What is run in any case.
    pub always: Arc<[Node]>,
    /// The role that it stands for, if it stands for one.
    pub role: Option<String>,
}

/// A handler.
#[derive(Debug)]
pub struct Handler {
    /// The task that it is, or the block.
    pub node: Node,
    /// The name that notifies it.
    pub name: String,
    /// The role that it is of.
    pub role: Option<String>,
    /// The topics that notify it.
    pub listen: Vec<String>,
}

impl Node {
    /// Its number among the tasks around it.
    #[must_use]
    pub fn step(&self) -> u32 {
        let path = match self {
            Self::Task(node) => &node.path,
            Self::Block(node) => &node.path,
        };
        path.0.last().copied().unwrap_or(0)
    }
}

impl Handler {
    /// Whether `notified` is its name, which may be written with its role's before it.
    #[must_use]
    pub fn is_called(&self, notified: &str) -> bool {
        !self.name.is_empty()
            && (self.name == notified
                || self.role.as_ref().is_some_and(|role| {
                    notified
                        .strip_prefix(role.as_str())
                        .and_then(|rest| rest.trim_start().strip_prefix(':'))
                        .is_some_and(|rest| rest.trim_start() == self.name)
                }))
    }

    /// Whether it listens to the topic.
    #[must_use]
    pub fn listens_to(&self, topic: &str) -> bool {
        self.listen.iter().any(|listened| listened == topic)
    }
}

/// Makes a program of batches that are in the order of their dependencies.
pub struct Compiler<'a> {
    /// The index of the play.
    pub play: usize,
    /// The play's own keywords, without its variables.
    pub keywords: &'a Keywords,
    /// What is chosen by tags.
    pub tags: &'a TagFilter,
    /// The hosts that a pattern means.
    pub hosts_of: &'a dyn Fn(&str) -> HashSet<HostName>,
}

/// What a node inherits from around it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Surroundings {
    pub(crate) keywords: Keywords,
    pub(crate) role_defaults: Vec<Arc<Object>>,
    pub(crate) params: Vec<Arc<Layer>>,
    pub(crate) role: Option<(String, Option<String>)>,
    /// The roles around that one, outermost first.
    pub(crate) parents: Vec<(String, Option<String>)>,
    /// The roles that need that one, outermost first.
    pub(crate) dependents: Vec<(String, Option<String>)>,
    pub(crate) hosts: Option<Arc<HashSet<HostName>>>,
    pub(crate) batch: usize,
    pub(crate) is_handler: bool,
    pub(crate) is_brought: bool,
    /// The folders of the task files around it, outermost first, below the role's `tasks` or the plan's folder.
    pub(crate) folders: Vec<String>,
}

impl Compiler<'_> {
    /// The program of these batches, and the play's handlers.
    #[must_use]
    pub fn compile(&self, batches: &[&TaskBatch], handlers: &[HandlerPlan]) -> Program {
        let play = u32::try_from(self.play).unwrap_or(u32::MAX);
        let mut nodes = Vec::new();
        let mut place = 0;
        for (index, batch) in batches.iter().enumerate() {
            let around = Surroundings {
                keywords: Keywords {
                    vars: Object::new(),
                    ..self.keywords.clone()
                },
                hosts: host_set(&batch.hosts),
                batch: index,
                ..Surroundings::default()
            };
            for task in &batch.tasks {
                nodes.extend(self.node(task, &TaskPath(vec![play, place]), &around));
                place += 1;
            }
        }
        let around = Surroundings {
            keywords: Keywords {
                vars: Object::new(),
                ..self.keywords.clone()
            },
            ..Surroundings::default()
        };
        Program {
            nodes: nodes.into(),
            handlers: self
                .handlers(handlers, &TaskPath(vec![play, u32::MAX]), &around)
                .into(),
        }
    }

    /// The handlers of a list, each below `base`.
    pub(crate) fn handlers(
        &self,
        handlers: &[HandlerPlan],
        base: &TaskPath,
        around: &Surroundings,
    ) -> Vec<Arc<Handler>> {
        let around = Surroundings {
            is_handler: true,
            ..around.clone()
        };
        let compiled = (0..).zip(handlers).filter_map(|(step, handler)| {
            let node = self.node(&handler.task, &base.join(step), &around)?;
            let role = match &node {
                Node::Task(node) => node.role.as_ref().map(|(role, _)| role.clone()),
                Node::Block(_) => around.role.as_ref().map(|(role, _)| role.clone()),
            };
            Some(Arc::new(Handler {
                node,
                name: handler.task.name.clone().unwrap_or_default(),
                role,
                listen: handler.listen.0.clone(),
            }))
        });
        compiled.collect()
    }

    /// The nodes of a list of tasks, each below `base`.
    pub(crate) fn list(
        &self,
        tasks: &[TaskPlan],
        base: &TaskPath,
        around: &Surroundings,
    ) -> Arc<[Node]> {
        (0..)
            .zip(tasks)
            .filter_map(|(step, task)| self.node(task, &base.join(step), around))
            .collect()
    }

    /// The node of a task; none where tags leave it out.
    pub(crate) fn node(
        &self,
        task: &TaskPlan,
        path: &TaskPath,
        around: &Surroundings,
    ) -> Option<Node> {
        let mut inner = around.enter(task, self.hosts_of);
        match &task.body {
            TaskBody::Block(block) => {
                let section = |tasks: &[TaskPlan], section: u32| {
                    self.list(tasks, &path.join(section), &inner)
                };
                let node = BlockNode {
                    path: path.clone(),
                    block: section(&block.block, 0),
                    rescue: section(&block.rescue, 1),
                    always: section(&block.always, 2),
                    role: task.scope.role.clone(),
                };
                Some(Node::Block(Arc::new(node)))
            }
            TaskBody::Module(call) => {
                let tags: Vec<&str> = inner.keywords.tags.0.iter().map(String::as_str).collect();
                if !around.is_handler
                    && !is_import(call.short_name())
                    && !self.tags.selects(&tags, &task.conditions)
                {
                    return None;
                }
                let (is_include, is_import) =
                    (is_include(call.short_name()), is_import(call.short_name()));
                if is_import {
                    // What it says holds for the tasks that it brings in.
                    inner.keywords.when.clone_from(&around.keywords.when);
                } else if is_include {
                    inner.push_params(&task.keywords.vars, Trust::Trusted);
                }
                let name = task.title().to_owned();
                let info = TaskInfo {
                    name,
                    module: call.module.clone(),
                    is_handler: around.is_handler,
                    is_implicit: task.implicit || is_import,
                };
                Some(Node::Task(Arc::new(TaskNode {
                    path: path.clone(),
                    task: task.clone(),
                    call: call.clone(),
                    vars_layer: Layer::new(Arc::new(inner.keywords.vars.clone()), Trust::Trusted),
                    keywords: inner.keywords,
                    role_defaults: inner.role_defaults,
                    params: inner.params,
                    role: inner.role,
                    parents: inner.parents,
                    dependents: inner.dependents,
                    folder: inner.folders.last().cloned(),
                    info: Arc::new(info),
                    hosts: inner.hosts,
                    batch: inner.batch,
                    is_brought: inner.is_brought,
                    around: is_include.then(|| Arc::new(around.clone())),
                })))
            }
        }
    }
}

impl Surroundings {
    /// What lies inside `task` (or is it) inherits.
    pub(crate) fn enter(
        &self,
        task: &TaskPlan,
        hosts_of: &dyn Fn(&str) -> HashSet<HostName>,
    ) -> Self {
        let mut inner = self.clone();
        inner.keywords = inherit(&self.keywords, &task.keywords);
        if !task.hosts.is_empty() {
            inner.hosts = host_set(&task.hosts);
        }
        for condition in &task.conditions {
            match condition {
                TaskCondition::When { expression } => inner.add_conditions(&expression.0),
                TaskCondition::Host { pattern } => inner.keep_hosts(hosts_of(pattern)),
                TaskCondition::Tag { .. }
                | TaskCondition::SkipTag { .. }
                | TaskCondition::CheckMode { .. } => {}
            }
        }
        let scope = &task.scope;
        if !scope.defaults.is_empty() {
            inner.role_defaults.push(Arc::new(scope.defaults.clone()));
        }
        inner.push_params(&scope.params, Trust::Trusted);
        if let Some(role) = &scope.role {
            inner.enter_role(role, scope.role_path.clone());
        }
        if let Some(path) = &scope.path {
            inner.enter_file(path);
        }
        inner
    }

    /// What lies inside a role has the one around it as its parent.
    pub(crate) fn enter_role(&mut self, name: &str, path: Option<String>) {
        let entered = (name.to_owned(), path);
        if let Some(outer) = self.role.take()
            && outer != entered
        {
            self.parents.push(outer);
        }
        self.role = Some(entered);
        self.folders.clear();
    }

    /// Adds parameters above those that are there.
    pub(crate) fn push_params(&mut self, params: &Object, trust: Trust) {
        if !params.is_empty() {
            self.params
                .push(Layer::new(Arc::new(params.clone()), trust));
        }
    }

    /// What lies in a task file finds others beside it.
    pub(crate) fn enter_file(&mut self, path: &str) {
        let Some((folder, _)) = path.rsplit_once('/') else {
            return;
        };
        let inside = match self.folders.last() {
            Some(outer) if !folder.starts_with('/') => format!("{outer}/{folder}"),
            _ => folder.to_owned(),
        };
        self.folders.push(inside);
    }

    /// Planners write a task's `when` a second time as a condition; it counts once.
    fn add_conditions(&mut self, terms: &[Term]) {
        let when = self.keywords.when.get_or_insert_with(Expression::default);
        for term in terms {
            if !when.0.contains(term) {
                when.0.push(term.clone());
            }
        }
    }

    fn keep_hosts(&mut self, mut kept: HashSet<HostName>) {
        if let Some(hosts) = &self.hosts {
            kept.retain(|host| hosts.contains(host));
        }
        self.hosts = Some(Arc::new(kept));
    }
}

fn host_set(hosts: &[HostName]) -> Option<Arc<HashSet<HostName>>> {
    if hosts.is_empty() {
        None
    } else {
        Some(Arc::new(hosts.iter().cloned().collect()))
    }
}

impl TaskNode {
    /// Whether the task is for this host.
    #[must_use]
    pub fn is_for(&self, host: &HostName) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.contains(host))
    }
}
