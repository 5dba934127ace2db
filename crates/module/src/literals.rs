//! What can be said of arguments when the plan loads, before any template in them is rendered.

use rustle_types::Object;
use serde_json::Value;

use crate::choices::strange_choices;
use crate::coerce::{Expand, coerce};
use crate::spec::{Constraint, Opt, Spec};

/// A mistake in arguments that shows before they are rendered.
#[derive(Clone, Debug, PartialEq)]
pub struct LiteralProblem {
    /// The option it is about, if it is about one.
    pub option: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Checks names, required options, choices and exclusions. Values that hold templates are taken on trust: they
/// are checked again, rendered, when the task runs.
#[must_use]
pub fn check_literals(spec: &Spec, args: &Object) -> Vec<LiteralProblem> {
    if args.get("_raw_params").is_some_and(holds_template) && !spec.free_form {
        // The template gives the arguments.
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (name, value) in args {
        match spec.option(name) {
            None if spec.any_option || (name == "_raw_params" && spec.free_form) => {}
            None => problems.push(unknown_option(spec, name)),
            Some(option) if option.internal => problems.push(unknown_option(spec, name)),
            Some(option) => problems.extend(choice_problem(option, name, value)),
        }
    }
    let is_given = |name: &str| {
        args.keys()
            .any(|given| spec.option(given).is_some_and(|o| o.name == name))
    };
    for option in spec
        .all_options()
        .filter(|o| o.required && !is_given(o.name))
    {
        problems.push(LiteralProblem {
            option: None,
            message: format!("missing argument `{}`", option.name),
            hint: None,
        });
    }
    problems.extend(group_problems(spec, &is_given));
    problems
}

/// What is wrong about the value of an option with choices, coerced as it will be when the task runs.
fn choice_problem(option: &Opt, name: &str, value: &Value) -> Option<LiteralProblem> {
    if option.choices.is_empty() || value.is_null() || holds_template(value) {
        return None;
    }
    // What does not fit the type is told when the task runs.
    let mut values = match coerce(value, option.kind, &Unexpanded).ok()? {
        Value::Array(items) => items,
        single => vec![single],
    };
    let strange = strange_choices(option, &mut values);
    (!strange.is_empty()).then(|| LiteralProblem {
        option: Some(name.into()),
        message: format!(
            "expected one of {}, found `{}`",
            option.choices.join(", "),
            strange.join(", ")
        ),
        hint: None,
    })
}

/// The machine is not known yet, so that `~` and `$VAR` stay as they are.
struct Unexpanded;

impl Expand for Unexpanded {
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }

    fn home(&self, _user: Option<&str>) -> Option<String> {
        None
    }
}

fn group_problems(spec: &Spec, is_given: &dyn Fn(&str) -> bool) -> Vec<LiteralProblem> {
    spec.constraints
        .iter()
        .filter_map(|constraint| match constraint {
            Constraint::MutuallyExclusive(names)
                if names.iter().filter(|name| is_given(name)).count() > 1 =>
            {
                Some(format!("only one of {} may be given", names.join(", ")))
            }
            Constraint::RequiredOneOf(names)
                if !names
                    .iter()
                    .any(|name| is_given(name) || has_default(spec, name)) =>
            {
                Some(format!("missing argument: one of {}", names.join(", ")))
            }
            _ => None,
        })
        .map(|message| LiteralProblem {
            option: None,
            message,
            hint: None,
        })
        .collect()
}

fn has_default(spec: &Spec, name: &str) -> bool {
    spec.option(name)
        .is_some_and(|o| !matches!(o.default, crate::spec::Default::None))
}

fn unknown_option(spec: &Spec, name: &str) -> LiteralProblem {
    LiteralProblem {
        option: Some(name.into()),
        message: format!("unknown argument `{name}` of module `{}`", spec.name),
        hint: spec
            .nearest_option(name)
            .map(|near| format!("did you mean `{near}`?")),
    }
}

fn holds_template(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("{{") || text.contains("{%"),
        Value::Array(items) => items.iter().any(holds_template),
        Value::Object(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Type;
    use serde_json::json;

    const SPEC: Spec = Spec::new(
        "m",
        &[
            Opt::new("state", Type::Str).choices(&["yes", "no", "5"]),
            Opt::new("kinds", Type::List(&Type::Str)).choices(&["a", "b"]),
            Opt::new("_sent", Type::Str).internal(),
        ],
    );

    fn problems(args: &Value) -> Vec<String> {
        let args = args.as_object().expect("an object");
        let found = check_literals(&SPEC, args);
        found.into_iter().map(|problem| problem.message).collect()
    }

    #[test]
    fn choices_are_compared_as_they_will_be_coerced() {
        for args in [
            json!({"state": true}),
            json!({"state": 5}),
            json!({"kinds": "a, b"}),
            json!({"kinds": ["b"]}),
            json!({"state": "{{ x }}"}),
        ] {
            assert_eq!(problems(&args), [""; 0], "{args}");
        }
        for (args, message) in [
            (json!({"state": 6}), "expected one of yes, no, 5, found `6`"),
            (json!({"kinds": "a,c"}), "expected one of a, b, found `c`"),
        ] {
            assert_eq!(problems(&args), [message]);
        }
    }

    #[test]
    fn options_of_the_controller_cannot_be_planned() {
        assert_eq!(
            problems(&json!({"_sent": "x"})),
            ["unknown argument `_sent` of module `m`"]
        );
    }
}
