//! What the planner says of the plan.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::deployment::Rest;
use super::{OneOrMany, Serial, StrategyKind, TagList};
use crate::Object;
use crate::read::{Read, Reader, Step, plan_object, read_value};

/// What the planner says of the plan: kept whole for the report, with the defaults that a run takes from it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct PlanMetadata {
    /// Everything as it was written.
    pub all: Object,
    /// The options that the plan was made with; the command line overrides them.
    #[serde(skip)]
    pub planning_options: PlanningOptions,
}

impl PlanMetadata {
    /// The version of `rustle-plan` that made the plan, if it did.
    #[must_use]
    pub fn rustle_plan_version(&self) -> Option<&str> {
        self.all.get("rustle_plan_version").and_then(Value::as_str)
    }
}

impl Read for PlanMetadata {
    fn read(value: Value, at: &mut Reader) -> Option<Self> {
        let all = Object::read(value, at)?;
        let planning_options = match all.get("planning_options") {
            None | Some(Value::Null) => PlanningOptions::default(),
            Some(options) => {
                let options = options.clone();
                at.within(Step::Field("planning_options"), |at| {
                    Read::read(options, at)
                })
                .unwrap_or_default()
            }
        };
        Some(Self {
            all,
            planning_options,
        })
    }
}

impl<'de> Deserialize<'de> for PlanMetadata {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read_value(Value::deserialize(from)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for PlanMetadata {
    fn schema_name() -> Cow<'static, str> {
        "PlanMetadata".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let options = generator.subschema_for::<Option<PlanningOptions>>();
        json_schema!({
            "description": "What the planner says of the plan; copied into the report.",
            "type": "object",
            "properties": { "planning_options": options },
        })
    }
}

plan_object! {
    /// The options that a plan was made with, which are a run's defaults.
    pub struct PlanningOptions ("set of planning options") {
        /// The hosts to stay with.
        limit: Option<String>,
        /// Tags that are run.
        tags: TagList,
        /// Tags that are skipped.
        skip_tags: TagList,
        /// Whether changes are only predicted.
        check_mode: Option<bool>,
        /// Whether differences are shown.
        diff_mode: Option<bool>,
        /// How many hosts are worked on at once.
        forks: Option<u32>,
        /// Sizes of the slices of hosts.
        serial: OneOrMany<Serial>,
        /// How tasks are given to hosts.
        strategy: Option<StrategyKind>,
    }
    flatten {
        /// Options that concern the planner alone.
        rest: Rest,
    }
}
