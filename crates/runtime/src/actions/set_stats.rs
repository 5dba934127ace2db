//! `set_stats`: leaves numbers and texts for the report.

use rustle_module::{Default, Opt, Spec, Type, as_bool, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use super::set_fact::is_name;
use crate::requests::Request;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "set_stats",
    &[
        Opt::new("data", Type::Raw).required(),
        Opt::new("per_host", Type::Bool).default(Default::Bool(false)),
        Opt::new("aggregate", Type::Bool).default(Default::Bool(true)),
    ],
);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    let Some(Value::Object(given)) = args.get("data") else {
        return Err(TaskError::new(format!(
            "`data` has to be a mapping, found {}",
            py_str(args.get("data").unwrap_or(&Value::Null))
        )));
    };
    let mut data = Object::new();
    for (name, value) in given {
        let name = context
            .cx
            .engine
            .render_text(name, context.cx.scope)
            .map_err(|error| TaskError::template(&format!("name `{name}`"), &error))?;
        if !is_name(&name) {
            return Err(TaskError::new(format!(
                "`{name}` cannot be the name of a variable: letters, digits and `_`, and no digit first"
            )));
        }
        data.insert(name, value.clone());
    }
    let is_on = |name: &str| args.get(name).and_then(as_bool).unwrap_or(false);
    let (per_host, aggregate) = (is_on("per_host"), is_on("aggregate"));
    let mut result = ModuleResult::default();
    let shown = json!({"data": data, "per_host": per_host, "aggregate": aggregate});
    result.result.insert("ansible_stats".into(), shown);
    context.unit.requests.push(Request::Stats {
        data,
        per_host,
        aggregate,
    });
    Ok(result)
}
