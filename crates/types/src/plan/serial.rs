//! How many hosts at once.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::read::{Read, Reader, is_template, read_value};

/// A part of a hundred, written `30`, `"30"` or `"30%"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Percent(pub f64);

impl Read for Percent {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let read = match &value {
            Value::Number(number) => number.as_f64().filter(|number| *number >= 0.0),
            Value::String(text) => percent_of(text.trim().trim_end_matches('%')),
            _ => None,
        };
        if read.is_none() {
            at.expected("a number ≥ 0 or a percentage", &value);
        }
        read.map(Self)
    }
}

fn percent_of(text: &str) -> Option<f64> {
    text.trim()
        .parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

impl<'de> Deserialize<'de> for Percent {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "A number of percent, or its text.", "type": ["number", "string"] })
    }
}

/// What a slice may be given as.
const SIZES: &str = "a number of hosts or a percentage of them";

/// The size of one slice of a play's hosts.
#[derive(Clone, Debug, PartialEq)]
pub enum Serial {
    /// So many hosts; 0 is all of them.
    Count(u32),
    /// A share of the play's hosts, at least one.
    Percent(Percent),
    /// Text that gives one of the others once it is rendered.
    Template(String),
}

impl Read for Serial {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) if is_template(&text) => Some(Self::Template(text)),
            Value::String(text) if text.trim_end().ends_with('%') => {
                match percent_of(text.trim().trim_end_matches('%')) {
                    Some(percent) => Some(Self::Percent(Percent(percent))),
                    None => {
                        at.expected(SIZES, &Value::String(text));
                        None
                    }
                }
            }
            Value::String(text) => {
                let count = text.trim().parse().ok().map(Self::Count);
                if count.is_none() {
                    at.expected(SIZES, &Value::String(text));
                }
                count
            }
            other => u32::read(other, at).map(Self::Count),
        }
    }
}

impl Serialize for Serial {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Count(count) => to.serialize_u32(*count),
            Self::Percent(percent) => to.collect_str(&format_args!("{}%", percent.0)),
            Self::Template(text) => to.serialize_str(text),
        }
    }
}

impl<'de> Deserialize<'de> for Serial {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Serial {
    fn schema_name() -> Cow<'static, str> {
        "Serial".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number of hosts (0 is all), or a percentage of them such as \"30%\".",
            "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }],
        })
    }
}
