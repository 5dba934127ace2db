//! The items that `loop` and `with_…` go over.

use rustle_template::{LookupCall, TemplateError};
use rustle_types::{Object, TaskPlan, WithLookup};
use serde_json::Value;

use crate::evaluate::Evaluator;
use crate::result::TaskError;

/// The items of a task's loop.
pub(crate) fn items_of(task: &TaskPlan, cx: &Evaluator<'_>) -> Result<Vec<Value>, TaskError> {
    if let Some(terms) = &task.loop_over {
        return match cx.value("`loop`", terms)? {
            Value::Array(items) => Ok(items),
            other => Err(TaskError::new(format!(
                "The `loop` value must resolve to a 'list', not '{}'.",
                rustle_module::py_type(&other)
            ))),
        };
    }
    let Some(with) = &task.with else {
        return Ok(Vec::new());
    };
    let call = LookupCall {
        name: &with.lookup,
        terms: terms_of(with, cx)?,
        options: Object::new(),
        wantlist: true,
        with_of: Some(task.module_call().map_or("", |call| &call.module)),
        scope: cx.scope,
        engine: cx.engine,
    };
    let field = format!("`with_{}`", with.lookup);
    cx.engine
        .lookup(&call)
        .map_err(|error| TaskError::template(&field, &error))
}

/// What a `with_…` is given: a single value is a list of one.
fn terms_of(with: &WithLookup, cx: &Evaluator<'_>) -> Result<Vec<Value>, TaskError> {
    let field = format!("`with_{}`", with.lookup);
    let terms = if with.lookup == "first_found" {
        defined(&with.terms, cx).map_err(|error| TaskError::template(&field, &error))?
    } else {
        Some(cx.value(&field, &with.terms)?)
    };
    Ok(match terms {
        Some(Value::Array(terms)) => terms,
        single => single.into_iter().collect(),
    })
}

/// What of a value is defined: files that are named by a variable are passed over where it is not.
fn defined(value: &Value, cx: &Evaluator<'_>) -> Result<Option<Value>, TemplateError> {
    match value {
        Value::Array(items) => {
            let items = items.iter().map(|item| defined(item, cx));
            let items: Result<Vec<_>, _> = items.filter_map(Result::transpose).collect();
            items.map(|items| Some(Value::Array(items)))
        }
        Value::Object(fields) => {
            let mut rendered = Object::new();
            for (name, field) in fields {
                if let Some(field) = defined(field, cx)? {
                    rendered.insert(name.clone(), field);
                }
            }
            Ok(Some(Value::Object(rendered)))
        }
        single => match cx.engine.render_optional(single, cx.scope) {
            Err(error) if error.is_undefined() => Ok(None),
            rendered => rendered,
        },
    }
}
