//! Who descends from whom: the order of groups and the groups of hosts, computed once.

use std::collections::{BTreeSet, HashMap, HashSet};

use indexmap::{IndexMap, IndexSet};
use rustle_types::{HostName, ParsedInventory};

use crate::draft::{PRIORITY, priority_of};

/// The groups of an inventory in order of precedence, and every host's groups.
#[derive(Clone, Debug, Default)]
pub(crate) struct Graph {
    /// Names of groups, lowest precedence first: by depth, then priority, then name.
    pub(crate) order: Vec<String>,
    /// Each host's groups and their ancestors, as places in `order`.
    groups_of: HashMap<HostName, BTreeSet<usize>>,
}

impl Graph {
    /// Looks at an inventory whose groups form no loop.
    pub(crate) fn new(inventory: &ParsedInventory) -> Self {
        let (sorted, depths) = by_depth(inventory);
        let priority = |name: &str| {
            let value = inventory
                .groups
                .get(name)
                .and_then(|group| group.vars.get(PRIORITY));
            value.and_then(priority_of).unwrap_or(1)
        };
        let mut order: Vec<String> = sorted.iter().map(|&name| name.to_owned()).collect();
        order.sort_by_cached_key(|name| {
            (depths.get(&**name).copied(), priority(name), name.clone())
        });
        let groups_of = groups_of(inventory, &sorted, &order);
        Self { order, groups_of }
    }

    /// The groups of a host and their ancestors, lowest precedence first.
    pub(crate) fn groups_of(&self, host: &str) -> impl Iterator<Item = &str> {
        let places = self.groups_of.get(host).into_iter().flatten();
        places
            .filter_map(|&place| self.order.get(place))
            .map(String::as_str)
    }
}

/// Parents before children, and each group's longest way from the top.
fn by_depth(inventory: &ParsedInventory) -> (Vec<&str>, HashMap<&str, usize>) {
    let mut parents: IndexMap<&str, usize> =
        inventory.groups.keys().map(|name| (&**name, 0)).collect();
    for child in inventory.groups.values().flat_map(|group| &group.children) {
        *parents.entry(child).or_default() += 1;
    }
    let mut open: Vec<&str> = parents
        .iter()
        .filter(|(_, count)| **count == 0)
        .map(|(name, _)| *name)
        .collect();
    let mut depths: HashMap<&str, usize> = HashMap::new();
    let mut sorted = Vec::new();
    while let Some(name) = open.pop() {
        sorted.push(name);
        let depth = *depths.entry(name).or_default();
        for child in inventory
            .groups
            .get(name)
            .into_iter()
            .flat_map(|group| &group.children)
        {
            let deepest = depths.entry(child).or_default();
            *deepest = (*deepest).max(depth + 1);
            if let Some(count) = parents.get_mut(&**child) {
                *count -= 1;
                if *count == 0 {
                    open.push(child);
                }
            }
        }
    }
    (sorted, depths)
}

fn groups_of(
    inventory: &ParsedInventory,
    sorted: &[&str],
    order: &[String],
) -> HashMap<HostName, BTreeSet<usize>> {
    let place: HashMap<&str, usize> = order
        .iter()
        .enumerate()
        .map(|(place, name)| (&**name, place))
        .collect();
    let mut lineage: HashMap<&str, BTreeSet<usize>> = HashMap::new();
    let mut of_hosts: HashMap<HostName, BTreeSet<usize>> = HashMap::new();
    for &name in sorted {
        let (Some(group), Some(&place)) = (inventory.groups.get(name), place.get(name)) else {
            continue;
        };
        let own = lineage.entry(name).or_default();
        own.insert(place);
        let own = own.clone();
        for host in &group.hosts {
            of_hosts.entry(host.clone()).or_default().extend(&own);
        }
        for child in &group.children {
            lineage.entry(child).or_default().extend(&own);
        }
    }
    of_hosts
}

/// The hosts of a group and of all below it, level by level.
pub(crate) fn members<'i>(inventory: &'i ParsedInventory, group: &str) -> IndexSet<&'i HostName> {
    let mut hosts = IndexSet::new();
    let mut seen = HashSet::new();
    let mut level: Vec<&str> = inventory
        .groups
        .get_key_value(group)
        .map(|(name, _)| &**name)
        .into_iter()
        .collect();
    while !level.is_empty() {
        let groups = level
            .iter()
            .filter(|name| seen.insert(**name))
            .filter_map(|name| inventory.groups.get(*name));
        let groups: Vec<_> = groups.collect();
        hosts.extend(groups.iter().flat_map(|group| &group.hosts));
        level = groups
            .iter()
            .flat_map(|group| &group.children)
            .map(String::as_str)
            .collect();
    }
    hosts
}
