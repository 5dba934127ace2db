//! The order in which tasks and hosts take turns.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::Object;
use crate::read::{Read, Reader, Step, closest, read_value, same_spelling};

/// How a play's tasks are given to its hosts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum StrategyKind {
    /// Each task on all hosts of the batch, then the next task.
    #[default]
    Linear,
    /// Slices of hosts run every task, then their handlers; stops at the first slice that fails.
    Rolling {
        /// Hosts in a slice, where the play's `serial` says nothing.
        batch_size: Option<u32>,
    },
    /// Each host goes through the tasks at its own pace (`Parallel` is another name of it).
    Free,
    /// The plan's own batches by their dependencies, each batch linear inside.
    Batch,
    /// A host keeps its worker to the end of the play.
    HostPinned,
    /// The tasks run on the host by the agent there, which returns for those that need the controller.
    BinaryHybrid,
    /// The tasks run on the host by the agent there, and none may need the controller.
    BinaryOnly,
}

/// Every name that is read, the one that is written first among equals.
const NAMES: [(&str, StrategyKind); 8] = [
    ("Linear", StrategyKind::Linear),
    ("Rolling", StrategyKind::Rolling { batch_size: None }),
    ("Free", StrategyKind::Free),
    ("Parallel", StrategyKind::Free),
    ("Batch", StrategyKind::Batch),
    ("HostPinned", StrategyKind::HostPinned),
    ("BinaryHybrid", StrategyKind::BinaryHybrid),
    ("BinaryOnly", StrategyKind::BinaryOnly),
];

/// What a hint says of the names.
const ACCEPTED: &str = "strategies are linear, rolling, parallel, free, batch, host-pinned, binary-hybrid, binary-only";

impl StrategyKind {
    /// The name that is written in a plan.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "Linear",
            Self::Rolling { .. } => "Rolling",
            Self::Free => "Free",
            Self::Batch => "Batch",
            Self::HostPinned => "HostPinned",
            Self::BinaryHybrid => "BinaryHybrid",
            Self::BinaryOnly => "BinaryOnly",
        }
    }

    /// Whether the tasks run by the agent on the host.
    #[must_use]
    pub fn is_binary(self) -> bool {
        matches!(self, Self::BinaryHybrid | Self::BinaryOnly)
    }
}

impl fmt::Display for StrategyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name that is no strategy's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown strategy `{name}`")]
pub struct UnknownStrategy {
    /// The name as it was written.
    pub name: String,
    /// What may help.
    pub hint: String,
}

impl FromStr for StrategyKind {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        let bare = text.strip_prefix("ansible.builtin.").unwrap_or(text);
        if let Some((_, kind)) = NAMES.iter().find(|(name, _)| same_spelling(name, bare)) {
            return Ok(*kind);
        }
        let accepted = ACCEPTED.trim_start_matches("strategies are ");
        let near = closest(&bare.to_lowercase().replace('_', "-"), accepted.split(", "));
        let hint = near.map_or_else(
            || ACCEPTED.to_owned(),
            |near| format!("did you mean `{near}`? {ACCEPTED}"),
        );
        Err(UnknownStrategy {
            name: text.to_owned(),
            hint,
        })
    }
}

impl Read for StrategyKind {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(text) => note_unknown(text.parse(), at),
            Value::Object(object) if object.len() == 1 => {
                let (name, settings) = object.into_iter().next()?;
                let kind = note_unknown(name.parse(), at)?;
                at.within(Step::Key(name), |at| with_settings(kind, settings, at))
            }
            other => {
                at.expected(
                    "a strategy, such as \"Linear\" or {\"Rolling\": {\"batch_size\": 5}}",
                    &other,
                )
                .hint = Some(ACCEPTED.into());
                None
            }
        }
    }
}

fn note_unknown(
    parsed: Result<StrategyKind, UnknownStrategy>,
    at: &mut Reader,
) -> Option<StrategyKind> {
    parsed
        .map_err(|unknown| {
            let message = unknown.to_string();
            at.problem(message).hint = Some(unknown.hint);
        })
        .ok()
}

/// Adds what stands beside a strategy's name; only `Rolling` takes something.
fn with_settings(kind: StrategyKind, settings: Value, at: &mut Reader) -> Option<StrategyKind> {
    match (kind, settings) {
        (_, Value::Null) => Some(kind),
        (StrategyKind::Rolling { .. }, settings) => {
            let mut settings = Object::read(settings, at)?;
            let batch_size: Option<u32> = at.field(&mut settings, &["batch_size"]);
            at.unknown_fields(settings.keys());
            Some(StrategyKind::Rolling { batch_size })
        }
        (_, Value::Object(settings)) => {
            at.unknown_fields(settings.keys());
            Some(kind)
        }
        (_, other) => {
            at.expected("an object", &other);
            None
        }
    }
}

impl Serialize for StrategyKind {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Rolling {
                batch_size: Some(size),
            } => json!({ "Rolling": { "batch_size": size } }).serialize(to),
            other => to.serialize_str(other.name()),
        }
    }
}

impl<'de> Deserialize<'de> for StrategyKind {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for StrategyKind {
    fn schema_name() -> Cow<'static, str> {
        "StrategyKind".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        let spelled = |name: &str| {
            let any_case =
                |c: char| format!("[{}{}]", c.to_ascii_uppercase(), c.to_ascii_lowercase());
            name.chars()
                .enumerate()
                .map(|(at, c)| {
                    if at > 0 && c.is_ascii_uppercase() {
                        format!("[-_ ]?{}", any_case(c))
                    } else {
                        any_case(c)
                    }
                })
                .collect::<String>()
        };
        let names: Vec<String> = NAMES.iter().map(|(name, _)| spelled(name)).collect();
        json_schema!({
            "description": format!("A strategy's name in any usual spelling; {ACCEPTED}."),
            "anyOf": [
                { "type": "string", "pattern": format!("^({})$", names.join("|")) },
                {
                    "type": "object",
                    "properties": {
                        "Rolling": { "type": "object", "properties": { "batch_size": { "type": "integer", "minimum": 1 } } },
                    },
                    "minProperties": 1,
                    "maxProperties": 1,
                },
            ],
        })
    }
}
