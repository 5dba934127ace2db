//! What a plan's tasks render beside what the plan says itself: task files, roles, templates and files of variables.
//!
//! Functions here give none where it cannot be told what will be read.

use std::collections::HashSet;
use std::path::Path;

use rustle_types::{ExecutionPlan, OneOrMany};
use rustle_types::{HandlerPlan, ModuleCall, PlayPlan, TaskBody, TaskPlan, is_template};
use serde::Serialize;
use serde_json::Value;

use crate::actions::{candidates, meta_request};
use crate::files::FilePlace;
use crate::include::{RoleParts, is_import};
use crate::program::Surroundings;
use crate::vars_files::locate;
use crate::world::{Library, WantedRole};

/// More files and roles than this are taken for a circle.
const MOST: usize = 1000;

/// Collects what is read.
pub(super) struct Texts<'a> {
    library: &'a dyn Library,
    base_dir: &'a Path,
    /// Tasks and variables.
    pub(super) values: Vec<Value>,
    /// Files as they are.
    pub(super) texts: Vec<String>,
    seen: HashSet<String>,
}

impl<'a> Texts<'a> {
    pub(super) fn new(library: &'a dyn Library, base_dir: &'a Path) -> Self {
        Self {
            library,
            base_dir,
            values: Vec::new(),
            texts: Vec::new(),
            seen: HashSet::new(),
        }
    }

    /// Reads what the tasks of a plan name.
    pub(super) fn plan(&mut self, plan: &ExecutionPlan) -> Option<()> {
        plan.plays.iter().try_for_each(|play| self.play(play))
    }

    fn play(&mut self, play: &PlayPlan) -> Option<()> {
        // Whoever is asked may answer with a template.
        if !play.vars_prompt.is_empty() {
            return None;
        }
        let OneOrMany(files) = &play.vars_files;
        files.iter().try_for_each(|file| self.vars_file(file))?;
        let around = Surroundings::default();
        for batch in &play.batches {
            self.tasks(&batch.tasks, &around)?;
        }
        self.tasks(&play.tasks, &around)?;
        self.handlers(&play.handlers, &around)
    }

    /// All files of an entry, whichever of them the play takes.
    fn vars_file(&mut self, entry: &Value) -> Option<()> {
        match entry {
            Value::Array(names) => names.iter().try_for_each(|name| self.vars_file(name)),
            Value::String(name) if !is_template(name) => {
                let path = locate(name, self.base_dir);
                if path.exists() {
                    self.file(&path)
                } else {
                    Some(())
                }
            }
            _ => None,
        }
    }

    fn handlers(&mut self, handlers: &[HandlerPlan], around: &Surroundings) -> Option<()> {
        let around = Surroundings {
            is_handler: true,
            ..around.clone()
        };
        handlers
            .iter()
            .try_for_each(|handler| self.task(&handler.task, &around))
    }

    fn tasks(&mut self, tasks: &[TaskPlan], around: &Surroundings) -> Option<()> {
        tasks.iter().try_for_each(|task| self.task(task, around))
    }

    fn task(&mut self, task: &TaskPlan, around: &Surroundings) -> Option<()> {
        let inner = around.enter(task, &|_| HashSet::new());
        if matches!(&task.with, Some(with) if with.lookup == "template") {
            return None;
        }
        match &task.body {
            TaskBody::Block(block) => [&block.block, &block.rescue, &block.always]
                .into_iter()
                .try_for_each(|tasks| self.tasks(tasks, &inner)),
            TaskBody::Module(call) => self.call(call, around, &inner),
        }
    }

    fn call(
        &mut self,
        call: &ModuleCall,
        around: &Surroundings,
        inner: &Surroundings,
    ) -> Option<()> {
        let name = call.short_name();
        let around = if is_import(name) { inner } else { around };
        let role_path = || inner.role.as_ref().and_then(|(_, path)| path.as_deref());
        match name {
            "include_tasks" | "import_tasks" => self.task_file(call, around, inner),
            "include_role" | "import_role" => self.role(call, around),
            "template" if call.args.keys().any(|name| name.ends_with("_string")) => None,
            "template" => {
                let src = literal(call, &["src"])?;
                let found = FilePlace::Templates.find(src, role_path(), self.base_dir);
                self.file(&found.ok()?)
            }
            "include_vars" => {
                let file = literal(call, &["file", "_raw_params"])?;
                let found = FilePlace::Vars.find(file, role_path(), self.base_dir);
                self.file(&found.ok()?)
            }
            // Files of variables of hosts and groups that come up in the run are read then.
            "add_host" | "group_by" => None,
            // Another inventory may say anything.
            "meta" => meta_request(&call.args)
                .is_some_and(|request| request != "refresh_inventory" && !is_template(&request))
                .then_some(()),
            _ => (!is_template(name)).then_some(()),
        }
    }

    fn task_file(
        &mut self,
        call: &ModuleCall,
        around: &Surroundings,
        inner: &Surroundings,
    ) -> Option<()> {
        let target = literal(call, &["file", "_raw_params"])?;
        let paths = candidates(inner.role.as_ref(), Some(around), target);
        for path in paths {
            if let Some(tasks) = self.library.tasks(&path).ok()? {
                let mut inside = around.clone();
                inside.enter_file(target);
                let place = format!("{} {:?} {:?}", path.display(), inside.folders, inside.role);
                return if self.enter(place)? {
                    self.value(&*tasks)?;
                    self.tasks(&tasks, &inside)
                } else {
                    Some(())
                };
            }
        }
        None
    }

    fn role(&mut self, call: &ModuleCall, around: &Surroundings) -> Option<()> {
        let from = |name: &str| match call.args.get(name) {
            None => Some(None),
            Some(_) => literal(call, &[name]).map(|file| Some(file.to_owned())),
        };
        let wanted = WantedRole {
            name: literal(call, &["name", "role"])?.to_owned(),
            tasks_from: from("tasks_from")?,
            vars_from: from("vars_from")?,
            defaults_from: from("defaults_from")?,
            handlers_from: from("handlers_from")?,
            ..WantedRole::default()
        };
        if !self.enter(format!("{wanted:?}"))? {
            return Some(());
        }
        let parts = self.library.role(&wanted).ok()??;
        self.role_parts(&parts, around)
    }

    fn role_parts(&mut self, parts: &RoleParts, around: &Surroundings) -> Option<()> {
        for (dependency, given) in &parts.dependencies {
            self.value(given)?;
            self.role_parts(dependency, around)?;
        }
        let inside = Surroundings {
            role: Some((parts.name.clone(), parts.path.clone())),
            folders: Vec::new(),
            ..around.clone()
        };
        self.value(&[&parts.defaults, &parts.vars])?;
        self.value(&*parts.tasks)?;
        self.value(&*parts.handlers)?;
        self.tasks(&parts.tasks, &inside)?;
        self.handlers(&parts.handlers, &inside)
    }

    /// Whether something was not seen yet.
    fn enter(&mut self, place: String) -> Option<bool> {
        let is_new = self.seen.insert(place);
        (self.seen.len() <= MOST).then_some(is_new)
    }

    fn value(&mut self, value: &(impl Serialize + ?Sized)) -> Option<()> {
        self.values.push(serde_json::to_value(value).ok()?);
        Some(())
    }

    fn file(&mut self, path: &Path) -> Option<()> {
        let text = std::fs::read_to_string(path).ok()?;
        if rustle_vault::is_encrypted(text.as_bytes()) {
            return None;
        }
        self.texts.push(text);
        Some(())
    }
}

/// The first of these arguments, if it is a text and no template.
fn literal<'c>(call: &'c ModuleCall, names: &[&str]) -> Option<&'c str> {
    let given = names.iter().find_map(|name| call.args.get(*name))?;
    let text = given.as_str().map(str::trim)?;
    (!text.is_empty() && !is_template(text)).then_some(text)
}
