//! What the run knows of its hosts: inventory, facts, and what tasks left behind.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use crate::effects::Effects;
use crate::execution::facts_cache::FactsCache;
use crate::play::facts_layer;
use crate::requests::NewHost;
use crate::world::{HostRecord, HostVars, LiveVars};
use dashmap::DashMap;
use rustle_inventory::{FileTree, Inventory, InventoryError, VarFolders};
use rustle_template::{Layer, Trust};
use rustle_types::{HostName, Object};
use serde_json::Value;

/// Where the variables of hosts and groups are that tasks add.
#[derive(Clone)]
pub struct VarsOnDisk {
    /// The folders with `group_vars/` and `host_vars/`.
    pub folders: VarFolders,
    /// Reads the files in them.
    pub files: Arc<dyn FileTree + Send + Sync>,
}

impl fmt::Debug for VarsOnDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VarsOnDisk")
            .field("folders", &self.folders)
            .finish_non_exhaustive()
    }
}

/// What a task adds to the inventory.
#[derive(Clone, Debug)]
enum Added {
    Host(NewHost),
    Member {
        host: HostName,
        group: String,
        parents: Vec<String>,
    },
}

/// The record of every host. Units read it; only the engine's loop writes.
#[derive(Debug)]
pub(crate) struct HostBook {
    vars_on_disk: Option<VarsOnDisk>,
    /// What tasks added, in order: it is added again to an inventory that is read again.
    added: Mutex<Vec<Added>>,
    inventory: RwLock<Inventory>,
    records: DashMap<HostName, Arc<HostRecord>>,
    groups: RwLock<Arc<Object>>,
    changes: AtomicU64,
    cache: Option<FactsCache>,
}

impl HostBook {
    /// The hosts of an inventory, with the facts that are kept of them.
    pub(crate) fn new(inventory: Inventory, cache: Option<FactsCache>) -> Self {
        let groups = Arc::new(groups_of(&inventory));
        Self {
            vars_on_disk: None,
            added: Mutex::default(),
            inventory: RwLock::new(inventory),
            records: DashMap::new(),
            groups: RwLock::new(groups),
            changes: AtomicU64::new(0),
            cache,
        }
    }

    /// What the user should know of the facts that are kept, and was not told yet.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        let warnings = self.cache.as_ref().map(FactsCache::take_warnings);
        warnings.unwrap_or_default()
    }

    /// Reads the inventory.
    pub(crate) fn inventory<T>(&self, read: impl FnOnce(&Inventory) -> T) -> T {
        read(
            &self
                .inventory
                .read()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    /// Applies what a task left behind for `host`.
    pub(crate) fn apply(&self, host: &HostName, effects: &Effects) {
        let facts = self.change(host, |record| {
            if !effects.facts.is_empty() {
                let facts = Arc::make_mut(&mut record.facts);
                facts.extend(effects.facts.clone());
                record.facts_layer = facts_layer(facts);
            }
            if !effects.included.is_empty() {
                let mut included = Object::clone(record.included.vars());
                included.extend(effects.included.clone());
                record.included = Layer::new(Arc::new(included), Trust::Trusted);
            }
            let mut left = effects.set_facts.clone();
            left.extend(effects.register.clone());
            record.live.extend(left);
            Arc::clone(&record.facts)
        });
        if let (Some(facts), Some(cache)) = (facts, &self.cache)
            && !effects.facts.is_empty()
        {
            cache.store(host, &facts);
        }
    }

    /// Changes what is known of a host. Whoever reads it meanwhile keeps what was; where nobody does, nothing is copied.
    fn change<T>(&self, host: &HostName, change: impl FnOnce(&mut HostRecord) -> T) -> Option<T> {
        self.record(host.as_str())?;
        let mut record = self.records.get_mut(host)?;
        Some(change(Arc::make_mut(&mut record)))
    }

    /// Sets variables of a host, as `set_fact` does.
    pub(crate) fn set(&self, host: &HostName, vars: Object) {
        self.apply(
            host,
            &Effects {
                set_facts: vars,
                ..Effects::default()
            },
        );
    }

    /// Forgets the facts of a host.
    pub(crate) fn clear_facts(&self, host: &HostName) {
        if let Some(cache) = &self.cache {
            cache.clear(host);
        }
        self.change(host, |record| {
            record.facts = Arc::default();
            record.facts_layer = facts_layer(&Object::new());
        });
    }

    /// Reads the variables of hosts and groups that tasks add.
    pub(crate) fn with_vars_on_disk(self, vars_on_disk: Option<VarsOnDisk>) -> Self {
        Self {
            vars_on_disk,
            ..self
        }
    }

    /// Takes facts that the inventory brought along. Those that were gathered win, and only they are kept.
    pub(crate) fn know(&self, host: &HostName, facts: &Object) {
        self.change(host, |record| {
            let is_said = |(_, value): &(&String, &Value)| !value.is_null();
            let said = facts.iter().filter(is_said);
            let mut known: Object = said
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            known.extend(Object::clone(&record.facts));
            record.facts_layer = facts_layer(&known);
            record.facts = Arc::new(known);
        });
    }

    /// Adds a host, or adds to one; gives what the user should know.
    pub(crate) fn add_host(&self, new: &NewHost) -> Result<Vec<String>, InventoryError> {
        self.amend(&new.name, Added::Host(new.clone()))
    }

    /// Puts a host into a group, which comes to be where it is missing; gives what the user should know.
    pub(crate) fn group(
        &self,
        host: &HostName,
        name: &str,
        parents: &[String],
    ) -> Result<Vec<String>, InventoryError> {
        let added = Added::Member {
            host: host.clone(),
            group: name.to_owned(),
            parents: parents.to_vec(),
        };
        self.amend(host, added)
    }

    /// Changes the inventory in what concerns one host.
    fn amend(&self, host: &HostName, added: Added) -> Result<Vec<String>, InventoryError> {
        let mut inventory = self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut warnings = Vec::new();
        if !self.add_to(&mut inventory, &added, &mut warnings)? {
            return Ok(warnings);
        }
        self.added
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(added);
        let groups = Arc::new(groups_of(&inventory));
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = groups;
        self.changes.fetch_add(1, Ordering::Relaxed);
        let fresh = (
            Layer::new(Arc::new(inventory.host_vars(host)), Trust::Trusted),
            inventory.group_names(host).into(),
        );
        drop(inventory);
        if let Some(mut record) = self.records.get_mut(host) {
            let mut changed = HostRecord::clone(&record);
            (changed.inventory, changed.group_names) = fresh;
            *record = Arc::new(changed);
        }
        Ok(warnings)
    }

    /// Adds to an inventory what a task asked for, with the variables that lie on the disk for what is new; whether anything changed.
    fn add_to(
        &self,
        inventory: &mut Inventory,
        added: &Added,
        warnings: &mut Vec<String>,
    ) -> Result<bool, InventoryError> {
        let (new_host, groups): (_, Vec<&String>) = match added {
            Added::Host(new) => (
                Some(&new.name).filter(|name| !inventory.has_host(name.as_str())),
                new.groups.iter().collect(),
            ),
            Added::Member { group, parents, .. } => (None, parents.iter().chain([group]).collect()),
        };
        let is_new = |name: &&String| !inventory.parsed().groups.contains_key(*name);
        let new_groups: Vec<&String> = groups.into_iter().filter(is_new).collect();
        let has_changed = match added {
            Added::Host(new) => {
                let groups: Vec<&str> = new.groups.iter().map(String::as_str).collect();
                inventory.add_host(&new.name, new.vars.clone(), &groups)?
            }
            Added::Member {
                host,
                group,
                parents,
            } => {
                let parents: Vec<&str> = parents.iter().map(String::as_str).collect();
                let is_new = inventory.add_group(group, &parents)?;
                inventory.add_host_to_group(host, group)? || is_new
            }
        };
        let Some(VarsOnDisk { folders, files }) = &self.vars_on_disk else {
            return Ok(has_changed);
        };
        let of_groups = new_groups
            .into_iter()
            .map(|group| inventory.read_group_vars(group, folders, &**files))
            .collect::<Vec<_>>();
        let of_host = new_host.map(|host| inventory.read_host_vars(host, folders, &**files));
        for read in of_groups.into_iter().chain(of_host) {
            match read {
                Ok(odd) => warnings.extend(odd.iter().map(ToString::to_string)),
                Err(error) => warnings.push(format!("variables are left out: {error}")),
            }
        }
        Ok(has_changed)
    }

    /// Takes a new inventory, and adds to it again what tasks added to the last one. What they left behind for hosts stays.
    pub(crate) fn replace(&self, mut fresh: Inventory) {
        for added in &*self.added.lock().unwrap_or_else(PoisonError::into_inner) {
            // What is wrong with it was told when it was added.
            let _ = self.add_to(&mut fresh, added, &mut Vec::new());
        }
        let groups = Arc::new(groups_of(&fresh));
        *self.groups.write().unwrap_or_else(PoisonError::into_inner) = groups;
        for mut record in self.records.iter_mut() {
            let mut changed = HostRecord::clone(&record);
            let host = record.key();
            changed.inventory = Layer::new(Arc::new(fresh.host_vars(host)), Trust::Trusted);
            changed.group_names = fresh.group_names(host).into();
            *record = Arc::new(changed);
        }
        *self
            .inventory
            .write()
            .unwrap_or_else(PoisonError::into_inner) = fresh;
        self.changes.fetch_add(1, Ordering::Relaxed);
    }

    /// How often the inventory was changed.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    fn make_record(&self, host: &str) -> Option<Arc<HostRecord>> {
        let name = HostName::from(host);
        if !self.inventory(|inventory| inventory.has_host(host)) {
            return None;
        }
        let cached = self.cache.as_ref().map(|cache| cache.load(&name));
        let facts = Arc::new(cached.unwrap_or_default());
        let record = self.inventory(|inventory| HostRecord {
            inventory: Layer::new(Arc::new(inventory.host_vars(&name)), Trust::Trusted),
            facts_layer: facts_layer(&facts),
            facts,
            included: Layer::new(Arc::default(), Trust::Trusted),
            live: LiveVars::default(),
            group_names: inventory.group_names(&name).into(),
        });
        Some(Arc::clone(
            &self.records.entry(name).or_insert_with(|| Arc::new(record)),
        ))
    }
}

fn groups_of(inventory: &Inventory) -> Object {
    let names = |hosts: Vec<HostName>| {
        hosts
            .iter()
            .map(|host| Value::String(host.to_string()))
            .collect::<Value>()
    };
    inventory
        .groups()
        .into_iter()
        .map(|(group, hosts)| (group, names(hosts)))
        .collect()
}

impl HostVars for HostBook {
    fn record(&self, host: &str) -> Option<Arc<HostRecord>> {
        if let Some(record) = self.records.get(host) {
            return Some(Arc::clone(&record));
        }
        self.make_record(host)
    }

    fn names(&self) -> Vec<HostName> {
        self.inventory(|inventory| {
            let hosts = inventory.parsed().hosts.iter();
            hosts
                .filter(|(_, host)| !host.implicit)
                .map(|(name, _)| name.clone())
                .collect()
        })
    }

    fn groups(&self) -> Arc<Object> {
        Arc::clone(&self.groups.read().unwrap_or_else(PoisonError::into_inner))
    }
}
