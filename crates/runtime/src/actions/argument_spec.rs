//! `validate_argument_spec`: checks variables by a specification that the plan holds, as module arguments are checked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rustle_module::{
    ArgError, Constraint, Default as Usual, Opt, Spec, Type, as_bool, check_all_args, py_str,
};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::{ActionContext, Literal};
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "validate_argument_spec",
    &[
        Opt::new("argument_spec", Type::Dict).required(),
        Opt::new("provided_arguments", Type::Dict),
        Opt::new("validate_args_context", Type::Dict),
    ],
);

/// Specifications that were made of plans. They are kept to the end, as those of modules are: a plan has few.
static MADE: Mutex<Option<HashMap<String, &'static Spec>>> = Mutex::new(None);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    let mapping = |name: &str| match args.get(name) {
        Some(Value::Object(mapping)) => mapping.clone(),
        _ => Object::new(),
    };
    let options = mapping("argument_spec");
    if let Some((name, _)) = options.iter().find(|(_, about)| !about.is_object()) {
        return Err(TaskError::new(format!(
            "`argument_spec`: the option `{name}` has to be a mapping"
        )));
    }
    let mut values = Object::new();
    for name in options.keys() {
        if context.cx.scope.contains(name) {
            let value = context.cx.engine.evaluate(name, context.cx.scope);
            let value = value.map_err(|error| TaskError::template(name, &error))?;
            values.insert(name.clone(), value);
        }
    }
    values.extend(mapping("provided_arguments"));
    let spec = spec_of(&options);
    let mut result = match check_all_args(spec, values, &Literal) {
        Ok(_) => ModuleResult {
            msg: Some("The arg spec validation passed".into()),
            ..ModuleResult::default()
        },
        Err(errors) => {
            let told: Vec<String> = errors.iter().map(told).collect();
            let msg = format!("Validation of arguments failed:\n{}", told.join("\n"));
            let mut failed = ModuleResult::failure(msg);
            failed.result.insert("argument_errors".into(), json!(told));
            failed
                .result
                .insert("argument_spec_data".into(), Value::Object(options));
            failed
        }
    };
    let mut about = mapping("validate_args_context");
    if let Some(Value::String(path)) = about.get_mut("path") {
        let base_dir = &context.unit.world.settings.base_dir;
        *path = base_dir.join(path.as_str()).display().to_string();
    }
    let about = Value::Object(about);
    result.result.insert("validate_args_context".into(), about);
    Ok(result)
}

/// A mistake as it is told here: there is no module that has the options.
fn told(error: &ArgError) -> String {
    match error {
        ArgError::Unknown {
            names, supported, ..
        } => format!("{names}. Supported parameters include: {supported}."),
        other => other.to_string(),
    }
}

fn spec_of(options: &Object) -> &'static Spec {
    let key = Value::Object(options.clone()).to_string();
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    made.get_or_insert_default().entry(key).or_insert_with(|| {
        let spec = Spec::new("role", opts(options));
        kept(vec![spec]).first().unwrap_or(&SPEC)
    })
}

fn opts(options: &Object) -> &'static [Opt] {
    let made = options.iter().map(|(name, about)| {
        let text = |key: &str| about.get(key).map(py_str);
        let kind = match text("type").as_deref() {
            Some("list") => {
                let element = kind_of(text("elements").as_deref().unwrap_or("raw"));
                Type::List(kept(vec![element]).first().unwrap_or(&Type::Raw))
            }
            Some(kind) => kind_of(kind),
            None => Type::Str,
        };
        let texts = |key: &str| texts_kept(about.get(key));
        let mut option = Opt::new(text_kept(name), kind)
            .choices(texts("choices"))
            .aliases(texts("aliases"));
        if about.get("required").and_then(as_bool).unwrap_or(false) {
            option = option.required();
        }
        if let Some(Value::Object(inner)) = about.get("options") {
            option = option
                .suboptions(opts(inner))
                .constraints(constraints(about));
        }
        match about.get("default") {
            Some(Value::Bool(value)) => option.default(Usual::Bool(*value)),
            Some(Value::String(value)) => option.default(Usual::Str(text_kept(value))),
            Some(Value::Number(value)) => match value.as_i64() {
                Some(value) => option.default(Usual::Int(value)),
                None => option,
            },
            _ => option,
        }
    });
    kept(made.collect())
}

/// Makes a rule of the options that it is about.
type GroupRule = fn(&'static [&'static str]) -> Constraint;

/// The rules over the options inside of an option.
fn constraints(about: &Value) -> &'static [Constraint] {
    let lists = |key: &str| {
        about
            .get(key)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let mut found = Vec::new();
    let groups: [(&str, GroupRule); 3] = [
        ("mutually_exclusive", Constraint::MutuallyExclusive),
        ("required_together", Constraint::RequiredTogether),
        ("required_one_of", Constraint::RequiredOneOf),
    ];
    for (key, rule) in groups {
        let flat = lists(key).all(Value::is_string);
        if flat && about.get(key).is_some() {
            found.push(rule(texts_kept(about.get(key))));
        } else {
            found.extend(lists(key).map(|names| rule(texts_kept(Some(names)))));
        }
    }
    for rule in lists("required_if") {
        if let Some([option, value, required, rest @ ..]) = rule.as_array().map(Vec::as_slice) {
            found.push(Constraint::RequiredIf {
                option: text_kept(&py_str(option)),
                value: text_kept(&py_str(value)),
                required: texts_kept(Some(required)),
                any: rest.first().and_then(as_bool).unwrap_or(false),
            });
        }
    }
    if let Some(Value::Object(rules)) = about.get("required_by") {
        found.extend(
            rules
                .iter()
                .map(|(option, required)| Constraint::RequiredBy {
                    option: text_kept(option),
                    required: texts_kept(Some(required)),
                }),
        );
    }
    kept(found)
}

fn kind_of(name: &str) -> Type {
    match name {
        "bool" => Type::Bool,
        "int" => Type::Int,
        "float" => Type::Float,
        "path" => Type::Path,
        "dict" => Type::Dict,
        "list" => Type::List(&Type::Raw),
        "raw" | "json" | "jsonarg" | "bits" | "bytes" => Type::Raw,
        _ => Type::Str,
    }
}

fn kept<T>(items: Vec<T>) -> &'static [T] {
    Box::leak(items.into_boxed_slice())
}

/// The texts of a list; a text alone is one.
fn texts_kept(value: Option<&Value>) -> &'static [&'static str] {
    let texts = match value {
        Some(Value::Array(items)) => items.iter().map(|item| text_kept(&py_str(item))).collect(),
        Some(Value::Null) | None => Vec::new(),
        Some(single) => vec![text_kept(&py_str(single))],
    };
    kept(texts)
}

fn text_kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
