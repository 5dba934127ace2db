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
    let msg = args.get("msg").cloned();
    let args = context.check(&SPEC, args)?.args;
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
        None => result.msg = Some(msg.unwrap_or_else(|| "Hello world!".into())),
    }
    Ok(result)
}

/// The value of an expression under its own text. What is not defined is no failure here.
fn show_variable(
    context: &ActionContext<'_>,
    var: &Value,
    result: &mut ModuleResult,
) -> Result<(), TaskError> {
    let engine = context.cx.engine;
    let Value::String(expression) = var else {
        return Err(TaskError::new(format!(
            "argument `var` of module `debug` has to be text: an expression, without braces; found {var}"
        )));
    };
    let failed = |error| TaskError::template("argument `var`", &error);
    let (value, errors) = if expression.contains("{{") {
        let value = engine.render_str(expression, context.cx.scope);
        (value.map_err(failed)?, Vec::new())
    } else {
        engine
            .evaluate_marking(expression, context.cx.scope)
            .map_err(failed)?
    };
    if !errors.is_empty() {
        let told = (1..).zip(&errors);
        let told = told.map(|(number, error)| format!("\nerror {number} - {}", error.detail));
        let what = if errors.len() == 1 { "error" } else { "errors" };
        result.warnings.push(format!(
            "Encountered {} template {what}.{}",
            errors.len(),
            told.collect::<String>()
        ));
    }
    result.result.insert(expression.clone(), value);
    Ok(())
}
