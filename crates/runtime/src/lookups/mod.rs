//! Lookups: what `lookup()`, `query()` and `with_…` find on the controller.
//!
//! There is one implementation of each, and they differ only in what they are given: `with_…` gives the items of its list as
//! terms, a call in a template gives its arguments.

mod commands;
mod config;
mod config_parser;
mod csvfile;
mod files;
mod first_found;
mod hostnames;
mod ini;
mod lists;
mod password;
mod search;
mod sequence;
mod subelements;
mod template;
mod url;

use std::path::PathBuf;
use std::sync::Mutex;

use rustle_module::{as_bool, py_str};
use rustle_process::CancelToken;
use rustle_template::{LookupCall, Lookups};
use serde_json::Value;

pub(crate) use files::files_like;
pub(crate) use search::{expand_home, places};

/// The `with_…` forms that are known here.
pub const WITH_LOOKUPS: &[&str] = &[
    "cartesian",
    "config",
    "csvfile",
    "dict",
    "env",
    "file",
    "fileglob",
    "first_found",
    "flattened",
    "indexed_items",
    "ini",
    "inventory_hostnames",
    "items",
    "lines",
    "list",
    "nested",
    "password",
    "pipe",
    "random_choice",
    "sequence",
    "subelements",
    "template",
    "together",
    "unvault",
    "url",
];

/// What a lookup found, or why it did not.
type Found = Result<Vec<Value>, String>;

/// Answers lookups on the controller.
#[derive(Debug)]
pub struct ControllerLookups {
    /// Where relative paths of the plan begin.
    base_dir: PathBuf,
    /// Stops what `pipe` and `lines` run.
    cancel: CancelToken,
    /// Held while a password is read or made, so that hosts that run at the same time get the same one.
    passwords: Mutex<()>,
}

impl ControllerLookups {
    /// Lookups of a plan whose relative paths begin in `base_dir`. Commands that they run end when `cancel` says so.
    #[must_use]
    pub fn new(base_dir: PathBuf, cancel: CancelToken) -> Self {
        Self {
            base_dir,
            cancel,
            passwords: Mutex::default(),
        }
    }
}

impl Lookups for ControllerLookups {
    fn lookup(&self, call: &LookupCall<'_>) -> Option<Found> {
        let terms = || texts(&call.terms);
        Some(match call.name {
            "items" => Ok(lists::items(&call.terms)),
            "list" => Ok(call.terms.clone()),
            "flattened" => Ok(lists::flattened(&call.terms)),
            "dict" => lists::dict(&call.terms),
            "indexed_items" => Ok(lists::indexed_items(&call.terms)),
            "together" => lists::together(&call.terms),
            "nested" | "cartesian" => lists::nested(&call.terms),
            "random_choice" => Ok(lists::random_choice(&call.terms)),
            "sequence" => sequence::sequence(&call.terms, &call.options),
            "subelements" => subelements::subelements(&call.terms),
            "env" => Ok(commands::env(call)),
            "pipe" => self.pipe(&terms()),
            "lines" => self.lines(&terms()),
            "file" => files::file(self, call),
            "unvault" => files::unvault(self, call),
            "fileglob" => files::fileglob(self, call),
            "first_found" => first_found::first_found(self, call),
            "template" => template::template(self, call),
            "csvfile" => csvfile::csvfile(self, call),
            "ini" => ini::ini(self, call),
            "inventory_hostnames" => hostnames::inventory_hostnames(call),
            "password" => self.password(call),
            "config" => config::config(call),
            "url" => url::url(self, call),
            _ => return None,
        })
    }
}

/// Terms as text.
fn texts(terms: &[Value]) -> Vec<String> {
    terms.iter().map(py_str).collect()
}

/// An option that is text.
fn text_option(call: &LookupCall<'_>, name: &str, default: &str) -> String {
    call.options
        .get(name)
        .filter(|value| !value.is_null())
        .map_or_else(|| default.to_owned(), py_str)
}

/// An option that is true or false.
fn flag_option(call: &LookupCall<'_>, name: &str, default: bool) -> Result<bool, String> {
    match call.options.get(name).filter(|value| !value.is_null()) {
        None => Ok(default),
        Some(value) => as_bool(value)
            .ok_or_else(|| format!("the option `{name}` has to be true or false, not {value}")),
    }
}

/// An option that is a list of texts; a single text is a list of one.
fn list_option(options: &rustle_types::Object, name: &str) -> Vec<String> {
    match options.get(name) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => texts(items),
        Some(single) => vec![py_str(single)],
    }
}
