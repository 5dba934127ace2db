//! Results of tasks as they are registered and reported.

use rustle_template::TemplateError;
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

/// Why a task could not be run as it is written: it fails with this message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct TaskError {
    /// What is wrong, and in which field.
    pub(crate) message: String,
    /// Whether it is that something is not defined.
    pub(crate) is_undefined: bool,
}

impl TaskError {
    /// An error that says `message`.
    #[must_use]
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            is_undefined: false,
        }
    }

    /// A template in `field` failed.
    #[must_use]
    pub(crate) fn template(field: &str, error: &TemplateError) -> Self {
        Self {
            message: format!("{field}: {error}"),
            is_undefined: error.is_undefined(),
        }
    }

    /// The failed result with this message.
    #[must_use]
    pub(crate) fn into_result(self) -> Object {
        ModuleResult::failure(self.message).into_object()
    }
}

/// A module's result as it is registered: flat, with `stdout_lines` and `stderr_lines` beside their texts.
#[must_use]
pub(crate) fn registered(result: ModuleResult) -> Object {
    let mut object = result.into_object();
    for (text, lines) in [("stdout", "stdout_lines"), ("stderr", "stderr_lines")] {
        if object.contains_key(lines) {
            continue;
        }
        if let Some(Value::String(content)) = object.get(text) {
            let split = split_lines(content);
            object.insert(lines.into(), split);
        }
    }
    object
}

/// Splits as Python's `splitlines`: at `\r`, `\v`, `\f` and the Unicode line ends too.
fn split_lines(text: &str) -> Value {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(is_end).unwrap_or(rest.len());
        lines.push(Value::String(rest[..end].to_owned()));
        let tail = &rest[end..];
        let skip = if tail.starts_with("\r\n") {
            2
        } else {
            tail.chars().next().map_or(0, char::len_utf8)
        };
        rest = &tail[skip..];
    }
    Value::Array(lines)
}

/// The result of a task whose condition does not hold.
#[must_use]
pub(crate) fn skipped(condition: &Value) -> Object {
    object(json!({
        "changed": false,
        "skipped": true,
        "skip_reason": "Conditional result was False",
        "false_condition": condition,
    }))
}

/// The fields of an object literal.
#[must_use]
pub(crate) fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

/// Whether a result says so of itself.
#[must_use]
pub(crate) fn is(result: &Object, key: &str) -> bool {
    result.get(key).and_then(Value::as_bool).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_split_as_python_splits_them() {
        for (text, lines) in [
            ("", json!([])),
            ("a\nb\n", json!(["a", "b"])),
            ("a\r\nb\rc\u{b}d", json!(["a", "b", "c", "d"])),
            ("\n\n", json!(["", ""])),
        ] {
            assert_eq!(split_lines(text), lines, "{text:?}");
        }
    }

    #[test]
    fn a_registered_result_always_says_changed_and_failed() {
        let result = registered(ModuleResult::default());
        assert_eq!(
            Value::Object(result),
            json!({"changed": false, "failed": false})
        );
    }
}
