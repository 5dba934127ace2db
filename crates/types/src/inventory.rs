//! The inventory as a run sees it: hosts and groups with their own variables.
//!
//! Parsing and merging live in `rustle-inventory`; here are only the nouns.

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};

use crate::{HostName, Object};

/// Hosts and groups, in the order of their sources.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ParsedInventory {
    /// Every host with its own variables, in inventory order.
    pub hosts: IndexMap<HostName, InventoryHost>,
    /// Every group; `all` and `ungrouped` are always there after parsing.
    pub groups: IndexMap<String, InventoryGroup>,
    /// The files or lists that it was read from, for `inventory_file` and `inventory_dir`.
    pub sources: Vec<String>,
}

/// A host of an inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InventoryHost {
    /// The host's own variables; those of its groups are not merged in.
    pub vars: Object,
    /// Variables from `host_vars/`, which win over `vars`.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub file_vars: Object,
    /// Whether no source names the host: the `localhost` that is there anyway, outside of every group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub implicit: bool,
}

/// A group of an inventory.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct InventoryGroup {
    /// Hosts named directly in the group.
    pub hosts: Vec<HostName>,
    /// Names of its child groups.
    pub children: Vec<String>,
    /// The group's own variables, and its `ansible_group_priority`.
    pub vars: Object,
    /// Variables from the `group_vars/` beside the inventory; they win over `vars` of every group.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub file_vars: Object,
    /// Variables from the `group_vars/` beside the playbook; they win over `file_vars`.
    #[serde(default, skip_serializing_if = "Object::is_empty")]
    pub playbook_file_vars: Object,
}
