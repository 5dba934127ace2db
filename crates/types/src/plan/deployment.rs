//! Groups of tasks that the planner wants to run on the host without the controller.

use serde_json::Value;

use crate::read::{ReadFields, Reader, plan_object};
use crate::{HostName, Object};

plan_object! {
    /// Tasks that run on their hosts by the agent there, as the planner grouped them.
    ///
    /// What else the planner writes (sizes, targets of a compiler, placeholder checksums) is kept and not used.
    pub struct BinaryDeployment ("binary deployment") {
        /// The planner's id of it.
        deployment_id: String,
        /// The hosts.
        target_hosts: Vec<HostName>,
        /// The name of the program that the planner had in mind.
        binary_name: Option<String>,
        /// Ids of its tasks.
        tasks: Vec<String>,
        /// The modules of its tasks.
        modules: Vec<String>,
        /// Tasks again, their files and variables.
        embedded_data: Option<Value>,
        /// `Controller` and others.
        execution_mode: Option<Value>,
    }
    flatten {
        /// All else.
        rest: Rest,
    }
}

/// Fields that are kept without a look.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Rest(pub Object);

impl ReadFields for Rest {
    fn field_names(_names: &mut Vec<&'static str>) {}

    fn take_fields(object: &mut Object, _at: &mut Reader) -> Self {
        let mut rest = std::mem::take(object);
        rest.retain(|_, value| !value.is_null());
        Self(rest)
    }
}
