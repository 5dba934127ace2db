//! Expressions that may be undefined: what `default` and `is defined` are given.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::machinery::{Instructions, eval, make_string_output};
use minijinja::value::Object;
use minijinja::{AutoEscape, Error, ErrorKind, State, Value};

/// Evaluates an expression, and is undefined where anything in it is.
///
/// So `a.b.c | default('x')` holds whichever of the names is missing, while everywhere else a missing name is an error at once.
pub(crate) struct Attempt {
    pub(crate) instructions: Instructions<'static>,
    pub(crate) names: Vec<&'static str>,
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Object for Attempt {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let values = self
            .names
            .iter()
            .filter_map(|name| Some((*name, state.lookup(name)?)))
            .collect();
        let names = Names {
            values,
            outer: state.lookup(crate::lazy::RENDERING),
        };
        match evaluate(&self.instructions, state, Value::from_object(names)) {
            Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(Value::UNDEFINED),
            other => other,
        }
    }
}

fn evaluate(
    instructions: &Instructions<'static>,
    state: &State<'_, '_>,
    root: Value,
) -> Result<Value, Error> {
    let blocks = BTreeMap::new();
    let mut text = String::new();
    let mut out = make_string_output(&mut text);
    let (value, _) = eval(
        state.env(),
        instructions,
        root,
        &blocks,
        &mut out,
        AutoEscape::None,
    )?;
    Ok(value.unwrap_or_default())
}

/// The names that the expression uses, as the template around it sees them.
#[derive(Debug)]
struct Names {
    values: Vec<(&'static str, Value)>,
    outer: Option<Value>,
}

impl Object for Names {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        if key == crate::lazy::RENDERING {
            return self.outer.clone();
        }
        self.values
            .iter()
            .find(|(name, _)| *name == key)
            .map(|(_, value)| value.clone())
    }
}
