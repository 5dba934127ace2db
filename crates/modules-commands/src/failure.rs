//! Commands that were not run, or not to their end, as failures.

use std::error::Error;

use rustle_module::Failure;
use rustle_process::{ProcessError, SplitError};
use serde_json::Value;

use crate::report::Report;

/// Python's code for what failed without a number of the operating system.
const NO_ERROR_NUMBER: i32 = 257;

/// There is nothing to run.
pub(crate) fn no_command() -> Failure {
    let report = Report {
        rc: Some(256),
        ..Report::default()
    };
    Failure {
        result: report.into_object(),
        ..Failure::new("no command given")
    }
}

/// The text has no words.
pub(crate) fn not_split(error: &SplitError) -> Failure {
    let problem = match error {
        SplitError::UnclosedQuote { .. } => "No closing quotation",
        SplitError::TrailingBackslash => "No escaped character",
    };
    Failure::new(format!("Task failed: Module failed: {problem}"))
        .with("exception", error.to_string())
}

/// The folder to run in cannot be entered.
pub(crate) fn no_folder(cmd: &Value) -> Failure {
    Failure {
        result: Report::of(cmd).into_object(),
        ..Failure::new("Unable to change directory before execution.")
    }
}

/// The command could not be started, or not be watched to its end. `line` is the command with its words in quotes.
pub(crate) fn not_run(error: &ProcessError, cmd: &Value, line: String) -> Failure {
    match error {
        ProcessError::WorkingDirectory { .. } => no_folder(cmd),
        ProcessError::CancelledBeforeStart { .. } => Failure {
            result: Report::of(cmd).into_object(),
            ..Failure::new("the command was cancelled before it started")
        },
        ProcessError::Wait { .. } | ProcessError::Read { .. } | ProcessError::Unkillable { .. } => {
            let result = Report::of(cmd).into_object();
            Failure {
                result,
                ..Failure::new(chain(error))
            }
            .changed()
        }
        _ => {
            let number = error.io_error().and_then(std::io::Error::raw_os_error);
            Failure::new("Error executing command.")
                .with("rc", number.unwrap_or(NO_ERROR_NUMBER))
                .with("stdout", "")
                .with("stderr", "")
                .with("cmd", line)
                .with("exception", chain(error))
        }
    }
}

/// An error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
