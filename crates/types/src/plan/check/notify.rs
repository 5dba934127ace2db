//! What is notified must be there, and must not notify in a circle.

use std::collections::{HashMap, HashSet};

use super::names::Names;
use super::{cycle, walk};
use crate::plan::{ExecutionPlan, HandlerPlan, PlayPlan, TaskPlan};
use crate::problem::{PlanProblem, PlanWarning};
use crate::read::is_template;

/// Notes notified names that no handler has, and handlers that notify each other in a circle.
pub(super) fn check(
    plan: &ExecutionPlan,
    problems: &mut Vec<PlanProblem>,
    warnings: &mut Vec<PlanWarning>,
) {
    let mut of_roles = Names::default();
    of_roles.add_roles(plan);
    let mut of_all = of_roles.clone();
    for (index, play) in plan.plays.iter().enumerate() {
        let mut names = of_roles.clone();
        for handler in &play.handlers {
            names.add_handler(handler, None, plan);
            of_all.add_handler(handler, None, plan);
        }
        let mut checker = Checker::new(plan, &names, problems, warnings);
        walk::play(index, play, &mut |_, path, task| checker.check(path, task));
        walk::handlers(
            &mut format!("plays[{index}].handlers"),
            &play.handlers,
            &mut |path, task| checker.check(path, task),
        );
        check_cycle(
            &format!("plays[{index}].handlers"),
            &handlers_of(plan, play),
            problems,
        );
    }
    let mut checker = Checker::new(plan, &of_all, problems, warnings);
    for (file, tasks) in &plan.includes {
        walk::tasks(
            &mut format!("includes[{file:?}]"),
            tasks,
            &mut |path, task| checker.check(path, task),
        );
    }
    for (name, role) in &plan.roles {
        walk::handlers(
            &mut format!("roles[{name:?}].handlers"),
            &role.handlers,
            &mut |path, task| checker.check(path, task),
        );
        for (file, tasks) in &role.tasks {
            let mut path = format!("roles[{name:?}].tasks[{file:?}]");
            walk::tasks(&mut path, tasks, &mut |path, task| {
                checker.check(path, task)
            });
        }
    }
}

/// Looks at the notified names of one play, or of the files that any play may include.
struct Checker<'a> {
    names: &'a Names<'a>,
    is_of_rustle_plan: bool,
    seen: HashSet<String>,
    problems: &'a mut Vec<PlanProblem>,
    warnings: &'a mut Vec<PlanWarning>,
}

impl<'a> Checker<'a> {
    fn new(
        plan: &ExecutionPlan,
        names: &'a Names<'a>,
        problems: &'a mut Vec<PlanProblem>,
        warnings: &'a mut Vec<PlanWarning>,
    ) -> Self {
        let is_of_rustle_plan = plan.metadata.rustle_plan_version().is_some();
        Self {
            names,
            is_of_rustle_plan,
            seen: HashSet::new(),
            problems,
            warnings,
        }
    }

    fn check(&mut self, path: &str, task: &TaskPlan) {
        for (place, name) in task.keywords.notify.iter().enumerate() {
            // A name is told once: a rolling plan has the same task in every batch.
            if self.names.can_be(name) || !self.seen.insert(name.clone()) {
                continue;
            }
            let path = format!("{path}.notify[{place}]");
            let problem = PlanProblem::new(
                path,
                format!("no handler has the name `{name}` or listens to it"),
            );
            let is_certain = !is_template(name) && !self.names.are_open;
            if is_certain {
                self.problems.push(PlanProblem {
                    hint: self.hint(name),
                    ..problem
                });
            } else {
                self.warnings.push(problem);
            }
        }
    }

    fn hint(&self, name: &str) -> Option<String> {
        if let Some(near) = self.names.closest(name) {
            return Some(format!("did you mean `{near}`?"));
        }
        self.is_of_rustle_plan.then(|| {
            "`rustle-plan` 0.1 does not write `listen`: notify a handler by its name, or add `listen` to the handler in the plan".into()
        })
    }
}

fn handlers_of<'a>(plan: &'a ExecutionPlan, play: &'a PlayPlan) -> Vec<&'a HandlerPlan> {
    play.handlers
        .iter()
        .chain(plan.roles.values().flat_map(|role| &role.handlers))
        .collect()
}

fn check_cycle(path: &str, handlers: &[&HandlerPlan], problems: &mut Vec<PlanProblem>) {
    let mut by_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (node, handler) in handlers.iter().enumerate() {
        for name in handler.name.iter().chain(&handler.listen) {
            by_name.entry(name).or_default().push(node);
        }
    }
    let targets = |handler: &&HandlerPlan| {
        let names = handler.keywords.notify.iter();
        names
            .filter_map(|name| by_name.get(name.as_str()))
            .flatten()
            .copied()
            .collect()
    };
    let edges: Vec<Vec<usize>> = handlers.iter().map(targets).collect();
    if let Some(found) = cycle::find(&edges) {
        let names = cycle::shown(&found, |node| handlers[node].title());
        let problem = PlanProblem::new(
            path,
            format!("handlers notify each other without end: {names}"),
        );
        if !problems
            .iter()
            .any(|other| other.message == problem.message)
        {
            problems.push(problem);
        }
    }
}
