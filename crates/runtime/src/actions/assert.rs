//! `assert`: fails unless all conditions hold.

use rustle_module::{Default, Opt, Spec, Type};
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
    // Messages are rendered only where they are shown: they may need what only then is there.
    let mut args = raw.clone();
    if let Some(that) = &that {
        args.insert("that".into(), that.clone());
    }
    let args = context.check(&SPEC, args)?.args;
    let message = |name: &str, usual: &str| match args.get(name) {
        None | Some(Value::Null) => Ok(Value::String(usual.into())),
        Some(text) => context.cx.value(&format!("argument `{name}`"), text),
    };
    for condition in conditions(that.unwrap_or(Value::Null)) {
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
        result.msg = Some(message("fail_msg", "Assertion failed")?);
        return Ok(result);
    }
    Ok(ModuleResult {
        msg: Some(message("success_msg", "All assertions passed")?),
        ..ModuleResult::default()
    })
}

fn conditions(that: Value) -> Vec<Term> {
    match that {
        Value::Array(items) => items.into_iter().flat_map(conditions).collect(),
        Value::Bool(holds) => vec![Term::Bool(holds)],
        Value::Null => Vec::new(),
        other => vec![Term::Text(rustle_module::py_str(&other))],
    }
}
