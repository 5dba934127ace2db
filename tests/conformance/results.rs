//! Compares the values of a result.

use serde_json::{Map, Value};

/// Modules whose messages are the user's own words.
const EXACT_MESSAGES: [&str; 3] = ["debug", "fail", "assert"];

/// How messages begin whose wording is the template engine's.
const TEMPLATING: [&str; 3] = ["Task failed:", "The task includes", "Finalization"];

/// Whether a value is there and is not false, 0 or empty.
pub(crate) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(set) => *set,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// What differs in `rc`, `stdout`, `attempts`, `failed_when_result`, messages, values of `debug` and `set_fact`, and items of loops.
pub(crate) fn value_differences(
    module: &str,
    expected: &Value,
    found: &Map<String, Value>,
) -> Vec<String> {
    if is_set(&expected["censored"]) {
        let is_censored = found.contains_key("censored") || found.is_empty();
        return if is_censored {
            vec![]
        } else {
            vec!["is not censored".into()]
        };
    }
    let mut out = Vec::new();
    let status = expected["status"].as_str().unwrap_or_default();
    let is_ok = ["ok", "changed"].contains(&status);
    for key in ["rc", "stdout", "attempts", "failed_when_result"] {
        match (expected.get(key), found.get(key)) {
            (Some(_), None) if status == "skipped" || key == "failed_when_result" => {}
            (Some(one), other) if Some(one) != other => out.push(differs(key, one, other)),
            _ => {}
        }
    }
    if let Some(message) = expected.get("msg")
        && EXACT_MESSAGES.contains(&module)
        && status != "skipped"
        && expected.get("results").is_none()
        && !TEMPLATING
            .iter()
            .any(|words| message.as_str().is_some_and(|it| it.starts_with(words)))
        && found.get("msg") != Some(message)
    {
        out.push(differs("msg", message, found.get("msg")));
    }
    if module == "debug" && is_ok {
        for (name, value) in expected["values"].as_object().into_iter().flatten() {
            let is_undefined = value
                .as_str()
                .is_some_and(|it| it.starts_with("VARIABLE IS NOT DEFINED"));
            if !is_undefined && found.get(name) != Some(value) {
                out.push(differs(name, value, found.get(name)));
            }
        }
    }
    if let Some(facts) = expected.get("ansible_facts")
        && module == "set_fact"
        && is_ok
        && found.get("ansible_facts") != Some(facts)
    {
        out.push(differs("ansible_facts", facts, found.get("ansible_facts")));
    }
    items(module, expected, found, &mut out);
    out
}

fn items(module: &str, expected: &Value, found: &Map<String, Value>, out: &mut Vec<String>) {
    let Some(expected) = expected["results"].as_array() else {
        return;
    };
    let none = Vec::new();
    let found = found
        .get("results")
        .and_then(Value::as_array)
        .unwrap_or(&none);
    if expected.len() != found.len() {
        out.push(format!(
            "items: expected {}, found {}",
            expected.len(),
            found.len()
        ));
    }
    for (at, (one, other)) in expected.iter().zip(found).enumerate() {
        let status = item_status(other);
        if one["status"] != status {
            out.push(format!(
                "item {at}: expected {}, found {status}",
                one["status"]
            ));
            continue;
        }
        let values = other.as_object().cloned().unwrap_or_default();
        let differing = value_differences(module, one, &values);
        out.extend(differing.into_iter().map(|it| format!("item {at}: {it}")));
    }
}

fn item_status(item: &Value) -> &'static str {
    ["skipped", "unreachable", "failed", "changed"]
        .into_iter()
        .find(|key| is_set(&item[*key]))
        .unwrap_or("ok")
}

fn differs(key: &str, expected: &Value, found: Option<&Value>) -> String {
    let found = found.map_or_else(|| "nothing".to_owned(), Value::to_string);
    format!("{key}: expected {expected}, found {found}")
}
