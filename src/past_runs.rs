//! The list of past runs.

use std::io::Write as _;

use chrono::Local;
use rustle_report::{Printer, escape_for_terminal};
use rustle_types::ExitStatus;

use crate::env::Environment;
use crate::errors::CliError;
use crate::settings::state_dir;
use crate::wiring::{PastState, past_runs};

/// Prints a line a run: id, when it began, how it stands, its command line.
///
/// # Errors
/// When the folder of the runs cannot be read.
pub(crate) fn list(environment: &Environment, printer: &Printer) -> anyhow::Result<ExitStatus> {
    let folder = state_dir(environment).unwrap_or_default();
    let runs = past_runs(&folder).map_err(|source| CliError::Unreadable {
        path: folder,
        source,
    })?;
    let mut out = printer.data();
    for run in runs {
        let state = match run.state {
            PastState::Running => "running",
            PastState::Interrupted => "interrupted",
            PastState::Ended(ExitStatus::Done) => "done",
            PastState::Ended(ExitStatus::Cancelled) => "cancelled",
            PastState::Ended(ExitStatus::HostUnreachable) => "unreachable",
            PastState::Ended(_) => "failed",
        };
        let arguments = run.origin.get("arguments").and_then(|all| all.as_array());
        let words = arguments
            .into_iter()
            .flatten()
            .filter_map(|word| word.as_str());
        let command = escape_for_terminal(&words.collect::<Vec<_>>().join(" ")).into_owned();
        let started = run
            .started
            .with_timezone(&Local)
            .format("%Y-%m-%d %H:%M:%S");
        // A reader that has seen enough is no mistake.
        let _ = writeln!(out, "{}  {started}  {state:<12}  {command}", run.id);
    }
    Ok(ExitStatus::Done)
}
