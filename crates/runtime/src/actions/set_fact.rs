//! `set_fact`: sets variables of the host for the rest of the run.

use rustle_module::{Opt, Spec, Type, as_bool};
use rustle_types::{ModuleResult, Object};
use serde_json::Value;

use super::ActionContext;
use crate::effects::Effects;
use crate::requests::Request;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new("set_fact", &[Opt::new("cacheable", Type::Raw)])
    .any_option()
    .free_form();

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let mut raw = context.raw_args();
    let cacheable = raw.shift_remove("cacheable");
    let is_cacheable = match cacheable {
        None => false,
        Some(flag) => {
            let given = as_bool(&context.cx.value("argument `cacheable`", &flag)?);
            given.ok_or_else(|| {
                TaskError::new(format!("`cacheable` has to be true or false, found {flag}"))
            })?
        }
    };
    let mut facts = Object::new();
    for (name, value) in context.cx.args(&raw)? {
        // Names may be templates here.
        let name = context
            .cx
            .engine
            .render_text(&name, context.cx.scope)
            .map_err(|error| TaskError::template(&format!("name `{name}`"), &error))?;
        if !is_name(&name) {
            return Err(TaskError::new(format!(
                "`{name}` cannot be the name of a variable: letters, digits and `_`, and no digit first"
            )));
        }
        facts.insert(name, value);
    }
    if facts.is_empty() {
        let msg =
            "No key/value pairs provided, at least one is required for this action to succeed";
        return Ok(ModuleResult::failure(msg));
    }
    if is_cacheable {
        // They are facts of the host as well, below all other variables, and are kept with these.
        let effects = Box::new(Effects {
            facts: facts.clone(),
            ..Effects::default()
        });
        let host = context.unit.host.clone();
        context.unit.requests.push(Request::Facts { host, effects });
    }
    let mut result = ModuleResult::default();
    result
        .result
        .insert("ansible_facts".into(), Value::Object(facts));
    Ok(result)
}

/// Whether a variable may have this name.
pub(crate) fn is_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c == '_' || c.is_ascii_alphanumeric())
}
