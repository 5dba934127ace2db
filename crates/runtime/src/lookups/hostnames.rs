//! `inventory_hostnames`: the hosts that patterns mean.

use rustle_inventory::Inventory;
use rustle_inventory::patterns::HostPattern;
use rustle_template::LookupCall;
use serde_json::Value;

use super::{Found, texts};

/// The names of the hosts that the patterns mean together; none where a pattern is wrong, as in Ansible.
pub(super) fn inventory_hostnames(call: &LookupCall<'_>) -> Found {
    let groups = call
        .engine
        .evaluate("groups", call.scope)
        .map_err(|error| error.to_string())?;
    let pattern = HostPattern::parse_list(&texts(&call.terms));
    let inventory = rustle_inventory::from_value(&groups, "the groups")
        .and_then(|loaded| Inventory::new(loaded.inventory));
    let (Ok(pattern), Ok(inventory)) = (pattern, inventory) else {
        return Ok(Vec::new());
    };
    let matched = pattern.resolve(&inventory).unwrap_or_default();
    let names = matched
        .hosts
        .iter()
        .map(|host| Value::String(host.to_string()));
    Ok(names.collect())
}
