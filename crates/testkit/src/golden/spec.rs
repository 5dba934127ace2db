//! Specifications against Ansible's own, which `fixtures/modules/args.json` has.

use rustle_module::{CheckSupport, Constraint, Default, Opt, Spec, Type};
use serde_json::{Map, Value, json};

/// Compares a specification with Ansible's data of all modules.
///
/// # Panics
/// Where they differ, with what differs.
pub fn check_spec(spec: &Spec, all: &Value) {
    let name = spec.qualified_name();
    let data = &all[&name];
    assert!(data.is_object(), "no data of {name}");
    let ours: Vec<&Opt> = spec
        .all_options()
        .filter(|option| !option.internal)
        .collect();
    check_options(&name, &ours, &data["options"]);
    for rule in [
        "mutually_exclusive",
        "required_together",
        "required_one_of",
        "required_if",
    ] {
        let found: Value = spec
            .constraints
            .iter()
            .filter_map(|constraint| described_rule(constraint, rule))
            .collect();
        assert_eq!(found, data[rule], "{rule} of {name}");
    }
    let required_by: Map<String, Value> = spec
        .constraints
        .iter()
        .filter_map(|constraint| match constraint {
            Constraint::RequiredBy { option, required } => {
                Some(((*option).to_owned(), json!(required)))
            }
            _ => None,
        })
        .collect();
    let theirs = data["required_by"].as_object().cloned();
    assert_eq!(
        required_by,
        theirs.unwrap_or_default(),
        "required_by of {name}"
    );
    if let Some(supports) = data["supports_check_mode"].as_str() {
        let supports_not = spec.check_mode != CheckSupport::Full;
        assert_eq!(supports_not, supports == "none", "check mode of {name}");
    }
}

fn check_options(of: &str, ours: &[&Opt], theirs: &Value) {
    let theirs = theirs.as_object().expect("options");
    for option in ours {
        let expected = theirs.get(option.name).map(complete);
        assert_eq!(Some(described(option)), expected, "{of}.{}", option.name);
        if !option.suboptions.is_empty() {
            let below: Vec<&Opt> = option.suboptions.iter().collect();
            let of = format!("{of}.{}", option.name);
            check_options(&of, &below, &theirs[option.name]["suboptions"]);
        }
    }
    assert_eq!(ours.len(), theirs.len(), "options of {of}");
}

fn kind(kind: Type) -> &'static str {
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

fn default(default: Default) -> Value {
    match default {
        Default::None => Value::Null,
        Default::Bool(value) => value.into(),
        Default::Int(value) => value.into(),
        Default::Float(value) => value.into(),
        Default::Str(value) => value.into(),
        Default::List(items) => items.into(),
        Default::Ints(items) => items.into(),
        Default::Dict => json!({}),
    }
}

fn sorted(mut names: Vec<&str>) -> Value {
    names.sort_unstable();
    names.into()
}

/// An option in the form of Ansible's data.
fn described(option: &Opt) -> Value {
    let elements = match option.kind {
        Type::List(element) => kind(*element).into(),
        _ => Value::Null,
    };
    json!({
        "type": kind(option.kind),
        "elements": elements,
        "default": default(option.default),
        "choices": sorted(option.choices.to_vec()),
        "aliases": sorted(option.aliases.to_vec()),
        "required": option.required,
        "no_log": option.no_log,
    })
}

/// Ansible's data of an option with everything that may be left out.
fn complete(option: &Value) -> Value {
    let names = |key: &str| {
        let names = option[key].as_array().into_iter().flatten();
        sorted(names.filter_map(Value::as_str).collect())
    };
    json!({
        "type": option["type"],
        "elements": option["elements"],
        "default": option["default"],
        "choices": names("choices"),
        "aliases": names("aliases"),
        "required": option["required"] == true,
        "no_log": option["no_log"] == true,
    })
}

/// A constraint as the rule of this name has it in Ansible's data.
fn described_rule(constraint: &Constraint, rule: &str) -> Option<Value> {
    match (constraint, rule) {
        (Constraint::MutuallyExclusive(names), "mutually_exclusive")
        | (Constraint::RequiredTogether(names), "required_together")
        | (Constraint::RequiredOneOf(names), "required_one_of") => Some(json!(names)),
        (
            Constraint::RequiredIf {
                option,
                value,
                required,
                any,
            },
            "required_if",
        ) => {
            let value = match *value {
                "True" => true.into(),
                "False" => false.into(),
                text => Value::from(text),
            };
            let mut described = vec![json!(option), value, json!(required)];
            if *any {
                described.push(true.into());
            }
            Some(described.into())
        }
        _ => None,
    }
}
