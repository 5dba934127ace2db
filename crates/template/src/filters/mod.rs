//! Filters, one file a family.

mod arguments;
mod collections;
mod data_formats;
mod dates;
mod defaults;
mod encoding;
mod html;
mod mappings;
mod md5_crypt;
mod numbers;
mod operators;
mod password_hash;
mod paths;
mod patterns;
mod percent;
mod random;
mod select;
mod strings;
mod vaulting;
mod yaml_writer;

use minijinja::Environment;

pub(crate) use arguments::{Arguments, entries, items};
pub(crate) use dates::{Moment, now, written};
pub(crate) use numbers::to_bool as number_to_bool;
pub(crate) use operators::{contains, defined, ordered};
pub use password_hash::{HashSettings, hash_password};
pub use paths::normal_path;
pub(crate) use patterns::{compiled as compiled_pattern, matches as pattern_matches};
pub(crate) use select::{GROUPS_BECOME_LISTS, Group, holds_groups};
pub(crate) use strings::{capitalize, split};

/// Adds the filters to an environment.
pub(crate) fn register(environment: &mut Environment<'static>) {
    collections::register(environment);
    data_formats::register(environment);
    dates::register(environment);
    defaults::register(environment);
    encoding::register(environment);
    html::register(environment);
    mappings::register(environment);
    numbers::register(environment);
    operators::register(environment);
    password_hash::register(environment);
    paths::register(environment);
    patterns::register(environment);
    random::register(environment);
    select::register(environment);
    strings::register(environment);
    vaulting::register(environment);
}

/// True where a filter of this name exists.
pub(crate) fn exists(environment: &Environment<'static>, name: &str) -> bool {
    let known = environment
        .compile_expression("name is filter")
        .and_then(|found| found.eval(minijinja::context! { name }));
    known.is_ok_and(|known| known.is_true())
}
