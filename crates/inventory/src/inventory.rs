//! An inventory to ask: the variables and groups of a host, the hosts of a group.

use std::sync::OnceLock;

use indexmap::IndexMap;
use rustle_types::{HostName, InventoryGroup, InventoryHost, Object, ParsedInventory};

use crate::draft::{Draft, PRIORITY};
use crate::error::{InventoryError, InventoryErrorKind, Warning};
use crate::file_tree::FileTree;
use crate::graph::{Graph, members};
use crate::var_folders::VarFolders;

/// A parsed inventory with its groups in order. `localhost` is always in it, outside of every group where no source
/// names it.
#[derive(Clone, Debug)]
pub struct Inventory {
    parsed: ParsedInventory,
    graph: Graph,
    /// The hosts of `all`, found when first asked for.
    all: OnceLock<Vec<HostName>>,
}

impl Inventory {
    /// Takes a parsed inventory, and puts right what a hand-written one may lack: `all`, `ungrouped`, `localhost`.
    ///
    /// # Errors
    /// When its groups form a loop.
    pub fn new(parsed: ParsedInventory) -> Result<Self, InventoryError> {
        let origin = parsed.sources.join(", ");
        Self::close(Draft::reopen(parsed).map_err(|kind| InventoryError::new(&origin, kind))?)
    }

    fn close(draft: Draft) -> Result<Self, InventoryError> {
        let (mut parsed, _) = draft.finish();
        ensure_localhost(&mut parsed);
        let graph = Graph::new(&parsed);
        Ok(Self {
            parsed,
            graph,
            all: OnceLock::new(),
        })
    }

    /// The inventory as it was parsed, `localhost` added.
    #[must_use]
    pub fn parsed(&self) -> &ParsedInventory {
        &self.parsed
    }

    /// The hosts of `all`, in inventory order: by depth of their groups. An implicit `localhost` is not one of them.
    pub fn hosts(&self) -> &[HostName] {
        self.all.get_or_init(|| self.members("all"))
    }

    /// Whether a host of that name is known, an implicit `localhost` included.
    #[must_use]
    pub fn has_host(&self, name: &str) -> bool {
        self.parsed.hosts.contains_key(name)
    }

    /// The hosts of a group and of its descendants; none where the group is unknown.
    #[must_use]
    pub fn members(&self, group: &str) -> Vec<HostName> {
        let is_shown = |host: &HostName| {
            group != "all"
                || !self
                    .parsed
                    .hosts
                    .get(host)
                    .is_some_and(|host| host.implicit)
        };
        members(&self.parsed, group)
            .into_iter()
            .filter(|host| is_shown(host))
            .cloned()
            .collect()
    }

    /// The magic variable `groups`: every group's hosts, those of its descendants included.
    #[must_use]
    pub fn groups(&self) -> IndexMap<String, Vec<HostName>> {
        self.parsed
            .groups
            .keys()
            .map(|name| (name.clone(), self.members(name)))
            .collect()
    }

    /// Names of all groups, lowest precedence first: by depth, then `ansible_group_priority`, then name.
    #[must_use]
    pub fn group_order(&self) -> &[String] {
        &self.graph.order
    }

    /// The magic variable `group_names`: a host's groups and their ancestors, sorted, without `all`.
    #[must_use]
    pub fn group_names(&self, host: &HostName) -> Vec<String> {
        let mut names: Vec<String> = self
            .graph
            .groups_of(host.as_str())
            .filter(|name| *name != "all")
            .map(str::to_owned)
            .collect();
        names.sort_unstable();
        names
    }

    /// A host's variables, all merged. They are merged anew at every call: ask once, and share the answer.
    ///
    /// Lowest first: `all`; other groups by [`Self::group_order`]; `group_vars/all` beside the inventory, then beside the playbook;
    /// other groups' `group_vars/`, in the same two steps; the host's own; its `host_vars/`. A host that is not in the
    /// inventory has what `all` has, and `127.0.0.1` and `::1` then mean the local connection as `localhost` does.
    #[must_use]
    pub fn host_vars(&self, host: &HostName) -> Object {
        let all = self.parsed.groups.get("all");
        let groups: Vec<&InventoryGroup> = self
            .graph
            .groups_of(host.as_str())
            .filter(|name| *name != "all")
            .filter_map(|name| self.parsed.groups.get(name))
            .collect();
        let own = |group: &InventoryGroup| {
            group
                .vars
                .clone()
                .into_iter()
                .filter(|(key, _)| key != PRIORITY)
        };
        let mut vars: Object = all
            .into_iter()
            .chain(groups.iter().copied())
            .flat_map(own)
            .collect();
        if let Some(all) = all {
            vars.extend(all.file_vars.clone());
            vars.extend(all.playbook_file_vars.clone());
        }
        vars.extend(groups.iter().flat_map(|group| group.file_vars.clone()));
        vars.extend(
            groups
                .iter()
                .flat_map(|group| group.playbook_file_vars.clone()),
        );
        if let Some(host) = self.parsed.hosts.get(host) {
            vars.extend(host.vars.clone());
            vars.extend(host.file_vars.clone());
        } else if host.is_localhost() {
            vars.extend(implicit_localhost().vars);
        }
        vars
    }

    /// Adds a host as `add_host` does, or adds to one; whether anything changed. Groups that are missing come to be.
    ///
    /// # Errors
    /// When the name of the host or of a group is empty.
    pub fn add_host(
        &mut self,
        name: &HostName,
        vars: Object,
        groups: &[&str],
    ) -> Result<bool, InventoryError> {
        self.amend(|draft| {
            let is_new = !draft.has_host(name.as_str());
            // A host that is there already keeps its place in `all`.
            let mut changed = is_new;
            if is_new {
                draft.add_host(name.as_str(), "all", None)?;
            }
            for group in groups {
                draft.add_group(group)?;
                changed |= draft.add_host(name.as_str(), group, None)?;
            }
            for (key, value) in vars {
                changed |= draft.set_host_var(name.as_str(), &key, value);
            }
            Ok(changed)
        })
    }

    /// Adds a group below parents, or below `all`; whether anything changed. Parents that are missing come to be.
    ///
    /// # Errors
    /// When a name is empty, or when a parent descends from the group.
    pub fn add_group(&mut self, name: &str, parents: &[&str]) -> Result<bool, InventoryError> {
        self.amend(|draft| {
            let mut changed = draft.add_group(name)?;
            for parent in parents {
                changed |= draft.add_group(parent)?;
                changed |= draft.add_child(parent, name)?;
            }
            Ok(changed)
        })
    }

    /// Puts a known host into a known group, as `group_by` does; whether it was not there before.
    ///
    /// # Errors
    /// When the group is not there, or the host is not.
    pub fn add_host_to_group(
        &mut self,
        host: &HostName,
        group: &str,
    ) -> Result<bool, InventoryError> {
        if !self.has_host(host.as_str()) {
            let kind = InventoryErrorKind::Host {
                text: host.to_string(),
                problem: "it is not in the inventory",
            };
            return Err(self.error(kind));
        }
        self.amend(|draft| draft.join(host, group))
    }

    /// Reads `group_vars/` for a group that was added.
    ///
    /// # Errors
    /// When a file of the group cannot be read or does not parse.
    pub fn read_group_vars(
        &mut self,
        name: &str,
        folders: &VarFolders,
        files: &dyn FileTree,
    ) -> Result<Vec<Warning>, InventoryError> {
        let mut warnings = Vec::new();
        if let Some(group) = self.parsed.groups.get_mut(name) {
            folders.read_group(name, group, files, &mut warnings)?;
        }
        Ok(warnings)
    }

    /// Reads `host_vars/` for a host that was added.
    ///
    /// # Errors
    /// When a file of the host cannot be read or does not parse.
    pub fn read_host_vars(
        &mut self,
        name: &HostName,
        folders: &VarFolders,
        files: &dyn FileTree,
    ) -> Result<Vec<Warning>, InventoryError> {
        let mut warnings = Vec::new();
        if let Some(host) = self.parsed.hosts.get_mut(name) {
            folders.read_host(name.as_str(), host, files, &mut warnings)?;
        }
        Ok(warnings)
    }

    /// Changes the inventory; a change that fails leaves it as it was.
    fn amend(
        &mut self,
        change: impl FnOnce(&mut Draft) -> Result<bool, InventoryErrorKind>,
    ) -> Result<bool, InventoryError> {
        let mut draft = Draft::reopen(self.parsed.clone()).map_err(|kind| self.error(kind))?;
        let changed = change(&mut draft).map_err(|kind| self.error(kind))?;
        if changed {
            *self = Self::close(draft)?;
        }
        Ok(changed)
    }

    fn error(&self, kind: InventoryErrorKind) -> InventoryError {
        InventoryError::new(&self.parsed.sources.join(", "), kind)
    }
}

/// Adds `localhost` with the local connection, outside of every group, unless the inventory names this machine.
pub fn ensure_localhost(inventory: &mut ParsedInventory) {
    if !inventory.hosts.keys().any(HostName::is_localhost) {
        inventory
            .hosts
            .insert(HostName::from("localhost"), implicit_localhost());
    }
}

/// `localhost` as it is where no source names it.
pub(crate) fn implicit_localhost() -> InventoryHost {
    let vars = Object::from_iter([("ansible_connection".to_owned(), "local".into())]);
    InventoryHost {
        vars,
        implicit: true,
        ..InventoryHost::default()
    }
}

#[cfg(test)]
mod tests;
