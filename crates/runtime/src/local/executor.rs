//! Runs plans in this process.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustle_events::{Event, Reporter};
use rustle_inventory::{InventorySource, VaultedFiles, from_names, load};
use rustle_process::CancelToken;
use rustle_types::{
    ExecutionOptions, ExecutionPlan, ExecutionReport, HostName, ModuleCall, Object,
    ParsedInventory, PlanErrors, PlayHosts, PlayPlan, TaskBatch, TaskBody, TaskPlan, TaskResult,
};
use rustle_vault::VaultSecrets;
use serde_json::Value;

use super::config::RuntimeConfig;
use super::invoker::LocalInvoker;
use super::registry::ModuleRegistry;
use crate::execution::{ExecutionContext, ExecutionError, ExecutorConfig, PlanExecutor};
use crate::world::{EventSink, ModuleInvoker};

/// Runs plans for the machine that this process is on, in this process.
///
/// There is no other host: a play that addresses one is refused before anything runs, and a task that is delegated to one
/// fails with its name. Nor does a run become another user. Jobs of `async` tasks are threads of this process, and end with it.
///
/// One run takes place at a time; each begins with the inventory's variables alone.
///
/// ```
/// use async_trait::async_trait;
/// use rustle_module::{Change, Failure, Mode, Module, Opt, Output, Spec, Target, Type, Verdict};
/// use rustle_runtime::local::{LocalExecutor, ModuleRegistry, RuntimeConfig};
/// use rustle_types::{ExecutionPlan, Object};
///
/// /// A module of one's own: greets, and changes nothing.
/// struct Greet;
///
/// #[async_trait]
/// impl Module for Greet {
///     type Args = Object;
///     type State = ();
///     const SPEC: Spec = Spec::new("greet", &[Opt::new("name", Type::Str).required()]);
///
///     async fn inspect(&self, _: &dyn Target, _: &Object) -> Result<(), Failure> {
///         Ok(())
///     }
///
///     fn diff(&self, args: &Object, (): &(), _: Mode) -> Verdict {
///         let greeting = ("greeting".into(), args["name"].clone());
///         Verdict::unchanged(Output::new([greeting].into_iter().collect()))
///     }
///
///     async fn apply(&self, _: &dyn Target, _: &Object, (): (), _: Change) -> Result<Output, Failure> {
///         Err(Failure::new("there is nothing to change"))
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut registry = ModuleRegistry::new();
/// registry.register_module(&Greet);
/// let executor = LocalExecutor::new(RuntimeConfig::default(), registry)?;
/// let (plan, _) = ExecutionPlan::from_json(
///     br#"{"plays": [{"hosts": ["localhost"], "tasks": [
///         {"module": "greet", "args": {"name": "{{ item }}"}, "loop": ["you", "me"], "register": "said"},
///         {"module": "assert", "args": {"that": "said.results[1].greeting == 'me'"}}]}]}"#,
/// )?;
/// let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
/// let report = runtime.block_on(executor.execute_plan(plan))?;
/// assert_eq!(report.stats["localhost"].ok, 2);
/// # Ok(())
/// # }
/// ```
pub struct LocalExecutor {
    config: RuntimeConfig,
    executor: PlanExecutor,
    invoker: Arc<LocalInvoker>,
    progress: Mutex<Vec<Arc<dyn EventSink>>>,
    /// Where files of group and host variables are read.
    files: VaultedFiles,
}

impl LocalExecutor {
    /// An executor with these modules.
    ///
    /// # Errors
    /// When there is no place for a private folder of temporary files.
    pub fn new(config: RuntimeConfig, modules: ModuleRegistry) -> Result<Self, ExecutionError> {
        let invoker = LocalInvoker::new(config.host.clone(), modules).map_err(|source| {
            let what = "cannot make a private folder for temporary files".into();
            ExecutionError::Setup { what, source }
        })?;
        Ok(Self {
            executor: PlanExecutor::new(ExecutorConfig {
                base_dir: config.base_dir.clone(),
                state_dir: config.state_dir.clone(),
                origin: Value::Null,
                r#become: config.r#become.clone(),
                time_limit: config.execution_timeout,
            }),
            config,
            invoker: Arc::new(invoker),
            progress: Mutex::default(),
            files: VaultedFiles::new(Arc::default()),
        })
    }

    /// Decrypts values and files with these passwords.
    #[must_use]
    pub fn with_vault(mut self, secrets: Arc<VaultSecrets>) -> Self {
        self.files = VaultedFiles::new(Arc::clone(&secrets));
        self.executor = self.executor.with_vault(secrets);
        self
    }

    /// Ends runs: see [`PlanExecutor::cancel_token`].
    #[must_use]
    pub const fn cancel_token(&self) -> &CancelToken {
        self.executor.cancel_token()
    }

    /// Tells `sink` every event of all later runs.
    pub fn report_progress(&self, sink: Arc<dyn EventSink>) {
        self.progress
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(sink);
    }

    /// Runs a plan to its end.
    ///
    /// # Errors
    /// When it cannot begin: it is not valid, or addresses other hosts. Tasks that fail are in the report, with all that was
    /// done before.
    pub async fn execute_plan(
        &self,
        plan: ExecutionPlan,
    ) -> Result<ExecutionReport, ExecutionError> {
        self.check(&plan)?;
        let inventory = self.inventory(&plan)?;
        let options = &self.options(&plan);
        let schedule = self.executor.schedule(&plan, inventory.clone(), options)?;
        for play in &schedule.plays {
            self.refuse_others(&play.name, &play.hosts)?;
        }
        self.executor.set_reporters(self.reporters());
        self.executor
            .execute_plan(&plan, inventory, options, |_| self.invoker())
            .await
    }

    /// Runs one play to its end.
    ///
    /// # Errors
    /// As [`Self::execute_plan`].
    pub async fn execute_play(&self, play: &PlayPlan) -> Result<ExecutionReport, ExecutionError> {
        let plan = ExecutionPlan {
            plays: vec![play.clone()],
            ..ExecutionPlan::default()
        };
        self.execute_plan(plan).await
    }

    /// Runs the tasks of one batch to their end.
    ///
    /// # Errors
    /// As [`Self::execute_plan`].
    pub async fn execute_batch(
        &self,
        batch: &TaskBatch,
    ) -> Result<ExecutionReport, ExecutionError> {
        self.refuse_others(&batch.batch_id, &batch.hosts)?;
        let play = PlayPlan {
            name: Some(batch.batch_id.clone()),
            hosts: PlayHosts::Names(vec![self.config.host.clone()]),
            batches: vec![batch.clone()],
            ..PlayPlan::default()
        };
        self.execute_play(&play).await
    }

    /// Runs one task to its end. No journal is kept of it, and no progress told.
    ///
    /// # Errors
    /// As [`Self::execute_plan`].
    pub async fn execute_task(&self, task: &TaskPlan) -> Result<TaskResult, ExecutionError> {
        let plan = ExecutionPlan {
            plays: vec![PlayPlan {
                tasks: vec![task.clone()],
                ..PlayPlan::default()
            }],
            ..ExecutionPlan::default()
        };
        self.check(&plan)?;
        let context = ExecutionContext {
            inventory: self.inventory(&plan)?,
            options: self.config.options.clone(),
            vars: Object::new(),
        };
        let host = self.config.host.as_str();
        self.executor
            .execute_task(task, host, &context, |_| self.invoker())
            .await
    }

    /// Gathers the facts of this machine, by their full names (`ansible_kernel`).
    ///
    /// # Errors
    /// When no module `setup` is registered, or it fails.
    pub async fn collect_facts(&self) -> Result<Object, ExecutionError> {
        let task = TaskPlan {
            body: TaskBody::Module(ModuleCall {
                module: "setup".into(),
                args: Object::new(),
            }),
            ..TaskPlan::default()
        };
        let result = self.execute_task(&task).await?;
        let facts = result
            .result
            .as_ref()
            .and_then(|it| it.get("ansible_facts"));
        match facts {
            Some(Value::Object(facts)) if !result.failed => Ok(facts.clone()),
            _ => Err(ExecutionError::Facts {
                reason: result.error.unwrap_or_else(|| "it gave none".into()),
            }),
        }
    }

    /// Ends jobs that still run in the background, and removes temporary files and what is known of jobs. Not to be called while
    /// a run takes place. Dropping the executor does the same, and does not wait for jobs to end.
    ///
    /// # Errors
    /// When files cannot be removed.
    pub async fn cleanup(&self) -> io::Result<()> {
        self.invoker.clean_up().await
    }

    /// The options of a run: variables that the plan brings along stand above all but those of the options.
    fn options(&self, plan: &ExecutionPlan) -> ExecutionOptions {
        let mut options = self.config.options.clone();
        options.extra_vars = plan.extra_vars_below(std::mem::take(&mut options.extra_vars));
        options
    }

    fn reporters(&self) -> Vec<Box<dyn Reporter>> {
        let sinks = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        sinks
            .iter()
            .map(|sink| Box::new(Progress(Arc::clone(sink))) as Box<dyn Reporter>)
            .collect()
    }

    fn invoker(&self) -> Arc<dyn ModuleInvoker> {
        Arc::clone(&self.invoker) as _
    }

    fn check(&self, plan: &ExecutionPlan) -> Result<(), ExecutionError> {
        let problems = self
            .executor
            .check(plan, self.invoker.modules().catalogue());
        PlanErrors::from_problems(problems)
            .map_or(Ok(()), |errors| Err(ExecutionError::InvalidPlan(errors)))
    }

    fn inventory(&self, plan: &ExecutionPlan) -> Result<ParsedInventory, ExecutionError> {
        if let Some(inventory) = &self.config.inventory {
            return Ok(inventory.clone());
        }
        let Some(inventory) = &plan.inventory else {
            return Ok(from_names(std::slice::from_ref(&self.config.host)));
        };
        let source = InventorySource::Value {
            value: Value::Object(inventory.clone()),
            origin: "of the plan".into(),
        };
        load(&[source], Some(&self.config.base_dir), &self.files)
            .map(|loaded| loaded.inventory)
            .map_err(ExecutionError::Inventory)
    }

    fn refuse_others(&self, play: &str, hosts: &[HostName]) -> Result<(), ExecutionError> {
        let own = &self.config.host;
        let others: Vec<String> = hosts
            .iter()
            .filter(|host| *host != own)
            .map(ToString::to_string)
            .collect();
        if others.is_empty() {
            return Ok(());
        }
        Err(ExecutionError::OtherHosts {
            play: play.to_owned(),
            own: own.clone(),
            others: others.join(", "),
        })
    }
}

/// Tells events as they come.
struct Progress(Arc<dyn EventSink>);

impl Reporter for Progress {
    fn note(&mut self, event: &Event) {
        self.0.note(event.kind.clone());
    }
}
