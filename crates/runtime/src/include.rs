//! Tasks that a task brings in as the play runs: of a task file, or of a role.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustle_events::TaskPath;
use rustle_template::Trust;
use rustle_types::{HandlerPlan, Object, TaskPlan};

use crate::program::{BlockNode, Compiler, Handler, Node, Surroundings, TaskNode};
use crate::tags::{TagRenderer, has_template_tags};

/// What brings in a file's tasks or a role as the play runs.
const INCLUDES: &[&str] = &[
    "include_tasks",
    "include_role",
    "import_tasks",
    "import_role",
];

/// Whether the module brings in tasks.
#[must_use]
pub fn is_include(module: &str) -> bool {
    INCLUDES.contains(&module)
}

/// Whether what the module brings in was to be there from the beginning.
#[must_use]
pub fn is_import(module: &str) -> bool {
    is_include(module) && module.starts_with("import_")
}

/// Tasks that a task brings in.
#[derive(Clone, Debug)]
pub struct Include {
    /// The file or role, as it is shown.
    pub name: String,
    /// The variables of the loop's item.
    pub item: Object,
    /// A task whose keywords hold for all that is brought in.
    pub apply: TaskPlan,
    /// What is brought in.
    pub what: Brought,
    /// Whether it was to be there from the beginning: what it brings in inherits all that the task says.
    pub is_import: bool,
}

/// What a task brings in.
#[derive(Clone, Debug)]
pub enum Brought {
    /// A file of tasks.
    File {
        /// The file as it was written, rendered.
        path: String,
        /// Its tasks.
        tasks: Arc<[TaskPlan]>,
    },
    /// A role.
    Role(Arc<RoleParts>),
}

/// The parts of a role that one include of it needs.
#[derive(Clone, Debug, Default)]
pub struct RoleParts {
    /// Its name.
    pub name: String,
    /// Its folder.
    pub path: Option<String>,
    /// Its default variables.
    pub defaults: Object,
    /// Its variables.
    pub vars: Object,
    /// The tasks of the chosen file.
    pub tasks: Arc<[TaskPlan]>,
    /// Its handlers.
    pub handlers: Arc<[HandlerPlan]>,
    /// The task that checks its parameters, if it has one.
    pub check: Option<TaskPlan>,
    /// The roles that run before it, with the keywords and parameters that it gives them.
    pub dependencies: Vec<(Arc<Self>, TaskPlan)>,
    /// Whether its variables are seen by the rest of the play.
    pub is_public: bool,
    /// Whether it runs again on a host where it ran before.
    pub allows_duplicates: bool,
}

/// What an include comes to.
#[derive(Clone, Debug)]
pub struct IncludedNodes {
    /// Its tasks.
    pub nodes: Arc<[Node]>,
    /// The handlers that come with it.
    pub handlers: Vec<Arc<Handler>>,
}

impl Include {
    /// Tells this include from others of the same task.
    #[must_use]
    pub fn key(&self) -> String {
        let item = serde_json::Value::Object(self.item.clone());
        let roles = match &self.what {
            Brought::File { .. } => String::new(),
            Brought::Role(role) => {
                let line = role.line();
                let names: Vec<&str> = line.iter().map(|role| role.name.as_str()).collect();
                names.join(" ")
            }
        };
        format!("{}\n{item}\n{roles}", self.name)
    }
}

impl Compiler<'_> {
    /// The nodes that `node` brings in, below `base`.
    ///
    /// They inherit what is around the including task, not what it says itself: but its variables are their parameters.
    #[must_use]
    pub fn include(&self, include: &Include, node: &TaskNode, base: &TaskPath) -> IncludedNodes {
        let mut around = node.around.as_deref().cloned().unwrap_or_default();
        around.is_brought = true;
        if include.is_import {
            around = around.enter(&node.task, self.hosts_of);
        } else {
            around = around.enter(&include.apply, self.hosts_of);
            around.push_params(&include.item, Trust::Untrusted);
            around.push_params(&node.task.keywords.vars, Trust::Trusted);
        }
        let mut handlers = Vec::new();
        let nodes = match &include.what {
            Brought::File { path, tasks } => {
                around.enter_file(path);
                self.list(tasks, base, &around)
            }
            Brought::Role(role) => [self.role(role, base.join(0), &around, &mut handlers)].into(),
        };
        IncludedNodes { nodes, handlers }
    }

    /// The block that a role is: first the roles it depends on, then its own tasks.
    pub(crate) fn role(
        &self,
        role: &RoleParts,
        path: TaskPath,
        around: &Surroundings,
        handlers: &mut Vec<Arc<Handler>>,
    ) -> Node {
        let mut inner = around.clone();
        let mut nodes = Vec::new();
        for (step, (dependency, given)) in (0..).zip(&role.dependencies) {
            let mut around = around.enter(given, self.hosts_of);
            around
                .dependents
                .push((role.name.clone(), role.path.clone()));
            let place = path.join(0).join(step);
            nodes.push(self.role(dependency, place, &around, handlers));
        }
        for parts in role.line() {
            inner.role_defaults.push(Arc::new(parts.defaults.clone()));
            inner.keywords.vars.extend(parts.vars.clone());
        }
        inner.enter_role(&role.name, role.path.clone());
        let first = u32::try_from(nodes.len()).unwrap_or(u32::MAX);
        nodes.extend(
            (first..)
                .zip(role.check.iter().chain(role.tasks.iter()))
                .filter_map(|(step, task)| self.node(task, &path.join(0).join(step), &inner)),
        );
        let base = path.join(u32::MAX);
        handlers.extend(self.handlers(&role.handlers, &base, &inner));
        Node::Block(Arc::new(BlockNode {
            path,
            block: nodes.into(),
            rescue: Arc::default(),
            always: Arc::default(),
            role: Some(role.name.clone()),
        }))
    }
}

impl RoleParts {
    /// The roles whose variables it sees, itself last.
    fn line(&self) -> Vec<&Self> {
        let mut line: Vec<&Self> = self
            .dependencies
            .iter()
            .flat_map(|(role, _)| role.line())
            .collect();
        line.push(self);
        line
    }

    /// Whether a tag of its tasks or of what it depends on is a template.
    pub(crate) fn has_template_tags(&self) -> bool {
        self.tasks.iter().any(has_template_tags)
            || self
                .dependencies
                .iter()
                .any(|(role, given)| has_template_tags(given) || role.has_template_tags())
    }

    /// Renders those tags.
    pub(crate) fn render_tags(&mut self, tags: &TagRenderer<'_>) -> Result<(), String> {
        tags.tasks(Arc::make_mut(&mut self.tasks))?;
        for (role, given) in &mut self.dependencies {
            tags.tasks(std::slice::from_mut(given))?;
            Arc::make_mut(role).render_tags(tags)?;
        }
        Ok(())
    }

    /// Adds the names of all roles that it depends on.
    pub(crate) fn add_needed(&self, names: &mut BTreeSet<String>) {
        for (role, _) in &self.dependencies {
            names.insert(role.name.clone());
            role.add_needed(names);
        }
    }

    /// The role without the dependencies that ran already and do not run twice.
    #[must_use]
    pub fn without(&self, has_begun: &mut dyn FnMut(String) -> bool) -> Self {
        let mut left = Vec::new();
        for (role, given) in &self.dependencies {
            let has_begun_it = has_begun(dependency_key(&role.name, &given.scope.params));
            if role.allows_duplicates || !has_begun_it {
                left.push((Arc::new(role.without(has_begun)), given.clone()));
            }
        }
        Self {
            dependencies: left,
            ..self.clone()
        }
    }
}

/// Tells a role with its parameters from others.
fn dependency_key(role: &str, params: &Object) -> String {
    let params = serde_json::Value::Object(params.clone());
    format!("{role} {params}")
}

impl TaskNode {
    /// The role of the plan itself that the task is in, as dependencies of others name it.
    #[must_use]
    pub fn plan_role(&self) -> Option<String> {
        let (role, _) = self.role.as_ref().filter(|_| !self.is_brought)?;
        let params = self
            .params
            .last()
            .map(|params| Object::clone(params.vars()));
        Some(dependency_key(role, &params.unwrap_or_default()))
    }
}
