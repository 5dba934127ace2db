//! Between JSON and the engine's values.

use minijinja::value::ValueKind;
use minijinja::{Error, Value};
use rustle_types::Object;
use serde_json::{Number, Value as Json};

use crate::error::{TemplateError, TemplateErrorKind, invalid, raise};
use crate::filters::Moment;
use crate::omit::is_omit;
use crate::python::py_str;

/// A JSON value as the engine sees it. Nothing in it is ever rendered.
pub(crate) fn to_engine(json: &Json) -> Value {
    match json {
        Json::Null => Value::from(()),
        Json::Bool(flag) => Value::from(*flag),
        Json::Number(number) => number_to_engine(number),
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => items.iter().map(to_engine).collect(),
        Json::Object(map) => Value::from_pairs(
            map.iter()
                .map(|(key, value)| (key.as_str(), to_engine(value))),
        ),
    }
}

fn number_to_engine(number: &Number) -> Value {
    if let Some(signed) = number.as_i64() {
        Value::from(signed)
    } else if let Some(unsigned) = number.as_u64() {
        Value::from(unsigned)
    } else {
        Value::from(number.as_f64().unwrap_or_default())
    }
}

/// A value of the engine as JSON; `None` for `omit`.
pub(crate) fn to_json_or_omit(value: &Value) -> Result<Option<Json>, Error> {
    if is_omit(value) {
        Ok(None)
    } else {
        to_json(value).map(Some)
    }
}

/// A value of the engine as JSON. Entries and items that are `omit` are left out.
pub(crate) fn to_json(value: &Value) -> Result<Json, Error> {
    match value.kind() {
        ValueKind::None => Ok(Json::Null),
        ValueKind::Bool => Ok(Json::Bool(value.is_true())),
        ValueKind::Number => Ok(number_to_json(value)),
        ValueKind::String => Ok(Json::String(value.as_str().unwrap_or_default().to_owned())),
        ValueKind::Bytes => Ok(Json::String(value.to_string())),
        ValueKind::Seq | ValueKind::Iterable => {
            let mut items = Vec::new();
            for item in value.try_iter()?.checked() {
                items.extend(to_json_or_omit(&item?)?);
            }
            Ok(Json::Array(items))
        }
        ValueKind::Map => {
            let mut map = Object::new();
            for key in value.try_iter()?.checked() {
                let key = key?;
                if let Some(json) = to_json_or_omit(&value.get_item(&key)?)? {
                    map.insert(key_text(&key), json);
                }
            }
            Ok(Json::Object(map))
        }
        ValueKind::Invalid => Err(error_of(value)),
        ValueKind::Undefined => Err(raise(TemplateError::new(
            TemplateErrorKind::Undefined,
            "an undefined value was used",
        ))),
        _ if is_omit(value) => Err(raise(TemplateError::new(
            TemplateErrorKind::Omitted,
            "the value is `omit`, where a value is needed",
        ))),
        _ if value.downcast_object_ref::<Moment>().is_some() => Ok(Json::String(
            value
                .downcast_object_ref::<Moment>()
                .map(Moment::iso)
                .unwrap_or_default(),
        )),
        _ => Err(invalid(format!(
            "a value of type {} cannot be the result of a template",
            value.kind()
        ))),
    }
}

/// Like [`to_json`], with a mark in the place of whatever could not be computed; `errors` has why.
pub(crate) fn to_marked_json(value: &Value, errors: &mut Vec<TemplateError>) -> Json {
    let keep = |value: &Value| !is_omit(value);
    let found = match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => value.try_iter().map(|items| {
            let items = items.filter(keep);
            items.map(|item| to_marked_json(&item, errors)).collect()
        }),
        ValueKind::Map => value.try_iter().map(|keys| {
            let entries = keys.map(|key| {
                (
                    key_text(&key),
                    value.get_item(&key).unwrap_or_else(Value::from),
                )
            });
            let entries = entries.filter(|(_, item)| keep(item));
            let marked = entries.map(|(key, item)| (key, to_marked_json(&item, errors)));
            Json::Object(marked.collect())
        }),
        _ => to_json(value),
    };
    found.unwrap_or_else(|error| mark(error.into(), errors))
}

/// What stands in the place of a value that could not be computed.
pub(crate) fn mark(error: TemplateError, errors: &mut Vec<TemplateError>) -> Json {
    let mark = format!("<< error {} - {} >>", errors.len() + 1, error.detail);
    errors.push(error);
    Json::String(mark)
}

/// A key as JSON writes it.
pub(crate) fn key_text(key: &Value) -> String {
    match key.kind() {
        ValueKind::Bool => if key.is_true() { "true" } else { "false" }.to_owned(),
        ValueKind::None => "null".to_owned(),
        _ => py_str(key),
    }
}

fn number_to_json(value: &Value) -> Json {
    if value.is_integer() {
        if let Ok(signed) = i64::try_from(value.clone()) {
            return Json::from(signed);
        }
        if let Ok(unsigned) = u64::try_from(value.clone()) {
            return Json::from(unsigned);
        }
    }
    let float = f64::try_from(value.clone()).unwrap_or(f64::NAN);
    Number::from_f64(float).map_or_else(|| Json::String(py_str(value)), Json::Number)
}

/// The error inside a value that could not be computed.
pub(crate) fn error_of(value: &Value) -> Error {
    let wrapped = Value::from(vec![value.clone()]);
    let found = wrapped
        .try_iter()
        .ok()
        .and_then(|iter| iter.checked().find_map(Result::err));
    found.unwrap_or_else(|| invalid("invalid value"))
}

/// The value, or the error inside it.
pub(crate) fn check(value: Value) -> Result<Value, Error> {
    if value.kind() == ValueKind::Invalid {
        Err(error_of(&value))
    } else {
        Ok(value)
    }
}
