//! Conditions: bare Jinja expressions that must all hold.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::read::{Read, Reader, Step, read_value};

/// Terms that must all hold; with none of them it holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expression(pub Vec<Term>);

/// One term of an [`Expression`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Term {
    /// A fixed answer.
    Bool(bool),
    /// A Jinja expression without braces, or a template that gives one.
    Text(String),
}

impl From<&str> for Expression {
    fn from(text: &str) -> Self {
        Self(vec![Term::Text(text.to_owned())])
    }
}

impl Read for Term {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::Bool(holds) => Some(Self::Bool(holds)),
            Value::String(text) => Some(Self::Text(text)),
            Value::Number(number) => Some(Self::Text(number.to_string())),
            other => {
                at.expected("an expression, or true or false", &other);
                None
            }
        }
    }
}

impl Read for Expression {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let Value::Array(items) = value else {
            return Term::read(value, at).map(|term| Self(vec![term]));
        };
        let mut terms = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            terms.extend(
                at.within(Step::Index(index), |at| Self::read(item, at))
                    .into_iter()
                    .flat_map(|inner| inner.0),
            );
        }
        Some(Self(terms))
    }
}

impl Serialize for Expression {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0.as_slice() {
            [one] => one.serialize(to),
            terms => terms.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Expression {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Expression {
    fn schema_name() -> Cow<'static, str> {
        "Expression".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A bare Jinja expression without braces, true or false, or a list of them: all must hold.",
            "anyOf": [
                { "type": ["string", "boolean", "number"] },
                { "type": "array", "items": { "type": ["string", "boolean", "number", "array"] } },
            ],
        })
    }
}
