//! Handlers: tasks that run once when something changed.

use std::ops::Deref;

use super::{OneOrMany, TaskPlan};
use crate::read::plan_object;

plan_object! {
    /// A task that runs at the end of a batch on the hosts that notified it.
    pub struct HandlerPlan ("handler", prepare = super::raw_task::normalise) {
        /// The planner's id of it; ids repeat.
        handler_id: String,
        /// Topics that it listens to beside its name.
        listen: OneOrMany<String>,
    }
    flatten {
        /// The task itself; its `task_id` is mostly empty.
        task: TaskPlan,
    }
}

impl Deref for HandlerPlan {
    type Target = TaskPlan;

    fn deref(&self) -> &TaskPlan {
        &self.task
    }
}
