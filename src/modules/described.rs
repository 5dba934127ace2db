//! One module as data: what its specification, or its documentation, says.

use std::path::Path;

use rustle_module::{CheckSupport, Constraint, Default, Opt, Spec, Type};
use rustle_types::closest;
use serde_json::{Map, Value, json};

use crate::errors::CliError;
use crate::wiring::{self, Finder, FoundModule, ModuleFinder as _, NoModule, documentation};

/// The page that has a row for every module; what it says a module does is said here too.
const PAGE: &str = include_str!("../../docs/MODULES.md");

/// What a native module does, in a few words.
pub(super) fn summary(name: &str) -> Option<String> {
    let named = format!("`{name}`");
    PAGE.lines().find_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let names = cells.next()?;
        let is_it = names.split(", ").any(|found| found == named);
        let what = cells.next().filter(|_| is_it)?;
        Some(what.trim_end_matches(['|', ' ']).replace('`', ""))
    })
}

/// All that is known of a module.
///
/// # Errors
/// When there is none of that name, or it cannot be run.
pub(super) fn module(name: &str, finder: &Finder) -> Result<Value, CliError> {
    let short = rustle_module::short_name(name);
    let action = |name: &str| wiring::native_specs().find(|(spec, _)| spec.name == name);
    if let Some((spec, kind @ "controller")) = action(short) {
        return Ok(native(spec, kind));
    }
    match finder.find(name, None) {
        Ok(FoundModule::Native(native_name)) => match action(&native_name) {
            Some((spec, kind)) => Ok(native(spec, kind)),
            None => Err(CliError::UnknownModule {
                name: name.to_owned(),
                hint: None,
            }),
        },
        Ok(FoundModule::Foreign(found)) => Ok(foreign(&found.name, &found.path)),
        Err(NoModule::Unknown { looked, .. }) => {
            let near = closest(short, wiring::native_specs().map(|(spec, _)| spec.name));
            let hint = near.map_or_else(
                || format!("looked for it in {}", looked.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err(CliError::UnknownModule {
                name: name.to_owned(),
                hint: Some(hint),
            })
        }
        Err(NoModule::Refused { why, .. }) => Err(CliError::UnknownModule {
            name: name.to_owned(),
            hint: Some(why),
        }),
    }
}

fn native(spec: &Spec, kind: &str) -> Value {
    let check_mode = match spec.check_mode {
        CheckSupport::Full => "full",
        CheckSupport::None | CheckSupport::NoneOfAction => "none",
    };
    let constraints: Vec<String> = spec.constraints.iter().map(constraint).collect();
    json!({
        "name": spec.qualified_name(),
        "from": kind,
        "summary": summary(spec.name),
        "check_mode": check_mode,
        "free_form": spec.free_form,
        "any_option": spec.any_option,
        "options": options(spec.all_options()),
        "constraints": constraints,
        "example": {"module": spec.name, "args": example(spec)},
    })
}

/// A module with documentation of its own.
fn foreign(name: &str, path: &Path) -> Value {
    let found = documentation(path);
    let about = found.get("documentation").unwrap_or(&Value::Null);
    let mut described = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("from".to_owned(), json!("path")),
        ("path".to_owned(), json!(path.display().to_string())),
    ]);
    if name.contains('.') {
        described.insert("from".into(), json!("ansible"));
    }
    for (field, value) in [
        ("summary", about.get("short_description")),
        ("options", about.get("options")),
        ("example", found.get("examples")),
        ("returns", found.get("returns")),
    ] {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            described.insert(field.into(), value.clone());
        }
    }
    Value::Object(described)
}

fn options<'s>(options_of: impl Iterator<Item = &'s Opt>) -> Value {
    let shown = options_of.filter(|option| !option.internal && !option.name.starts_with('_'));
    shown
        .map(|option| (option.name.to_owned(), described(option)))
        .collect()
}

fn described(option: &Opt) -> Value {
    let (kind, elements) = match option.kind {
        Type::List(of) => ("list", Some(type_name(*of))),
        kind => (type_name(kind), None),
    };
    let mut about = Map::from_iter([("type".to_owned(), json!(kind))]);
    let mut add = |name: &str, value: Value| _ = about.insert(name.to_owned(), value);
    if let Some(elements) = elements {
        add("elements", json!(elements));
    }
    if option.required {
        add("required", json!(true));
    }
    let default = default_of(&option.default);
    if !default.is_null() {
        add("default", default);
    }
    if !option.choices.is_empty() {
        add("choices", json!(option.choices));
    }
    if !option.aliases.is_empty() {
        add("aliases", json!(option.aliases));
    }
    if option.no_log {
        add("no_log", json!(true));
    }
    if !option.suboptions.is_empty() {
        add("suboptions", options(option.suboptions.iter()));
    }
    Value::Object(about)
}

fn type_name(kind: Type) -> &'static str {
    match kind {
        Type::Str => "str",
        Type::Bool => "bool",
        Type::Int => "int",
        Type::Float => "float",
        Type::Path => "path",
        Type::Raw => "raw",
        Type::Dict => "dict",
        Type::List(_) => "list",
    }
}

fn default_of(default: &Default) -> Value {
    match default {
        Default::None => Value::Null,
        Default::Bool(value) => json!(value),
        Default::Int(value) => json!(value),
        Default::Float(value) => json!(value),
        Default::Str(value) => json!(value),
        Default::List(value) => json!(value),
        Default::Ints(value) => json!(value),
        Default::Dict => json!({}),
    }
}

fn constraint(constraint: &Constraint) -> String {
    match constraint {
        Constraint::MutuallyExclusive(names) => format!("only one of {}", names.join(", ")),
        Constraint::RequiredTogether(names) => format!("all or none of {}", names.join(", ")),
        Constraint::RequiredOneOf(names) => format!("one of {}", names.join(", ")),
        Constraint::RequiredIf {
            option,
            value,
            required,
            any,
        } => {
            let how = if *any { "one of" } else { "all of" };
            format!("{how} {} where {option} is {value}", required.join(", "))
        }
        Constraint::RequiredBy { option, required } => {
            format!("{} where {option} is given", required.join(", "))
        }
    }
}

/// The least that the specification asks for.
fn example(spec: &Spec) -> Value {
    let mut args = Map::new();
    let mut add = |option: &Opt| {
        let value = match option.choices.first() {
            Some(first) => json!(first),
            None => match option.kind {
                Type::Bool => json!(true),
                Type::Int | Type::Float => json!(1),
                Type::Path => json!("/path"),
                Type::Dict => json!({"key": "value"}),
                Type::List(_) => json!(["…"]),
                Type::Str | Type::Raw => json!("…"),
            },
        };
        args.insert(option.name.to_owned(), value);
    };
    spec.all_options()
        .filter(|option| option.required)
        .for_each(&mut add);
    for constraint in spec.constraints {
        if let Constraint::RequiredOneOf([first, ..]) = constraint
            && let Some(option) = spec.option(first)
        {
            add(option);
        }
    }
    Value::Object(args)
}
