//! Tasks as a playbook has them, brought to `module` and `args`, or to a block.

use serde_json::Value;

use super::task::short_module_name;
use super::{BlockPlan, ModuleCall, TaskBody, TaskPlan, free_form};
use crate::Object;
use crate::read::{Read, ReadFields, Reader, Step, closest, is_template};

/// Keywords of Ansible that are not read here, and so are never taken for a module.
const OTHER_KEYWORDS: [&str; 3] = ["collections", "debugger", "listen"];

/// Rewrites `{"copy": {…}}`, `{"action": …}` and `{"local_action": …}` as `{"module": "copy", "args": {…}}`.
pub(super) fn normalise(object: &mut Object, at: &mut Reader) {
    let has = |key: &str| object.get(key).is_some_and(|value| !value.is_null());
    if ["module", "block", "rescue", "always"]
        .iter()
        .any(|key| has(key))
    {
        return;
    }
    let Some((key, value)) = take_action(object, at) else {
        return;
    };
    let (module, given) = match key.as_str() {
        "action" | "local_action" => {
            at.within(Step::Key(key.clone()), |at| split_action(value, at))
        }
        _ => (key.clone(), value),
    };
    if key == "local_action" {
        object
            .entry("delegate_to")
            .or_insert_with(|| Value::from("localhost"));
    }
    let mut args = args_of(&module, given);
    for (name, value) in object
        .shift_remove("args")
        .map(|more| args_of(&module, more))
        .unwrap_or_default()
    {
        args.entry(name).or_insert(value);
    }
    object.insert("module".into(), Value::String(module));
    object.insert("args".into(), Value::Object(args));
}

/// Takes the one field that names a module, if there is one.
fn take_action(object: &mut Object, at: &mut Reader) -> Option<(String, Value)> {
    for key in ["action", "local_action"] {
        if let Some(value) = object.shift_remove(key).filter(|value| !value.is_null()) {
            return Some((key.to_owned(), value));
        }
    }
    let mut known = vec!["handler_id", "listen"];
    TaskPlan::field_names(&mut known);
    let is_known = |key: &str| {
        known.contains(&key) || OTHER_KEYWORDS.contains(&key) || key.starts_with("with_")
    };
    let candidates: Vec<&String> = object.keys().filter(|key| !is_known(key)).collect();
    let is_typo = |key: &str| closest(key, known.iter().copied()).is_some();
    let likely: Vec<&String> = candidates
        .iter()
        .copied()
        .filter(|key| !is_typo(key))
        .collect();
    let chosen = match (likely.as_slice(), candidates.as_slice()) {
        ([one], _) | ([], [one]) if !is_near_body(one) => (*one).clone(),
        ([first, second, ..], _) => {
            at.problem(format!("names two modules, `{first}` and `{second}`"))
                .hint = Some("a task has one module; a misspelt keyword is taken for one".into());
            let modules: Vec<String> = likely.into_iter().cloned().collect();
            object.retain(|key, _| key == &modules[0] || !modules.contains(key));
            modules.into_iter().next()?
        }
        _ => return None,
    };
    let value = object.shift_remove(&chosen)?;
    Some((chosen, value))
}

/// Whether a word is a slip of `module`, `action` or `block` rather than a module of its own.
fn is_near_body(word: &str) -> bool {
    ["module", "action", "block"]
        .iter()
        .any(|body| strsim::damerau_levenshtein(word, body) <= 1)
}

/// The module and the arguments of `action: copy src=a` or `action: {module: copy, src: a}`.
fn split_action(value: Value, at: &mut Reader) -> (String, Value) {
    match value {
        Value::String(text) => {
            let text = text.trim();
            // A name that is a template ends with its braces.
            let end = match text.starts_with("{{").then(|| text.find("}}")).flatten() {
                Some(braces) => braces + 2,
                None => text.find(char::is_whitespace).unwrap_or(text.len()),
            };
            let (module, rest) = text.split_at(end);
            let rest = rest.trim();
            let given = if rest.is_empty() {
                Value::Null
            } else {
                Value::from(rest)
            };
            (module.to_owned(), given)
        }
        Value::Object(mut args) => match args.shift_remove("module") {
            Some(Value::String(text)) => {
                let (module, more) = split_action(Value::String(text), at);
                let more = args_of(&module, more);
                args.extend(more);
                (module, Value::Object(args))
            }
            _ => {
                at.problem("names no module");
                (String::new(), Value::Object(args))
            }
        },
        other => {
            at.expected("a module and its arguments", &other);
            (String::new(), Value::Null)
        }
    }
}

/// Arguments in any of the ways in which they are written.
fn args_of(module: &str, given: Value) -> Object {
    let mut args = match given {
        Value::Object(args) => args,
        Value::Null => Object::new(),
        other => Object::from_iter([("_raw_params".to_owned(), other)]),
    };
    match args.get("_raw_params") {
        Some(Value::Null) => {
            args.shift_remove("_raw_params");
        }
        Some(Value::String(text)) if text.contains('=') && !is_template(module) => {
            if let Some(Value::String(text)) = args.shift_remove("_raw_params") {
                for (name, value) in free_form::split(module, text) {
                    args.entry(name).or_insert(value);
                }
            }
        }
        _ => {}
    }
    args
}

/// Takes what a task does out of its object.
pub(super) fn take_body(object: &mut Object, at: &mut Reader) -> TaskBody {
    let module: Option<String> = at.field(object, &["module"]);
    let args = object.shift_remove("args").unwrap_or_default();
    let block: Option<Vec<TaskPlan>> = at.field(object, &["block"]);
    let rescue: Vec<TaskPlan> = at.field(object, &["rescue"]);
    let always: Vec<TaskPlan> = at.field(object, &["always"]);
    let has_block = block.is_some() || !rescue.is_empty() || !always.is_empty();
    let mut body = BlockPlan {
        block: block.unwrap_or_default(),
        rescue,
        always,
    };
    match module {
        Some(module) if short_module_name(&module) == "block" => {
            at.within(Step::Field("args"), |at| {
                add_block_args(&mut body, args, at)
            });
            TaskBody::Block(body)
        }
        Some(module) if has_block => {
            at.problem(format!("has a module, `{module}`, and a block"))
                .hint = Some("put the module's task into the block".into());
            TaskBody::Block(body)
        }
        None if has_block => TaskBody::Block(body),
        Some(module) if !module.trim().is_empty() => TaskBody::Module(ModuleCall {
            args: args_of(&module, args),
            module,
        }),
        _ => {
            at.problem("names no module and no block").hint = Some(
                "a task has `module` and `args`, or `block`, or is written as in a playbook".into(),
            );
            TaskBody::default()
        }
    }
}

/// Adds the tasks that `rustle-plan` puts into a block's arguments.
fn add_block_args(body: &mut BlockPlan, args: Value, at: &mut Reader) {
    let mut args = match args {
        Value::Null => return,
        list @ Value::Array(_) => Object::from_iter([("_raw_params".to_owned(), list)]),
        Value::Object(args) => args,
        other => {
            at.expected("the tasks of the block", &other);
            return;
        }
    };
    for key in ["_raw_params", "block", "rescue", "always"] {
        let Some(tasks) = args.shift_remove(key).filter(|tasks| !tasks.is_null()) else {
            continue;
        };
        let tasks: Vec<TaskPlan> = at
            .within(Step::Field(key), |at| Read::read(tasks, at))
            .unwrap_or_default();
        match key {
            "rescue" => body.rescue.extend(tasks),
            "always" => body.always.extend(tasks),
            _ => body.block.extend(tasks),
        }
    }
    at.unknown_fields(args.keys());
}
