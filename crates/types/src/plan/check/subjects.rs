//! Problems by the names of their tasks and plays: people know these, and not places in a file that a program wrote.

use super::walk;
use crate::plan::ExecutionPlan;
use crate::problem::PlanProblem;

/// Adds to each problem the name of the innermost task or play that it is in, where that has one and the message does not
/// say it already.
pub(in crate::plan) fn add(plan: &ExecutionPlan, problems: &mut [PlanProblem]) {
    if problems.is_empty() {
        return;
    }
    let named = named(plan);
    for problem in problems
        .iter_mut()
        .filter(|problem| problem.subject.is_none())
    {
        let innermost = named
            .iter()
            .filter(|subject| is_inside(&problem.path, &subject.path))
            .max_by_key(|subject| subject.path.len());
        problem.subject = innermost
            .filter(|subject| !problem.message.contains(&format!("`{}`", subject.name)))
            .map(|subject| format!("{} `{}`", subject.kind, subject.name));
    }
}

struct Subject {
    path: String,
    kind: &'static str,
    name: String,
}

/// Everything with a name, by its path.
fn named(plan: &ExecutionPlan) -> Vec<Subject> {
    let mut named = Vec::new();
    let mut add = |path: &str, kind, name: Option<&str>| {
        if let Some(name) = name.filter(|name| !name.is_empty()) {
            named.push(Subject {
                path: path.to_owned(),
                kind,
                name: name.to_owned(),
            });
        }
    };
    for (index, play) in plan.plays.iter().enumerate() {
        add(&format!("plays[{index}]"), "play", play.name.as_deref());
        walk::play(index, play, &mut |_, path, task| {
            add(path, "task", task.name.as_deref());
        });
        let mut path = format!("plays[{index}].handlers");
        walk::handlers(&mut path, &play.handlers, &mut |path, task| {
            add(path, "handler", task.name.as_deref());
        });
    }
    named
}

/// Whether a path leads to `outer` or into it.
fn is_inside(path: &str, outer: &str) -> bool {
    path.strip_prefix(outer)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_are_called_by_the_innermost_name() {
        let plan = serde_json::json!({"plays": [{"name": "p", "hosts": ["h"], "tasks": [
            {"name": "outer", "block": [{"name": "inner", "module": "ping"}, {"module": "ping"}]}]}]});
        let (plan, _) = ExecutionPlan::from_value(plan).unwrap();
        let subject = |path: &str, message: &str| {
            let mut problems = [PlanProblem::new(path, message)];
            add(&plan, &mut problems);
            problems[0].to_string()
        };
        let inner = subject("plays[0].tasks[0].block[0].args.x", "wrong");
        assert_eq!(
            inner,
            "plays[0].tasks[0].block[0].args.x (task `inner`): wrong"
        );
        let outer = subject("plays[0].tasks[0].block[1].args", "wrong");
        assert!(outer.contains("(task `outer`)"), "{outer}");
        let play = subject("plays[0].serial", "wrong");
        assert!(play.contains("(play `p`)"), "{play}");
        assert!(!subject("plays[0].tasks[0]", "`outer` is wrong").contains('('));
        assert!(!subject("plays[1]", "wrong").contains('('));
    }
}
