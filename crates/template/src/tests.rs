//! What may stand after `is`.

use minijinja::value::{Rest, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, Value};

use crate::error::invalid;
use crate::filters::{
    Arguments, compiled_pattern, contains, defined, items, number_to_bool, ordered, pattern_matches,
};
use crate::python::{is_list, is_map, py_str, type_name};
use crate::versions::compare_versions;

type Test = fn(&Value, &Arguments) -> Result<bool, Error>;

/// Adds the tests to an environment.
pub(crate) fn register(environment: &mut Environment<'static>) {
    environment.add_test("defined", |value: Value| !value.is_undefined());
    environment.add_test("undefined", |value: Value| value.is_undefined());
    for (name, test) in RESULTS.iter().chain(TEXTS).chain(VALUES) {
        add(environment, name, *test);
    }
}

fn add(environment: &mut Environment<'static>, name: &'static str, test: Test) {
    environment.add_test(name, move |value: Value, rest: Rest<ValueOrKwargs>| {
        defined(&value)?;
        test(&value, &Arguments::new(&rest.into_values())?)
    });
}

/// True where a test of this name exists.
pub(crate) fn exists(environment: &Environment<'static>, name: &str) -> bool {
    let known = environment
        .compile_expression("name is test")
        .and_then(|found| found.eval(minijinja::context! { name }));
    known.is_ok_and(|known| known.is_true())
}

const RESULTS: &[(&str, Test)] = &[
    ("failed", |value, _| key(value, "failed")),
    ("failure", |value, _| key(value, "failed")),
    ("succeeded", |value, _| {
        key(value, "failed").map(|failed| !failed)
    }),
    ("success", |value, _| {
        key(value, "failed").map(|failed| !failed)
    }),
    ("successful", |value, _| {
        key(value, "failed").map(|failed| !failed)
    }),
    ("changed", |value, _| changed(value)),
    ("change", |value, _| changed(value)),
    ("skipped", |value, _| key(value, "skipped")),
    ("skip", |value, _| key(value, "skipped")),
    ("unreachable", |value, _| key(value, "unreachable")),
    ("reachable", |value, _| {
        key(value, "unreachable").map(|lost| !lost)
    }),
    ("started", |value, _| {
        if has(value, "started")? {
            key(value, "started")
        } else {
            Ok(true)
        }
    }),
    ("finished", |value, _| {
        if has(value, "finished")? {
            key(value, "finished")
        } else {
            Ok(true)
        }
    }),
    ("timedout", |value, _| {
        Ok(has(value, "timedout")?
            && value
                .get_attr("timedout")?
                .get_attr("period")
                .is_ok_and(|period| period.is_true()))
    }),
];

fn result(value: &Value) -> Result<(), Error> {
    if is_map(value) {
        Ok(())
    } else {
        Err(invalid(format!(
            "a test of a result needs a dictionary, not a value of type '{}'",
            type_name(value)
        )))
    }
}

fn has(value: &Value, name: &str) -> Result<bool, Error> {
    result(value)?;
    Ok(!value.get_attr(name)?.is_undefined())
}

fn key(value: &Value, name: &str) -> Result<bool, Error> {
    result(value)?;
    Ok(value.get_attr(name)?.is_true())
}

fn changed(value: &Value) -> Result<bool, Error> {
    if has(value, "changed")? {
        return key(value, "changed");
    }
    let results = value.get_attr("results")?;
    if !is_list(&results) {
        return Ok(false);
    }
    Ok(items(&results)?.iter().any(|item| {
        is_map(item)
            && item
                .get_attr("changed")
                .is_ok_and(|changed| changed.is_true())
    }))
}

const TEXTS: &[(&str, Test)] = &[
    ("match", |value, args| pattern(value, args, "match")),
    ("search", |value, args| pattern(value, args, "search")),
    ("regex", |value, args| {
        pattern(value, args, &args.text_or(3, "match_type", "search"))
    }),
    ("version", compare_versions),
    ("version_compare", compare_versions),
    ("abs", |value, _| Ok(py_str(value).starts_with('/'))),
    ("is_abs", |value, _| Ok(py_str(value).starts_with('/'))),
    ("url", |value, args| uri(value, args, true)),
    ("uri", |value, args| uri(value, args, false)),
    ("urn", |value, _| {
        Ok(py_str(value).to_lowercase().starts_with("urn:"))
    }),
    ("vault_encrypted", |_, _| Ok(false)),
    ("lower", |value, _| {
        Ok(cased(
            &py_str(value),
            char::is_lowercase,
            char::is_uppercase,
        ))
    }),
    ("upper", |value, _| {
        Ok(cased(
            &py_str(value),
            char::is_uppercase,
            char::is_lowercase,
        ))
    }),
];

fn cased(text: &str, wanted: fn(char) -> bool, other: fn(char) -> bool) -> bool {
    text.chars().any(wanted) && !text.chars().any(other)
}

fn pattern(value: &Value, args: &Arguments, kind: &str) -> Result<bool, Error> {
    let text = py_str(value);
    let pattern = args.text_or(0, "pattern", "");
    let regex = compiled_pattern(
        &pattern,
        args.flag(1, "ignorecase", false),
        args.flag(2, "multiline", false),
        &text,
    )?;
    let found = pattern_matches(&regex, &text, 1)?;
    let Some(whole) = found.first().and_then(|captures| captures.get(0)) else {
        return Ok(false);
    };
    match kind {
        "search" => Ok(true),
        // The leftmost match need not be the one at the start, so that one is asked for by itself.
        "match" => Ok(whole.start() == 0),
        "fullmatch" => {
            let anchored = compiled_pattern(
                &format!("\\A(?:{pattern})\\Z"),
                args.flag(1, "ignorecase", false),
                args.flag(2, "multiline", false),
                &text,
            )?;
            Ok(!pattern_matches(&anchored, &text, 1)?.is_empty())
        }
        other => Err(invalid(format!("unknown match_type `{other}`"))),
    }
}

fn uri(value: &Value, args: &Arguments, with_host: bool) -> Result<bool, Error> {
    let text = py_str(value);
    let Some((scheme, rest)) = text.split_once(':') else {
        return Ok(false);
    };
    let valid = scheme.starts_with(|char: char| char.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "+-.".contains(char));
    let host = rest
        .strip_prefix("//")
        .and_then(|rest| rest.split(['/', '?', '#']).next())
        .unwrap_or_default();
    let wanted = match args.get(0, "schemes").filter(|schemes| !schemes.is_none()) {
        Some(schemes) => items(&schemes)?.iter().any(|known| py_str(known) == scheme),
        None => true,
    };
    let is_local = scheme == "file" && rest.starts_with("///");
    Ok(valid && wanted && (!with_host || is_local || !host.is_empty()))
}

const VALUES: &[(&str, Test)] = &[
    ("contains", |value, args| {
        contains(value, &args.required(0, "value")?)
    }),
    ("in", |value, args| {
        contains(&args.required(0, "seq")?, value)
    }),
    ("subset", |value, args| {
        subset(value, &args.required(0, "b")?)
    }),
    ("issubset", |value, args| {
        subset(value, &args.required(0, "b")?)
    }),
    ("superset", |value, args| {
        subset(&args.required(0, "b")?, value)
    }),
    ("issuperset", |value, args| {
        subset(&args.required(0, "b")?, value)
    }),
    ("all", |value, _| {
        Ok(items(value)?.iter().all(Value::is_true))
    }),
    ("any", |value, _| {
        Ok(items(value)?.iter().any(Value::is_true))
    }),
    ("truthy", |value, args| Ok(truth(value, args))),
    ("falsy", |value, args| Ok(!truth(value, args))),
    ("nan", |value, _| Ok(not_a_number(value))),
    ("isnan", |value, _| Ok(not_a_number(value))),
    ("boolean", |value, _| Ok(value.kind() == ValueKind::Bool)),
    ("true", |value, _| {
        Ok(value.kind() == ValueKind::Bool && value.is_true())
    }),
    ("false", |value, _| {
        Ok(value.kind() == ValueKind::Bool && !value.is_true())
    }),
    ("none", |value, _| Ok(value.is_none())),
    ("string", |value, _| Ok(value.kind() == ValueKind::String)),
    ("number", |value, _| {
        Ok(matches!(value.kind(), ValueKind::Number | ValueKind::Bool))
    }),
    ("integer", |value, _| {
        Ok(value.kind() == ValueKind::Number && value.is_integer())
    }),
    ("float", |value, _| {
        Ok(value.kind() == ValueKind::Number && !value.is_integer())
    }),
    ("mapping", |value, _| Ok(is_map(value))),
    ("sequence", |value, _| {
        Ok(is_list(value) || is_map(value) || value.kind() == ValueKind::String)
    }),
    ("iterable", |value, _| {
        Ok(is_list(value) || is_map(value) || value.kind() == ValueKind::String)
    }),
    ("divisibleby", |value, args| {
        let (value, by) = (value.as_i64(), args.whole(0, "num")?);
        match (value, by) {
            (_, Some(0)) => Err(invalid("a number cannot be divided by zero")),
            (Some(value), Some(by)) => Ok(value % by == 0),
            _ => Err(invalid("divisibleby needs whole numbers")),
        }
    }),
    ("even", |value, _| remainder(value).map(|rest| rest == 0.0)),
    ("odd", |value, _| remainder(value).map(|rest| rest == 1.0)),
    ("callable", |value, _| Ok(value.kind() == ValueKind::Plain)),
    ("sameas", |value, args| {
        let other = args.required(0, "other")?;
        Ok(value.kind() == other.kind() && *value == other)
    }),
    ("lt", |value, args| {
        Ok(ordered("<", value, &args.required(0, "other")?)?.is_lt())
    }),
    ("lessthan", |value, args| {
        Ok(ordered("<", value, &args.required(0, "other")?)?.is_lt())
    }),
    ("<", |value, args| {
        Ok(ordered("<", value, &args.required(0, "other")?)?.is_lt())
    }),
    ("le", |value, args| {
        Ok(ordered("<=", value, &args.required(0, "other")?)?.is_le())
    }),
    ("<=", |value, args| {
        Ok(ordered("<=", value, &args.required(0, "other")?)?.is_le())
    }),
    ("gt", |value, args| {
        Ok(ordered(">", value, &args.required(0, "other")?)?.is_gt())
    }),
    ("greaterthan", |value, args| {
        Ok(ordered(">", value, &args.required(0, "other")?)?.is_gt())
    }),
    (">", |value, args| {
        Ok(ordered(">", value, &args.required(0, "other")?)?.is_gt())
    }),
    ("ge", |value, args| {
        Ok(ordered(">=", value, &args.required(0, "other")?)?.is_ge())
    }),
    (">=", |value, args| {
        Ok(ordered(">=", value, &args.required(0, "other")?)?.is_ge())
    }),
];

/// What is left of a number when it is divided by two.
fn remainder(value: &Value) -> Result<f64, Error> {
    let number = match value.kind() {
        ValueKind::Bool => f64::from(u8::from(value.is_true())),
        ValueKind::Number => f64::try_from(value.clone())?,
        _ => {
            return Err(invalid(format!(
                "a number is needed, not a value of type '{}'",
                type_name(value)
            )));
        }
    };
    Ok(number.rem_euclid(2.0))
}

fn subset(part: &Value, whole: &Value) -> Result<bool, Error> {
    let whole = items(whole)?;
    Ok(items(part)?.iter().all(|item| whole.contains(item)))
}

fn truth(value: &Value, args: &Arguments) -> bool {
    if args.flag(0, "convert_bool", false) && value.kind() == ValueKind::String {
        return match py_str(value).trim().to_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => true,
            "n" | "no" | "off" | "0" | "false" | "f" => false,
            _ => value.is_true(),
        };
    }
    if args.flag(0, "convert_bool", false) && value.kind() == ValueKind::Number {
        return number_to_bool(value) || value.is_true();
    }
    value.is_true()
}

fn not_a_number(value: &Value) -> bool {
    f64::try_from(value.clone()).is_ok_and(f64::is_nan)
}
