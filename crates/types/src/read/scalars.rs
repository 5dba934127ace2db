//! How single values are read, as leniently as Ansible takes them.

use std::borrow::Cow;
use std::time::Duration;

use indexmap::IndexMap;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::path::Step;
use super::reader::{Read, Reader};
use crate::{HostName, Object};

/// Whether a text may hold Jinja.
#[must_use]
pub fn is_template(text: &str) -> bool {
    text.contains("{{") || text.contains("{%")
}

/// The truth value of a word, if it is one of Ansible's.
pub(crate) fn word_as_bool(text: &str) -> Option<bool> {
    let is_one_of = |words: &[&str]| {
        words
            .iter()
            .any(|word| word.eq_ignore_ascii_case(text.trim()))
    };
    if is_one_of(&["yes", "true", "on", "1", "y", "t"]) {
        Some(true)
    } else if is_one_of(&["no", "false", "off", "0", "n", "f"]) {
        Some(false)
    } else {
        None
    }
}

impl Read for Value {
    fn read(value: Value, _at: &mut Reader) -> Option<Self> {
        Some(value)
    }
}

impl<T: Read> Read for Option<T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        T::read(value, at).map(Some)
    }
}

impl<T: Read> Read for Box<T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        T::read(value, at).map(Self::new)
    }
}

impl Read for bool {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = match &value {
            Value::Bool(yes) => Some(*yes),
            Value::String(text) => word_as_bool(text),
            Value::Number(number) if number.as_f64() == Some(1.0) => Some(true),
            Value::Number(number) if number.as_f64() == Some(0.0) => Some(false),
            _ => None,
        };
        if read.is_none() {
            at.expected("true or false", &value);
        }
        read
    }
}

impl Read for String {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) => Some(text),
            Value::Number(number) => Some(number.to_string()),
            other => {
                at.expected("text", &other);
                None
            }
        }
    }
}

impl Read for HostName {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) if !text.is_empty() => Some(Self::from(text)),
            other => {
                at.expected("a host name", &other);
                None
            }
        }
    }
}

impl Read for u64 {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = whole_number(&value);
        if read.is_none() {
            at.expected("a whole number ≥ 0", &value);
        }
        read
    }
}

impl Read for u32 {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let number = u64::read(value, at)?;
        let read = Self::try_from(number).ok();
        if read.is_none() {
            at.problem(format!(
                "expected a whole number up to {}, found {number}",
                Self::MAX
            ));
        }
        read
    }
}

impl Read for u16 {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let number = u64::read(value, at)?;
        let read = Self::try_from(number).ok();
        if read.is_none() {
            at.problem(format!(
                "expected a whole number up to {}, found {number}",
                Self::MAX
            ));
        }
        read
    }
}

impl Read for i64 {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = match &value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        if read.is_none() {
            at.expected("a whole number", &value);
        }
        read
    }
}

impl Read for f64 {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = match &value {
            Value::Number(number) => number.as_f64(),
            Value::String(text) => text
                .trim()
                .parse::<Self>()
                .ok()
                .filter(|number| number.is_finite()),
            _ => None,
        };
        if read.is_none() {
            at.expected("a number", &value);
        }
        read
    }
}

fn whole_number(value: &Value) -> Option<u64> {
    /// Above this a float no longer holds every whole number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => number.as_u64().or_else(|| {
            let float = number.as_f64()?;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "the guard admits only whole numbers in range"
            )]
            (float.fract() == 0.0 && (0.0..=EXACT).contains(&float)).then_some(float as u64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl Read for Duration {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = match &value {
            Value::Object(parts) => duration_of(parts),
            Value::Number(seconds) => seconds
                .as_f64()
                .and_then(|seconds| Self::try_from_secs_f64(seconds).ok()),
            _ => None,
        };
        if read.is_none() {
            at.expected(
                "a number of seconds, or an object with `secs` and `nanos`",
                &value,
            );
        }
        read
    }
}

fn duration_of(parts: &Object) -> Option<Duration> {
    let secs = parts.get("secs")?.as_u64()?;
    let nanos = parts.get("nanos").map_or(Some(0), Value::as_u64)?;
    let nanos = u32::try_from(nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    (parts.len() <= 2).then(|| Duration::new(secs, nanos))
}

impl Read for Object {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::Object(object) => Some(object),
            other => {
                at.expected("an object", &other);
                None
            }
        }
    }
}

impl<T: Read> Read for IndexMap<String, T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let object = Object::read(value, at)?;
        let mut read = Self::with_capacity(object.len());
        for (key, value) in object {
            let item = at.within(Step::Key(key.clone()), |at| T::read(value, at));
            read.extend(item.map(|item| (key, item)));
        }
        Some(read)
    }
}

/// The schema of a duration: an object as serde writes it, or a number of seconds.
pub(crate) struct DurationSchema;

impl JsonSchema for DurationSchema {
    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length of time.",
            "anyOf": [
                { "type": "null" },
                { "type": "number", "minimum": 0, "description": "In seconds." },
                {
                    "type": "object",
                    "required": ["secs"],
                    "properties": {
                        "secs": { "type": "integer", "minimum": 0 },
                        "nanos": { "type": "integer", "minimum": 0, "maximum": 999_999_999 },
                    },
                },
            ],
        })
    }
}
