//! The plan as a whole.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Duration;

use indexmap::IndexMap;
use serde_json::Value;

use super::{
    BinaryDeployment, PlanMetadata, PlanReader, PlayPlan, RolePlan, TaskCondition, TaskPlan,
};
use crate::problem::{PlanErrors, PlanProblem, PlanWarning};
use crate::read::plan_object;
use crate::{HostName, Object};

/// The version of the plan format that is read here.
pub const PLAN_VERSION: u64 = 1;

plan_object! {
    /// An execution plan.
    pub struct ExecutionPlan ("plan") {
        /// The version of the format; 1 where it is missing.
        plan_version: Option<u64> = "plan_version" | "ansible_plan_version",
        /// What the planner says of the plan.
        metadata: PlanMetadata,
        /// All hosts of the plan, used where there is no inventory.
        hosts: Vec<HostName>,
        /// An inventory carried along, in any of its JSON forms.
        inventory: Option<Object>,
        /// Where the inventory came from.
        inventory_sources: Vec<String>,
        /// The lowest of the variables that the plan itself carries.
        vars: Object,
        /// Variables above all others, which the plan was made with; those of the command line win over them.
        extra_vars: Object,
        /// Task files that may be included as the plan runs, by path.
        includes: IndexMap<String, Vec<TaskPlan>>,
        /// Roles that may be included as the plan runs, by name.
        roles: IndexMap<String, RolePlan>,
        /// The folder where relative sources are looked up.
        base_dir: Option<String>,
        /// Groups of tasks to run on the host without the controller.
        binary_deployments: Vec<BinaryDeployment>,
        /// How many tasks the planner counted.
        total_tasks: Option<u64>,
        /// How long the planner thinks that it all takes.
        #[schemars(with = "crate::read::DurationSchema")]
        estimated_duration: Option<Duration>,
        /// How long the planner thinks that compiling takes; nothing is compiled.
        #[schemars(with = "crate::read::DurationSchema")]
        estimated_compilation_time: Option<Duration>,
        /// How much may run at the same time, from 0 to 1.
        parallelism_score: Option<f64>,
        /// How much network use is saved, from 0 to 1.
        network_efficiency_score: Option<f64>,
    }
    required {
        /// Its plays, run in order.
        plays: Vec<PlayPlan>,
    }
    flatten {
        /// Fields that are not known.
        extra: Object,
    }
}

impl ExecutionPlan {
    /// Reads a plan and checks all that can be checked without modules and hosts.
    ///
    /// # Errors
    ///
    /// All mistakes of the plan at once, or why it cannot be read at all.
    pub fn from_json(text: &[u8]) -> Result<(Self, Vec<PlanWarning>), PlanErrors> {
        PlanReader::default().read_json(text)
    }

    /// The extra variables of a run: those that the plan brings along, and above them those that the user gives.
    #[must_use]
    pub fn extra_vars_below(&self, given: Object) -> Object {
        let mut all = self.extra_vars.clone();
        all.extend(given);
        all
    }

    /// Reads a plan as [`ExecutionPlan::from_json`] does, from a value.
    ///
    /// # Errors
    ///
    /// All mistakes of the plan at once, or why it cannot be read at all.
    pub fn from_value(value: Value) -> Result<(Self, Vec<PlanWarning>), PlanErrors> {
        PlanReader::default().read_value(value)
    }

    /// The folders of the plan's roles, in the order in which they are named; relative ones begin where the plan's paths do.
    #[must_use]
    pub fn role_folders(&self) -> Vec<PathBuf> {
        fn add(folders: &mut Vec<PathBuf>, tasks: &[TaskPlan]) {
            for task in tasks {
                folders.extend(task.scope.role_path.as_ref().map(PathBuf::from));
                if let Some(block) = task.block() {
                    for tasks in [&block.block, &block.rescue, &block.always] {
                        add(folders, tasks);
                    }
                }
            }
        }
        let mut folders = Vec::new();
        for play in &self.plays {
            for batch in &play.batches {
                add(&mut folders, &batch.tasks);
            }
            add(&mut folders, &play.tasks);
        }
        folders.extend(self.roles.iter().map(|(name, role)| {
            let usual = || format!("roles/{name}");
            PathBuf::from(role.path.clone().unwrap_or_else(usual))
        }));
        let mut seen = HashSet::new();
        folders.retain(|folder| seen.insert(folder.clone()));
        folders
    }

    /// Adds to problems the names of the tasks and plays that they are in.
    pub fn name_subjects(&self, problems: &mut [PlanProblem]) {
        super::check::add_subjects(self, problems);
    }

    /// Whether the plan was made for a check run, by its options or by its tasks' conditions.
    #[must_use]
    pub fn is_made_for_check(&self) -> bool {
        let says_check = |condition: &TaskCondition| {
            matches!(condition, TaskCondition::CheckMode { enabled: true })
        };
        self.metadata.planning_options.check_mode == Some(true)
            || self
                .plays
                .iter()
                .flat_map(PlayPlan::all_tasks)
                .any(|task| task.conditions.iter().any(says_check))
    }
}
