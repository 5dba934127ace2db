//! Turns what was given for an option into the option's type, as Ansible does.

use serde_json::{Number, Value};

use crate::pyrepr::{py_repr, py_str};
use crate::spec::Type;

/// What `~` and `$VAR` in a path stand for on the machine where the module runs.
pub trait Expand: Send + Sync {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
    /// The home folder of `user`, or of the user that runs the module.
    fn home(&self, user: Option<&str>) -> Option<String>;
}

/// Coerces `value` to `kind`; the error says what kept it from that, without the option's name.
pub(crate) fn coerce(value: &Value, kind: Type, expand: &dyn Expand) -> Result<Value, String> {
    match kind {
        Type::Raw => Ok(value.clone()),
        Type::Str => Ok(Value::String(if value.is_null() { String::new() } else { py_str(value) })),
        Type::Path => {
            let text = if value.is_null() { String::new() } else { py_str(value) };
            Ok(Value::String(expand_path(&text, expand)))
        }
        Type::Bool => as_bool(value).map(Value::Bool).ok_or_else(|| match value {
            Value::String(_) | Value::Number(_) => format!(
                "The value '{}' is not a valid boolean. Valid booleans include: 'yes', 'no', 'true', 'false', 'on', 'off', 'y', 'n', 't', 'f', '1', '0', 1, 0",
                py_str(value)
            ),
            other => format!("{} cannot be converted to a bool", py_class(other)),
        }),
        Type::Int => coerce_int(value),
        Type::Float => coerce_float(value),
        Type::Dict => coerce_dict(value),
        Type::List(element) => coerce_list(value, *element, expand),
    }
}

/// The Python name of a value's type.
#[must_use]
pub fn py_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    }
}

fn py_class(value: &Value) -> String {
    format!("<class '{}'>", py_type(value))
}

/// A truth value, or one of the words and numbers that stand for one.
#[must_use]
pub fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(b) => Some(*b),
        Value::Number(n) => match n.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn coerce_int(value: &Value) -> Result<Value, String> {
    let refused = || format!("{} cannot be converted to an int", as_shown(value));
    match value {
        Value::Bool(_) => Ok(value.clone()),
        Value::Number(n) if n.is_f64() => match n.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "the range and the fraction are checked"
            )]
            Some(f) if f.fract() == 0.0 && f.abs() < 9e15 => Ok(Value::from(f as i64)),
            _ => Err(refused()),
        },
        Value::Number(_) => Ok(value.clone()),
        Value::String(text) => text
            .trim()
            .parse::<i64>()
            .map(Value::from)
            .map_err(|_| refused()),
        _ => Err(refused()),
    }
}

fn coerce_float(value: &Value) -> Result<Value, String> {
    let refused = || format!("{} cannot be converted to a float", as_shown(value));
    let number = match value {
        Value::Number(n) => n.as_f64(),
        Value::String(text) => text.trim().parse::<f64>().ok(),
        _ => None,
    };
    number
        .and_then(Number::from_f64)
        .map(Value::Number)
        .ok_or_else(refused)
}

/// A value as the messages about numbers show it.
fn as_shown(value: &Value) -> String {
    match value {
        Value::String(_) => format!("\"{}\"", py_repr(value)),
        Value::Number(_) | Value::Bool(_) => format!("'{}'", py_str(value)),
        other => py_class(other),
    }
}

fn coerce_dict(value: &Value) -> Result<Value, String> {
    let text = match value {
        Value::Object(_) => return Ok(value.clone()),
        Value::String(text) => text.trim(),
        other => return Err(format!("{} cannot be converted to a dict", py_class(other))),
    };
    if text.starts_with('{') {
        return match serde_json::from_str::<Value>(text) {
            Ok(object @ Value::Object(_)) => Ok(object),
            _ => Err("unable to evaluate string as dictionary".into()),
        };
    }
    if !text.contains('=') {
        return Err("dictionary requested, could not parse JSON or key=value".into());
    }
    let mut object = rustle_types::Object::new();
    for field in text.split(',').map(str::trim).filter(|f| !f.is_empty()) {
        let (key, value) = field
            .split_once('=')
            .ok_or("dictionary requested, could not parse JSON or key=value")?;
        object.insert(
            key.trim().into(),
            Value::String(value.trim().trim_matches(['\'', '"']).into()),
        );
    }
    Ok(Value::Object(object))
}

fn coerce_list(value: &Value, element: Type, expand: &dyn Expand) -> Result<Value, String> {
    let items = match value {
        Value::Array(items) => items.clone(),
        Value::String(text) => text
            .split(',')
            .map(|s| Value::String(s.trim().into()))
            .collect(),
        Value::Number(_) | Value::Bool(_) => vec![Value::String(py_str(value))],
        other => return Err(format!("{} cannot be converted to a list", py_class(other))),
    };
    let items: Result<Vec<Value>, String> = items
        .iter()
        .map(|item| coerce(item, element, expand))
        .collect();
    items.map(Value::Array)
}

/// Expands a leading `~` or `~user` and every `$VAR` or `${VAR}`; what is unknown stays as it is.
#[must_use]
pub fn expand_path(text: &str, expand: &dyn Expand) -> String {
    let with_home = match text.strip_prefix('~') {
        Some(rest) => {
            let (user, tail) = rest
                .find('/')
                .map_or((rest, ""), |slash| rest.split_at(slash));
            let home = expand.home((!user.is_empty()).then_some(user));
            home.map_or_else(
                || text.to_owned(),
                |home| format!("{}{tail}", home.trim_end_matches('/')),
            )
        }
        None => text.to_owned(),
    };
    expand_variables(&with_home, expand)
}

fn expand_variables(text: &str, expand: &dyn Expand) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(dollar) = rest.find('$') {
        out.push_str(&rest[..dollar]);
        let after = &rest[dollar + 1..];
        let braced = after
            .strip_prefix('{')
            .and_then(|inner| inner.find('}').map(|end| (&inner[..end], end + 2)));
        let (name, used) = braced.unwrap_or_else(|| {
            let end = after
                .find(|c: char| c != '_' && !c.is_ascii_alphanumeric())
                .unwrap_or(after.len());
            (&after[..end], end)
        });
        match expand.variable(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[dollar..=dollar + used]),
        }
        rest = &after[used..];
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    struct Fixed;
    impl Expand for Fixed {
        fn variable(&self, name: &str) -> Option<String> {
            (name == "HOME").then(|| "/home/me".into())
        }
        fn home(&self, user: Option<&str>) -> Option<String> {
            match user {
                None => Some("/home/me/".into()),
                Some("ann") => Some("/home/ann".into()),
                Some(_) => None,
            }
        }
    }

    #[test]
    fn paths_expand_home_and_variables_and_keep_what_is_unknown() {
        for (given, expanded) in [
            ("~/x", "/home/me/x"),
            ("~ann/x", "/home/ann/x"),
            ("~bob/x", "~bob/x"),
            ("$HOME/a$", "/home/me/a$"),
            ("${HOME}x$NOPE", "/home/mex$NOPE"),
            ("a~b", "a~b"),
            ("${", "${"),
        ] {
            assert_eq!(expand_path(given, &Fixed), expanded, "{given}");
        }
    }

    #[test]
    fn values_become_the_type_of_their_option() {
        for (value, kind, expected) in [
            (json!("YES"), Type::Bool, json!(true)),
            (json!(0), Type::Bool, json!(false)),
            (json!(1.0), Type::Bool, json!(true)),
            (json!(" 1 "), Type::Int, json!(1)),
            (json!(1.0), Type::Int, json!(1)),
            (json!(true), Type::Int, json!(true)),
            (json!("1.5"), Type::Float, json!(1.5)),
            (json!(true), Type::Str, json!("True")),
            (
                json!([1, {"a": null}]),
                Type::Str,
                json!("[1, {'a': None}]"),
            ),
            (json!("a, b"), Type::List(&Type::Str), json!(["a", "b"])),
            (json!(5), Type::List(&Type::Int), json!([5])),
            (json!("{\"a\": 1}"), Type::Dict, json!({"a": 1})),
            (json!("a=1, b=2"), Type::Dict, json!({"a": "1", "b": "2"})),
        ] {
            assert_eq!(
                coerce(&value, kind, &Fixed),
                Ok(expected),
                "{value} as {kind:?}"
            );
        }
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for (value, kind) in [
            (json!("maybe"), Type::Bool),
            (json!(2), Type::Bool),
            (json!(1.5), Type::Int),
            (json!("abc"), Type::Int),
            (json!({}), Type::List(&Type::Str)),
            (json!([1]), Type::Dict),
        ] {
            assert!(coerce(&value, kind, &Fixed).is_err(), "{value} as {kind:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn expansion_never_panics(text in "[~${}a-z/é]{0,20}") {
            let _ = expand_path(&text, &Fixed);
        }
    }
}
