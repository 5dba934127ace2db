//! Plays: tasks and handlers for a set of hosts.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    HandlerPlan, Keywords, OneOrMany, Percent, Serial, StrategyKind, TaskBatch, TaskPlan, Tmpl,
};
use crate::read::{Read, Reader, plan_enum, plan_object, read_value};
use crate::{HostName, Object};

plan_object! {
    /// Tasks and handlers for a set of hosts.
    pub struct PlayPlan ("play") {
        /// The planner's id of it.
        play_id: String,
        /// Its name.
        name: Option<String>,
        /// Its hosts by name in inventory order, or a pattern.
        hosts: PlayHosts,
        /// The pattern that `hosts` came from; resolved again where hosts were added meanwhile.
        hosts_pattern: Option<String>,
        /// How its tasks are given to its hosts.
        strategy: Option<Tmpl<StrategyKind>>,
        /// Sizes of the slices of hosts, the last one repeated.
        serial: OneOrMany<Serial>,
        /// The order of its hosts.
        order: Option<Tmpl<HostOrder>>,
        /// Its batches.
        batches: Vec<TaskBatch>,
        /// Its tasks, where there are no batches.
        tasks: Vec<TaskPlan>,
        /// Its handlers.
        handlers: Vec<HandlerPlan>,
        /// How long the planner thinks that it takes.
        #[schemars(with = "crate::read::DurationSchema")]
        estimated_duration: Option<Duration>,
        /// Questions that are asked before it starts.
        vars_prompt: Vec<VarsPrompt>,
        /// Default variables of its roles, the lowest of all.
        defaults: Object,
        /// Variables that its roles export: above `vars_files`, below block `vars`.
        role_vars: Object,
        /// Files of variables; of a list inside the list the first that is there.
        vars_files: OneOrMany<Value>,
        /// Whether facts are gathered first.
        gather_facts: Option<Tmpl<bool>>,
        /// Which facts.
        gather_subset: OneOrMany<String>,
        /// Seconds that one fact may take.
        gather_timeout: Option<Tmpl<u64>>,
        /// The folder of the host's own facts.
        fact_path: Option<String>,
        /// The share of a batch's hosts that may fail.
        max_fail_percentage: Option<Tmpl<Percent>>,
        /// Whether handlers run also on hosts that failed.
        force_handlers: Option<Tmpl<bool>>,
    }
    flatten {
        /// What its tasks inherit.
        keywords: Keywords,
        /// Fields that are not known.
        extra: Object,
    }
}

impl PlayPlan {
    /// Its name as shown: its own, else its pattern, else its id.
    #[must_use]
    pub fn title(&self) -> &str {
        let pattern = match &self.hosts {
            PlayHosts::Pattern(pattern) => Some(pattern.as_str()),
            PlayHosts::Names(_) => self.hosts_pattern.as_deref(),
        };
        self.name
            .as_deref()
            .filter(|name| !name.is_empty())
            .or(pattern)
            .unwrap_or(&self.play_id)
    }

    /// Every task of its batches, or its own where it has no batches; those inside blocks are inside them.
    pub fn all_tasks(&self) -> impl Iterator<Item = &TaskPlan> {
        self.batches
            .iter()
            .flat_map(|batch| &batch.tasks)
            .chain(&self.tasks)
    }
}

/// The hosts of a play.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum PlayHosts {
    /// Names of hosts, in inventory order.
    Names(Vec<HostName>),
    /// A host pattern.
    Pattern(String),
}

impl PlayHosts {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Names(names) => names.is_empty(),
            Self::Pattern(pattern) => pattern.trim().is_empty(),
        }
    }
}

impl Default for PlayHosts {
    fn default() -> Self {
        Self::Names(Vec::new())
    }
}

impl Read for PlayHosts {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        match value {
            Value::String(pattern) => Some(Self::Pattern(pattern)),
            Value::Array(_) => Vec::read(value, at).map(Self::Names),
            other => {
                at.expected("a list of host names, or a host pattern", &other);
                None
            }
        }
    }
}

impl<'de> Deserialize<'de> for PlayHosts {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PlayHosts {
    fn schema_name() -> Cow<'static, str> {
        "PlayHosts".into()
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Names of hosts in inventory order, or a host pattern.",
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        })
    }
}

plan_enum! {
    /// The order in which a play goes through its hosts.
    pub enum HostOrder ("an order of hosts") {
        /// As the inventory has them.
        Inventory = "inventory",
        /// As the inventory has them, backwards.
        ReverseInventory = "reverse_inventory",
        /// By name.
        Sorted = "sorted",
        /// By name, backwards.
        ReverseSorted = "reverse_sorted",
        /// By chance.
        Shuffle = "shuffle",
    }
}

plan_object! {
    /// A question whose answer becomes a variable.
    pub struct VarsPrompt ("prompt") {
        /// The variable.
        name: String,
        /// The question; the variable's name where it is not given.
        prompt: Option<String>,
        /// The answer where none is given.
        default: Option<Value>,
        /// Whether the answer is not shown; true where it is not given.
        private: Option<bool>,
        /// Whether it is asked twice.
        confirm: bool,
        /// The hash that the answer is kept as.
        encrypt: Option<String>,
        /// The length of the salt.
        salt_size: Option<u32>,
        /// The salt.
        salt: Option<String>,
        /// Whether the answer is never a template.
        is_unsafe: bool = "unsafe",
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}
