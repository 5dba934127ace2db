//! The JSON shapes of an inventory: `ansible-inventory --list`, `rustle-parse`, a list of names.

use indexmap::{IndexMap, IndexSet};
use rustle_types::{HostName, Object};
use serde_json::Value;

use crate::draft::Draft;
use crate::error::InventoryErrorKind as Kind;
use crate::tree::{self, Misfit, describe};

/// Facts that an inventory brings along, by host.
pub(crate) type HostFacts = IndexMap<HostName, Object>;

/// `rustle-parse`'s own names for what Ansible has variables for.
const HOST_FIELDS: [(&str, &str); 13] = [
    ("address", "ansible_host"),
    ("port", "ansible_port"),
    ("user", "ansible_user"),
    ("connection", "ansible_connection"),
    ("ssh_private_key_file", "ansible_ssh_private_key_file"),
    ("ssh_common_args", "ansible_ssh_common_args"),
    ("ssh_extra_args", "ansible_ssh_extra_args"),
    ("ssh_pipelining", "ansible_ssh_pipelining"),
    ("connection_timeout", "ansible_timeout"),
    ("ansible_become", "ansible_become"),
    ("become_method", "ansible_become_method"),
    ("become_user", "ansible_become_user"),
    ("become_flags", "ansible_become_flags"),
];

/// Reads an inventory of any shape into a draft.
pub(crate) fn read(
    document: &Value,
    draft: &mut Draft,
    facts: &mut HostFacts,
) -> Result<(), Misfit> {
    let object = object_at(document, &[])?;
    let mut reader = Reader { draft, facts };
    match shape_of(object) {
        Shape::WholeParse(inventory) => read(inventory, draft, facts),
        Shape::Parse { hosts, groups } => reader.parse(object, hosts, groups),
        Shape::Names(names) => reader.names(object, names),
        Shape::List => reader.list(object),
        Shape::Tree => tree::read(object, draft),
    }
}

/// Reads what an inventory program prints for `--list` into a draft, and names the hosts it listed. As Ansible has it,
/// variables of a host that is in no group are left out.
pub(crate) fn read_listed(document: &Object, draft: &mut Draft) -> Result<Vec<HostName>, Misfit> {
    let mut reader = Reader {
        draft,
        facts: &mut HostFacts::new(),
    };
    let hosts = reader.groups(document, Empty::Host)?;
    if let Some(meta) = document.get("_meta") {
        let hostvars = object_at(meta, &["_meta"])?.get("hostvars");
        let hostvars = object_at(hostvars.unwrap_or(&Value::Null), &["_meta", "hostvars"])?;
        for host in &hosts {
            if let Some(vars) = hostvars.get(host.as_str()) {
                reader.host(host.as_str(), vars, &["_meta", "hostvars", host.as_str()])?;
            }
        }
    }
    Ok(hosts.into_iter().collect())
}

/// What a group of a listing is that says nothing of itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Empty {
    /// A group without hosts.
    Group,
    /// A host that is alone in a group of its name, as Ansible takes it from a program.
    Host,
}

enum Shape<'v> {
    /// The whole output of `rustle-parse`, with the plays and all.
    WholeParse(&'v Value),
    /// The `inventory` of `rustle-parse`.
    Parse {
        hosts: &'v Object,
        groups: &'v Object,
    },
    /// `{"hosts": [names], …}`.
    Names(&'v [Value]),
    /// `ansible-inventory --list`, or what an inventory program prints.
    List,
    /// A YAML inventory, or one in JSON by the same rules.
    Tree,
}

fn shape_of(object: &Object) -> Shape<'_> {
    if let Some(inventory @ Value::Object(_)) = object.get("inventory")
        && object.contains_key("plays")
    {
        return Shape::WholeParse(inventory);
    }
    match (object.get("hosts"), object.get("groups")) {
        (Some(Value::Array(names)), _) => return Shape::Names(names),
        (Some(Value::Object(hosts)), Some(Value::Object(groups))) => {
            return Shape::Parse { hosts, groups };
        }
        _ => {}
    }
    let is_listed = |group: &Value| match group {
        Value::Array(_) => true,
        Value::Object(group) => ["hosts", "children"]
            .iter()
            .any(|key| group.get(*key).is_some_and(Value::is_array)),
        _ => false,
    };
    if object.contains_key("_meta") || object.values().any(is_listed) {
        Shape::List
    } else {
        Shape::Tree
    }
}

struct Reader<'d> {
    draft: &'d mut Draft,
    facts: &'d mut HostFacts,
}

impl Reader<'_> {
    /// `ansible-inventory --list`.
    fn list(&mut self, document: &Object) -> Result<(), Misfit> {
        self.groups(document, Empty::Group)?;
        let hostvars = document.get("_meta").and_then(|meta| meta.get("hostvars"));
        for (host, vars) in entries(hostvars, &["_meta", "hostvars"])? {
            self.host(host, vars, &["_meta", "hostvars", host])?;
        }
        Ok(())
    }

    /// The groups of a listing; the hosts in them.
    fn groups(&mut self, document: &Object, empty: Empty) -> Result<IndexSet<HostName>, Misfit> {
        let mut hosts = IndexSet::new();
        for (name, group) in document.iter().filter(|(name, _)| *name != "_meta") {
            match group {
                Value::Object(sections)
                    if !["hosts", "children", "vars"]
                        .iter()
                        .any(|key| sections.contains_key(*key)) =>
                {
                    if sections.is_empty() && empty == Empty::Group {
                        self.add_group(name, &[name])?;
                        continue;
                    }
                    self.lone_host(name, sections)?;
                    hosts.insert(HostName::from(&**name));
                }
                group => {
                    self.group(name, group, &[name])?;
                    let members = if group.is_array() {
                        Some(group)
                    } else {
                        group.get("hosts")
                    };
                    hosts.extend(names_at(members, &[name])?.into_iter().map(HostName::from));
                }
            }
        }
        Ok(hosts)
    }

    /// The oldest shape of inventory programs: a host as its own group, variables only.
    fn lone_host(&mut self, name: &str, vars: &Object) -> Result<(), Misfit> {
        self.add_group(name, &[name])?;
        self.draft
            .add_host(name, name, None)
            .map_err(|kind| misfit(&[name], kind))?;
        for (key, value) in vars {
            self.set_group_var(name, key, value)?;
        }
        Ok(())
    }

    /// A group as a list of hosts, or as an object with lists of hosts and children.
    fn group(&mut self, name: &str, group: &Value, path: &[&str]) -> Result<(), Misfit> {
        self.add_group(name, path)?;
        if group.is_array() {
            return self.members(name, Some(group), path);
        }
        let group = object_at(group, path)?;
        self.members(name, group.get("hosts"), &[path, &["hosts"]].concat())?;
        let children_path = [path, &["children"]].concat();
        for child in names_at(group.get("children"), &children_path)? {
            self.add_group(child, &children_path)?;
            self.draft
                .add_child(name, child)
                .map_err(|kind| misfit(&children_path, kind))?;
        }
        for (key, value) in entries(group.get("vars"), &[path, &["vars"]].concat())? {
            self.set_group_var(name, key, value)?;
        }
        Ok(())
    }

    fn members(&mut self, group: &str, hosts: Option<&Value>, path: &[&str]) -> Result<(), Misfit> {
        for host in names_at(hosts, path)? {
            self.draft
                .add_host(host, group, None)
                .map_err(|kind| misfit(path, kind))?;
        }
        Ok(())
    }

    fn add_group(&mut self, name: &str, path: &[&str]) -> Result<(), Misfit> {
        self.draft
            .add_group(name)
            .map(drop)
            .map_err(|kind| misfit(path, kind))
    }

    fn set_group_var(&mut self, group: &str, key: &str, value: &Value) -> Result<(), Misfit> {
        self.draft
            .set_group_var(group, key, value.clone())
            .map_err(|kind| misfit(&[group, "vars", key], kind))
    }

    fn host(&mut self, name: &str, vars: &Value, path: &[&str]) -> Result<(), Misfit> {
        if !self.draft.has_host(name) {
            self.draft
                .add_host(name, "all", None)
                .map_err(|kind| misfit(path, kind))?;
        }
        for (key, value) in entries(Some(vars), path)? {
            self.draft.set_host_var(name, key, value.clone());
        }
        Ok(())
    }

    /// `rustle-parse`'s inventory.
    fn parse(&mut self, document: &Object, hosts: &Object, groups: &Object) -> Result<(), Misfit> {
        for (name, host) in hosts {
            let host = object_at(host, &["hosts", name])?;
            self.host(
                name,
                host.get("vars").unwrap_or(&Value::Null),
                &["hosts", name, "vars"],
            )?;
            for (field, variable) in HOST_FIELDS {
                let is_set = host
                    .get("vars")
                    .and_then(|vars| vars.get(variable))
                    .is_some();
                if let Some(value) = host.get(field).filter(|value| !value.is_null() && !is_set) {
                    self.draft.set_host_var(name, variable, value.clone());
                }
            }
            for group in names_at(host.get("groups"), &["hosts", name, "groups"])? {
                self.add_group(group, &["hosts", name, "groups"])?;
                self.draft
                    .add_host(name, group, None)
                    .map_err(|kind| misfit(&["hosts", name], kind))?;
            }
        }
        self.rest(document, groups, "variables")
    }

    /// `{"hosts": [names], "groups": {…}, "vars": {…}, "host_facts": {…}}`.
    fn names(&mut self, document: &Object, names: &[Value]) -> Result<(), Misfit> {
        for name in names {
            let name = name
                .as_str()
                .ok_or_else(|| shape(&["hosts"], "names of hosts", name))?;
            self.host(name, &Value::Null, &["hosts"])?;
        }
        let groups = entries(document.get("groups"), &["groups"])?;
        self.rest(
            document,
            &groups
                .map(|(name, group)| (name.clone(), group.clone()))
                .collect(),
            "vars",
        )
    }

    /// What the last two shapes share: groups, variables of `all`, facts.
    fn rest(&mut self, document: &Object, groups: &Object, vars: &str) -> Result<(), Misfit> {
        for (name, group) in groups {
            self.group(name, group, &["groups", name])?;
        }
        for (key, value) in entries(document.get(vars), &[vars])? {
            self.set_group_var("all", key, value)?;
        }
        for (host, facts) in entries(document.get("host_facts"), &["host_facts"])? {
            let facts = object_at(facts, &["host_facts", host])?;
            self.facts.insert(HostName::from(&**host), facts.clone());
        }
        Ok(())
    }
}

fn misfit(path: &[&str], kind: Kind) -> Misfit {
    Misfit {
        path: path.iter().map(|&key| key.to_owned()).collect(),
        kind,
    }
}

fn shape(path: &[&str], expected: &'static str, found: &Value) -> Misfit {
    let dotted = if path.is_empty() {
        "the document".to_owned()
    } else {
        path.join(".")
    };
    misfit(
        path,
        Kind::Shape {
            path: dotted,
            expected,
            found: describe(found),
        },
    )
}

fn object_at<'v>(value: &'v Value, path: &[&str]) -> Result<&'v Object, Misfit> {
    value
        .as_object()
        .ok_or_else(|| shape(path, "a mapping", value))
}

/// The entries of an object that may be missing or null.
fn entries<'v>(
    value: Option<&'v Value>,
    path: &[&str],
) -> Result<serde_json::map::Iter<'v>, Misfit> {
    static EMPTY: std::sync::LazyLock<Object> = std::sync::LazyLock::new(Object::new);
    match value {
        None | Some(Value::Null) => Ok(EMPTY.iter()),
        Some(value) => Ok(object_at(value, path)?.iter()),
    }
}

/// The names of a list that may be missing or null, or of an object's keys.
fn names_at<'v>(value: Option<&'v Value>, path: &[&str]) -> Result<Vec<&'v str>, Misfit> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(entries)) => Ok(entries.keys().map(String::as_str).collect()),
        Some(Value::Array(items)) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(|| shape(path, "names", item)))
            .collect(),
        Some(other) => Err(shape(path, "a list of names", other)),
    }
}
