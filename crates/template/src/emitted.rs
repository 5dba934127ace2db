//! What a template wrote, while it is one value only.
//!
//! Ansible keeps the type of a template that writes a single value, however many statements are around it.

use std::cell::RefCell;

use minijinja::Value;

use crate::python::py_str;

thread_local! {
    static WATCHES: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Default)]
struct Watch {
    count: usize,
    last: Option<Value>,
}

/// Tells the innermost watch that a value is written; null writes nothing, so it is none.
pub(crate) fn note(value: &Value) {
    if value.is_none() || value.is_undefined() {
        return;
    }
    WATCHES.with_borrow_mut(|watches| {
        if let Some(watch) = watches.last_mut() {
            watch.count += 1;
            watch.last = (watch.count == 1).then(|| value.clone());
        }
    });
}

/// Runs something that writes, and gives its result with the value written, if it was one; null stands for none at all.
pub(crate) fn watched<T>(run: impl FnOnce() -> T) -> (T, Option<Value>) {
    WATCHES.with_borrow_mut(|watches| watches.push(Watch::default()));
    let result = run();
    let watch = WATCHES.with_borrow_mut(Vec::pop).unwrap_or_default();
    let sole = if watch.count == 0 {
        Some(Value::from(()))
    } else {
        watch.last
    };
    (result, sole)
}

/// What was written: the one value, where the text is nothing but that.
pub(crate) fn native(sole: Option<Value>, text: String) -> Value {
    match sole {
        Some(sole) if as_text(&sole) == text => sole,
        _ => Value::from(text),
    }
}

/// A value as it is written into text.
fn as_text(value: &Value) -> String {
    if value.is_none() {
        String::new()
    } else {
        py_str(value)
    }
}
