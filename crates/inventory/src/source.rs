//! Where an inventory comes from.

use std::path::PathBuf;

use rustle_types::HostName;
use serde_json::Value;

/// One source of an inventory. Sources are read in order, and later ones win.
#[derive(Clone, Debug, PartialEq)]
pub enum InventorySource {
    /// A file, or a folder of files.
    Path(PathBuf),
    /// Hosts typed in: `web01,web02:2222,`.
    Typed(String),
    /// Hosts by their names only, as a plan without an inventory has them.
    Names(Vec<HostName>),
    /// An inventory that a plan carries.
    Value {
        /// The document, in any of the JSON shapes.
        value: Value,
        /// What errors call it, such as the plan's file.
        origin: String,
    },
}

impl InventorySource {
    /// Reads what `-i` was given: with a comma it is a list of hosts, else a path.
    #[must_use]
    pub fn from_argument(argument: &str) -> Self {
        if argument.contains(',') {
            Self::Typed(argument.to_owned())
        } else {
            Self::Path(PathBuf::from(argument))
        }
    }
}
