//! What can be said against a plan before any host is touched: modules and arguments that are not there, and keywords
//! whose meaning is not written yet.

mod reached;

pub(crate) use reached::Reached;

use crate::WITH_LOOKUPS;
use crate::actions::{ACTIONS, META_REQUESTS, meta_request};
use crate::connection::become_method;
use crate::world::{FoundModule, ModuleFinder, NoModule};
use rustle_module::{Catalogue, Spec, check_literals, short_name};
use rustle_template::{Engine, TemplateErrorKind};
use rustle_types::{
    ExecutionPlan, HandlerPlan, Keywords, ModuleCall, PlanProblem, PlayPlan, TaskBody, TaskPlan,
    Term,
};
use serde_json::Value;
use std::collections::BTreeSet;

/// How many names a hint lists at the most.
const NAMED: usize = 3;

/// Looks through a plan, and gathers everything that stands against running it.
pub(crate) struct Checker<'a> {
    pub(crate) catalogue: &'a Catalogue,
    /// Knows modules that are not native.
    pub(crate) modules: Option<&'a dyn ModuleFinder>,
    pub(crate) engine: &'a Engine,
    pub(crate) problems: Vec<PlanProblem>,
    /// How many `ignore_errors` and `rescue` are around: their author counts on failures, so a wrong argument fails there
    /// when it runs.
    pub(crate) forgiving: usize,
    /// What the tasks that were looked at bring in for sure.
    pub(crate) reached: Reached,
    /// Modules with defaults for their arguments, wherever in the plan: what is missing may be among these.
    pub(crate) with_defaults: BTreeSet<String>,
}

impl Checker<'_> {
    /// Looks through the whole plan.
    pub(crate) fn plan(&mut self, plan: &ExecutionPlan) {
        for (index, play) in plan.plays.iter().enumerate() {
            self.play(play, &format!("plays[{index}]"));
        }
        self.brought_in(plan);
    }

    fn play(&mut self, play: &PlayPlan, path: &str) {
        self.keywords(&play.keywords, path);
        self.reached.enter(&play.keywords);
        for (index, batch) in play.batches.iter().enumerate() {
            self.tasks(&batch.tasks, &format!("{path}.batches[{index}].tasks"));
        }
        self.tasks(&play.tasks, &format!("{path}.tasks"));
        self.reached.leave(&play.keywords);
        self.handlers(&play.handlers, path);
    }

    /// Handlers run only where they are notified.
    fn handlers(&mut self, handlers: &[HandlerPlan], path: &str) {
        self.reached.enter_doubt();
        for (index, handler) in handlers.iter().enumerate() {
            let path = format!("{path}.handlers[{index}]");
            self.task(&handler.task, &path);
        }
        self.reached.leave_doubt();
    }

    fn tasks(&mut self, tasks: &[TaskPlan], path: &str) {
        for (index, task) in tasks.iter().enumerate() {
            self.task(task, &format!("{path}[{index}]"));
        }
    }

    fn task(&mut self, task: &TaskPlan, path: &str) {
        let ignores = usize::from(task.keywords.ignore_errors.is_some());
        self.forgiving += ignores;
        if let Some(with) = &task.with
            && !WITH_LOOKUPS.contains(&with.lookup.as_str())
        {
            self.not_yet(path, &format!("with_{}", with.lookup));
        }
        self.keywords(&task.keywords, path);
        for (field, condition) in [
            ("until", &task.until),
            ("changed_when", &task.changed_when),
            ("failed_when", &task.failed_when),
        ] {
            self.expression(
                &format!("{path}.{field}"),
                condition.as_ref().map_or(&[][..], |condition| &condition.0),
            );
        }
        self.reached.enter(&task.keywords);
        match &task.body {
            TaskBody::Module(call) => {
                self.call(call, path);
                if self.forgiving == 0 {
                    self.reached.note(task, call);
                }
            }
            TaskBody::Block(block) => {
                let is_rescued = usize::from(!block.rescue.is_empty());
                self.forgiving += is_rescued;
                self.tasks(&block.block, &format!("{path}.block"));
                self.forgiving -= is_rescued;
                self.reached.enter_doubt();
                self.tasks(&block.rescue, &format!("{path}.rescue"));
                self.reached.leave_doubt();
                self.tasks(&block.always, &format!("{path}.always"));
            }
        }
        self.reached.leave(&task.keywords);
        self.forgiving -= ignores;
    }

    fn keywords(&mut self, keywords: &Keywords, path: &str) {
        if let Some(when) = &keywords.when {
            self.expression(&format!("{path}.when"), &when.0);
        }
        self.become_method(keywords, path);
        self.note_defaults(keywords);
        self.value(
            &Value::Object(keywords.vars.clone()),
            &format!("{path}.vars"),
        );
    }

    fn note_defaults(&mut self, keywords: &Keywords) {
        let entries = match &keywords.module_defaults {
            Some(Value::Array(entries)) => entries.as_slice(),
            Some(single) => std::slice::from_ref(single),
            None => return,
        };
        let names = entries.iter().filter_map(Value::as_object);
        let names = names.flat_map(|entry| entry.keys());
        self.with_defaults
            .extend(names.map(|name| short_name(name).to_owned()));
    }

    /// A method that a template picks is looked at when the task runs.
    fn become_method(&mut self, keywords: &Keywords, path: &str) {
        if let Some(name) = &keywords.become_method
            && !name.contains("{{")
            && let Err(why) = become_method(name)
        {
            self.problems
                .push(PlanProblem::new(format!("{path}.become_method"), why));
        }
    }

    fn call(&mut self, call: &ModuleCall, path: &str) {
        let name = call.short_name();
        if name == "meta" {
            self.meta(call, path);
        } else if name == "gather_facts" {
            // It takes what `setup` takes, by the play's keywords.
        } else if let Some(found) = self.module(call, name) {
            match found {
                // A foreign one checks its arguments itself.
                Ok(native) => self.literals(native, call, path),
                Err(NoModule::Unknown { name, looked }) => {
                    self.unknown_module(&name, &looked, path);
                }
                Err(NoModule::Refused { why, hint }) => {
                    let problem = PlanProblem::new(format!("{path}.module"), why);
                    self.problems.push(match hint {
                        Some(hint) => problem.with_hint(hint),
                        None => problem,
                    });
                }
            }
        } else if let Some(spec) = self.spec(name) {
            self.literals(Some(spec), call, path);
        } else {
            self.unknown_module(&call.module, &[], path);
        }
        self.value(&Value::Object(call.args.clone()), &format!("{path}.args"));
    }

    /// Arguments that can be told to be wrong before they are rendered.
    fn literals(&mut self, spec: Option<&Spec>, call: &ModuleCall, path: &str) {
        if let Some(spec) = spec {
            let mut problems = check_literals(spec, &call.args);
            if self.with_defaults.contains(call.short_name()) {
                problems.retain(|problem| problem.option.is_some());
            }
            for problem in problems.into_iter().filter(|_| self.forgiving == 0) {
                let place = problem
                    .option
                    .as_ref()
                    .filter(|_| problem.message.starts_with("expected"));
                let path = place.map_or_else(
                    || format!("{path}.args"),
                    |option| format!("{path}.args.{option}"),
                );
                let mut found = PlanProblem::new(path, problem.message);
                found.hint = problem.hint;
                self.problems.push(found);
            }
        }
    }

    fn meta(&mut self, call: &ModuleCall, path: &str) {
        let request = meta_request(&call.args).unwrap_or_default();
        if !META_REQUESTS.contains(&request.as_str()) {
            let message = format!("`meta: {request}` is not available in this version");
            let hint = format!("there are {}", META_REQUESTS.join(", "));
            self.problems
                .push(PlanProblem::new(format!("{path}.args"), message).with_hint(hint));
        }
    }

    fn spec(&self, name: &str) -> Option<&'static Spec> {
        let action = ACTIONS.iter().find(|spec| spec.name == name).copied();
        action.or_else(|| {
            self.catalogue
                .find(name)
                .map(rustle_module::DynModule::spec)
        })
    }

    /// What a name means that is none of an action's: a native module with its specification, or one that is not native. None where
    /// that cannot be told.
    fn module(
        &self,
        call: &ModuleCall,
        name: &str,
    ) -> Option<Result<Option<&'static Spec>, NoModule>> {
        let modules = self.modules?;
        if name.contains("{{") || ACTIONS.iter().any(|spec| spec.name == name) {
            return None;
        }
        Some(match modules.find(&call.module, None) {
            Ok(FoundModule::Native(native)) => Ok(self.spec(&native)),
            Ok(FoundModule::Foreign(_)) => Ok(None),
            Err(why) => Err(why),
        })
    }

    fn unknown_module(&mut self, name: &str, looked: &[String], path: &str) {
        let path = format!("{path}.module");
        if name.contains("{{") {
            // Which module it is turns out when the task runs.
            return;
        }
        let names = ACTIONS
            .iter()
            .map(|spec| spec.name)
            .chain(self.catalogue.names());
        let mut near: Vec<(usize, &str)> = names
            .map(|known| (strsim::damerau_levenshtein(known, short_name(name)), known))
            .filter(|(distance, known)| *distance <= known.len().max(3) / 3)
            .collect();
        near.sort_unstable();
        near.dedup();
        let near: Vec<String> = near
            .iter()
            .take(NAMED)
            .map(|(_, known)| format!("`{known}`"))
            .collect();
        let problem = PlanProblem::new(path, format!("unknown module `{name}`"));
        let looked = match looked {
            [] => String::new(),
            looked => format!(" (looked for it in {})", looked.join(", ")),
        };
        self.problems.push(if near.is_empty() {
            problem.with_hint(format!(
                "this version does not have it; nothing is run in its place{looked}"
            ))
        } else {
            problem.with_hint(format!("did you mean {}?", near.join(" or ")))
        });
    }

    fn not_yet(&mut self, path: &str, keyword: &str) {
        let message = format!("`{keyword}` is not available in this version");
        self.problems.push(PlanProblem::new(path, message));
    }

    /// Filters, tests and statements that the engine does not have. Other mistakes in a template fail their task alone.
    fn expression(&mut self, path: &str, terms: &[Term]) {
        for term in terms {
            if let Term::Text(text) = term
                && let Err(error) = self.engine.compile_check_expression(text)
                && error.kind == TemplateErrorKind::NotImplemented
                && self.forgiving == 0
            {
                self.problems
                    .push(PlanProblem::new(path, error.to_string()));
            }
        }
    }

    fn value(&mut self, value: &Value, path: &str) {
        match value {
            Value::String(text) => {
                if let Err(error) = self.engine.compile_check(text)
                    && error.kind == TemplateErrorKind::NotImplemented
                    && self.forgiving == 0
                {
                    self.problems
                        .push(PlanProblem::new(path, error.to_string()));
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(item, &format!("{path}[{index}]"));
                }
            }
            Value::Object(fields) if fields.contains_key("__ansible_vault") => {
                if !self.engine.has_vault() {
                    let problem = PlanProblem::new(
                        path,
                        "the value is encrypted, and no vault password was given",
                    );
                    self.problems.push(problem.with_hint(
                        "give one by `--vault-password-file`, `--vault-id` or `--ask-vault-pass`",
                    ));
                }
            }
            Value::Object(fields) if fields.contains_key("__ansible_unsafe") => {}
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.value(field, &format!("{path}.{name}"));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }
}
