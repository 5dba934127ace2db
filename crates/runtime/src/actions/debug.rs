//! `debug`: shows a message or a variable.

use rustle_module::{Constraint, Default, Opt, Spec, Type};
use rustle_types::ModuleResult;
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "debug",
    &[
        // Messages keep their type.
        Opt::new("msg", Type::Raw),
        Opt::new("var", Type::Raw),
        Opt::new("verbosity", Type::Int).default(Default::Int(0)),
    ],
)
.constraints(&[Constraint::MutuallyExclusive(&["msg", "var"])]);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let mut args = context.raw_args();
    let var = args.shift_remove("var");
    let mut args = context.cx.args(&args)?;
    if let Some(var) = &var {
        args.insert("var".into(), var.clone());
    }
    let mut args = context.check(&SPEC, args)?.args;
    let mut result = ModuleResult::default();
    let verbosity = args.get("verbosity").and_then(Value::as_i64).unwrap_or(0);
    if verbosity > i64::from(context.unit.world.settings.verbosity) {
        result.skipped = true;
        result.result.insert(
            "skipped_reason".into(),
            "Verbosity threshold not met.".into(),
        );
        return Ok(result);
    }
    match var.filter(|var| !var.is_null()) {
        Some(var) => show_variable(context, &var, &mut result)?,
        None => {
            let msg = args.shift_remove("msg").filter(|msg| !msg.is_null());
            result.msg = Some(msg.unwrap_or_else(|| "Hello world!".into()));
        }
    }
    Ok(result)
}

/// The value of an expression under its own text. One that is not defined is no failure here.
fn show_variable(
    context: &ActionContext<'_>,
    var: &Value,
    result: &mut ModuleResult,
) -> Result<(), TaskError> {
    let engine = context.cx.engine;
    let Value::String(expression) = var else {
        let value = context.cx.value("argument `var`", var)?;
        result.result.insert(rustle_module::py_str(var), value);
        return Ok(());
    };
    let value = if expression.contains("{{") {
        engine.render_str(expression, context.cx.scope)
    } else {
        engine.evaluate(expression, context.cx.scope)
    };
    let value = match value {
        Ok(value) => value,
        Err(error) if error.is_undefined() => {
            result
                .warnings
                .push(format!("`{expression}` is not defined: {error}"));
            "VARIABLE IS NOT DEFINED!".into()
        }
        Err(error) => return Err(TaskError::template("argument `var`", &error)),
    };
    result.result.insert(expression.clone(), value);
    Ok(())
}
