//! Lists, and what may be written in place of one.

use std::borrow::Cow;
use std::ops::Deref;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::path::Step;
use super::reader::{Read, Reader, read_value};

impl<T: Read> Read for Vec<T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let Value::Array(items) = value else {
            at.expected("a list", &value);
            return None;
        };
        let mut read = Self::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            read.extend(at.within(Step::Index(index), |at| T::read(item, at)));
        }
        Some(read)
    }
}

/// A list that may be written as its one item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T> From<Vec<T>> for OneOrMany<T> {
    fn from(items: Vec<T>) -> Self {
        Self(items)
    }
}

impl<'a, T> IntoIterator for &'a OneOrMany<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Read> Read for OneOrMany<T> {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::Array(_) => Vec::read(value, at).map(Self),
            one => T::read(one, at).map(|one| Self(vec![one])),
        }
    }
}

impl<'de, T: Read> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl<T: JsonSchema> JsonSchema for OneOrMany<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("OneOrMany_{}", T::schema_name()).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({ "anyOf": [one, { "type": "array", "items": one }] })
    }
}

/// Tags: a list of names, or a text of names with commas between them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TagList(pub Vec<String>);

impl Deref for TagList {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

impl From<Vec<String>> for TagList {
    fn from(tags: Vec<String>) -> Self {
        Self(tags)
    }
}

impl<'a> IntoIterator for &'a TagList {
    type Item = &'a String;
    type IntoIter = std::slice::Iter<'a, String>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl Read for TagList {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let mut tags = Vec::new();
        add_tags(value, &mut tags, at);
        Some(Self(tags))
    }
}

fn add_tags(value: Value, tags: &mut Vec<String>, at: &mut Reader) {
    match value {
        Value::Array(items) => {
            for (index, item) in items.into_iter().enumerate() {
                at.within(Step::Index(index), |at| match item {
                    Value::Array(inner) => tags
                        .extend(Vec::<String>::read(Value::Array(inner), at).unwrap_or_default()),
                    one => tags.extend(String::read(one, at)),
                });
            }
        }
        Value::String(text) if super::is_template(&text) => tags.push(text),
        Value::String(text) => {
            tags.extend(
                text.split(',')
                    .map(str::trim)
                    .filter(|tag| !tag.is_empty())
                    .map(str::to_owned),
            );
        }
        other => tags.extend(String::read(other, at)),
    }
}

impl<'de> Deserialize<'de> for TagList {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TagList {
    fn schema_name() -> Cow<'static, str> {
        "TagList".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Tags: a list of names, or a text of names with commas between them.",
            "anyOf": [
                { "type": "string" },
                { "type": "array", "items": { "type": ["string", "number", "array"] } },
            ],
        })
    }
}
