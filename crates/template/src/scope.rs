//! The variables of one host at one moment.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use minijinja::Value;
use rustle_types::Object;
use serde_json::Value as Json;

use crate::node::Node;

/// Says whether strings of a layer may hold templates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Written by the user: strings may hold templates, which are rendered when they are read.
    Trusted,
    /// From a host or a result: never rendered.
    Untrusted,
}

/// One level of precedence: variables that came from one place. Made once, shared by many scopes.
#[derive(Debug)]
pub struct Layer {
    vars: Arc<Object>,
    trust: Trust,
    nodes: RwLock<HashMap<String, Node>>,
}

impl Layer {
    /// Takes variables as a layer. Nothing is converted until it is read.
    #[must_use]
    pub fn new(vars: Arc<Object>, trust: Trust) -> Arc<Self> {
        Arc::new(Self {
            vars,
            trust,
            nodes: RwLock::default(),
        })
    }

    /// The variables as they were given.
    #[must_use]
    pub fn vars(&self) -> &Arc<Object> {
        &self.vars
    }

    /// The variables, without a copy where nobody else has them.
    #[must_use]
    pub fn into_vars(this: Arc<Self>) -> Object {
        let vars = match Arc::try_unwrap(this) {
            Ok(layer) => layer.vars,
            Err(shared) => Arc::clone(&shared.vars),
        };
        Arc::try_unwrap(vars).unwrap_or_else(|shared| Object::clone(&shared))
    }

    fn node(&self, name: &str) -> Option<Node> {
        let json = self.vars.get(name)?;
        if let Some(node) = self
            .nodes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return Some(node.clone());
        }
        let node = Node::from_json(json, self.trust);
        let mut nodes = self.nodes.write().unwrap_or_else(PoisonError::into_inner);
        nodes.insert(name.to_owned(), node.clone());
        Some(node)
    }
}

/// A variable that is computed when it is read, such as `hostvars` or `groups`.
pub trait LazyVar: Debug + Send + Sync {
    /// The value now. Called once a rendering.
    fn value(&self) -> Var;
}

/// A mapping whose entries are computed when they are read.
pub trait LazyEntries: Debug + Send + Sync {
    /// The entry of a key, or `None` where there is none.
    fn entry(&self, key: &str) -> Option<Var>;
    /// All keys, in the order in which they are shown.
    fn keys(&self) -> Vec<String>;
}

/// What a [`LazyVar`] or a [`LazyEntries`] gives.
#[derive(Debug, Clone)]
pub enum Var {
    /// A value that is never rendered.
    Untrusted(Json),
    /// A value whose strings may hold templates, rendered with the scope that reads them.
    Trusted(Json),
    /// A mapping that is computed entry by entry.
    Entries(Arc<dyn LazyEntries>),
    /// All variables of a scope as a mapping, rendered with that scope: an entry of `hostvars`.
    Scope(Scope),
    /// A value that only the engine understands.
    Native(Value),
}

#[derive(Debug, Clone)]
enum Entry {
    Layer(Arc<Layer>),
    Lazy(Arc<str>, Arc<dyn LazyVar>),
}

/// Holds variables in layers from the lowest precedence to the highest. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    entries: Arc<Vec<Entry>>,
    notices: Option<Arc<Notices>>,
}

/// What whoever renders is told besides the value. Each thing is told once.
#[derive(Debug, Default)]
pub struct Notices(Mutex<Vec<&'static str>>);

impl Notices {
    pub(crate) fn tell(&self, notice: &'static str) {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&notice) {
            told.push(notice);
        }
    }

    /// What was told until now, in its order.
    #[must_use]
    pub fn told(&self) -> Vec<&'static str> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.clone()
    }
}

impl Scope {
    /// Starts a scope without variables.
    #[must_use]
    pub fn builder() -> ScopeBuilder {
        ScopeBuilder::default()
    }

    /// Starts a scope that has all of this one's variables, below what is pushed.
    #[must_use]
    pub fn extend(&self) -> ScopeBuilder {
        ScopeBuilder {
            entries: self.entries.as_ref().clone(),
            notices: self.notices.clone(),
        }
    }

    /// Starts a scope of one layer: for tests and small uses.
    #[must_use]
    pub fn of(vars: Object, trust: Trust) -> Self {
        Self::builder().push_layer(Arc::new(vars), trust).build()
    }

    /// True where a variable of this name exists, whatever its value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| match entry {
            Entry::Layer(layer) => layer.vars.contains_key(name),
            Entry::Lazy(lazy, _) => lazy.as_ref() == name,
        })
    }

    /// The names of all variables, lowest layer first, each once.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let mut names = indexmap::IndexSet::new();
        for entry in self.entries.iter() {
            match entry {
                Entry::Layer(layer) => names.extend(layer.vars.keys().map(String::as_str)),
                Entry::Lazy(name, _) => {
                    names.insert(name);
                }
            }
        }
        names.into_iter().map(str::to_owned).collect()
    }

    /// What the user wrote as the value of a variable; none where it is from a host, a result or a rendering.
    pub(crate) fn written(&self, name: &str) -> Option<&Json> {
        let entry = self.entries.iter().rev().find(|entry| match entry {
            Entry::Layer(layer) => layer.vars.contains_key(name),
            Entry::Lazy(lazy, _) => lazy.as_ref() == name,
        });
        match entry {
            Some(Entry::Layer(layer)) if layer.trust == Trust::Trusted => layer.vars.get(name),
            _ => None,
        }
    }

    pub(crate) const fn notices(&self) -> Option<&Arc<Notices>> {
        self.notices.as_ref()
    }

    pub(crate) fn node(&self, name: &str) -> Option<Node> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Layer(layer) => layer.node(name),
            Entry::Lazy(lazy, var) => (lazy.as_ref() == name).then(|| Node::from_var(var.value())),
        })
    }
}

/// Builds a [`Scope`], lowest precedence first.
#[derive(Debug, Clone, Default)]
pub struct ScopeBuilder {
    entries: Vec<Entry>,
    notices: Option<Arc<Notices>>,
}

impl ScopeBuilder {
    /// Adds variables above all that are there. Empty ones cost nothing.
    #[must_use]
    pub fn push_layer(self, vars: Arc<Object>, trust: Trust) -> Self {
        if vars.is_empty() {
            self
        } else {
            self.push_shared(Layer::new(vars, trust))
        }
    }

    /// Adds a layer that other scopes use too, with what they have converted of it.
    #[must_use]
    pub fn push_shared(mut self, layer: Arc<Layer>) -> Self {
        self.entries.push(Entry::Layer(layer));
        self
    }

    /// Adds one variable that is computed when it is read.
    #[must_use]
    pub fn push_lazy(mut self, name: &str, var: Arc<dyn LazyVar>) -> Self {
        self.entries.push(Entry::Lazy(Arc::from(name), var));
        self
    }

    /// Has notices of renderings with this scope, and with scopes that extend it, told there.
    #[must_use]
    pub fn notices(mut self, notices: Arc<Notices>) -> Self {
        self.notices = Some(notices);
        self
    }

    /// The scope. It never changes afterwards.
    #[must_use]
    pub fn build(self) -> Scope {
        Scope {
            entries: Arc::new(self.entries),
            notices: self.notices,
        }
    }
}
