//! An inventory while sources add to it, and the rules that hold once they are done.

use std::collections::HashSet;

use indexmap::{IndexMap, IndexSet};
use rustle_types::{HostName, InventoryGroup, InventoryHost, Object, ParsedInventory};
use serde_json::Value;

use crate::error::{InventoryErrorKind, Warning};

/// The variable that orders groups of one depth.
pub(crate) const PRIORITY: &str = "ansible_group_priority";

/// An inventory in the making. Groups hold sets here, so that ten thousand hosts are no matter.
#[derive(Default)]
pub(crate) struct Draft {
    hosts: IndexMap<HostName, InventoryHost>,
    groups: IndexMap<String, GroupDraft>,
    sources: Vec<String>,
    /// `inventory_file` and `inventory_dir` of hosts that are first seen now.
    place: Option<(Value, Value)>,
    pub(crate) warnings: Vec<Warning>,
}

#[derive(Default)]
struct GroupDraft {
    hosts: IndexSet<HostName>,
    children: IndexSet<String>,
    vars: Object,
    file_vars: Object,
    playbook_file_vars: Object,
}

impl Draft {
    /// A draft with the groups that are always there.
    pub(crate) fn new() -> Self {
        let mut draft = Self::default();
        draft
            .groups
            .entry("all".to_owned())
            .or_default()
            .children
            .insert("ungrouped".to_owned());
        draft.groups.entry("ungrouped".to_owned()).or_default();
        draft
    }

    /// Takes an inventory up again, to add to it. Groups that are only named as children come to be; hosts that are added have no
    /// place, and say so.
    pub(crate) fn reopen(parsed: ParsedInventory) -> Result<Self, InventoryErrorKind> {
        let mut draft = Self::new();
        draft.place = Some((Value::Null, Value::Null));
        draft.hosts = parsed.hosts;
        draft.sources = parsed.sources;
        for name in parsed.groups.keys() {
            draft.add_group(name)?;
        }
        for (name, group) in parsed.groups {
            for child in &group.children {
                draft.add_group(child)?;
                draft.add_child(&name, child)?;
            }
            for host in group.hosts {
                draft.hosts.entry(host.clone()).or_default();
                draft.add_member(&name, host);
            }
            let entry = draft.groups.entry(name).or_default();
            entry.vars = group.vars;
            entry.file_vars = group.file_vars;
            entry.playbook_file_vars = group.playbook_file_vars;
        }
        Ok(draft)
    }

    /// Says which source is read from now on. The folder is `None` for typed hosts.
    pub(crate) fn begin_source(&mut self, file: &str, folder: Option<&str>) {
        if !self.sources.iter().any(|source| source == file) {
            self.sources.push(file.to_owned());
        }
        self.place = Some((file.into(), folder.map_or(Value::Null, Value::from)));
    }

    /// Says that a source is read that has no place in the file system.
    pub(crate) fn begin_unplaced_source(&mut self) {
        self.place = None;
    }

    /// Notes something odd about the source that is read now.
    pub(crate) fn warn(&mut self, message: impl Into<String>) {
        let origin = self
            .place
            .as_ref()
            .and_then(|(file, _)| file.as_str())
            .unwrap_or_default();
        self.warnings.push(Warning::new(origin, message));
    }

    pub(crate) fn has_group(&self, name: &str) -> bool {
        self.groups.contains_key(name)
    }

    pub(crate) fn has_host(&self, name: &str) -> bool {
        self.hosts.contains_key(name)
    }

    /// Adds a group; whether it is new.
    pub(crate) fn add_group(&mut self, name: &str) -> Result<bool, InventoryErrorKind> {
        if name.is_empty() {
            return Err(InventoryErrorKind::GroupName {
                text: String::new(),
            });
        }
        if self.has_group(name) {
            return Ok(false);
        }
        if !is_variable_name(name) {
            let message = format!(
                "the group name `{name}` has characters that variables cannot have; it works, but not as `groups.{name}`"
            );
            self.warn(message);
        }
        self.groups.insert(name.to_owned(), GroupDraft::default());
        Ok(true)
    }

    /// Adds a host to a group that exists; whether anything changed.
    pub(crate) fn add_host(
        &mut self,
        name: &str,
        group: &str,
        port: Option<u64>,
    ) -> Result<bool, InventoryErrorKind> {
        if name.trim().is_empty() {
            return Err(InventoryErrorKind::Host {
                text: name.to_owned(),
                problem: "the name is empty",
            });
        }
        let host = HostName::from(name);
        let mut changed = false;
        if !self.hosts.contains_key(name) {
            self.hosts.insert(host.clone(), self.new_host(port));
            changed = true;
        } else if let Some(known) = self.hosts.get_mut(name) {
            changed = std::mem::take(&mut known.implicit);
        }
        Ok(self.add_member(group, host) || changed)
    }

    fn new_host(&self, port: Option<u64>) -> InventoryHost {
        let mut vars = Object::new();
        if let Some(port) = port {
            vars.insert("ansible_port".to_owned(), port.into());
        }
        if let Some((file, folder)) = &self.place {
            vars.insert("inventory_file".to_owned(), file.clone());
            vars.insert("inventory_dir".to_owned(), folder.clone());
        }
        InventoryHost {
            vars,
            ..InventoryHost::default()
        }
    }

    fn add_member(&mut self, group: &str, host: HostName) -> bool {
        self.groups
            .entry(group.to_owned())
            .or_default()
            .hosts
            .insert(host)
    }

    /// Makes one group a child of another, both existing; whether that is new.
    pub(crate) fn add_child(
        &mut self,
        group: &str,
        child: &str,
    ) -> Result<bool, InventoryErrorKind> {
        if group == child || self.reaches(child, group) {
            return Err(InventoryErrorKind::Loop {
                group: group.to_owned(),
                child: child.to_owned(),
            });
        }
        Ok(self
            .groups
            .entry(group.to_owned())
            .or_default()
            .children
            .insert(child.to_owned()))
    }

    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut seen = HashSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            for child in self
                .groups
                .get(name)
                .into_iter()
                .flat_map(|group| &group.children)
            {
                if child == to {
                    return true;
                }
                if seen.insert(&**child) {
                    open.push(child);
                }
            }
        }
        false
    }

    /// Sets a variable of a group that exists.
    pub(crate) fn set_group_var(
        &mut self,
        group: &str,
        key: &str,
        value: Value,
    ) -> Result<(), InventoryErrorKind> {
        if key == PRIORITY && priority_of(&value).is_none() {
            return Err(InventoryErrorKind::Priority {
                group: group.to_owned(),
                found: value.to_string(),
            });
        }
        self.groups
            .entry(group.to_owned())
            .or_default()
            .vars
            .insert(key.to_owned(), value);
        Ok(())
    }

    /// Sets a variable of a host that exists; whether its value is new.
    pub(crate) fn set_host_var(&mut self, host: &str, key: &str, value: Value) -> bool {
        let Some(host) = self.hosts.get_mut(host) else {
            return false;
        };
        if host.vars.get(key) == Some(&value) {
            return false;
        }
        host.vars.insert(key.to_owned(), value);
        true
    }

    /// Puts a host that exists into a group that exists; whether it is new there.
    pub(crate) fn join(
        &mut self,
        host: &HostName,
        group: &str,
    ) -> Result<bool, InventoryErrorKind> {
        if !self.has_group(group) {
            return Err(InventoryErrorKind::UnknownGroup {
                group: group.to_owned(),
            });
        }
        Ok(self.add_member(group, host.clone()))
    }

    /// Puts the last rules in force: every group descends from `all`, and `ungrouped` holds whoever is in no other.
    pub(crate) fn finish(mut self) -> (ParsedInventory, Vec<Warning>) {
        self.adopt_orphans();
        self.settle_ungrouped();
        for name in self
            .groups
            .keys()
            .filter(|name| self.hosts.contains_key(&***name))
        {
            self.warnings.push(Warning::new(
                "",
                format!("`{name}` is the name of a group and of a host"),
            ));
        }
        let groups = self
            .groups
            .into_iter()
            .map(|(name, group)| (name, group.finish()))
            .collect();
        (
            ParsedInventory {
                hosts: self.hosts,
                groups,
                sources: self.sources,
            },
            self.warnings,
        )
    }

    fn adopt_orphans(&mut self) {
        let children: HashSet<String> = self
            .groups
            .values()
            .flat_map(|group| group.children.iter().cloned())
            .collect();
        let orphans: Vec<String> = self
            .groups
            .keys()
            .filter(|name| *name != "all" && !children.contains(*name))
            .cloned()
            .collect();
        self.groups
            .entry("all".to_owned())
            .or_default()
            .children
            .extend(orphans);
    }

    fn settle_ungrouped(&mut self) {
        let grouped: HashSet<HostName> = self
            .groups
            .iter()
            .filter(|(name, _)| !matches!(&***name, "all" | "ungrouped"))
            .flat_map(|(_, group)| group.hosts.iter().cloned())
            .collect();
        let ungrouped = &mut self.groups.entry("ungrouped".to_owned()).or_default().hosts;
        ungrouped.retain(|host| !grouped.contains(host));
        let lonely = self
            .hosts
            .iter()
            .filter(|(name, host)| !host.implicit && !grouped.contains(*name));
        ungrouped.extend(lonely.map(|(name, _)| name.clone()));
    }
}

impl GroupDraft {
    fn finish(self) -> InventoryGroup {
        InventoryGroup {
            hosts: self.hosts.into_iter().collect(),
            children: self.children.into_iter().collect(),
            vars: self.vars,
            file_vars: self.file_vars,
            playbook_file_vars: self.playbook_file_vars,
        }
    }
}

/// The priority that a value of `ansible_group_priority` means.
pub(crate) fn priority_of(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        Value::Bool(flag) => Some(i64::from(*flag)),
        _ => None,
    }
}

fn is_variable_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_alphanumeric() || c == '_')
}
