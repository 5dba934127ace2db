//! `add_host` and `group_by`: change the inventory while the plan runs.

use rustle_module::{Default, Opt, Spec, Type, py_str};
use rustle_types::{HostName, ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use crate::requests::{NewHost, Request};
use crate::result::TaskError;

pub(crate) const ADD_HOST: Spec = Spec::new(
    "add_host",
    &[
        Opt::new("name", Type::Str)
            .required()
            .aliases(&["host", "hostname"]),
        Opt::new("groups", Type::List(&Type::Str)).aliases(&["group", "groupname"]),
    ],
)
.any_option();

pub(crate) const GROUP_BY: Spec = Spec::new(
    "group_by",
    &[
        Opt::new("key", Type::Str).required(),
        Opt::new("parents", Type::List(&Type::Str)).default(Default::Str("all")),
    ],
);

pub(crate) fn add_host(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let mut args = context.args()?;
    let mut take = |names: &[&str]| {
        let found: Vec<Value> = names
            .iter()
            .filter_map(|name| args.shift_remove(*name))
            .collect();
        found.into_iter().find(|value| !value.is_null())
    };
    let name = take(&["name", "hostname", "host"]);
    let groups = take(&["groups", "groupname", "group"]);
    let Some(name) = name
        .map(|name| py_str(&name))
        .filter(|name| !name.trim().is_empty())
    else {
        return Err(TaskError::new(
            "name, host or hostname needs to be provided",
        ));
    };
    let groups = names(groups);
    let new = NewHost {
        name: HostName::from(host_part(name.trim(), &mut args)),
        groups,
        vars: args,
    };
    let mut result = ModuleResult {
        changed: adds_something(context, &new),
        ..ModuleResult::default()
    };
    let shown = json!({"host_name": new.name, "groups": new.groups, "host_vars": new.vars});
    result.result.insert("add_host".into(), shown);
    context.unit.requests.push(Request::AddHost(new));
    Ok(result)
}

/// The name without a port, which becomes a variable.
fn host_part(name: &str, vars: &mut Object) -> String {
    let port = name
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty() && !host.contains(':'))
        .and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    match port {
        Some((host, port)) => {
            vars.insert("ansible_port".into(), port.into());
            host.to_owned()
        }
        None => name.to_owned(),
    }
}

/// Whether the inventory does not have all of this yet.
fn adds_something(context: &ActionContext<'_>, new: &NewHost) -> bool {
    let hosts = &context.unit.world.hosts;
    let Some(record) = hosts.record(new.name.as_str()) else {
        return true;
    };
    let known = record.inventory.vars();
    new.groups
        .iter()
        .any(|group| !record.group_names.contains(group))
        || new
            .vars
            .iter()
            .any(|(name, value)| known.get(name) != Some(value))
}

pub(crate) fn group_by(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.args()?;
    let key = args.get("key").filter(|key| !key.is_null());
    let Some(key) = key.map(py_str).filter(|key| !key.is_empty()) else {
        return Err(TaskError::new(
            "the 'key' param is required when using group_by",
        ));
    };
    let name = key.replace(' ', "-");
    let parents = names(args.get("parents").cloned());
    let parents: Vec<String> = if parents.is_empty() {
        vec!["all".into()]
    } else {
        parents
            .iter()
            .map(|parent| parent.replace(' ', "-"))
            .collect()
    };
    let record = context.unit.world.hosts.record(context.unit.host.as_str());
    let mut result = ModuleResult {
        changed: record.is_none_or(|record| !record.group_names.contains(&name)),
        ..ModuleResult::default()
    };
    result
        .result
        .insert("add_group".into(), name.clone().into());
    result.result.insert("parent_groups".into(), json!(parents));
    context.unit.requests.push(Request::Group { name, parents });
    Ok(result)
}

/// Names that are a list, or text with commas.
fn names(value: Option<Value>) -> Vec<String> {
    let words: Vec<String> = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(py_str).collect(),
        Some(other) => py_str(&other).split(',').map(str::to_owned).collect(),
    };
    words
        .iter()
        .map(|word| word.trim().to_owned())
        .filter(|word| !word.is_empty())
        .collect()
}
