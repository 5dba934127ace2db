//! `validate_argument_spec`: checks variables by a specification that the plan holds, as module arguments are checked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rustle_module::{Default as Usual, Opt, Spec, Type, as_bool, check_all_args, py_str};
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
            let told: Vec<String> = errors.iter().map(ToString::to_string).collect();
            let msg = format!("Validation of arguments failed:\n{}", told.join("\n"));
            let mut failed = ModuleResult::failure(msg);
            failed.result.insert("argument_errors".into(), json!(told));
            failed
                .result
                .insert("argument_spec_data".into(), Value::Object(options));
            failed
        }
    };
    let about = Value::Object(mapping("validate_args_context"));
    result.result.insert("validate_args_context".into(), about);
    Ok(result)
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
        let texts = |key: &str| -> &'static [&'static str] {
            let items = about.get(key).and_then(Value::as_array);
            kept(
                items
                    .into_iter()
                    .flatten()
                    .map(|item| text_kept(&py_str(item)))
                    .collect(),
            )
        };
        let mut option = Opt::new(text_kept(name), kind)
            .choices(texts("choices"))
            .aliases(texts("aliases"));
        if about.get("required").and_then(as_bool).unwrap_or(false) {
            option = option.required();
        }
        if let Some(Value::Object(inner)) = about.get("options") {
            option = option.suboptions(opts(inner));
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

fn kind_of(name: &str) -> Type {
    match name {
        "bool" => Type::Bool,
        "int" | "bits" | "bytes" => Type::Int,
        "float" => Type::Float,
        "path" => Type::Path,
        "dict" => Type::Dict,
        "list" => Type::List(&Type::Raw),
        "raw" | "json" | "jsonarg" => Type::Raw,
        _ => Type::Str,
    }
}

fn kept<T>(items: Vec<T>) -> &'static [T] {
    Box::leak(items.into_boxed_slice())
}

fn text_kept(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}
