//! What all tasks of a play share, and the variables that a task on a host sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use rustle_template::{Layer, LazyEntries, LazyVar, Scope, ScopeBuilder, Trust, Var};
use rustle_types::{HostName, Object};
use serde_json::Value;

use crate::include::RoleParts;
use crate::magic;
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
    /// The names of its roles, those that were brought in among them.
    pub roles: Arc<[String]>,
    /// The names of the roles that these depend on, sorted, as far as they were brought in.
    pub dependencies: Arc<[String]>,
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
        let mut needed: BTreeSet<String> = self.dependencies.iter().cloned().collect();
        role.add_needed(&mut needed);
        self.dependencies = needed.into_iter().collect();
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
        self.scope_for(world, node, Some(host))
    }

    /// The variables of the play itself, and of a task: what holds for all of its hosts.
    #[must_use]
    pub fn scope_without_host(&self, world: &World, node: Option<&TaskNode>) -> Scope {
        self.scope_for(world, node, None)
    }

    fn scope_for(&self, world: &World, node: Option<&TaskNode>, host: Option<&HostName>) -> Scope {
        let record = host.and_then(|host| world.hosts.record(host.as_str()));
        let settings = &world.settings;
        let mut scope = Scope::builder();
        if let Some(host) = host {
            scope = scope.push_layer(Arc::new(reached_by_name(host)), Trust::Untrusted);
        }
        scope = scope.push_shared(Arc::clone(&self.defaults));
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
    fn scope_of_names(&self, world: &World, host: Option<&HostName>) -> Scope {
        let without_files = Self {
            vars_files: None,
            ..self.clone()
        };
        without_files.scope_for(world, None, host)
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
    host: Option<&HostName>,
    record: Option<&HostRecord>,
    node: Option<&TaskNode>,
) -> ScopeBuilder {
    let settings = &world.settings;
    let mut vars = magic::of_run(settings);
    if let Some(host) = host {
        vars.extend(magic::of_host(settings, host, record));
    }
    vars.extend(magic::of_play(play));
    if let Some(node) = node {
        vars.extend(magic::of_place(node, &settings.base_dir));
    }
    scope
        .push_layer(Arc::new(vars), Trust::Untrusted)
        .push_lazy("groups", Arc::new(Groups(Arc::clone(&world.hosts))))
        .push_lazy("hostvars", Arc::new(AllHosts(Shared::of(world))))
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
        let mut vars = magic::of_run(settings);
        vars.extend(magic::of_host(
            settings,
            &HostName::from(key),
            Some(&record),
        ));
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
