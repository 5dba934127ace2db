//! Expressions that may be undefined: what `default` and `is defined` are given.

use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Error, ErrorKind, State, Value};

use crate::convert::check;
use crate::part::Part;

/// Evaluates an expression, and is undefined where anything in it is.
///
/// So `a.b.c | default('x')` holds whichever of the names is missing, while everywhere else a missing name is an error at once.
#[derive(Debug)]
pub(crate) struct Attempt(pub(crate) Part);

impl Object for Attempt {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let root = Value::from_object(self.0.frame(state));
        match value(&self.0, state, root) {
            Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(Value::UNDEFINED),
            other => other,
        }
    }
}

/// Evaluates an expression that is only kept: where something in it is undefined, the error comes when it is used.
#[derive(Debug)]
pub(crate) struct Kept(pub(crate) Part);

impl Object for Kept {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, _: &[Value]) -> Result<Value, Error> {
        let root = Value::from_object(self.0.frame(state));
        match value(&self.0, state, root) {
            Err(error) if error.kind() == ErrorKind::UndefinedError => Ok(Value::from(error)),
            other => other,
        }
    }
}

fn value(part: &Part, state: &State<'_, '_>, root: Value) -> Result<Value, Error> {
    check(part.run(state.env(), root)?.0.unwrap_or_default())
}
