//! The value of the variable `omit`, which takes the argument it is given to out of the task.

use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Object, ObjectRepr};

#[derive(Debug)]
struct Omit;

impl Object for Omit {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn render(self: &Arc<Self>, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// A value that stands for "as if this was not given".
pub(crate) fn omit() -> Value {
    Value::from_object(Omit)
}

/// True for the value of `omit`.
pub(crate) fn is_omit(value: &Value) -> bool {
    value.downcast_object_ref::<Omit>().is_some()
}
