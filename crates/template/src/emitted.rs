//! What a template wrote, while it is one value only.
//!
//! Ansible keeps the type of a template that writes a single value, however many statements are around it.

use std::cell::RefCell;

use minijinja::Value;

thread_local! {
    static WATCHES: RefCell<Vec<Watch>> = const { RefCell::new(Vec::new()) };
}

#[derive(Debug, Default)]
struct Watch {
    count: usize,
    last: Option<Value>,
}

/// Tells the innermost watch that a value is written.
pub(crate) fn note(value: &Value) {
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
