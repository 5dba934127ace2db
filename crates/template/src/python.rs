//! Values as Python writes and names them.

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

use crate::convert::error_of;
use crate::filters::{Group, Moment};
use crate::omit::is_omit;

/// What `str(value)` gives.
pub(crate) fn py_str(value: &Value) -> String {
    match value.kind() {
        ValueKind::String => value.as_str().unwrap_or_default().to_owned(),
        ValueKind::Bytes => value.to_string(),
        _ => py_repr(value),
    }
}

/// What `str(value)` gives, or why a part of the value could not be computed.
pub(crate) fn try_str(value: &Value) -> Result<String, Error> {
    if value.kind() == ValueKind::String {
        return Ok(py_str(value));
    }
    let mut writer = Writer::default();
    writer.write(value);
    writer.failed.map_or(Ok(writer.out), Err)
}

/// What `repr(value)` gives.
pub(crate) fn py_repr(value: &Value) -> String {
    let mut writer = Writer::default();
    writer.write(value);
    writer.out
}

#[derive(Default)]
struct Writer {
    out: String,
    failed: Option<Error>,
}

impl Writer {
    fn write(&mut self, value: &Value) {
        match value.kind() {
            ValueKind::String => self.out.extend([format!("{value:?}")]),
            ValueKind::Number if !value.is_integer() => {
                let text =
                    f64::try_from(value.clone()).map_or_else(|_| value.to_string(), float_repr);
                self.out.push_str(&text);
            }
            // Ansible holds tuples as lists, but not the groups of `groupby`.
            ValueKind::Seq if value.downcast_object_ref::<Group>().is_some() => {
                let items = value.try_iter().into_iter().flatten();
                self.items('(', items.map(|item| (None, item)), ')');
            }
            ValueKind::Seq | ValueKind::Iterable => {
                let items = value
                    .try_iter()
                    .into_iter()
                    .flatten()
                    .map(|item| (None, item));
                self.items('[', items, ']');
            }
            ValueKind::Map => {
                let keys = value.try_iter().into_iter().flatten();
                let items = keys.map(|key| {
                    (
                        Some(key.clone()),
                        value.get_item(&key).unwrap_or_else(Value::from),
                    )
                });
                self.items('{', items, '}');
            }
            ValueKind::Invalid => {
                self.failed.get_or_insert_with(|| error_of(value));
            }
            ValueKind::Undefined => {
                self.failed
                    .get_or_insert_with(|| Error::from(ErrorKind::UndefinedError));
            }
            _ => self.out.push_str(&value.to_string()),
        }
    }

    fn items(
        &mut self,
        open: char,
        items: impl Iterator<Item = (Option<Value>, Value)>,
        close: char,
    ) {
        self.out.push(open);
        let kept = items.filter(|(_, item)| !is_omit(item));
        for (index, (key, item)) in kept.enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            if let Some(key) = key {
                self.write(&key);
                self.out.push_str(": ");
            }
            self.write(&item);
        }
        self.out.push(close);
    }
}

/// A float with the fewest digits that read back as the same one, in Python's choice of notation.
pub(crate) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{float:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = exponent
            .strip_prefix('-')
            .map_or(('+', exponent), |rest| ('-', rest));
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let text = float.to_string();
    if text.contains('.') {
        text
    } else {
        format!("{text}.0")
    }
}

/// The name of the Python type that Ansible would hold this value in.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value.kind() {
        ValueKind::Undefined => "Undefined",
        ValueKind::None => "NoneType",
        ValueKind::Bool => "bool",
        ValueKind::Number if value.is_integer() => "int",
        ValueKind::Number => "float",
        ValueKind::String if value.is_safe() => "Markup",
        ValueKind::String => "str",
        ValueKind::Bytes => "bytes",
        ValueKind::Map => "dict",
        ValueKind::Seq if value.downcast_object_ref::<Group>().is_some() => "GroupTuple",
        ValueKind::Seq | ValueKind::Iterable if value.is_tuple() => "tuple",
        ValueKind::Seq | ValueKind::Iterable => "list",
        _ if value.downcast_object_ref::<Moment>().is_some() => "datetime",
        _ => "object",
    }
}

/// True for a mapping.
pub(crate) fn is_map(value: &Value) -> bool {
    value.kind() == ValueKind::Map
}

/// True for a list, a tuple or anything that gives items one by one.
pub(crate) fn is_list(value: &Value) -> bool {
    matches!(value.kind(), ValueKind::Seq | ValueKind::Iterable)
}
