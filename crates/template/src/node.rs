//! A variable as it waits to be read: what is plain is ready, what holds templates is kept as text.

use std::sync::Arc;

use indexmap::IndexMap;
use minijinja::Value;
use serde_json::Value as Json;

use crate::convert::to_engine;
use crate::scope::{LazyEntries, Scope, Trust, Var};

/// The key of an object that stands for an encrypted string.
pub(crate) const VAULT_KEY: &str = "__ansible_vault";
/// The key of an object that stands for text which is never a template.
pub(crate) const UNSAFE_KEY: &str = "__ansible_unsafe";

/// A variable, or a part of one, that is not bound to a rendering yet.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Plain(Value),
    Template(Arc<str>),
    Vault(Arc<str>),
    Map(Arc<IndexMap<Arc<str>, Self>>),
    Seq(Arc<Vec<Self>>),
    Entries(Arc<dyn LazyEntries>),
    Scope(Scope),
}

impl Node {
    pub(crate) fn from_var(var: Var) -> Self {
        match var {
            Var::Untrusted(json) => Self::from_json(&json, Trust::Untrusted),
            Var::Trusted(json) => Self::from_json(&json, Trust::Trusted),
            Var::Entries(entries) => Self::Entries(entries),
            Var::Scope(scope) => Self::Scope(scope),
            Var::Native(value) => Self::Plain(value),
        }
    }

    pub(crate) fn from_json(json: &Json, trust: Trust) -> Self {
        match trust {
            Trust::Untrusted => Self::Plain(to_engine(json)),
            Trust::Trusted => Self::trusted(json),
        }
    }

    fn trusted(json: &Json) -> Self {
        match json {
            Json::String(text) if may_hold_template(text) => {
                Self::Template(Arc::from(text.as_str()))
            }
            Json::Array(items) => {
                let nodes: Vec<Self> = items.iter().map(Self::trusted).collect();
                if nodes.iter().all(|node| matches!(node, Self::Plain(_))) {
                    return Self::Plain(to_engine_marked(json));
                }
                Self::Seq(Arc::new(nodes))
            }
            Json::Object(map) => {
                if let Some(marked) = marked(json) {
                    return match marked {
                        Marked::Unsafe(text) => Self::Plain(Value::from(text)),
                        Marked::Vault(text) => Self::Vault(Arc::from(text)),
                    };
                }
                let nodes: IndexMap<Arc<str>, Self> = map
                    .iter()
                    .map(|(key, value)| (Arc::from(key.as_str()), Self::trusted(value)))
                    .collect();
                if nodes.values().all(|node| matches!(node, Self::Plain(_))) {
                    return Self::Plain(to_engine_marked(json));
                }
                Self::Map(Arc::new(nodes))
            }
            other => Self::Plain(to_engine(other)),
        }
    }
}

/// True where a string can be a template at all. Everything else skips the engine.
#[must_use]
pub fn may_hold_template(text: &str) -> bool {
    text.as_bytes()
        .windows(2)
        .any(|pair| matches!(pair, b"{{" | b"{%" | b"{#"))
}

pub(crate) enum Marked<'a> {
    Unsafe(&'a str),
    Vault(&'a str),
}

/// Reads the two objects that stand for strings.
pub(crate) fn marked(json: &Json) -> Option<Marked<'_>> {
    let map = json.as_object().filter(|map| map.len() == 1)?;
    let (key, value) = map.iter().next()?;
    match (key.as_str(), value.as_str()?) {
        (UNSAFE_KEY, text) => Some(Marked::Unsafe(text)),
        (VAULT_KEY, text) => Some(Marked::Vault(text)),
        _ => None,
    }
}

/// Like [`to_engine`] for a value without templates, with marked text unwrapped.
fn to_engine_marked(json: &Json) -> Value {
    match json {
        Json::Array(items) => items.iter().map(to_engine_marked).collect(),
        Json::Object(map) => match marked(json) {
            Some(Marked::Unsafe(text)) => Value::from(text),
            _ => Value::from_pairs(
                map.iter()
                    .map(|(key, value)| (key.as_str(), to_engine_marked(value))),
            ),
        },
        other => to_engine(other),
    }
}
