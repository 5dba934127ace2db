//! Jinja as Ansible means it: templates, conditions, variable scopes, tainted data.
//!
//! An [`Engine`] renders text with the variables of a [`Scope`]. Strings of a trusted layer may hold templates, which are rendered
//! when they are read; data that came from a host is never rendered, and neither is the result of a rendering.
//! Nothing here does I/O: lookups, decryption and included files are asked of the caller by the traits in this crate.

mod attempt;
mod backslash;
mod builder;
mod compile;
mod convert;
mod depth;
mod emitted;
mod engine;
mod error;
mod file;
mod filters;
mod globals;
mod hooks;
mod includes;
mod inheritance;
mod intern;
mod lazy;
mod macros;
mod methods;
mod mutable;
mod node;
mod omit;
mod part;
mod places;
mod python;
mod python_random;
mod rewrite;
mod rewrite_statements;
mod scope;
mod tests;
mod versions;

pub use builder::EngineBuilder;
pub use engine::Engine;
pub use error::{TemplateError, TemplateErrorKind};
pub use file::FileOptions;
pub use filters::{HashSettings, hash_password, normal_path};
pub use hooks::{Controller, Includes, LookupCall, Lookups, PathKind, Vault};
pub use node::may_hold_template;
pub use python_random::PythonRandom;
pub use scope::{Layer, LazyEntries, LazyVar, Notices, Scope, ScopeBuilder, Trust, Var};
