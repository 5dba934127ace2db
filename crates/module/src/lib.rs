//! The contract of a module: trait, argument specification, target, catalogue.
//!
//! A module is a type with a [`Spec`] and three steps: [`Module::inspect`] reads the state, [`Module::diff`]
//! compares it with what was asked for, [`Module::apply`] changes it. Whatever all modules share (parsing
//! and coercing arguments, check mode, hiding secrets, the shape of a result) is written once, in the
//! object-safe face [`DynModule`] that every [`Module`] has.

pub mod accounts;
mod args;
mod attached;
pub mod backup;
mod catalogue;
mod choices;
mod coerce;
mod contract;
pub mod foreign;
pub mod fragments;
mod hex;
mod host_target;
pub mod hosts;
pub mod jobs;
mod limit;
mod literals;
pub mod locks;
pub mod os_error;
pub mod path_info;
mod py_json;
mod pyrepr;
pub mod python_regex;
mod random;
mod received;
mod redact;
mod result;
mod spec;
mod target;
pub mod tool;

pub use args::{ArgError, CheckedArgs, check_all_args, check_args};
pub use attached::{Attached, Sink};
pub use catalogue::{Catalogue, short_name};
pub use coerce::{Expand, as_bool, expand_path, py_type};
pub use contract::{Change, DynModule, Module, Verdict};
pub use hex::hex;
pub use host_target::{Caller, HostTarget, own_user};
pub use limit::within;
pub use literals::{LiteralProblem, check_literals};
pub use py_json::py_json;
pub use pyrepr::{py_repr, py_str};
pub use random::random_name;
pub use received::Received;
pub use redact::redact;
pub use result::{Failure, Output};
pub use rustle_types::{AttachmentId, Mode, ModuleResult, Object};
pub use spec::{CheckSupport, Constraint, Default, Opt, Spec, Type};
pub use target::{Attachment, Target, pause};
