//! Variables bound to a rendering: mappings and lists whose templates are rendered as they are read.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectExt, ObjectRepr};
use minijinja::{Error, Value};

use crate::Engine;
use crate::error::{TemplateError, TemplateErrorKind, raise, undefined};
use crate::node::Node;
use crate::omit::omit;
use crate::part::is_probing;
use crate::scope::{LazyEntries, Scope};

/// How deep variables may refer to variables.
const MAX_DEPTH: usize = 48;

/// The name under which the functions of this crate find the rendering they are called from.
pub(crate) const RENDERING: &str = "\u{1}rendering";

/// One rendering: the engine, the variables, and the variables that are being rendered right now.
#[derive(Debug, Clone)]
pub(crate) struct Rendering {
    pub(crate) engine: Engine,
    pub(crate) scope: Scope,
    trail: Option<Arc<Trail>>,
    done: Arc<Mutex<HashMap<String, Value>>>,
}

/// A variable that is being rendered, and the one that asked for it.
#[derive(Debug)]
struct Trail {
    name: String,
    text: Arc<str>,
    depth: usize,
    outer: Option<Arc<Self>>,
}

impl Rendering {
    pub(crate) fn new(engine: &Engine, scope: &Scope) -> Self {
        Self {
            engine: engine.clone(),
            scope: scope.clone(),
            trail: None,
            done: Arc::default(),
        }
    }

    /// The value that templates look names up in.
    pub(crate) fn into_root(self) -> Value {
        Value::from_object(Root(self))
    }

    /// The value of a variable, rendered; an invalid value holds the error of a failed one.
    pub(crate) fn variable(&self, name: &str) -> Option<Value> {
        if let Some(value) = self
            .done
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(name)
        {
            return Some(value.clone());
        }
        let node = self.scope.node(name)?;
        let value = self.bind(name, &node);
        if matches!(node, Node::Template(_) | Node::Vault(_) | Node::Entries(_)) {
            self.done
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(name.to_owned(), value.clone());
        }
        Some(value)
    }

    /// A waiting variable as a value of this rendering.
    fn bind(&self, name: &str, node: &Node) -> Value {
        match node {
            Node::Plain(value) => value.clone(),
            Node::Template(text) => self.render(name, text).unwrap_or_else(Value::from),
            Node::Vault(text) => self
                .engine
                .decrypt(text)
                .map_or_else(|error| Value::from(raise(error)), Value::from),
            Node::Map(map) => Value::from_object(Mapping {
                name: name.to_owned(),
                map: map.clone(),
                rendering: self.clone(),
            }),
            Node::Seq(items) => Value::from_object(Sequence {
                name: name.to_owned(),
                items: items.clone(),
                rendering: self.clone(),
            }),
            Node::Entries(entries) => Value::from_object(Computed {
                name: name.to_owned(),
                entries: entries.clone(),
                rendering: self.clone(),
            }),
            Node::Scope(scope) => Value::from_object(Variables(Self {
                trail: self.trail.clone(),
                ..Self::new(&self.engine, scope)
            })),
        }
    }

    fn render(&self, name: &str, text: &Arc<str>) -> Result<Value, Error> {
        let depth = self.trail.as_ref().map_or(0, |trail| trail.depth + 1);
        let mut outer = self.trail.as_deref();
        while let Some(trail) = outer {
            if Arc::ptr_eq(&trail.text, text) {
                return Err(raise(TemplateError::new(
                    TemplateErrorKind::Recursion,
                    format!("recursive loop in variables: {}", self.circle(name, text)),
                )));
            }
            outer = trail.outer.as_deref();
        }
        if depth >= MAX_DEPTH {
            return Err(raise(TemplateError::new(
                TemplateErrorKind::Recursion,
                format!(
                    "variables refer to each other more than {MAX_DEPTH} levels deep, at `{name}`"
                ),
            )));
        }
        let trail = Trail {
            name: name.to_owned(),
            text: text.clone(),
            depth,
            outer: self.trail.clone(),
        };
        let inner = Self {
            trail: Some(Arc::new(trail)),
            ..self.clone()
        };
        self.engine.render_native(text, inner)
    }

    /// The names on the circle, from where it starts.
    fn circle(&self, name: &str, text: &Arc<str>) -> String {
        let mut names = vec![format!("`{name}`")];
        let mut outer = self.trail.as_deref();
        while let Some(trail) = outer {
            names.push(format!("`{}`", trail.name));
            if Arc::ptr_eq(&trail.text, text) {
                break;
            }
            outer = trail.outer.as_deref();
        }
        names.reverse();
        names.join(" → ")
    }
}

/// What a template sees as its outermost names.
#[derive(Debug)]
struct Root(Rendering);

impl Object for Root {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == RENDERING {
            return Some(Value::from_dyn_object(self.clone()));
        }
        if is_probing() {
            return None;
        }
        if let Some(value) = self.0.variable(key) {
            return Some(value);
        }
        match key {
            "omit" => Some(omit()),
            "vars" => Some(Value::from_object(Variables(self.0.clone()))),
            _ if self.0.engine.has_global(key) => None,
            _ => Some(Value::from(undefined(key, format!("'{key}' is undefined")))),
        }
    }
}

/// The value of a name in the root that [`RENDERING`] stands for.
pub(crate) fn root_value(root: &Value, name: &str) -> Option<Value> {
    root.downcast_object::<Root>()?.get_value_by_str(name)
}

/// The rendering that a function or filter is called from.
pub(crate) fn rendering_of(state: &minijinja::State<'_, '_>) -> Option<Rendering> {
    let root = state.lookup(RENDERING)?;
    root.downcast_object_ref::<Root>()
        .map(|root| root.0.clone())
}

/// True for a mapping of a variable.
pub(crate) fn is_lazy(value: &Value) -> bool {
    value.downcast_object_ref::<Mapping>().is_some()
}

#[derive(Debug)]
struct Mapping {
    name: String,
    map: Arc<IndexMap<Arc<str>, Node>>,
    rendering: Rendering,
}

impl Object for Mapping {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let node = self.map.get(key)?;
        Some(match node {
            Node::Plain(value) => value.clone(),
            other => self.rendering.bind(&format!("{}.{key}", self.name), other),
        })
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        self.mapped_enumerator(|this| Box::new(this.map.keys().map(|key| Value::from(key.clone()))))
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(self.map.len())
    }
}

#[derive(Debug)]
struct Sequence {
    name: String,
    items: Arc<Vec<Node>>,
    rendering: Rendering,
}

impl Object for Sequence {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        let index = key.as_usize()?;
        let node = self.items.get(index)?;
        Some(
            self.rendering
                .bind(&format!("{}[{index}]", self.name), node),
        )
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Seq(self.items.len())
    }
}

#[derive(Debug)]
struct Computed {
    name: String,
    entries: Arc<dyn LazyEntries>,
    rendering: Rendering,
}

impl Object for Computed {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let node = Node::from_var(self.entries.entry(key)?);
        Some(self.rendering.bind(&format!("{}.{key}", self.name), &node))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.entries.keys().into_iter().map(Value::from).collect())
    }
}

/// All variables of a scope as one mapping.
#[derive(Debug)]
struct Variables(Rendering);

impl Object for Variables {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.0.variable(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        self.0.variable(key)
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.0.scope.names().into_iter().map(Value::from).collect())
    }
}
