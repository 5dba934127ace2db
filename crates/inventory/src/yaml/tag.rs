//! Tags of YAML values: the core ones, `!vault` and `!unsafe`.

use std::borrow::Cow;

use granit_parser::{Marker, ScalarStyle, Tag};
use serde_json::{Value, json};

use super::build::{Built, Fault, Place};
use super::scalar;

const CORE: &str = "tag:yaml.org,2002:";

pub(super) fn enter(tag: Option<&Tag>, kind: &str, place: Place, at: Marker) -> Built<Place> {
    let mut inner = Place {
        depth: place.depth + 1,
        ..place
    };
    match tag {
        None => {}
        Some(tag) if is_local(tag, "unsafe") => inner.is_unsafe = true,
        Some(tag) if is_non_specific(tag) || core_name(tag).as_deref() == Some(kind) => {}
        Some(tag) => return Err(unknown_tag(tag, at)),
    }
    Ok(inner)
}

pub(super) fn scalar_value(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Tag>,
    place: Place,
    at: Marker,
) -> Built<Value> {
    let Some(tag) = tag else {
        let value = if style == ScalarStyle::Plain {
            scalar::resolve(&text)
        } else {
            Value::String(text.into_owned())
        };
        return Ok(if place.is_unsafe {
            as_unsafe(value)
        } else {
            value
        });
    };
    if is_local(tag, "vault") || is_local(tag, "vault-encrypted") {
        return Ok(json!({"__ansible_vault": text}));
    }
    if is_local(tag, "unsafe") {
        // Ansible resolves what is inside as if it had no quotes.
        return Ok(as_unsafe(scalar::resolve(&text)));
    }
    if is_non_specific(tag) {
        return Ok(Value::String(text.into_owned()));
    }
    let name = core_name(tag).ok_or_else(|| unknown_tag(tag, at))?;
    let value = match &*name {
        "str" | "timestamp" => Some(Value::String(text.to_string())),
        "null" => Some(Value::Null),
        "bool" => scalar::boolean(&text.to_lowercase()).map(Value::Bool),
        "int" => scalar::integer(&text),
        "float" => scalar::float(&text)
            .or_else(|| text.replace('_', "").parse::<f64>().ok().map(Value::from)),
        _ => return Err(unknown_tag(tag, at)),
    };
    value.ok_or_else(|| Fault::new(at, format!("`{text}` is not what its tag `!!{name}` says")))
}

fn as_unsafe(value: Value) -> Value {
    if value.is_string() {
        json!({"__ansible_unsafe": value})
    } else {
        value
    }
}

pub(super) fn core_name(tag: &Tag) -> Option<Cow<'_, str>> {
    tag.suffix_in_namespace(CORE)
}

fn is_local(tag: &Tag, name: &str) -> bool {
    tag.parts() == ("!", name)
}

fn is_non_specific(tag: &Tag) -> bool {
    tag.original() == "!"
}

fn unknown_tag(tag: &Tag, at: Marker) -> Fault {
    let hint = Some("tags that are known here: `!vault`, `!unsafe`, and `!!str` and its like");
    Fault {
        hint,
        ..Fault::new(at, format!("unknown tag `{}`", tag.original()))
    }
}
