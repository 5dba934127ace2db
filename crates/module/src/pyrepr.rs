//! Values as Python writes them, for options of type `str` that were given something else.

use serde_json::Value;

/// The text that Python's `str()` makes of `value`.
#[must_use]
pub fn py_str(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => py_repr(other),
    }
}

/// The text that Python's `repr()` makes of `value`.
#[must_use]
pub fn py_repr(value: &Value) -> String {
    match value {
        Value::Null => "None".into(),
        Value::Bool(true) => "True".into(),
        Value::Bool(false) => "False".into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => quote(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(py_repr).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(k, v)| format!("{}: {}", quote(k), py_repr(v)))
                .collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Quotes as Python does: single quotes, unless the text holds those and no double ones.
fn quote(text: &str) -> String {
    let quote = if text.contains('\'') && !text.contains('"') {
        '"'
    } else {
        '\''
    };
    let mut out = String::with_capacity(text.len() + 2);
    out.push(quote);
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c == quote => {
                out.push('\\');
                out.push(c);
            }
            c if (c as u32) < 0x20 || c as u32 == 0x7f => {
                let code = c as u32;
                out.push_str("\\x");
                out.extend(
                    [code >> 4, code & 15]
                        .iter()
                        .filter_map(|d| char::from_digit(*d, 16)),
                );
            }
            c => out.push(c),
        }
    }
    out.push(quote);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_read_as_python_writes_them() {
        for (value, text) in [
            (json!(null), "None"),
            (json!([1, "a", true]), "[1, 'a', True]"),
            (json!({"a": 1.5, "b": "it's"}), "{'a': 1.5, 'b': \"it's\"}"),
            (json!(["\u{1}\n"]), "['\\x01\\n']"),
        ] {
            assert_eq!(py_str(&value), text);
        }
        assert_eq!(py_str(&json!("plain")), "plain");
    }
}
