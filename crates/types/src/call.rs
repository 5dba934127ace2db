//! One call of a module, as both sides of a connection speak of it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Object;

/// How a task wants its module to run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Mode {
    /// Tell what would change, and change nothing.
    pub check: bool,
    /// Show the differences.
    pub diff: bool,
}

/// Names bytes that the controller sends along with a call, such as the content of a file to copy.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AttachmentId(pub String);

/// The outcome of one call of a module, as it travels to the controller.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModuleResult {
    /// Whether something was (or in check mode would be) changed.
    pub changed: bool,
    /// Whether it failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed: bool,
    /// Whether it did not run at all.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skipped: bool,
    /// What it says; may be any value (`debug`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub msg: Option<Value>,
    /// The other keys of the result.
    #[serde(default)]
    pub result: Object,
    /// Differences, in Ansible's shape: an object or a list of objects with `before` and `after`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<Value>,
    /// Hints for the user.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

impl ModuleResult {
    /// A failed result that says `msg`.
    #[must_use]
    pub fn failure(msg: impl Into<String>) -> Self {
        Self {
            failed: true,
            msg: Some(Value::String(msg.into())),
            ..Self::default()
        }
    }

    /// One flat object as Ansible registers it, with `changed` and `failed` always there.
    #[must_use]
    pub fn into_object(self) -> Object {
        let mut object = self.result;
        if let Some(diff) = self.diff {
            object.insert("diff".into(), diff);
        }
        if let Some(msg) = self.msg {
            object.insert("msg".into(), msg);
        }
        object.insert("changed".into(), Value::Bool(self.changed));
        object.insert("failed".into(), Value::Bool(self.failed));
        if self.skipped {
            object.insert("skipped".into(), Value::Bool(true));
        }
        if !self.warnings.is_empty() {
            object.insert("warnings".into(), self.warnings.into());
        }
        object
    }
}
