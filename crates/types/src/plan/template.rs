//! Values that may be written as templates.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::read::{Read, Reader, is_template, read_value};

/// A value, or a template that gives it once it is rendered for a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Tmpl<T> {
    /// The value itself.
    Value(T),
    /// Text with Jinja in it.
    Template(String),
}

impl<T> Tmpl<T> {
    /// The value, unless it is still a template.
    #[must_use]
    pub fn as_value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Template(_) => None,
        }
    }
}

impl<T: Default> Default for Tmpl<T> {
    fn default() -> Self {
        Self::Value(T::default())
    }
}

impl<T> From<T> for Tmpl<T> {
    fn from(value: T) -> Self {
        Self::Value(value)
    }
}

impl<T: Read> Read for Tmpl<T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) if is_template(&text) => Some(Self::Template(text)),
            other => T::read(other, at).map(Self::Value),
        }
    }
}

impl<'de, T: Read> Deserialize<'de> for Tmpl<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for Tmpl<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("Template_{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let value = generator.subschema_for::<T>();
        json_schema!({
            "description": "A value, its text, or a template that gives it.",
            "anyOf": [value, { "type": "string" }],
        })
    }
}
