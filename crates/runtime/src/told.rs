//! What a task is told besides its result: of variables that Ansible will do without one day, and by templates.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustle_template::{LazyVar, Notices, Scope, Var};
use rustle_types::Object;
use serde_json::{Value, json};

use crate::play::PlayContext;

/// What a task did that it has to be told of.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// Whether it read `play_hosts`.
    outdated: Arc<AtomicBool>,
    /// What its templates say.
    notices: Arc<Notices>,
}

#[derive(Debug)]
struct PlayHosts {
    hosts: Value,
    is_read: Arc<AtomicBool>,
}

impl LazyVar for PlayHosts {
    fn value(&self) -> Var {
        self.is_read.store(true, Ordering::Relaxed);
        Var::Untrusted(self.hosts.clone())
    }
}

/// The same variables, watched.
pub(crate) fn watch(scope: &Scope, play: &PlayContext) -> (Scope, Told) {
    let told = Told::default();
    let mut watched = scope.extend().notices(Arc::clone(&told.notices));
    if let Some(hosts) = play.hosts.vars().get("play_hosts") {
        let var = PlayHosts {
            hosts: hosts.clone(),
            is_read: Arc::clone(&told.outdated),
        };
        watched = watched.push_lazy("play_hosts", Arc::new(var));
    }
    (watched.build(), told)
}

impl Told {
    /// Says it in the result.
    pub(crate) fn note(&self, mut raw: Object) -> Object {
        let notices = self.notices.told();
        if !notices.is_empty() {
            let warnings = raw.entry("warnings").or_insert_with(|| json!([]));
            if let Some(warnings) = warnings.as_array_mut() {
                warnings.extend(notices.into_iter().map(Value::from));
            }
        }
        if self.outdated.load(Ordering::Relaxed) {
            let told = json!({
                "msg": "The `play_hosts` magic variable is deprecated.",
                "collection_name": "ansible.builtin",
                "version": "2.23",
                "deprecator": {"resolved_name": "ansible.builtin", "type": null},
            });
            raw.insert("deprecations".into(), json!([told]));
        }
        raw
    }
}
