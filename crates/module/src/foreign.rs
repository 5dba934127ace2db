//! A module that is not native: a program that speaks one of Ansible's protocols, as the controller describes it to a host.

use serde::{Deserialize, Serialize};

use crate::{AttachmentId, Object};

/// The name by which a host is asked to run such a module. Plans cannot name it.
pub const FOREIGN: &str = "_foreign";

/// What a host needs to run a module that is not native: the arguments of a call to [`FOREIGN`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForeignCall {
    /// The module, as messages name it.
    pub name: String,
    /// How it takes its arguments.
    pub protocol: Protocol,
    /// What runs its program.
    pub interpreter: Interpreter,
    /// Its program.
    pub program: Program,
    /// Its arguments, and what Ansible tells modules beside them (`_ansible_check_mode`, …).
    pub args: Object,
    /// Whether the program is only brought to the host, and run by a later call.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_fetched_only: bool,
}

/// How a module takes its arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// By a file of `key=value` words, whose name is its first argument.
    KeyValueFile,
    /// By a file with a JSON object, whose name is its first argument.
    JsonFile,
    /// By JSON that is put into its text in place of [`ARGS_MARK`].
    JsonInText,
    /// By JSON on its standard input: the archive of a Python module.
    JsonOnStdin,
}

/// What stands in a module's text where its arguments go.
pub const ARGS_MARK: &str = "<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// What runs a module's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Interpreter {
    /// The system does: it is a binary.
    Itself,
    /// A program and its first arguments.
    Words(Vec<String>),
    /// The first Python that the host has, and its first arguments.
    AnyPython {
        /// Names and paths, the best first.
        candidates: Vec<String>,
        /// What stands before the module's program.
        args: Vec<String>,
        /// Whether the choice is told of in a warning.
        is_told: bool,
    },
}

/// A program that is kept on the host, once for all calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its name on the channel.
    pub id: AttachmentId,
    /// Its length in bytes.
    pub size: u64,
    /// Its SHA-256, in hexadecimal digits.
    pub sha256: String,
}
