//! The engine: spec 070's face of a run.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use indexmap::IndexMap;
use rustle_connection::{ConnectionSettings, Pool};
use rustle_events::Reporter;
use rustle_module::Catalogue;
use rustle_process::CancelToken;
use rustle_protocol::Payloads;
use rustle_runtime::execution::{
    BecomeDefaults, Confirm, ExecutionContext, ExecutionError, ExecutorConfig, InventoryReader,
    Listing, PlanExecutor, Resumption, Schedule, VarsOnDisk,
};
use rustle_runtime::world::{EventSink, ModuleFinder, ModuleInvoker, Person};
use rustle_types::{
    ExecutionOptions, ExecutionPlan, ExecutionReport, HandlerPlan, HostName, JsonValue, Object,
    ParsedInventory, PlanProblem, TaskPlan, TaskResult,
};
use rustle_vault::VaultSecrets;

use crate::invoker::PoolInvoker;

/// What an engine is made of.
pub struct ExecutionConfig {
    /// How hosts are reached.
    pub connection: ConnectionSettings,
    /// The agents that can be put on them.
    pub payloads: Arc<dyn Payloads>,
    /// The modules that the agent has.
    pub catalogue: Catalogue,
    /// Where relative paths of the plan begin.
    pub base_dir: PathBuf,
    /// Where runs keep their journals; none for no journal.
    pub state_dir: Option<PathBuf>,
    /// What the front end wants to know of a run later; it is kept with the journal.
    pub origin: JsonValue,
    /// How tasks become another user where neither they nor the host say so.
    pub r#become: BecomeDefaults,
}

/// Runs plans by agents on their hosts.
pub struct ExecutionEngine {
    connection: ConnectionSettings,
    payloads: Arc<dyn Payloads>,
    catalogue: Catalogue,
    executor: PlanExecutor,
}

impl ExecutionEngine {
    /// An engine that runs one plan at a time.
    ///
    /// # Errors
    /// None at present; what can be wrong with a configuration is found when it is used.
    pub fn new(config: ExecutionConfig) -> Result<Self, ExecutionError> {
        Ok(Self {
            connection: config.connection,
            payloads: config.payloads,
            catalogue: config.catalogue,
            executor: PlanExecutor::new(ExecutorConfig {
                base_dir: config.base_dir,
                state_dir: config.state_dir,
                origin: config.origin,
                r#become: config.r#become,
                time_limit: None,
            }),
        })
    }

    /// Adds readers of the run's events.
    #[must_use]
    pub fn with_reporters(mut self, reporters: Vec<Box<dyn Reporter>>) -> Self {
        self.executor = self.executor.with_reporters(reporters);
        self
    }

    /// Decrypts values and files with these passwords.
    #[must_use]
    pub fn with_vault(mut self, secrets: Arc<VaultSecrets>) -> Self {
        self.executor = self.executor.with_vault(secrets);
        self
    }

    /// Continues a run with the next plan.
    #[must_use]
    pub fn with_resumption(mut self, resumption: Option<Resumption>) -> Self {
        self.executor = self.executor.with_resumption(resumption);
        self
    }

    /// Asks a person before each task.
    #[must_use]
    pub fn with_confirm(mut self, confirm: Option<Box<dyn Confirm>>) -> Self {
        self.executor = self.executor.with_confirm(confirm);
        self
    }

    /// Gives questions of tasks and plays to a person.
    #[must_use]
    pub fn with_person(mut self, person: Option<Arc<dyn Person>>) -> Self {
        self.executor = self.executor.with_person(person);
        self
    }

    /// Looks for modules that are not native.
    #[must_use]
    pub fn with_modules(mut self, modules: Arc<dyn ModuleFinder>) -> Self {
        self.executor = self.executor.with_modules(modules);
        self
    }

    /// Reads the inventory again where a task asks for it.
    #[must_use]
    pub fn with_inventory_reader(mut self, reread: InventoryReader) -> Self {
        self.executor = self.executor.with_inventory_reader(reread);
        self
    }

    /// Reads the variables of hosts and groups that tasks add.
    #[must_use]
    pub fn with_vars_on_disk(mut self, vars_on_disk: VarsOnDisk) -> Self {
        self.executor = self.executor.with_vars_on_disk(vars_on_disk);
        self
    }

    /// Begins with facts that the inventory brought along, as if they had been gathered.
    #[must_use]
    pub fn with_known_facts(mut self, known_facts: IndexMap<HostName, Object>) -> Self {
        self.executor = self.executor.with_known_facts(known_facts);
        self
    }

    /// Ends the run: see [`PlanExecutor::cancel_token`].
    #[must_use]
    pub fn cancel_token(&self) -> &CancelToken {
        self.executor.cancel_token()
    }

    /// Everything that stands against running the plan: modules and arguments that are not there, and keywords whose meaning is not
    /// written yet.
    #[must_use]
    pub fn check(&self, plan: &ExecutionPlan) -> Vec<PlanProblem> {
        self.executor.check(plan, &self.catalogue)
    }

    /// What the plan comes to, without touching a host.
    ///
    /// # Errors
    /// When the inventory or a pattern is wrong, or no host is left.
    pub fn schedule(
        &self,
        plan: &ExecutionPlan,
        inventory: ParsedInventory,
        options: &ExecutionOptions,
    ) -> Result<Schedule, ExecutionError> {
        self.executor.schedule(plan, inventory, options)
    }

    /// Lists what a plan holds. No host is touched, and a play without hosts is no mistake.
    ///
    /// # Errors
    /// When the inventory or a pattern is wrong, or a limit leaves no host.
    pub fn list(
        &self,
        plan: &ExecutionPlan,
        inventory: ParsedInventory,
        options: &ExecutionOptions,
    ) -> Result<Listing, ExecutionError> {
        self.executor.list(plan, inventory, options)
    }

    /// Runs a plan to its end.
    ///
    /// # Errors
    /// When it cannot begin. Tasks and hosts that fail are in the report.
    pub async fn execute_plan(
        &self,
        plan: ExecutionPlan,
        inventory: ParsedInventory,
        options: ExecutionOptions,
    ) -> Result<ExecutionReport, ExecutionError> {
        let pool = self.pool()?;
        let invoker = |events| over(&pool, events);
        let report = self
            .executor
            .execute_plan(&plan, inventory, &options, invoker)
            .await;
        pool.close().await;
        report
    }

    /// Runs one task on one host, outside of a plan. Nothing is journaled, and no reporter hears of it.
    ///
    /// # Errors
    /// When it cannot begin; a task that fails is a result.
    pub async fn execute_task(
        &self,
        task: &TaskPlan,
        host: &str,
        context: &ExecutionContext,
    ) -> Result<TaskResult, ExecutionError> {
        let pool = self.pool()?;
        let invoker = |events| over(&pool, events);
        let result = self
            .executor
            .execute_task(task, host, context, invoker)
            .await;
        pool.close().await;
        result
    }

    /// Runs one handler on one host, outside of a plan.
    ///
    /// # Errors
    /// As [`Self::execute_task`].
    pub async fn execute_handler(
        &self,
        handler: &HandlerPlan,
        host: &str,
        context: &ExecutionContext,
    ) -> Result<TaskResult, ExecutionError> {
        let mut result = self.execute_task(&handler.task, host, context).await?;
        result.is_handler = true;
        Ok(result)
    }

    fn pool(&self) -> Result<Arc<Pool>, ExecutionError> {
        let pool = Pool::new(self.connection.clone(), Arc::clone(&self.payloads));
        let what = "cannot make a folder for the sockets of ssh".to_owned();
        pool.map(Arc::new)
            .map_err(|source| ExecutionError::Setup { what, source })
    }
}

/// What runs modules over the pool's connections.
fn over(pool: &Arc<Pool>, events: Arc<dyn EventSink>) -> Arc<dyn ModuleInvoker> {
    Arc::new(PoolInvoker {
        pool: Arc::clone(pool),
        events,
        told: Mutex::default(),
    })
}
