//! Roles: those that may be included as the plan runs, and what a role gives its tasks.

use indexmap::IndexMap;
use serde_json::Value;

use super::{HandlerPlan, TaskPlan};
use crate::Object;
use crate::read::plan_object;

plan_object! {
    /// A role that `include_role` may pick as the plan runs.
    pub struct RolePlan ("role") {
        /// The role's folder.
        path: Option<String>,
        /// Its default variables, the lowest of all.
        defaults: Object,
        /// Its variables.
        vars: Object,
        /// Its handlers of `handlers/main`.
        handlers: Vec<HandlerPlan>,
        /// Its task files by name, as `main.yml`.
        tasks: IndexMap<String, Vec<TaskPlan>>,
        /// The roles that it depends on, as they were written.
        dependencies: Vec<Value>,
        /// Whether it runs again where it was included before.
        allow_duplicates: Option<bool>,
        /// The specs that its parameters are checked by, by task file.
        argument_specs: Object,
        /// Other variable files by name, for `vars_from`.
        vars_files: IndexMap<String, Value>,
        /// Other default files by name, for `defaults_from`.
        defaults_files: IndexMap<String, Value>,
        /// Other handler files by name, for `handlers_from`.
        handlers_files: IndexMap<String, Vec<HandlerPlan>>,
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}

plan_object! {
    /// The role or file that a task, block or handler stands for or comes from.
    pub struct RoleScope ("role scope") {
        /// The role's name.
        role: Option<String>,
        /// The role's folder.
        role_path: Option<String>,
        /// The role's default variables, for the tasks inside.
        defaults: Object,
        /// The role's parameters: above `set_fact`.
        params: Object,
        /// The task file that the tasks came from.
        path: Option<String>,
    }
}
