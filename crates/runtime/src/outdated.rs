//! Variables that Ansible will do without one day: whoever reads one is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustle_template::{LazyVar, Scope, Var};
use rustle_types::Object;
use serde_json::{Value, json};

use crate::play::PlayContext;

/// Whether a task read `play_hosts`.
#[derive(Debug, Default)]
pub(crate) struct Outdated(Arc<AtomicBool>);

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
pub(crate) fn watch(scope: &Scope, play: &PlayContext) -> (Scope, Outdated) {
    let outdated = Outdated::default();
    let Some(hosts) = play.hosts.vars().get("play_hosts") else {
        return (scope.clone(), outdated);
    };
    let var = PlayHosts {
        hosts: hosts.clone(),
        is_read: Arc::clone(&outdated.0),
    };
    let scope = scope.extend().push_lazy("play_hosts", Arc::new(var));
    (scope.build(), outdated)
}

impl Outdated {
    /// Says in the result what was read.
    pub(crate) fn note(&self, mut raw: Object) -> Object {
        if self.0.load(Ordering::Relaxed) {
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
