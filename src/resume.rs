//! Continuing a run: finding it, and taking up its command line where it was given.

use std::env;
use std::path::{Path, PathBuf};

use clap::Parser as _;
use rustle_types::{ExitStatus, JsonValue};
use serde_json::json;

use crate::cli::{Cli, ResumeArgs, RunArgs};
use crate::env::Environment;
use crate::errors::CliError;
use crate::plan_source::PlanSource;
use crate::settings::state_dir;
use crate::wiring::{PastRun, PastState, Resumption, past_runs};

/// What a run has of an earlier part of it; nothing where it begins.
#[derive(Default)]
pub(crate) struct Past {
    /// What it had done.
    pub(crate) resumption: Option<Resumption>,
    /// The plan that it kept, where it had come by standard input.
    plan: Option<PathBuf>,
}

impl Past {
    /// Where the plan is read from.
    ///
    /// # Errors
    /// When no plan is named.
    pub(crate) fn source(&self, named: Option<&Path>) -> Result<PlanSource, CliError> {
        match &self.plan {
            Some(kept) => Ok(PlanSource::Kept(kept.clone())),
            None => PlanSource::choose(named),
        }
    }
}

/// What is kept of a run's start: its command line, the folder where it was given, and whether the plan is a file.
pub(crate) fn origin(source: &PlanSource) -> JsonValue {
    let arguments: Vec<String> = env::args_os()
        .skip(1)
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect();
    let folder = env::current_dir().unwrap_or_default();
    json!({
        "arguments": arguments,
        "folder": folder,
        "plan_is_file": matches!(source, PlanSource::File(_)),
    })
}

/// Finds the run that is asked for, goes to its folder, and reads its command line again.
///
/// # Errors
/// When there is no such run, it ended well or still goes on, or its folder cannot be entered.
pub(crate) fn open(
    args: &ResumeArgs,
    environment: &Environment,
) -> Result<(RunArgs, Past), CliError> {
    let refused = |message: String, hint| CliError::Usage { message, hint };
    let no_folder = "there is no folder for journals: neither RUSTLE_STATE_DIR nor HOME is set";
    let folder =
        state_dir(environment).ok_or_else(|| refused(no_folder.into(), "set RUSTLE_STATE_DIR"))?;
    let runs = past_runs(&folder).map_err(|source| CliError::Unreadable {
        path: folder.clone(),
        source,
    })?;
    let run = find(&args.run, runs)?;
    match run.state {
        PastState::Running => {
            let message = format!("the run {} still goes on", run.id);
            return Err(refused(message, "wait for its end, or interrupt it"));
        }
        PastState::Ended(ExitStatus::Done) => {
            let message = format!("the run {} ended well: nothing is left of it", run.id);
            return Err(refused(message, "`rustle-exec runs` lists all runs"));
        }
        PastState::Ended(_) | PastState::Interrupted => {}
    }
    let origin = |name: &str| run.origin.get(name).cloned().unwrap_or_default();
    let text = |value: &JsonValue| value.as_str().unwrap_or_default().to_owned();
    let place = PathBuf::from(text(&origin("folder")));
    env::set_current_dir(&place).map_err(|source| CliError::Unreadable {
        path: place,
        source,
    })?;
    let arguments = origin("arguments");
    let arguments = arguments.as_array().into_iter().flatten().map(text);
    let cli = Cli::try_parse_from(std::iter::once("rustle-exec".to_owned()).chain(arguments));
    let cli = cli.map_err(|error| {
        let message = format!(
            "the command line of the run {} cannot be read: {error}",
            run.id
        );
        refused(message, "run the plan from its beginning")
    })?;
    let resumption = Resumption::open(&folder, run.id)?
        .with_changes(args.with_changes)
        .rerunning_unknown(args.rerun_unknown);
    let past = Past {
        resumption: Some(resumption),
        plan: (origin("plan_is_file") == false).then_some(run.plan),
    };
    Ok((cli.into_run(), past))
}

/// The run that is called so, by its id, the beginning of it, or as the last one.
fn find(called: &str, runs: Vec<PastRun>) -> Result<PastRun, CliError> {
    let hint = "`rustle-exec runs` lists the runs";
    let mut found = runs
        .into_iter()
        .filter(|run| called == "last" || run.id.to_string().starts_with(called));
    let Some(first) = found.next() else {
        let message = match called {
            "last" => "no run is known here".into(),
            called => format!("no run is called `{called}`"),
        };
        return Err(CliError::Usage { message, hint });
    };
    if called != "last" && found.next().is_some() {
        let message = format!("several runs begin with `{called}`");
        return Err(CliError::Usage { message, hint });
    }
    Ok(first)
}
