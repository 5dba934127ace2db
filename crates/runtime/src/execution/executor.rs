//! What every run needs, wherever its modules run.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use indexmap::IndexMap;
use rustle_events::{Event, EventKind, ReportFold, Reporter, Tally};
use rustle_inventory::Inventory;
use rustle_module::Catalogue;
use rustle_process::CancelToken;
use rustle_template::{Engine, Layer, Trust};
use rustle_types::{
    ExecutionOptions, ExecutionPlan, ExecutionReport, HostName, Mode, ModuleResult, Object,
    ParsedInventory, PlanProblem, RunId, Secret,
};
use rustle_vault::VaultSecrets;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::execution::check::{Checker, Reached};
use crate::execution::compile::{compile, list_tasks};
use crate::execution::error::ExecutionError;
use crate::execution::facts_cache::FactsCache;
use crate::execution::hosts::{HostBook, VarsOnDisk};
use crate::execution::journal::Journal;
use crate::execution::lazy_facts::narrowed;
use crate::execution::library::PlanLibrary;
use crate::execution::play_keywords::{foreseen, waits};
use crate::execution::replay::Replay;
use crate::execution::resumption::{Resumption, digests, unusable};
use crate::execution::run::{Deadline, Run, Sink};
use crate::execution::schedule::{Schedule, schedule};
use crate::execution::start_at::StartAt;
use crate::execution::step::Confirm;
use crate::execution::templates::template_engine;
use crate::files::Files;
use crate::world::{
    EventSink, Invocation, ModuleFinder, ModuleInvoker, Person, RunSettings, Unreachable, World,
};

/// What an executor is made of.
#[derive(Clone, Debug, Default)]
pub struct ExecutorConfig {
    /// Where relative paths of the plan begin.
    pub base_dir: PathBuf,
    /// Where runs keep their journals; none for no journal.
    pub state_dir: Option<PathBuf>,
    /// What the front end wants to know of a run later; it is kept with the journal.
    pub origin: Value,
    /// How tasks become another user where neither they nor the host say so.
    pub r#become: BecomeDefaults,
    /// How long a run may take; then nothing more starts, and what runs is asked to end.
    pub time_limit: Option<Duration>,
}

/// How tasks become another user where neither they nor the host say so.
#[derive(Clone, Debug, Default)]
pub struct BecomeDefaults {
    /// Whether they do.
    pub enabled: bool,
    /// The user.
    pub user: Option<String>,
    /// The method.
    pub method: Option<String>,
    /// The password for it.
    pub password: Option<Secret>,
}

/// Reads the inventory of a run; an error is a text for people.
pub type InventoryReader = Arc<dyn Fn() -> Result<ParsedInventory, String> + Send + Sync>;

/// Runs plans, whoever runs their modules.
pub struct PlanExecutor {
    config: ExecutorConfig,
    pub(crate) engine: Arc<Engine>,
    pub(crate) cancel: CancelToken,
    person: Option<Arc<dyn Person>>,
    modules: Option<Arc<dyn ModuleFinder>>,
    reread: Option<InventoryReader>,
    vars_on_disk: Option<VarsOnDisk>,
    known_facts: IndexMap<HostName, Object>,
    reporters: Mutex<Vec<Box<dyn Reporter>>>,
    confirm: Mutex<Option<Box<dyn Confirm>>>,
    resumption: Mutex<Option<Resumption>>,
}

/// What one task on one host is run with, apart from a whole plan.
#[derive(Clone, Debug, Default)]
pub struct ExecutionContext {
    /// The hosts and their variables.
    pub inventory: ParsedInventory,
    /// The options.
    pub options: ExecutionOptions,
    /// Variables of the plan.
    pub vars: Object,
}

/// How a run begins.
struct Beginning {
    id: RunId,
    journal: Option<Journal>,
    /// The first event of a run that is continued, and the number of the next.
    resumed: Option<(Event, u64)>,
    replay: Replay,
    reruns_unknown: bool,
}

impl PlanExecutor {
    /// An executor that runs one plan at a time.
    #[must_use]
    pub fn new(config: ExecutorConfig) -> Self {
        let cancel = CancelToken::new();
        Self {
            engine: template_engine(&config.base_dir, &cancel, None),
            config,
            cancel,
            person: None,
            modules: None,
            reread: None,
            vars_on_disk: None,
            known_facts: IndexMap::new(),
            reporters: Mutex::default(),
            confirm: Mutex::default(),
            resumption: Mutex::default(),
        }
    }

    /// Continues a run with the next plan.
    #[must_use]
    pub fn with_resumption(self, resumption: Option<Resumption>) -> Self {
        Self {
            resumption: Mutex::new(resumption),
            ..self
        }
    }

    /// Adds readers of the run's events.
    #[must_use]
    pub fn with_reporters(self, reporters: Vec<Box<dyn Reporter>>) -> Self {
        Self {
            reporters: Mutex::new(reporters),
            ..self
        }
    }

    /// Takes the readers of the next run's events.
    pub fn set_reporters(&self, reporters: Vec<Box<dyn Reporter>>) {
        *self
            .reporters
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = reporters;
    }

    /// Decrypts values and files with these passwords.
    #[must_use]
    pub fn with_vault(self, secrets: Arc<VaultSecrets>) -> Self {
        Self {
            engine: template_engine(&self.config.base_dir, &self.cancel, Some(secrets)),
            ..self
        }
    }

    /// Asks a person before each task.
    #[must_use]
    pub fn with_confirm(self, confirm: Option<Box<dyn Confirm>>) -> Self {
        Self {
            confirm: Mutex::new(confirm),
            ..self
        }
    }

    /// Gives questions of tasks and plays to a person.
    #[must_use]
    pub fn with_person(self, person: Option<Arc<dyn Person>>) -> Self {
        Self { person, ..self }
    }

    /// Looks for modules that are not native.
    #[must_use]
    pub fn with_modules(self, modules: Arc<dyn ModuleFinder>) -> Self {
        Self {
            modules: Some(modules),
            ..self
        }
    }

    /// Reads the inventory again where a task asks for it.
    #[must_use]
    pub fn with_inventory_reader(self, reread: InventoryReader) -> Self {
        Self {
            reread: Some(reread),
            ..self
        }
    }

    /// Reads the variables of hosts and groups that tasks add.
    #[must_use]
    pub fn with_vars_on_disk(self, vars_on_disk: VarsOnDisk) -> Self {
        Self {
            vars_on_disk: Some(vars_on_disk),
            ..self
        }
    }

    /// Begins with facts that the inventory brought along, as if they had been gathered.
    #[must_use]
    pub fn with_known_facts(self, known_facts: IndexMap<HostName, Object>) -> Self {
        Self {
            known_facts,
            ..self
        }
    }

    /// Ends the run: at [`CancelLevel::Stop`](rustle_process::CancelLevel::Stop) nothing more starts and running tasks are
    /// asked to end, at [`CancelLevel::Kill`](rustle_process::CancelLevel::Kill) they are killed.
    #[must_use]
    pub const fn cancel_token(&self) -> &CancelToken {
        &self.cancel
    }

    /// Everything that stands against running the plan with these modules: modules and arguments that are not there, and
    /// keywords whose meaning is not written yet.
    #[must_use]
    pub fn check(&self, plan: &ExecutionPlan, catalogue: &Catalogue) -> Vec<PlanProblem> {
        let mut checker = Checker {
            catalogue,
            modules: self.modules.as_deref(),
            engine: &self.engine,
            problems: Vec::new(),
            forgiving: 0,
            reached: Reached::default(),
            with_defaults: BTreeSet::new(),
        };
        checker.plan(plan);
        plan.name_subjects(&mut checker.problems);
        checker.problems
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
        let inventory = Inventory::new(inventory).map_err(ExecutionError::Inventory)?;
        let plan = &self.foreseen(plan, &inventory, options);
        let mut schedule = schedule(plan, &inventory, options)?;
        let mut start_at = StartAt::new(options);
        for play in &mut schedule.plays {
            let from = &plan.plays[play.index];
            for round in &mut play.rounds {
                let program = compile(
                    from,
                    play.index,
                    round,
                    &inventory,
                    options,
                    &mut start_at.clone(),
                );
                list_tasks(&program.nodes, 0, &round.hosts, &mut round.tasks);
            }
            if let Some(round) = play.rounds.first() {
                compile(from, play.index, round, &inventory, options, &mut start_at);
            }
        }
        start_at.check()?;
        Ok(schedule)
    }

    /// Runs a plan to its end. Its modules are run by what `invoker` makes, which may tell what happens on the way.
    ///
    /// # Errors
    /// When it cannot begin. Tasks and hosts that fail are in the report.
    pub async fn execute_plan(
        &self,
        plan: &ExecutionPlan,
        inventory: ParsedInventory,
        options: &ExecutionOptions,
        invoker: impl FnOnce(Arc<dyn EventSink>) -> Arc<dyn ModuleInvoker>,
    ) -> Result<ExecutionReport, ExecutionError> {
        let schedule = self.schedule(plan, inventory.clone(), options)?;
        let inventory = Inventory::new(inventory).map_err(ExecutionError::Inventory)?;
        let cache = FactsCache::of(options)?;
        let Beginning {
            id,
            journal,
            resumed,
            replay,
            reruns_unknown,
        } = self.beginning(plan, &inventory)?;
        let book = self.book(inventory, cache);
        let (event_tx, events) = mpsc::unbounded_channel();
        let world = self.world(id, plan, options, &book, (invoker, event_tx));
        let mut reporters = taken(&self.reporters);
        let mut confirm = taken(&self.confirm);
        let mut run = Run {
            id,
            world,
            book,
            options,
            cancel: self.cancel.child(),
            deadline: self.config.time_limit.map(Deadline::after),
            events,
            journal,
            reporters: &mut reporters,
            confirm: confirm.as_mut(),
            fold: ReportFold::default(),
            tally: Tally::default(),
            seq: 0,
            resumed,
            replay,
            is_replaying: false,
            reruns_unknown,
            lost: BTreeSet::new(),
            reread: self.reread.clone(),
            has_failed: false,
            has_unreachable: false,
            is_over: false,
            journal_error: None,
            units: JoinSet::new(),
            running: HashMap::new(),
            confirmed: BTreeSet::new(),
        };
        let outcome = self
            .run_plays(&self.narrowed(plan, &run), &schedule, &mut run)
            .await;
        run.end(outcome.as_ref().err());
        let report = std::mem::take(&mut run.fold).finish();
        outcome?;
        report.ok_or_else(|| ExecutionError::Setup {
            what: "the run made no report".into(),
            source: std::io::ErrorKind::InvalidData.into(),
        })
    }

    /// A run of its own, or one that is continued.
    fn beginning(
        &self,
        plan: &ExecutionPlan,
        inventory: &Inventory,
    ) -> Result<Beginning, ExecutionError> {
        let hosts = digests(inventory);
        if let Some(resumption) = taken(&self.resumption) {
            resumption.check(plan, &hosts)?;
            return Ok(Beginning {
                id: resumption.run,
                journal: Some(resumption.journal),
                resumed: Some(resumption.begin),
                replay: resumption.replay,
                reruns_unknown: resumption.reruns_unknown,
            });
        }
        let id = RunId::generate();
        let journal = self.config.state_dir.as_ref().map(|dir| {
            Journal::create(dir, id, (plan, &hosts, &self.config.origin)).map_err(unusable)
        });
        Ok(Beginning {
            id,
            journal: journal.transpose()?,
            resumed: None,
            replay: Replay::default(),
            reruns_unknown: false,
        })
    }

    /// The plan with the keywords of its plays rendered, as far as that goes before it runs.
    pub(crate) fn foreseen<'p>(
        &self,
        plan: &'p ExecutionPlan,
        inventory: &Inventory,
        options: &ExecutionOptions,
    ) -> Cow<'p, ExecutionPlan> {
        if !plan.plays.iter().any(waits) {
            return Cow::Borrowed(plan);
        }
        let book = self.book(inventory.clone(), None);
        let (event_tx, _) = mpsc::unbounded_channel();
        let nobody = |_: Arc<dyn EventSink>| Arc::new(Nobody) as Arc<dyn ModuleInvoker>;
        let world = self.world(RunId::generate(), plan, options, &book, (nobody, event_tx));
        Cow::Owned(foreseen(plan, &world))
    }

    /// What is known of the hosts before the first task.
    fn book(&self, inventory: Inventory, cache: Option<FactsCache>) -> Arc<HostBook> {
        let book = HostBook::new(inventory, cache).with_vars_on_disk(self.vars_on_disk.clone());
        for (host, facts) in &self.known_facts {
            book.know(host, facts);
        }
        Arc::new(book)
    }

    /// The plan with plays that gather the facts that are used, where the options ask for it.
    fn narrowed<'p>(&self, plan: &'p ExecutionPlan, run: &Run<'_>) -> Cow<'p, ExecutionPlan> {
        let place = (&*run.world.library, &*self.config.base_dir);
        run.book
            .inventory(|inventory| narrowed(plan, inventory.parsed(), run.options, place))
    }

    /// What tasks see of a run.
    pub(crate) fn world(
        &self,
        run: RunId,
        plan: &ExecutionPlan,
        options: &ExecutionOptions,
        book: &Arc<HostBook>,
        (invoker, event_tx): (
            impl FnOnce(Arc<dyn EventSink>) -> Arc<dyn ModuleInvoker>,
            mpsc::UnboundedSender<EventKind>,
        ),
    ) -> World {
        let events: Arc<dyn EventSink> = Arc::new(Sink(event_tx));
        let library = Arc::new(PlanLibrary::new(
            plan,
            &self.config.base_dir,
            Arc::clone(&self.engine),
        ));
        let r#become = &self.config.r#become;
        let sources = inventory_sources(plan, book, &self.config.base_dir);
        let settings = RunSettings {
            run: run.to_string(),
            mode: Mode {
                check: options.check,
                diff: options.diff,
            },
            timeout: Some(options.timeout).filter(|timeout| !timeout.is_zero()),
            live_output: options.verbosity > 0,
            verbosity: options.verbosity,
            r#become: r#become.enabled,
            become_user: r#become.user.clone(),
            become_method: r#become.method.clone(),
            become_password: r#become.password.clone(),
            forks: options.forks,
            tags: options.tags.clone(),
            skip_tags: options.skip_tags.clone(),
            limit: options.limit.clone(),
            base_dir: self.config.base_dir.clone(),
            inventory: sources
                .iter()
                .find(|source| Path::new(source).exists())
                .and_then(|source| inventory_place(Path::new(source))),
            inventory_sources: sources,
            plan_vars: Layer::new(Arc::new(plan.vars.clone()), Trust::Trusted),
            extra_vars: Layer::new(Arc::new(options.extra_vars.clone()), Trust::Trusted),
        };
        World {
            engine: Arc::clone(&self.engine),
            invoker: invoker(Arc::clone(&events)),
            hosts: Arc::clone(book) as _,
            events,
            files: Arc::new(Files::default()),
            library,
            modules: self.modules.clone(),
            person: self.person.clone(),
            settings: Arc::new(settings),
        }
    }
}

/// Takes what the next run alone has.
fn taken<T: Default>(slot: &Mutex<T>) -> T {
    std::mem::take(&mut *slot.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Runs no module: for looking at a plan.
struct Nobody;

#[async_trait]
impl ModuleInvoker for Nobody {
    async fn invoke(&self, _call: Invocation) -> Result<ModuleResult, Unreachable> {
        Err(Unreachable {
            reason: "nothing is run while a plan is looked at".into(),
            hint: None,
        })
    }
}

/// What the inventory is from: files and folders as they were read, else as the plan says, or names as they were typed in.
fn inventory_sources(plan: &ExecutionPlan, book: &HostBook, base_dir: &Path) -> Vec<String> {
    let read = book.inventory(|inventory| inventory.parsed().sources.clone());
    let sources = if read.is_empty() {
        &plan.inventory_sources
    } else {
        &read
    };
    let shown = |source: &String| {
        let path = base_dir.join(source);
        if path.exists() {
            path.display().to_string()
        } else {
            source.clone()
        }
    };
    sources.iter().map(shown).collect()
}

/// The folder of an inventory, and its file: of a folder the first file in it.
fn inventory_place(source: &Path) -> Option<(String, String)> {
    let shown = |path: &Path| path.display().to_string();
    if !source.is_dir() {
        return Some((shown(source.parent()?), shown(source)));
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(source)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let file = files
        .first()
        .map_or_else(|| shown(source), |file| shown(file));
    Some((shown(source), file))
}
