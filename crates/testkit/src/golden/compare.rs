//! Compares what was recorded with what came out.

use serde_json::Value;

use super::normal::VOLATILE;

/// How much of a value a message shows.
const SHOWN: usize = 300;

/// All differences below `path`; what is masked on either side is equal to anything.
pub(super) fn differences(
    recorded: Option<&Value>,
    found: Option<&Value>,
    path: &str,
) -> Vec<String> {
    let mut out = Vec::new();
    compare(recorded, found, path, &mut out);
    out
}

fn compare(recorded: Option<&Value>, found: Option<&Value>, path: &str, out: &mut Vec<String>) {
    let is_masked = |value: Option<&Value>| value.and_then(Value::as_str) == Some(VOLATILE);
    match (recorded, found) {
        // What only Ansible's own process adds.
        _ if path == "result/exception" || path == "result/deprecations" => {}
        _ if is_masked(recorded) || is_masked(found) => {}
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let new = other.keys().filter(|key| !one.contains_key(*key));
            for key in one.keys().chain(new) {
                compare(one.get(key), other.get(key), &format!("{path}/{key}"), out);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                compare(Some(one), Some(other), &format!("{path}/{at}"), out);
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            let shown = |value: Option<&Value>| match value {
                None => "nothing".to_owned(),
                Some(value) => value.to_string().chars().take(SHOWN).collect(),
            };
            out.push(format!(
                "{path}: recorded {}, found {}",
                shown(one),
                shown(other)
            ));
        }
    }
}
