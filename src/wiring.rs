//! What the program is made of: the one file that names families of modules, transports, reporters and the engine.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use rustle_connection::{AgentPayloads, TransportKind};
use rustle_engine::{ACTIONS, Confirm, ExecutionConfig, ExecutionEngine};
use rustle_events::{Event, EventKind, Reporter};
use rustle_module::{Catalogue, DynModule, Spec};
use rustle_modules_foreign::{FinderConfig, Folders};
use rustle_report::{
    JsonReportFile, LogReporter, Printer, ProgressMode, ReportOutcome, terminal_reporter,
};
use rustle_types::{ExecutionPlan, ExitStatus, JsonValue};

use crate::errors::CliError;
use crate::plan_source::LoadedPlan;
use crate::prompt::{self, TerminalConfirm};
use crate::settings::{ModuleSettings, OutputSettings, Settings};

pub(crate) use rustle_engine::{
    BecomeDefaults, ExecutionError, Listing, PastRun, PastState, Resumption, Schedule, VarsOnDisk,
    past_runs,
};
pub(crate) use rustle_engine::{FoundModule, ModuleFinder, NoModule};
pub(crate) use rustle_modules_foreign::{AnsiblePlaces, Finder, documentation};

/// The agent for machines like this one, and their name, as the build script made them.
const AGENT: &[u8] = include_bytes!(env!("RUSTLE_AGENT"));
const PACKED_AGENT: &[u8] = include_bytes!(concat!(env!("RUSTLE_AGENT"), ".gz"));
const AGENT_PLATFORM: &str = env!("RUSTLE_AGENT_PLATFORM");

/// The transport called so by `--connection-plugin`.
pub(crate) fn transport(name: &str) -> Option<TransportKind> {
    TransportKind::from_name(name)
}

/// Every module that runs on hosts.
fn catalogue() -> Catalogue {
    Catalogue::new(&[
        #[cfg(feature = "commands")]
        rustle_modules_commands::FAMILY,
        #[cfg(feature = "files")]
        rustle_modules_files::FAMILY,
        #[cfg(feature = "packages")]
        rustle_modules_packages::FAMILY,
        #[cfg(feature = "system")]
        rustle_modules_system::FAMILY,
    ])
}

/// The specifications of all that is native, with where each runs: `native` modules on hosts, and actions on the `controller`.
pub(crate) fn native_specs() -> impl Iterator<Item = (&'static Spec, &'static str)> {
    let actions = ACTIONS.iter().map(|spec| (*spec, "controller"));
    let modules = catalogue();
    let modules: Vec<&'static Spec> = modules.modules().map(DynModule::spec).collect();
    let modules = modules.into_iter().filter(|module| {
        // What has a half here and a half there is told of once.
        !ACTIONS.iter().any(|action| action.name == module.name)
    });
    actions.chain(modules.map(|spec| (spec, "native")))
}

/// What finds modules that are not native.
pub(crate) fn modules(
    settings: &ModuleSettings,
    plan: &ExecutionPlan,
    base_dir: PathBuf,
) -> Finder {
    Finder::new(FinderConfig {
        native: catalogue(),
        folders: Folders {
            base_dir,
            roles: plan.role_folders(),
            named: settings.path.clone(),
        },
        ansible: settings.ansible.clone(),
    })
}

/// Makes the engine of a run.
///
/// # Errors
/// When it cannot be set up.
pub(crate) fn engine(
    settings: &Settings,
    loaded: &LoadedPlan,
    origin: JsonValue,
    reporters: Vec<Box<dyn Reporter>>,
) -> Result<ExecutionEngine, CliError> {
    let agent = AgentPayloads::new(
        AGENT_PLATFORM,
        Bytes::from_static(AGENT),
        Bytes::from_static(PACKED_AGENT),
        settings.agent_path.clone(),
    );
    let mut engine = ExecutionEngine::new(ExecutionConfig {
        connection: settings.connection.clone(),
        payloads: Arc::new(agent),
        catalogue: catalogue(),
        base_dir: loaded.base_dir.clone(),
        state_dir: settings.state_dir.clone(),
        origin,
        r#become: settings.r#become.clone(),
    })?;
    // The agent runs them by the modules that run commands.
    if cfg!(feature = "commands") && settings.modules.are_custom_enabled {
        engine = engine.with_modules(Arc::new(modules(
            &settings.modules,
            &loaded.plan,
            loaded.base_dir.clone(),
        )));
    }
    let confirm = settings
        .options
        .step
        .then(|| Box::new(TerminalConfirm) as Box<dyn Confirm>);
    Ok(engine
        .with_reporters(reporters)
        .with_confirm(confirm)
        .with_person(prompt::terminal_person()))
}

/// The readers of a run's events, and what two of them tell once it has ended.
#[derive(Default)]
pub(crate) struct Readers {
    pub(crate) reporters: Vec<Box<dyn Reporter>>,
    pub(crate) exit: ExitReader,
    pub(crate) report: Option<ReportOutcome>,
}

/// Makes the readers that the settings ask for.
///
/// # Errors
/// When the report's file cannot be written.
pub(crate) fn readers(
    output: &OutputSettings,
    is_step: bool,
    printer: &Printer,
) -> Result<Readers, CliError> {
    // A question of `--step` and a bar would write over each other.
    let progress = if is_step {
        ProgressMode::Lines
    } else {
        output.progress
    };
    let exit = ExitReader::default();
    let mut reporters = vec![terminal_reporter(printer, progress), Box::new(exit.clone())];
    if output.log_file.is_some() {
        reporters.push(Box::new(LogReporter));
    }
    let mut report = None;
    if let Some(path) = &output.report_file {
        let file = JsonReportFile::open(path)?;
        report = Some(file.outcome());
        reporters.push(Box::new(file));
    }
    Ok(Readers {
        reporters,
        exit,
        report,
    })
}

/// Reads from the last event how the run ended.
#[derive(Clone, Default)]
pub(crate) struct ExitReader(Arc<OnceLock<ExitStatus>>);

impl ExitReader {
    /// How the run ended; a run that did not say so ended by a mistake.
    pub(crate) fn status(&self) -> ExitStatus {
        self.0.get().copied().unwrap_or(ExitStatus::InternalError)
    }
}

impl Reporter for ExitReader {
    fn note(&mut self, event: &Event) {
        if let EventKind::RunFinished { exit, .. } = event.kind {
            // It is the last event, so that this is the first time.
            let _ = self.0.set(exit);
        }
    }
}

/// The exit status of a run that could not be started or not go on.
pub(crate) fn engine_status(error: &ExecutionError) -> ExitStatus {
    error.exit_status()
}

/// What may help against it.
pub(crate) fn engine_hints(error: &ExecutionError) -> Vec<String> {
    match error {
        ExecutionError::InvalidPlan(errors) => {
            errors.hints().into_iter().map(str::to_owned).collect()
        }
        other => other.hint().into_iter().collect(),
    }
}
