//! What a module says it did.

use rustle_types::{ModuleResult, Object};
use serde_json::Value;

/// What a step of a module that worked returns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Output {
    /// The keys of the result, in Ansible's names.
    pub result: Object,
    /// Whether something changed, where that differs from what the step implies.
    pub changed: Option<bool>,
    /// Hints for the user that are no failure.
    pub warnings: Vec<String>,
}

impl Output {
    /// An output with these result keys.
    #[must_use]
    pub fn new(result: Object) -> Self {
        Self {
            result,
            ..Self::default()
        }
    }

    /// Sets whether something changed.
    #[must_use]
    pub const fn changed(mut self, changed: bool) -> Self {
        self.changed = Some(changed);
        self
    }

    /// Adds a warning.
    #[must_use]
    pub fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }
}

/// Why a module could not do what it was asked to.
#[derive(Clone, Debug, Default, PartialEq, thiserror::Error)]
#[error("{msg}")]
pub struct Failure {
    /// What happened, for people and for `result.msg`.
    pub msg: String,
    /// Further keys of the result (`rc`, `stderr`, …).
    pub result: Object,
    /// Whether something was changed before it failed.
    pub changed: bool,
    /// Hints for the user.
    pub warnings: Vec<String>,
}

impl Failure {
    /// A failure that says `msg`.
    #[must_use]
    pub fn new(msg: impl Into<String>) -> Self {
        Self {
            msg: msg.into(),
            ..Self::default()
        }
    }

    /// Adds a key to the result.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.result.insert(key.into(), value.into());
        self
    }

    /// Marks that something was changed before it failed.
    #[must_use]
    pub const fn changed(mut self) -> Self {
        self.changed = true;
        self
    }
}

impl From<Failure> for ModuleResult {
    fn from(failure: Failure) -> Self {
        Self {
            changed: failure.changed,
            failed: true,
            msg: Some(Value::String(failure.msg)),
            result: failure.result,
            warnings: failure.warnings,
            ..Self::default()
        }
    }
}
