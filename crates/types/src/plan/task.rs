//! Tasks and blocks.

use std::borrow::Cow;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Expression, Keywords, LoopControl, RoleScope, TaskCondition, Tmpl, WithLookup};
use crate::read::{ReadFields, Reader, plan_enum, plan_object};
use crate::{HostName, Object};

plan_object! {
    /// One task, or one block of tasks.
    pub struct TaskPlan ("task", prepare = super::raw_task::normalise) {
        /// The planner's id of it. Ids repeat: a task is told from others by its place in the plan.
        task_id: String,
        /// Its name; a template.
        name: Option<String>,
        /// The hosts that run it; none means the batch's.
        hosts: Vec<HostName>,
        /// Ids of tasks that must end first.
        dependencies: Vec<String>,
        /// Conditions from the planner, beside `when`.
        conditions: Vec<TaskCondition>,
        /// Its place in the play.
        execution_order: Option<u64>,
        /// Whether it may run beside other tasks of its host.
        can_run_parallel: bool,
        /// How long the planner thinks that it takes.
        #[schemars(with = "crate::read::DurationSchema")]
        estimated_duration: Option<Duration>,
        /// How much it may break, as the planner sees it.
        risk_level: Option<RiskLevel>,
        /// Whether Ansible adds it by itself: such a task is not shown.
        implicit: bool,
        /// What it loops over: a list, or a template that gives one.
        loop_over: Option<Value> = "loop",
        /// How the loop goes.
        loop_control: Option<LoopControl>,
        /// The variable that its result is kept in.
        register: Option<String>,
        /// Tries again until this holds.
        until: Option<Expression>,
        /// How often it is tried again.
        retries: Option<Tmpl<u32>>,
        /// Seconds between tries.
        delay: Option<Tmpl<f64>> = "delay" | "retry_delay",
        /// Says whether the result counts as a change.
        changed_when: Option<Expression>,
        /// Says whether the result counts as a failure.
        failed_when: Option<Expression>,
        /// Seconds that it may run in the background; 0 is in the foreground.
        async_seconds: Option<Tmpl<u64>> = "async",
        /// Seconds between looks at the background job; 0 does not wait for it.
        poll: Option<Tmpl<u64>>,
    }
    flatten {
        /// What it inherits and hands on.
        keywords: Keywords,
        /// The role or file that it stands for or comes from.
        scope: RoleScope,
        /// A loop by a lookup.
        with: Option<WithLookup>,
        /// What it does.
        body: TaskBody,
        /// Fields that are not known.
        extra: Object,
    }
}

impl TaskPlan {
    /// The module call, unless it is a block.
    #[must_use]
    pub fn module_call(&self) -> Option<&ModuleCall> {
        match &self.body {
            TaskBody::Module(call) => Some(call),
            TaskBody::Block(_) => None,
        }
    }

    /// The block, unless it is a module call.
    #[must_use]
    pub fn block(&self) -> Option<&BlockPlan> {
        match &self.body {
            TaskBody::Module(_) => None,
            TaskBody::Block(block) => Some(block),
        }
    }

    /// Its name as shown: its own, else its module's, else `block`.
    #[must_use]
    pub fn title(&self) -> &str {
        match (&self.name, &self.body) {
            (Some(name), _) if !name.is_empty() => name,
            (_, TaskBody::Module(call)) => &call.module,
            (_, TaskBody::Block(_)) => "block",
        }
    }
}

plan_enum! {
    /// How much a task may break.
    pub enum RiskLevel ("a risk level") {
        /// Nothing to speak of.
        Low = "Low",
        /// Something that is easily put right.
        Medium = "Medium",
        /// A service.
        High = "High",
        /// Anything.
        Critical = "Critical",
    }
}

/// What a task does.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum TaskBody {
    /// It calls a module.
    Module(ModuleCall),
    /// It holds other tasks.
    Block(BlockPlan),
}

impl Default for TaskBody {
    fn default() -> Self {
        Self::Module(ModuleCall::default())
    }
}

/// A module and what it is given.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModuleCall {
    /// The module's name as written, short or qualified.
    pub module: String,
    /// Its arguments; free-form text is in `_raw_params`.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub args: Object,
}

impl ModuleCall {
    /// The module's short name where it is one of Ansible's own, else the name as it is.
    #[must_use]
    pub fn short_name(&self) -> &str {
        short_module_name(&self.module)
    }
}

/// A module's name without `ansible.builtin.` or `ansible.legacy.`.
#[must_use]
pub fn short_module_name(name: &str) -> &str {
    name.strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("ansible.legacy."))
        .unwrap_or(name)
}

/// Tasks that belong together, those that run when they fail, and those that always run.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct BlockPlan {
    /// The tasks.
    pub block: Vec<TaskPlan>,
    /// Run where one of the tasks failed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rescue: Vec<TaskPlan>,
    /// Run in any case.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub always: Vec<TaskPlan>,
}

impl ReadFields for TaskBody {
    fn field_names(names: &mut Vec<&'static str>) {
        names.extend_from_slice(&["module", "args", "block", "rescue", "always"]);
    }

    fn take_fields(object: &mut Object, at: &mut Reader) -> Self {
        super::raw_task::take_body(object, at)
    }
}

impl JsonSchema for TaskBody {
    fn schema_name() -> Cow<'static, str> {
        "TaskBody".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        /// The fields of both kinds; a raw Ansible task has none of them.
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is used")]
        struct TaskBodyFields {
            /// The module's name, short or qualified.
            module: Option<String>,
            /// The module's arguments.
            args: Option<Value>,
            /// Tasks, in place of a module.
            block: Option<Vec<TaskPlan>>,
            /// Run where one of the tasks failed.
            rescue: Option<Vec<TaskPlan>>,
            /// Run in any case.
            always: Option<Vec<TaskPlan>>,
        }
        TaskBodyFields::json_schema(generator)
    }
}
