//! What actions ask of the engine: things that only its loop may change.

use std::sync::{Mutex, PoisonError};

use rustle_types::{HostName, Object};

use crate::effects::Effects;
use crate::include::Include;

/// Something that an action asks of the engine.
#[derive(Clone, Debug)]
pub enum Request {
    /// What a `meta` task says.
    Meta(String),
    /// More tasks for the host.
    Include(Box<Include>),
    /// A host for the inventory.
    AddHost(NewHost),
    /// A group for the inventory, with the host in it.
    Group {
        /// The group.
        name: String,
        /// The groups that it is in.
        parents: Vec<String>,
    },
    /// Facts and variables of another host.
    Facts {
        /// The host.
        host: HostName,
        /// What it gets.
        effects: Box<Effects>,
    },
    /// Numbers for the report.
    Stats {
        /// The numbers.
        data: Object,
        /// Whether they belong to the host alone.
        per_host: bool,
        /// Whether they are added to those that are there.
        aggregate: bool,
    },
}

/// A host that `add_host` makes.
#[derive(Clone, Debug)]
pub struct NewHost {
    /// Its name.
    pub name: HostName,
    /// The groups that it is in.
    pub groups: Vec<String>,
    /// Its variables.
    pub vars: Object,
}

/// What the actions of one unit asked for, in order.
#[derive(Debug, Default)]
pub struct Requests(Mutex<Vec<Request>>);

impl Requests {
    /// Asks for something.
    pub(crate) fn push(&self, request: Request) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(request);
    }

    /// Takes all that was asked for.
    pub(crate) fn take(&self) -> Vec<Request> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
