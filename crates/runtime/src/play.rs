//! What all tasks of a play share, and the variables that a task on a host sees.

use std::sync::Arc;

use rustle_template::{Layer, LazyEntries, LazyVar, Scope, ScopeBuilder, Trust, Var};
use rustle_types::{HostName, Object};
use serde_json::{Value, json};

use crate::include::RoleParts;
use crate::program::TaskNode;
use crate::vars_files::VarsFiles;
use crate::world::{HostRecord, HostVars, RunSettings, World};

/// What all tasks of a play share.
#[derive(Clone, Debug)]
pub struct PlayContext {
    /// The index of the play.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Role defaults of the whole play.
    pub defaults: Arc<Layer>,
    /// Its variables.
    pub vars: Arc<Layer>,
    /// Its files of variables.
    pub vars_files: Option<Arc<VarsFiles>>,
    /// Exported role variables.
    pub role_vars: Arc<Layer>,
    /// The names of its roles.
    pub roles: Arc<[String]>,
    /// Where its hosts stand: `ansible_play_hosts` and the like.
    pub hosts: Arc<Layer>,
}

impl PlayContext {
    /// The variables that tell where a play's hosts stand: all of them, those still in it, and those of the slice.
    #[must_use]
    pub fn host_vars(all: &[HostName], active: &[HostName], batch: &[HostName]) -> Arc<Layer> {
        let names = |hosts: &[HostName]| {
            hosts
                .iter()
                .map(|host| Value::String(host.to_string()))
                .collect::<Value>()
        };
        let mut vars = Object::new();
        vars.insert("ansible_play_hosts_all".into(), names(all));
        vars.insert("ansible_play_hosts".into(), names(active));
        vars.insert("ansible_play_batch".into(), names(batch));
        vars.insert("play_hosts".into(), names(batch));
        Layer::new(Arc::new(vars), Trust::Untrusted)
    }

    /// What a role leaves for the rest of the play when it is brought in: its name, and its variables where it says so.
    pub fn add_role(&mut self, role: &RoleParts) {
        if !self.roles.contains(&role.name) {
            self.roles = self.roles.iter().chain([&role.name]).cloned().collect();
        }
        if !role.is_public {
            return;
        }
        let joined = |layer: &Layer, vars: &Object| {
            let mut all = Object::clone(layer.vars());
            all.extend(vars.clone());
            Layer::new(Arc::new(all), Trust::Trusted)
        };
        self.defaults = joined(&self.defaults, &role.defaults);
        self.role_vars = joined(&self.role_vars, &role.vars);
    }

    /// The variables that a task on `host` sees, without those of a loop.
    #[must_use]
    pub fn scope(&self, world: &World, node: Option<&TaskNode>, host: &HostName) -> Scope {
        let record = world.hosts.record(host.as_str());
        let settings = &world.settings;
        let mut scope = Scope::builder()
            .push_layer(Arc::new(reached_by_name(host)), Trust::Untrusted)
            .push_shared(Arc::clone(&self.defaults));
        for defaults in node.iter().flat_map(|node| &node.role_defaults) {
            scope = scope.push_layer(Arc::clone(defaults), Trust::Trusted);
        }
        scope = scope.push_shared(Arc::clone(&settings.plan_vars));
        if let Some(record) = &record {
            scope = scope
                .push_shared(Arc::clone(&record.inventory))
                .push_shared(Arc::clone(&record.facts_layer));
        }
        scope = scope.push_shared(Arc::clone(&self.vars));
        if let Some(files) = &self.vars_files {
            let layers = files.layers(world, || self.scope_of_names(world, host));
            scope = layers.into_iter().fold(scope, ScopeBuilder::push_shared);
        }
        scope = scope.push_shared(Arc::clone(&self.role_vars));
        if let Some(node) = node.filter(|node| !node.keywords.vars.is_empty()) {
            scope = scope.push_shared(Arc::clone(&node.vars_layer));
        }
        if let Some(record) = &record {
            scope = scope.push_shared(Arc::clone(&record.included));
            scope = record.live.push_to(scope);
        }
        for params in node.iter().flat_map(|node| &node.params) {
            scope = scope.push_shared(Arc::clone(params));
        }
        scope = scope
            .push_shared(Arc::clone(&settings.extra_vars))
            .push_shared(Arc::clone(&self.hosts));
        push_magic(scope, world, self, host, record.as_deref(), node).build()
    }
}

impl PlayContext {
    /// The variables that names of files may be made of.
    fn scope_of_names(&self, world: &World, host: &HostName) -> Scope {
        let without_files = Self {
            vars_files: None,
            ..self.clone()
        };
        without_files.scope(world, None, host)
    }
}

/// A host is reached by its name where nothing else is said.
fn reached_by_name(host: &HostName) -> Object {
    Object::from_iter([("ansible_host".to_owned(), Value::String(host.to_string()))])
}

/// The variables that every scope has and nobody can set.
fn push_magic(
    scope: ScopeBuilder,
    world: &World,
    play: &PlayContext,
    host: &HostName,
    record: Option<&HostRecord>,
    node: Option<&TaskNode>,
) -> ScopeBuilder {
    let settings = &world.settings;
    let mut vars = basic_magic(settings, host, record);
    vars.insert("ansible_play_name".into(), Value::String(play.name.clone()));
    let roles: Value = play.roles.iter().cloned().map(Value::String).collect();
    for name in [
        "ansible_play_role_names",
        "ansible_role_names",
        "role_names",
    ] {
        vars.insert(name.into(), roles.clone());
    }
    if let Some((name, path)) = node.and_then(|node| node.role.as_ref()) {
        let (collection, short) = collection_and_role(name);
        vars.insert("role_name".into(), short.into());
        if let Some(collection) = collection {
            vars.insert("ansible_collection_name".into(), collection.into());
        }
        vars.insert("ansible_role_name".into(), Value::String(name.clone()));
        vars.insert(
            "role_path".into(),
            path.clone().map_or(Value::Null, Value::String),
        );
    }
    scope
        .push_layer(Arc::new(vars), Trust::Untrusted)
        .push_lazy("groups", Arc::new(Groups(Arc::clone(&world.hosts))))
        .push_lazy("hostvars", Arc::new(AllHosts(Shared::of(world))))
}

fn basic_magic(settings: &RunSettings, host: &HostName, record: Option<&HostRecord>) -> Object {
    let short = host.as_str().split('.').next().unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let groups: Vec<String> = record
        .map(|record| record.group_names.to_vec())
        .unwrap_or_default();
    let base_dir = settings.base_dir.display().to_string();
    let run_tags = if settings.tags.is_empty() {
        vec!["all".to_owned()]
    } else {
        settings.tags.clone()
    };
    let mut vars = json!({
        "inventory_hostname": host.as_str(),
        "inventory_hostname_short": short,
        "group_names": groups,
        "ansible_check_mode": settings.mode.check,
        "ansible_diff_mode": settings.mode.diff,
        "ansible_verbosity": settings.verbosity,
        "ansible_forks": settings.forks,
        "ansible_run_tags": run_tags,
        "ansible_skip_tags": settings.skip_tags,
        "ansible_version": {"full": "2.19.14", "major": 2, "minor": 19, "revision": 14, "string": "2.19.14"},
        "ansible_search_path": [base_dir],
        "playbook_dir": base_dir,
        "rustle_version": version,
    });
    // A host says itself where it is from; one of the plan's own inventory does not, and a `localhost` that no source names
    // is from nowhere.
    let lacks_its_place = record.is_some_and(|record| {
        !record.group_names.is_empty() && !record.inventory.vars().contains_key("inventory_file")
    });
    if let Some((folder, file)) = settings.inventory.as_ref().filter(|_| lacks_its_place) {
        vars["inventory_dir"] = Value::String(folder.clone());
        vars["inventory_file"] = Value::String(file.clone());
    }
    if let Some(limit) = &settings.limit {
        vars["ansible_limit"] = Value::String(limit.clone());
    }
    match vars {
        Value::Object(vars) => vars,
        _ => Object::new(),
    }
}

#[derive(Debug)]
struct Groups(Arc<dyn HostVars>);

impl LazyVar for Groups {
    fn value(&self) -> Var {
        Var::Untrusted(Value::Object(Object::clone(&self.0.groups())))
    }
}

/// The parts of the world that variables of other hosts need.
#[derive(Clone, Debug)]
struct Shared {
    hosts: Arc<dyn HostVars>,
    settings: Arc<RunSettings>,
}

impl Shared {
    fn of(world: &World) -> Self {
        Self {
            hosts: Arc::clone(&world.hosts),
            settings: Arc::clone(&world.settings),
        }
    }
}

/// `hostvars`: every host's variables, made when they are read.
#[derive(Clone, Debug)]
struct AllHosts(Shared);

impl LazyVar for AllHosts {
    fn value(&self) -> Var {
        Var::Entries(Arc::new(self.clone()))
    }
}

impl LazyEntries for AllHosts {
    fn entry(&self, key: &str) -> Option<Var> {
        let record = self.0.hosts.record(key)?;
        let settings = &self.0.settings;
        let vars = basic_magic(settings, &HostName::from(key), Some(&record));
        let scope = Scope::builder()
            .push_shared(Arc::clone(&settings.plan_vars))
            .push_shared(Arc::clone(&record.inventory))
            .push_shared(Arc::clone(&record.facts_layer))
            .push_shared(Arc::clone(&record.included));
        let scope = record
            .live
            .push_to(scope)
            .push_shared(Arc::clone(&settings.extra_vars))
            .push_layer(Arc::new(vars), Trust::Untrusted)
            .push_lazy("groups", Arc::new(Groups(Arc::clone(&self.0.hosts))))
            .push_lazy("hostvars", Arc::new(self.clone()));
        Some(Var::Scope(scope.build()))
    }

    fn keys(&self) -> Vec<String> {
        self.0
            .hosts
            .names()
            .iter()
            .map(ToString::to_string)
            .collect()
    }
}

/// Facts as templates see them: `ansible_facts` with short names, and the full names beside it.
///
/// A host cannot say by its facts how it is to be connected to: such names are left out.
#[must_use]
pub fn facts_layer(facts: &Object) -> Arc<Layer> {
    let mut vars = Object::new();
    let mut short = Object::new();
    for (name, value) in facts {
        short.insert(
            name.strip_prefix("ansible_").unwrap_or(name).to_owned(),
            value.clone(),
        );
        if !crate::connection::is_connection_var(name) {
            vars.insert(name.clone(), value.clone());
        }
    }
    vars.insert("ansible_facts".into(), Value::Object(short));
    Layer::new(Arc::new(vars), Trust::Untrusted)
}

/// A role's collection, `namespace.name`, and its name in there. A role of Galaxy (`author.role`) has none.
fn collection_and_role(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once('.') {
        Some((collection, role)) if collection.contains('.') && !name.contains('/') => {
            (Some(collection), role)
        }
        _ => (None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_collections_have_a_name_in_there_and_those_of_galaxy_keep_theirs() {
        let of = collection_and_role;
        assert_eq!(of("my.site.web"), (Some("my.site"), "web"));
        assert_eq!(of("author.role"), (None, "author.role"));
        assert_eq!(of("web"), (None, "web"));
    }
}
