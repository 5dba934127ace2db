//! Batches: tasks that the planner put together.

use std::time::Duration;

use super::TaskPlan;
use crate::read::plan_object;
use crate::{HostName, Object};

plan_object! {
    /// Tasks and the hosts that run them.
    pub struct TaskBatch ("batch") {
        /// The planner's id of it.
        batch_id: String,
        /// The hosts that run its tasks; none means the play's.
        hosts: Vec<HostName>,
        /// Its tasks.
        tasks: Vec<TaskPlan>,
        /// Tasks that may run at the same time.
        parallel_groups: Vec<ParallelGroup>,
        /// Ids of the batches that must end first.
        dependencies: Vec<String>,
        /// How long the planner thinks that it takes.
        #[schemars(with = "crate::read::DurationSchema")]
        estimated_duration: Option<Duration>,
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}

plan_object! {
    /// Tasks of a batch that may run at the same time on one host.
    pub struct ParallelGroup ("parallel group") {
        /// The planner's id of it.
        group_id: String,
        /// Ids of its tasks.
        tasks: Vec<String>,
        /// How many of them may run at once.
        max_parallelism: Option<u32>,
        /// What they share.
        shared_resources: Vec<String>,
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}
