//! `assert`: fails unless all conditions hold.

use rustle_module::{Default, Opt, Spec, Type, py_type};
use rustle_template::Engine;
use rustle_types::{Expression, ModuleResult, Term};
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "assert",
    &[
        Opt::new("that", Type::Raw).required(),
        Opt::new("fail_msg", Type::Raw).aliases(&["msg"]),
        Opt::new("success_msg", Type::Raw),
        Opt::new("quiet", Type::Bool).default(Default::Bool(false)),
    ],
);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let mut raw = context.raw_args();
    let that = raw.shift_remove("that");
    let mut args = context.cx.args(&raw)?;
    if let Some(that) = &that {
        args.insert("that".into(), that.clone());
    }
    let args = context.check(&SPEC, args)?.args;
    let message = |name: &str, usual: &str| match args.get(name) {
        None | Some(Value::Null) => Ok(Value::String(usual.into())),
        Some(told) if is_message(told) => Ok(told.clone()),
        Some(other) => Err(TaskError::new(format!(
            "argument '{name}' is of type {} and we were unable to convert to str_or_list_of_str: a string or list of strings is required",
            py_type(other)
        ))),
    };
    let fail_msg = message("fail_msg", "Assertion failed")?;
    let success_msg = message("success_msg", "All assertions passed")?;
    for condition in conditions(context, &that.unwrap_or(Value::Null))? {
        let term = Expression(vec![condition]);
        let Some(assertion) = context.cx.conditions("that", &term)? else {
            continue;
        };
        let mut result = ModuleResult {
            failed: true,
            ..ModuleResult::default()
        };
        result
            .result
            .insert("evaluated_to".into(), Value::Bool(false));
        result.result.insert("assertion".into(), assertion);
        result.msg = Some(fail_msg);
        return Ok(result);
    }
    Ok(ModuleResult {
        msg: Some(success_msg),
        ..ModuleResult::default()
    })
}

fn is_message(told: &Value) -> bool {
    match told {
        Value::String(_) => true,
        Value::Array(lines) => lines.iter().all(Value::is_string),
        _ => false,
    }
}

/// The conditions: one, a list of them, or a variable that holds such a list.
fn conditions(context: &ActionContext<'_>, that: &Value) -> Result<Vec<Term>, TaskError> {
    let named = that
        .as_str()
        .and_then(|text| Engine::written(text, context.cx.scope));
    match named.unwrap_or(that) {
        Value::Array(items) => items.iter().map(condition).collect(),
        _ => Ok(vec![condition(that)?]),
    }
}

fn condition(that: &Value) -> Result<Term, TaskError> {
    match that {
        Value::Bool(holds) => Ok(Term::Bool(*holds)),
        Value::String(text) => Ok(Term::Text(text.clone())),
        Value::Null => Ok(Term::Text(String::new())),
        other => Err(TaskError::new(format!(
            "`that` has to be made of conditions, which are texts or booleans, found {other}"
        ))),
    }
}
