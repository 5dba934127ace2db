//! `rustle-exec`: runs execution plans on many hosts.
//!
//! This crate is the command line. It reads options, environment, configuration, plan and inventory, hands them to the engine,
//! and tells people what was wrong. What a run does is in the libraries; `wiring.rs` says which of them.

mod cli;
mod config;
mod dry_run;
mod env;
mod errors;
mod extra_vars;
mod inventory_source;
mod listing;
mod logging;
mod modules;
mod password_file;
mod past_runs;
mod plan_source;
mod prompt;
mod resume;
mod run;
mod settings;
mod signals;
mod vault;
mod wiring;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser as _;
use rustle_report::{Printer, Verbosity};
use rustle_types::{ExecutionPlan, ExitStatus};

use crate::cli::{Cli, Command, RunArgs};
use crate::env::Environment;
use crate::errors::CliError;
use crate::resume::Past;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(told) => {
            // Help and version go to standard output and are no mistake. Nobody is left to tell of a broken pipe.
            let _ = told.print();
            return if told.use_stderr() {
                ExitStatus::WrongUsage.into()
            } else {
                ExitStatus::Done.into()
            };
        }
    };
    let printer = Printer::new(
        Verbosity::Normal,
        cli.chosen_run().output.color.unwrap_or_default(),
    );
    let status = start(&cli, &printer).unwrap_or_else(|error| {
        let _ = printer
            .people()
            .write_all(errors::text_of(&error, printer.look().color).as_bytes());
        errors::status_of(&error)
    });
    status.into()
}

fn start(cli: &Cli, printer: &Printer) -> anyhow::Result<ExitStatus> {
    if let Some(command) = cli.command.as_ref().filter(|_| cli.has_stray_options()) {
        let message = format!(
            "options or a plan stand before the command `{}`",
            command.word()
        );
        let hint = "options stand after a command; a plan file of that name is `./NAME`";
        return Err(CliError::Usage { message, hint }.into());
    }
    match &cli.command {
        None => run_plan(&cli.run, Past::default()),
        Some(Command::Run(args)) => run_plan(args, Past::default()),
        Some(Command::Resume(args)) => {
            let (run, past) = resume::open(args, &Environment::of_process())?;
            run_plan(&run, past)
        }
        Some(Command::Runs) => past_runs::list(&Environment::of_process(), printer),
        Some(Command::Schema) => print_schema(printer),
        Some(Command::Modules(args)) => {
            Ok(modules::tell(args, &Environment::of_process(), printer)?)
        }
        Some(later) => Err(CliError::NotYet(format!("rustle-exec {}", later.word())).into()),
    }
}

fn run_plan(args: &RunArgs, past: Past) -> anyhow::Result<ExitStatus> {
    let workers = std::thread::available_parallelism().map_or(2, |cores| cores.get().max(2));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .context("the runtime cannot be started")?;
    let status = runtime.block_on(run::run(args, past, &Environment::of_process()));
    // A thread that waits for an answer on the terminal never ends by itself.
    runtime.shutdown_background();
    Ok(status?)
}

fn print_schema(printer: &Printer) -> anyhow::Result<ExitStatus> {
    let schema = serde_json::to_string_pretty(&ExecutionPlan::json_schema())
        .context("the schema cannot be written")?;
    // A reader that has seen enough is no mistake.
    let _ = writeln!(printer.data(), "{schema}");
    Ok(ExitStatus::Done)
}
