//! A run from the command line to the exit status.

use std::io::Write as _;
use std::pin::pin;
use std::sync::Arc;

use rustle_inventory::{Loaded, VaultedFiles};
use rustle_process::{CancelLevel, CancelToken};
use rustle_report::{Printer, Verbosity, escape_for_terminal};
use rustle_types::{ExecutionReport, ExitStatus, JsonValue, PlanErrors, PlanReader};
use rustle_vault::VaultSecrets;

use crate::cli::{ConnectionArgs, ListArgs, RunArgs};
use crate::config::ConfigFile;
use crate::dry_run;
use crate::env::Environment;
use crate::errors::{CliError, chain, warning};
use crate::plan_source::LoadedPlan;
use crate::resume::{self, Past};
use crate::settings::{Origin, Settings, Sources};
use crate::signals::Signals;
use crate::wiring::{self, ExecutionError, Listing, Readers, Resumption, VarsOnDisk};
use crate::{extra_vars, inventory_source, listing, logging, password_file, prompt, vault};

/// Runs what the command line asks for.
///
/// # Errors
/// When something is wrong before the first host is touched, or the run cannot go on. Tasks that fail are none.
pub(crate) async fn run(
    args: &RunArgs,
    past: Past,
    environment: &Environment,
) -> Result<ExitStatus, CliError> {
    if let Some(name) = args.later.first_given() {
        return Err(CliError::NotYet(name.into()));
    }
    let file = ConfigFile::load(args.output.config.as_deref(), environment)?;
    let inventories = inventory_source::arguments(&args.hosts.inventory, environment);
    let reader = PlanReader::default()
        .with_strict(args.tasks.strict)
        .with_host_patterns(inventory_source::host_patterns(&inventories));
    let source = past.source(args.plan.as_deref())?;
    let loaded = source.load(&reader)?;
    let secrets = Arc::new(vault::secrets(&args.vault).await?);
    let given = extra_vars::read(&args.hosts.extra_vars, &secrets)?;
    let extra_vars = loaded.plan.extra_vars_below(given);
    let sources = Sources {
        args,
        environment,
        file: &file,
        plan: &loaded.plan,
    };
    let mut settings = sources.settings(extra_vars)?;
    let files = VaultedFiles::new(Arc::clone(&secrets));
    let hosts = inventory_source::read(&inventories, &loaded.plan, &loaded.base_dir, &files)?;

    let output = &settings.output;
    let printer = Printer::new(
        Verbosity::of_flags(output.verbosity, output.quiet),
        output.color,
    );
    tell_first(&printer, environment, &settings, &loaded, &hosts);
    let list = args.tasks.list;
    let options = &mut settings.options;
    if list.list_tags && options.tags.is_empty() && options.skip_tags.is_empty() {
        // Tasks that never run by themselves have tags too.
        options.tags = vec!["all".into(), "never".into()];
    }
    if !settings.options.dry_run && !list.is_asked() {
        take_passwords(&args.connection, &mut settings).await?;
    }
    let vars_on_disk = VarsOnDisk {
        folders: hosts.var_folders.clone(),
        files: Arc::new(files.clone()),
    };
    let reread = inventory_source::rereader(
        inventory_source::sources(&inventories, &loaded.plan),
        loaded.base_dir.clone(),
        files,
    );
    let work = Work {
        list,
        vars_on_disk,
        reread,
        settings,
        loaded,
        hosts,
        secrets,
        resumption: past.resumption,
        origin: resume::origin(&source),
    };
    execute(work, &printer).await
}

/// Asks for the passwords that the command line says, or reads them.
async fn take_passwords(args: &ConnectionArgs, settings: &mut Settings) -> Result<(), CliError> {
    if args.ask_pass {
        settings.connection.password = Some(prompt::password("ssh password")?);
    } else if let Some(file) = &args.connection_password_file {
        settings.connection.password = Some(password_file::read("ssh password", file).await?);
    }
    if args.ask_become_pass {
        settings.r#become.password = Some(prompt::password("become password")?);
    }
    Ok(())
}

/// What is run, with what.
struct Work {
    list: ListArgs,
    vars_on_disk: VarsOnDisk,
    reread: rustle_engine::InventoryReader,
    settings: Settings,
    loaded: LoadedPlan,
    hosts: Loaded,
    secrets: Arc<VaultSecrets>,
    resumption: Option<Resumption>,
    origin: JsonValue,
}

/// Checks plan and hosts against what the engine can do, then runs it or prints what it would run.
async fn execute(work: Work, printer: &Printer) -> Result<ExitStatus, CliError> {
    let Work {
        list,
        vars_on_disk,
        reread,
        settings,
        loaded,
        hosts,
        secrets,
        resumption,
        origin,
    } = work;
    let is_dry_run = settings.options.dry_run;
    let readers = match is_dry_run || list.is_asked() {
        true => Readers::default(),
        false => wiring::readers(&settings.output, settings.options.step, printer)?,
    };
    let Readers {
        reporters,
        exit,
        report,
    } = readers;
    let engine = wiring::engine(&settings, &loaded, origin, reporters)?
        .with_resumption(resumption)
        .with_vault(secrets)
        .with_vars_on_disk(vars_on_disk)
        .with_known_facts(hosts.host_facts)
        .with_inventory_reader(reread);
    if list.is_asked() {
        let listing = engine.list(&loaded.plan, hosts.inventory, &settings.options)?;
        print_listing(&listing, (&loaded.name, list), printer);
        return Ok(ExitStatus::Done);
    }
    if let Some(errors) = PlanErrors::from_problems(engine.check(&loaded.plan)) {
        return Err(errors.named(loaded.name).into());
    }
    if is_dry_run {
        let schedule = engine.schedule(&loaded.plan, hosts.inventory, &settings.options)?;
        for message in &schedule.warnings {
            warn(printer, message);
        }
        // A reader that has seen enough is no mistake.
        let _ = write!(printer.data(), "{}", dry_run::Text(&schedule));
        return Ok(ExitStatus::Done);
    }
    logging::start(&settings.output)?;
    let running = engine.execute_plan(loaded.plan, hosts.inventory, settings.options);
    until_done(running, engine.cancel_token()).await?;
    match report.as_ref().and_then(|report| report.error()) {
        None => Ok(exit.status()),
        Some(error) => {
            warn(printer, &chain(error));
            Ok(if exit.status() == ExitStatus::Done {
                ExitStatus::NotRecorded
            } else {
                exit.status()
            })
        }
    }
}

/// Prints what a plan holds.
fn print_listing(listing: &Listing, (plan, asked): (&str, ListArgs), printer: &Printer) {
    for message in &listing.warnings {
        warn(printer, message);
    }
    let text = listing::Text {
        plan,
        listing,
        asked,
    };
    // A reader that has seen enough is no mistake.
    let _ = write!(printer.data(), "{text}");
}

/// Waits for the run's end. The first signal asks it to end in an orderly way, a further one at once.
async fn until_done(
    running: impl Future<Output = Result<ExecutionReport, ExecutionError>>,
    cancel: &CancelToken,
) -> Result<ExecutionReport, CliError> {
    let mut signals = Signals::listen()?;
    let mut level = CancelLevel::Stop;
    let mut running = pin!(running);
    loop {
        tokio::select! {
            report = &mut running => return Ok(report?),
            signal = signals.next() => {
                tracing::warn!(signal, "asked to end");
                cancel.raise(level);
                level = CancelLevel::Kill;
            }
        }
    }
}

/// Tells what is odd, and with `-v` who set what.
fn tell_first(
    printer: &Printer,
    environment: &Environment,
    settings: &Settings,
    loaded: &LoadedPlan,
    hosts: &Loaded,
) {
    let of_plan = loaded
        .warnings
        .iter()
        .map(|odd| format!("plan `{}`: {odd}", loaded.name));
    let of_hosts = hosts.warnings.iter().map(ToString::to_string);
    for message in environment
        .warnings()
        .into_iter()
        .chain(of_plan)
        .chain(of_hosts)
    {
        warn(printer, &message);
    }
    let verbosity = printer.look().verbosity;
    if verbosity.is_at_least(1) {
        let is_told = |origin: Origin| origin != Origin::Default || verbosity.is_at_least(2);
        for chosen in settings
            .chosen
            .iter()
            .filter(|chosen| is_told(chosen.origin))
        {
            tell(
                printer,
                &format!("setting: {}\n", escape_for_terminal(&chosen.to_string())),
            );
        }
    }
}

fn warn(printer: &Printer, message: &str) {
    tell(printer, &warning(message, printer.look().color));
}

/// Writes for people; where nobody reads it, there is nobody to tell.
fn tell(printer: &Printer, text: &str) {
    let _ = printer.people().write_all(text.as_bytes());
}
