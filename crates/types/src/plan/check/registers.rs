//! What results are kept in must be names of variables, or nobody can read them.

use super::walk;
use crate::plan::ExecutionPlan;
use crate::problem::PlanProblem;
use crate::read::is_template;

/// Notes each `register` that is no name of a variable.
pub(super) fn check(plan: &ExecutionPlan, problems: &mut Vec<PlanProblem>) {
    for (index, play) in plan.plays.iter().enumerate() {
        walk::play(index, play, &mut |_, path, task| {
            let name = task.register.as_deref();
            if let Some(name) = name.filter(|name| !is_template(name) && !is_variable(name)) {
                let message = format!("`{name}` is no name of a variable");
                let problem = PlanProblem::new(format!("{path}.register"), message);
                problems.push(problem.with_hint(
                    "names have letters, digits and `_`, and do not begin with a digit",
                ));
            }
        });
    }
}

/// Whether Jinja takes a text for a name.
fn is_variable(name: &str) -> bool {
    name.starts_with(|first: char| first.is_alphabetic() || first == '_')
        && name
            .chars()
            .all(|letter| letter.is_alphanumeric() || letter == '_')
}
