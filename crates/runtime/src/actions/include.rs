//! `include_tasks`, `include_role` and what is left of imports: bring in more tasks.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustle_module::{Default, Opt, Spec, Type, as_bool, py_str};
use rustle_template::Trust;
use rustle_types::{Object, TaskPlan};
use serde_json::{Value, json};

use super::ActionContext;
use crate::include::{Brought, Include, is_import};
use crate::outcome::MISSING;
use crate::program::{Surroundings, TaskNode};
use crate::requests::Request;
use crate::result::{TaskError, object};
use crate::tags::{TagRenderer, has_template_tags};
use crate::world::{Library, WantedRole};

const FILE: &[Opt] = &[
    Opt::new("file", Type::Str).aliases(&["_raw_params"]),
    Opt::new("apply", Type::Raw),
];

const ROLE: &[Opt] = &[
    Opt::new("name", Type::Str).required().aliases(&["role"]),
    Opt::new("tasks_from", Type::Str),
    Opt::new("vars_from", Type::Str),
    Opt::new("defaults_from", Type::Str),
    Opt::new("handlers_from", Type::Str),
    Opt::new("apply", Type::Raw),
    Opt::new("public", Type::Bool),
    Opt::new("allow_duplicates", Type::Bool).default(Default::Bool(true)),
    Opt::new("rolespec_validate", Type::Bool).default(Default::Bool(true)),
];

pub(crate) const INCLUDE_TASKS: Spec = Spec::new("include_tasks", FILE).free_form();
pub(crate) const IMPORT_TASKS: Spec = Spec::new("import_tasks", FILE).free_form();
pub(crate) const INCLUDE_ROLE: Spec = Spec::new("include_role", ROLE);
pub(crate) const IMPORT_ROLE: Spec = Spec::new("import_role", ROLE);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<Object, TaskError> {
    let node = context.unit.node;
    let module = node.call.short_name();
    let mut raw = context.raw_args();
    // What is applied is rendered by the tasks it is applied to.
    let mut apply = read_apply(raw.shift_remove("apply"))?;
    let rendered = context.cx.args(&raw)?;
    let (found, shown) = if module.ends_with("_role") {
        role(context, rendered)?
    } else {
        file(context, rendered)?
    };
    match found {
        Ok((name, mut what)) => {
            render_tags(context, &mut apply, &mut what)?;
            let include = Include {
                name,
                item: context.item.clone(),
                apply,
                what,
                is_import: is_import(module),
            };
            context
                .unit
                .requests
                .push(Request::Include(Box::new(include)));
            Ok(shown)
        }
        Err(reason) => {
            let mut failed = shown;
            failed.insert("failed".into(), true.into());
            failed.insert("reason".into(), reason.clone().into());
            failed.insert("msg".into(), reason.into());
            failed.insert(MISSING.into(), true.into());
            Ok(failed)
        }
    }
}

/// Renders the tags that are templates: with the variables of the play and of the task that includes, and no host's.
fn render_tags(
    context: &ActionContext<'_>,
    apply: &mut TaskPlan,
    what: &mut Brought,
) -> Result<(), TaskError> {
    let brings_templates = match &*what {
        Brought::File { tasks, .. } => tasks.iter().any(has_template_tags),
        Brought::Role(role) => role.has_template_tags(),
    };
    if !brings_templates && !has_template_tags(apply) {
        return Ok(());
    }
    let unit = context.unit;
    let scope = unit.play.scope_without_host(unit.world, Some(unit.node));
    let item = Arc::new(context.item.clone());
    let scope = scope.extend().push_layer(item, Trust::Untrusted).build();
    let tags = TagRenderer {
        engine: &unit.world.engine,
        scope: &scope,
    };
    let mut render = || {
        tags.tasks(std::slice::from_mut(apply))?;
        match what {
            Brought::File { tasks, .. } => tags.tasks(Arc::make_mut(tasks)),
            Brought::Role(role) => Arc::make_mut(role).render_tags(&tags),
        }
    };
    render().map_err(TaskError::new)
}

/// What was found, or why not; and the result that tells of it.
type Found = (Result<(String, Brought), String>, Object);

fn file(context: &ActionContext<'_>, args: Object) -> Result<Found, TaskError> {
    let spec = &INCLUDE_TASKS;
    let args = context.check(spec, args)?.args;
    let target = match args.get("file") {
        Some(Value::String(file)) if !file.trim().is_empty() => file.trim().to_owned(),
        _ => return Err(TaskError::new("names no file to include")),
    };
    let world = context.unit.world;
    let shown = object(json!({"changed": false, "include": target, "include_args": {}}));
    let found = tasks_of(&*world.library, context.unit.node, &target);
    let found = found.map(|(name, tasks)| {
        let path = target;
        (name, Brought::File { path, tasks })
    });
    Ok((found, shown))
}

/// The tasks of a file: beside the files around it, then in the role, then where the plan is.
fn tasks_of(
    library: &dyn Library,
    node: &TaskNode,
    target: &str,
) -> Result<(String, Arc<[TaskPlan]>), String> {
    let candidates = candidates(node.role.as_ref(), node.around.as_deref(), target);
    for candidate in &candidates {
        if let Some(tasks) = library.tasks(candidate)? {
            return Ok((candidate.display().to_string(), tasks));
        }
    }
    let looked: Vec<String> = candidates
        .iter()
        .map(|path| format!("`{}`", path.display()))
        .collect();
    Err(format!(
        "the task file `{target}` was not found; looked for {}",
        looked.join(", ")
    ))
}

/// The paths that a file of tasks may have, the first that is there counts.
pub(crate) fn candidates(
    role: Option<&(String, Option<String>)>,
    around: Option<&Surroundings>,
    target: &str,
) -> Vec<PathBuf> {
    let target = Path::new(target);
    if target.is_absolute() {
        return vec![target.to_owned()];
    }
    let folders = || {
        around
            .into_iter()
            .flat_map(|around| around.folders.iter().rev())
    };
    let mut found = Vec::new();
    if let Some((name, path)) = role {
        let role = path
            .as_ref()
            .map_or_else(|| Path::new("roles").join(name), PathBuf::from);
        let kind = match around {
            Some(around) if around.is_handler => "handlers",
            _ => "tasks",
        };
        found.extend(folders().map(|folder| role.join(kind).join(folder).join(target)));
        found.push(role.join(kind).join(target));
        found.push(role.join(target));
    }
    found.extend(folders().map(|folder| Path::new(folder).join(target)));
    found.push(target.to_owned());
    found.push(Path::new("tasks").join(target));
    found
}

fn role(context: &ActionContext<'_>, args: Object) -> Result<Found, TaskError> {
    let args = context.check(&INCLUDE_ROLE, args)?.args;
    let text = |name: &str| {
        args.get(name)
            .filter(|value| !value.is_null())
            .map(py_str)
            .filter(|value| !value.is_empty())
    };
    let is_on = |name: &str| args.get(name).and_then(as_bool);
    let Some(name) = text("name") else {
        return Err(TaskError::new("names no role to include"));
    };
    let wanted = WantedRole {
        tasks_from: text("tasks_from"),
        vars_from: text("vars_from"),
        defaults_from: text("defaults_from"),
        handlers_from: text("handlers_from"),
        is_public: is_on("public")
            .unwrap_or_else(|| is_import(context.unit.node.call.short_name())),
        allows_duplicates: is_on("allow_duplicates").unwrap_or(true),
        is_checked: is_on("rolespec_validate").unwrap_or(true),
        name: name.clone(),
    };
    let shown: Object = args
        .iter()
        .filter(|(_, value)| !value.is_null())
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let shown = object(json!({"changed": false, "include_args": shown, "include_role": name}));
    let found = match context.unit.world.library.role(&wanted) {
        Ok(Some(role)) => Ok((label(&wanted), Brought::Role(role))),
        Ok(None) => Err(format!("the role `{name}` was not found")),
        Err(reason) => Err(reason),
    };
    Ok((found, shown))
}

/// The role as it is shown, with the files that are not its usual ones.
fn label(wanted: &WantedRole) -> String {
    let from = [
        ("tasks", &wanted.tasks_from),
        ("vars", &wanted.vars_from),
        ("defaults", &wanted.defaults_from),
        ("handlers", &wanted.handlers_from),
    ];
    let mut label = wanted.name.clone();
    for (what, file) in from {
        if let Some(file) = file {
            label = format!("{label} {what}={file}");
        }
    }
    label
}

/// The keywords of `apply`, as a block that has no tasks.
fn read_apply(apply: Option<Value>) -> Result<TaskPlan, TaskError> {
    let mut fields = match apply {
        None | Some(Value::Null) => return Ok(TaskPlan::default()),
        Some(Value::Object(fields)) => fields,
        Some(other) => {
            return Err(TaskError::new(format!(
                "`apply` has to be a mapping of keywords, found {other}"
            )));
        }
    };
    fields.insert("block".into(), Value::Array(Vec::new()));
    serde_json::from_value(Value::Object(fields))
        .map_err(|error| TaskError::new(format!("`apply`: {error}")))
}
