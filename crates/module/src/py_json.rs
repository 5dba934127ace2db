//! JSON as Python writes it.

use std::fmt::Write as _;

use serde_json::Value;

/// JSON with blanks after `,` and `:`, and escapes for what is not ASCII.
#[must_use]
pub fn py_json(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(py_json).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| {
                format!(
                    "{}: {}",
                    py_json(&Value::String(key.clone())),
                    py_json(value)
                )
            });
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        plain => ascii(&plain.to_string()),
    }
}

fn ascii(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() {
            escaped.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "\\u{unit:04x}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn json_has_the_blanks_and_escapes_of_python() {
        let value = json!({"a": [1, null, true], "é": "\"😀"});
        assert_eq!(
            py_json(&value),
            r#"{"a": [1, null, true], "\u00e9": "\"\ud83d\ude00"}"#
        );
    }
}
