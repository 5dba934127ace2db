//! Masks secrets by value, wherever they turn up.

use serde_json::Value;

const MASK: &str = "********";

/// What stands for a value that is a secret as a whole.
const WHOLE: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// Replaces every occurrence of a secret in the strings of `value`, keys included, by stars, and values that are one by a word that says so.
pub fn redact(value: &mut Value, secrets: &[String]) {
    if secrets.iter().all(String::is_empty) {
        return;
    }
    match value {
        Value::String(text) if secrets.contains(text) && !text.is_empty() => {
            *text = WHOLE.into();
        }
        Value::String(text) => redact_text(text, secrets),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, secrets)),
        Value::Object(fields) => {
            if fields.keys().any(|key| contains_secret(key, secrets)) {
                *fields = std::mem::take(fields)
                    .into_iter()
                    .map(|(mut key, field)| {
                        redact_text(&mut key, secrets);
                        (key, field)
                    })
                    .collect();
            }
            fields.values_mut().for_each(|field| redact(field, secrets));
        }
        Value::Number(number) => {
            let text = number.to_string();
            if secrets.contains(&text) {
                *value = Value::String(WHOLE.into());
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

fn contains_secret(text: &str, secrets: &[String]) -> bool {
    secrets
        .iter()
        .any(|secret| !secret.is_empty() && text.contains(secret.as_str()))
}

fn redact_text(text: &mut String, secrets: &[String]) {
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        if text.contains(secret.as_str()) {
            *text = text.replace(secret.as_str(), MASK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_masked_inside_texts_keys_and_numbers() {
        let mut value =
            json!({"url": "http://u:hunter2@x", "hunter2": ["hunter2", 1234, 12345], "n": null});
        redact(
            &mut value,
            &["hunter2".into(), String::new(), "1234".into()],
        );
        let expected =
            json!({"url": "http://u:********@x", "********": [WHOLE, WHOLE, 12345], "n": null});
        assert_eq!(value, expected);
    }
}
