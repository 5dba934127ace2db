//! JSON and YAML.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};
use serde_json::Value as Json;

use super::arguments::{Arguments, add_all, entries, items, text};
use super::yaml_writer::{Style, write_yaml};
use crate::convert::{key_text, to_engine, to_json};
use crate::error::{invalid, not_implemented};
use crate::python::{float_repr, type_name};

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("to_json", |value, args| {
                dump(value, &JsonStyle::read(args, None, false))
            }),
            ("tojson", tojson),
            ("to_nice_json", |value, args| {
                dump(value, &JsonStyle::read(args, Some(4), true))
            }),
            ("from_json", from_json),
            ("to_yaml", |value, args| to_yaml(value, args, false)),
            ("to_nice_yaml", |value, args| to_yaml(value, args, true)),
            ("from_yaml", from_yaml),
            ("from_yaml_all", from_yaml_all),
        ],
    );
}

/// How Python's `json.dumps` is asked to write.
struct JsonStyle {
    indent: Option<String>,
    sort_keys: bool,
    ascii: bool,
    item: String,
    key: String,
}

impl JsonStyle {
    fn read(args: &Arguments, indent: Option<usize>, nice: bool) -> Self {
        let spaces = |value: Value| match value.as_str() {
            Some(body) => Some(body.to_owned()),
            None => value.as_usize().map(|count| " ".repeat(count.min(100))),
        };
        let given = if nice {
            args.get(0, "indent")
        } else {
            args.keyword("indent")
        };
        let indent = given.map_or_else(|| indent.map(|count| " ".repeat(count)), spaces);
        let sort_keys = if nice {
            args.flag(1, "sort_keys", true)
        } else {
            args.keyword("sort_keys").is_some_and(|flag| flag.is_true())
        };
        let separators = args
            .keyword("separators")
            .filter(|_| !nice)
            .and_then(|pair| items(&pair).ok())
            .filter(|pair| pair.len() == 2);
        let (item, key) = match separators.as_deref() {
            Some([item, key]) => (text(item), text(key)),
            _ => (
                if indent.is_some() { "," } else { ", " }.to_owned(),
                ": ".to_owned(),
            ),
        };
        let ascii = args
            .keyword("ensure_ascii")
            .is_none_or(|flag| flag.is_true());
        Self {
            indent,
            sort_keys,
            ascii,
            item,
            key,
        }
    }
}

fn tojson(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let mut style = JsonStyle::read(args, None, true);
    style.sort_keys = true;
    if style.indent.is_none() {
        style.item = ", ".to_owned();
    }
    let body = text(&dump(value, &style)?);
    Ok(Value::from(
        body.replace('<', "\\u003c")
            .replace('>', "\\u003e")
            .replace('&', "\\u0026")
            .replace('\'', "\\u0027"),
    ))
}

fn dump(value: &Value, style: &JsonStyle) -> Result<Value, Error> {
    let mut out = String::new();
    write_json(&mut out, value, style, 0)?;
    Ok(Value::from(out))
}

fn write_json(
    out: &mut String,
    value: &Value,
    style: &JsonStyle,
    depth: usize,
) -> Result<(), Error> {
    match value.kind() {
        ValueKind::None => out.push_str("null"),
        ValueKind::Bool => out.push_str(if value.is_true() { "true" } else { "false" }),
        ValueKind::Number if value.is_integer() => out.push_str(&value.to_string()),
        ValueKind::Number => {
            let float = f64::try_from(value.clone())?;
            out.push_str(&match float_repr(float).as_str() {
                "inf" => "Infinity".to_owned(),
                "-inf" => "-Infinity".to_owned(),
                "nan" => "NaN".to_owned(),
                other => other.to_owned(),
            });
        }
        ValueKind::String => write_string(out, value.as_str().unwrap_or_default(), style.ascii),
        ValueKind::Map => {
            let mut pairs: Vec<(String, Value)> = entries(value)?
                .into_iter()
                .map(|(key, item)| (key_text(&key), item))
                .collect();
            pairs.retain(|(_, item)| !crate::omit::is_omit(item));
            if style.sort_keys {
                pairs.sort_by(|a, b| a.0.cmp(&b.0));
            }
            write_items(out, ('{', '}'), pairs, style, depth, |out, (key, item)| {
                write_string(out, &key, style.ascii);
                out.push_str(&style.key);
                write_json(out, &item, style, depth + 1)
            })?;
        }
        ValueKind::Seq | ValueKind::Iterable => {
            write_items(out, ('[', ']'), items(value)?, style, depth, |out, item| {
                write_json(out, &item, style, depth + 1)
            })?;
        }
        _ if value.downcast_object_ref::<super::Moment>().is_some() => {
            let iso = to_json(value)?;
            write_string(out, iso.as_str().unwrap_or_default(), style.ascii);
        }
        _ => {
            to_json(value)?;
            return Err(invalid(format!(
                "a value of type {} cannot be written as JSON",
                type_name(value)
            )));
        }
    }
    Ok(())
}

fn write_items<T>(
    out: &mut String,
    brackets: (char, char),
    items: Vec<T>,
    style: &JsonStyle,
    depth: usize,
    mut write: impl FnMut(&mut String, T) -> Result<(), Error>,
) -> Result<(), Error> {
    if depth > 200 {
        return Err(invalid("the value is nested too deeply"));
    }
    out.push(brackets.0);
    let empty = items.is_empty();
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(&style.item);
        }
        new_line(out, style, depth + 1);
        write(out, item)?;
    }
    if !empty {
        new_line(out, style, depth);
    }
    out.push(brackets.1);
    Ok(())
}

fn new_line(out: &mut String, style: &JsonStyle, depth: usize) {
    if let Some(indent) = &style.indent {
        out.push('\n');
        out.push_str(&indent.repeat(depth));
    }
}

fn write_string(out: &mut String, body: &str, ascii: bool) {
    out.push('"');
    for char in body.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other if u32::from(other) < 0x20 || (ascii && u32::from(other) > 0x7e) => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    out.extend(["\\u".to_owned(), format!("{unit:04x}")]);
                }
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

fn from_json(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let Some(body) = value.as_str() else {
        return Err(invalid(format!(
            "the JSON object must be str, bytes or bytearray, not {}",
            type_name(value)
        )));
    };
    let parsed: Json =
        serde_json::from_str(body).map_err(|error| invalid(format!("not valid JSON: {error}")))?;
    Ok(to_engine(&parsed))
}

fn to_yaml(value: &Value, args: &Arguments, nice: bool) -> Result<Value, Error> {
    let indent = if nice {
        args.get(0, "indent")
    } else {
        args.keyword("indent")
    };
    let flow = args.keyword("default_flow_style");
    let style = Style {
        indent: indent
            .and_then(|indent| indent.as_usize())
            .unwrap_or(if nice { 4 } else { 2 })
            .clamp(2, 9),
        flow: flow.map_or(if nice { Some(false) } else { None }, |flow| {
            (!flow.is_none()).then(|| flow.is_true())
        }),
        sort_keys: args.keyword("sort_keys").is_none_or(|flag| flag.is_true()),
        width: args
            .keyword("width")
            .and_then(|width| width.as_usize())
            .unwrap_or(80),
    };
    let known = [
        "indent",
        "sort_keys",
        "default_flow_style",
        "width",
        "allow_unicode",
        "explicit_start",
    ];
    if let Some(other) = args
        .keywords()
        .into_iter()
        .find(|name| !known.contains(&name.as_str()))
    {
        return Err(not_implemented(&format!(
            "argument `{other}` of to_yaml and to_nice_yaml"
        )));
    }
    let body = write_yaml(&to_json(value)?, &style);
    let is_started = args
        .keyword("explicit_start")
        .is_some_and(|flag| flag.is_true());
    let is_block = (value.kind() == ValueKind::Map || crate::python::is_list(value))
        && !body.starts_with(['{', '[']);
    Ok(Value::from(match (is_started, is_block) {
        (false, _) => body,
        (true, true) => format!("---\n{body}"),
        (true, false) => format!("--- {body}"),
    }))
}

/// YAML as PyYAML reads it: `012` is octal, and of equal keys the last counts.
fn yaml_options() -> serde_saphyr::Options {
    serde_saphyr::options! {
        legacy_octal_numbers: true,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
    }
}

fn from_yaml(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let Some(body) = value.as_str() else {
        return Ok(value.clone());
    };
    if body.trim().is_empty() {
        return Ok(Value::from(()));
    }
    let parsed: Json = serde_saphyr::from_str_with_options(body, yaml_options())
        .map_err(|error| invalid(format!("not valid YAML: {error}")))?;
    Ok(to_engine(&parsed))
}

fn from_yaml_all(value: &Value, _: &Arguments) -> Result<Value, Error> {
    let Some(body) = value.as_str() else {
        return Ok(if value.is_none() {
            Value::from(Vec::<Value>::new())
        } else {
            value.clone()
        });
    };
    let parsed: Vec<Json> = serde_saphyr::from_multiple_with_options(body, yaml_options())
        .map_err(|error| invalid(format!("not valid YAML: {error}")))?;
    Ok(parsed.iter().map(to_engine).collect())
}
