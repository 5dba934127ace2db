//! How a block's or play's keywords reach the tasks inside.

use rustle_types::{Expression, Keywords};
use serde_json::Value;

/// The keywords of what lies inside `outer` and says `inner` itself.
///
/// The inner value wins, but conditions, tags, notifications and environments add up.
#[must_use]
pub(crate) fn inherit(outer: &Keywords, inner: &Keywords) -> Keywords {
    let mut merged = inner.clone();
    let mut vars = outer.vars.clone();
    vars.extend(inner.vars.clone());
    merged.vars = vars;
    merged.when = join_conditions(outer.when.as_ref(), inner.when.as_ref());
    merged.tags.0 = outer.tags.0.iter().chain(&inner.tags.0).cloned().collect();
    merged.notify.0 = outer
        .notify
        .0
        .iter()
        .chain(&inner.notify.0)
        .cloned()
        .collect();
    merged.environment = join_lists(outer.environment.as_ref(), inner.environment.as_ref());
    merged.module_defaults = join_lists(
        outer.module_defaults.as_ref(),
        inner.module_defaults.as_ref(),
    );
    macro_rules! nearest {
        ($($field:ident),*) => { $( if merged.$field.is_none() { merged.$field.clone_from(&outer.$field); } )* };
    }
    nearest!(
        r#become,
        become_user,
        become_method,
        become_flags,
        become_exe,
        remote_user,
        connection,
        port,
        ignore_errors,
        ignore_unreachable,
        any_errors_fatal,
        check_mode,
        diff,
        no_log,
        run_once,
        throttle,
        timeout,
        delegate_to,
        delegate_facts
    );
    merged
}

/// The outer conditions come first: an inner one may rely on them.
fn join_conditions(outer: Option<&Expression>, inner: Option<&Expression>) -> Option<Expression> {
    match (outer, inner) {
        (None, None) => None,
        (outer, inner) => Some(Expression(
            outer
                .into_iter()
                .chain(inner)
                .flat_map(|e| e.0.iter().cloned())
                .collect(),
        )),
    }
}

/// One list of both, the outer first; later entries win when they are merged.
fn join_lists(outer: Option<&Value>, inner: Option<&Value>) -> Option<Value> {
    let items: Vec<Value> = outer
        .into_iter()
        .chain(inner)
        .flat_map(|value| match value {
            Value::Array(items) => items.clone(),
            Value::Null => Vec::new(),
            single => vec![single.clone()],
        })
        .collect();
    if items.is_empty() {
        None
    } else {
        Some(Value::Array(items))
    }
}
