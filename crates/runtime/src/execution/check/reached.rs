//! Task files and roles that tasks bring in for sure, so that what is wrong in them is told before the run.
//!
//! Only what a plan carries itself is looked at, and only what is brought in by name and without a condition: what lies behind a `when`,
//! a loop, a `rescue`, a handler or the tag `never`, or is named by a template, may be meant for other hosts than these. It fails
//! when it runs, as any task does.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};

use rustle_types::{ExecutionPlan, Keywords, ModuleCall, TaskPlan};
use serde_json::Value;

use super::Checker;
use crate::execution::library::{ENDINGS, folder_of, normal};
use crate::include::is_include;

/// What the tasks that were looked at bring in for sure.
#[derive(Default)]
pub(crate) struct Reached {
    /// How many things are around that may keep a task from being run.
    doubts: usize,
    /// The folders where a file's includes are looked for, the nearest first.
    folders: Vec<PathBuf>,
    found: VecDeque<Found>,
}

/// Something that is brought in.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Found {
    /// A file, as one of these paths.
    File(Vec<PathBuf>),
    /// A role and its file of tasks.
    Role { name: String, tasks_from: String },
}

impl Reached {
    /// What follows is inside of something with these keywords.
    pub(super) fn enter(&mut self, keywords: &Keywords) {
        self.doubts += usize::from(is_doubtful(keywords));
    }

    pub(super) fn leave(&mut self, keywords: &Keywords) {
        self.doubts -= usize::from(is_doubtful(keywords));
    }

    /// What follows may never run.
    pub(super) fn enter_doubt(&mut self) {
        self.doubts += 1;
    }

    pub(super) fn leave_doubt(&mut self) {
        self.doubts -= 1;
    }

    /// Notes what a task brings in, if it does so for sure.
    pub(super) fn note(&mut self, task: &TaskPlan, call: &ModuleCall) {
        let module = call.short_name();
        let has_conditions =
            task.loop_over.is_some() || task.with.is_some() || !task.conditions.is_empty();
        if !is_include(module) || self.doubts > 0 || has_conditions {
            return;
        }
        let text = |names: &[&str]| {
            let given = names.iter().find_map(|name| call.args.get(*name)?.as_str());
            given.map(str::trim).filter(|text| is_literal(text))
        };
        if module.ends_with("_role") {
            let tasks_from = match call.args.get("tasks_from") {
                None => Some("main"),
                Some(_) => text(&["tasks_from"]),
            };
            if let (Some(name), Some(tasks_from)) = (text(&["name", "role"]), tasks_from) {
                self.found.push_back(Found::Role {
                    name: name.to_owned(),
                    tasks_from: tasks_from.to_owned(),
                });
            }
        } else if let Some(file) = text(&["file", "_raw_params"]) {
            let folders = self.folders.iter().map(PathBuf::as_path);
            let paths = folders
                .chain([Path::new("")])
                .map(|folder| normal(&folder.join(file)));
            self.found.push_back(Found::File(paths.collect()));
        }
    }
}

fn is_doubtful(keywords: &Keywords) -> bool {
    keywords.when.is_some() || keywords.tags.0.iter().any(|tag| tag == "never")
}

fn is_literal(text: &str) -> bool {
    !text.is_empty() && !text.contains("{{") && !text.contains("{%")
}

/// A list of tasks that the plan carries.
struct Carried<'a> {
    /// Where it is in the plan.
    path: String,
    tasks: &'a [TaskPlan],
    /// Where its includes are looked for.
    folders: Vec<PathBuf>,
}

impl Checker<'_> {
    /// Looks through what the tasks that were looked at bring in, and what that brings in.
    pub(super) fn brought_in(&mut self, plan: &ExecutionPlan) {
        let files = carried_files(plan);
        let mut seen: HashSet<Found> = HashSet::new();
        let mut lists: BTreeSet<String> = BTreeSet::new();
        while let Some(found) = self.reached.found.pop_front() {
            if !seen.insert(found.clone()) {
                continue;
            }
            let paths = match &found {
                Found::File(paths) => paths.clone(),
                Found::Role { name, tasks_from } => self.role(plan, name, tasks_from),
            };
            let carried = paths.iter().find_map(|path| files.get(path));
            if let Some(carried) = carried.filter(|carried| lists.insert(carried.path.clone())) {
                self.reached.folders.clone_from(&carried.folders);
                self.tasks(carried.tasks, &carried.path);
            }
        }
    }

    /// Looks through a role's handlers, notes what it depends on, and gives the paths that its tasks may have.
    fn role(&mut self, plan: &ExecutionPlan, name: &str, tasks_from: &str) -> Vec<PathBuf> {
        let Some(role) = plan.roles.get(name) else {
            return Vec::new();
        };
        let folder = Path::new(&folder_of(name, role)).join("tasks");
        self.reached.folders = vec![folder.clone()];
        if tasks_from == "main" {
            self.handlers(&role.handlers, &format!("roles.{name}"));
        }
        for dependency in &role.dependencies {
            let field = |key: &str| dependency.get(key).and_then(Value::as_str);
            let name = dependency.as_str().or(field("role")).or(field("name"));
            let is_sure = dependency.get("when").is_none() && dependency.get("tags").is_none();
            if let Some(name) = name.filter(|name| is_sure && is_literal(name)) {
                self.reached.found.push_back(Found::Role {
                    name: name.to_owned(),
                    tasks_from: "main".into(),
                });
            }
        }
        let paths = ENDINGS
            .iter()
            .map(|ending| normal(&folder.join(format!("{tasks_from}{ending}"))));
        paths.collect()
    }
}

/// The lists of tasks that a plan carries, by their paths.
fn carried_files(plan: &ExecutionPlan) -> HashMap<PathBuf, Carried<'_>> {
    let mut files = HashMap::new();
    for (path, tasks) in &plan.includes {
        let normal = normal(Path::new(path));
        let folder = normal.parent().map(Path::to_owned);
        let carried = Carried {
            path: format!("includes.{path}"),
            tasks,
            folders: folder.into_iter().collect(),
        };
        files.insert(normal, carried);
    }
    for (name, role) in &plan.roles {
        let folder = Path::new(&folder_of(name, role)).join("tasks");
        for (path, tasks) in &role.tasks {
            let normal = normal(&folder.join(path));
            let beside = normal.parent().map(Path::to_owned);
            let carried = Carried {
                path: format!("roles.{name}.tasks.{path}"),
                tasks,
                folders: beside.into_iter().chain([folder.clone()]).collect(),
            };
            files.insert(normal, carried);
        }
    }
    files
}
