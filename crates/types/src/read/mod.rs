//! Reading JSON into plan types: every mistake is noted with its path, and reading goes on.
//!
//! A type says how it is read by [`Read`]; `plan_object!` defines a struct, its reader, its list of known fields, its
//! serde writer and its JSON Schema from one list of fields.

mod lists;
mod object;
mod path;
mod reader;
mod scalars;
mod spelling;

pub use lists::{OneOrMany, TagList};
pub(crate) use object::{ReadFields, is_default, plan_keys, plan_object};
pub(crate) use path::Step;
pub(crate) use reader::{Read, Reader, read_value};
pub(crate) use scalars::DurationSchema;
pub use scalars::is_template;
pub use spelling::closest;
pub(crate) use spelling::{plan_enum, same_spelling};
