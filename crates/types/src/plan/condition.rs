//! The conditions that a planner attaches to a task.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use super::{Expression, TagList};
use crate::Object;
use crate::read::{Read, Reader, Step, read_value, same_spelling};

/// One condition of a task; all of them must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskCondition {
    /// An expression that must hold, as the task's `when` does.
    When {
        /// The expression.
        expression: Expression,
    },
    /// The task's own tags again; counts only when tags are selected.
    Tag {
        /// The tags.
        tags: TagList,
    },
    /// The hosts that run the task.
    Host {
        /// A host pattern.
        pattern: String,
    },
    /// Tags that leave the task out when they are skipped.
    SkipTag {
        /// The tags.
        tags: TagList,
    },
    /// Says that the plan was made for a check run, or for a real one.
    CheckMode {
        /// Whether it was made for a check run.
        enabled: bool,
    },
}

/// The conditions and the one field of each.
const KINDS: [(&str, &str); 5] = [
    ("When", "expression"),
    ("Tag", "tags"),
    ("Host", "pattern"),
    ("SkipTag", "tags"),
    ("CheckMode", "enabled"),
];

impl Read for TaskCondition {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let (kind, content) = match value {
            Value::Object(object) if object.len() == 1 => object.into_iter().next()?,
            other => {
                at.expected(
                    "a condition, such as {\"When\": {\"expression\": …}}",
                    &other,
                )
                .hint = Some(accepted());
                return None;
            }
        };
        let Some((name, field)) = KINDS.iter().find(|(name, _)| same_spelling(name, &kind)) else {
            at.problem(format!("unknown condition `{kind}`")).hint = Some(accepted());
            return None;
        };
        at.within(Step::Key(kind), |at| read_kind(name, field, content, at))
    }
}

fn accepted() -> String {
    format!("conditions are {}", KINDS.map(|(name, _)| name).join(", "))
}

fn read_kind(
    name: &str,
    field: &'static str,
    content: Value,
    at: &mut Reader,
) -> Option<TaskCondition> {
    let mut content = Object::read(content, at)?;
    let Some(value) = content.shift_remove(field).filter(|value| !value.is_null()) else {
        at.problem(format!("missing field `{field}`"));
        return None;
    };
    at.unknown_fields(content.keys());
    at.within(Step::Field(field), |at| {
        Some(match name {
            "When" => TaskCondition::When {
                expression: Read::read(value, at)?,
            },
            "Tag" => TaskCondition::Tag {
                tags: Read::read(value, at)?,
            },
            "Host" => TaskCondition::Host {
                pattern: Read::read(value, at)?,
            },
            "SkipTag" => TaskCondition::SkipTag {
                tags: Read::read(value, at)?,
            },
            _ => TaskCondition::CheckMode {
                enabled: Read::read(value, at)?,
            },
        })
    })
}

impl Serialize for TaskCondition {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::When { expression } => json!({ "When": { "expression": expression } }),
            Self::Tag { tags } => json!({ "Tag": { "tags": tags } }),
            Self::Host { pattern } => json!({ "Host": { "pattern": pattern } }),
            Self::SkipTag { tags } => json!({ "SkipTag": { "tags": tags } }),
            Self::CheckMode { enabled } => json!({ "CheckMode": { "enabled": enabled } }),
        }
        .serialize(to)
    }
}

impl<'de> Deserialize<'de> for TaskCondition {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for TaskCondition {
    fn schema_name() -> Cow<'static, str> {
        "TaskCondition".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let expression = generator.subschema_for::<Expression>();
        let tags = generator.subschema_for::<TagList>();
        let kind = |name: &str, field: &str, content: Value| {
            json!({
                "type": "object",
                "required": [name],
                "properties": { name: { "type": "object", "required": [field], "properties": { field: content } } },
            })
        };
        json_schema!({
            "description": "One condition of a task; all of them must hold.",
            "anyOf": [
                kind("When", "expression", expression.to_value()),
                kind("Tag", "tags", tags.clone().to_value()),
                kind("Host", "pattern", json!({ "type": "string" })),
                kind("SkipTag", "tags", tags.to_value()),
                kind("CheckMode", "enabled", json!({ "type": ["boolean", "string", "integer"] })),
            ],
        })
    }
}
