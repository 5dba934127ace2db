//! What ends the program before or instead of a run, how it is told, and the exit status it gives.

use std::error::Error;
use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use console::Style;
use rustle_inventory::InventoryError;
use rustle_report::{ReportError, escape_for_terminal};
use rustle_types::{ExitStatus, PlanErrors};

use crate::config::ConfigError;
use crate::wiring::{ExecutionError, engine_hints, engine_status};

/// Why the program cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CliError {
    /// The command line asks for something that makes no sense.
    #[error("{message}")]
    Usage {
        /// What, as a fragment.
        message: String,
        /// What to do instead.
        hint: &'static str,
    },
    /// The command line asks for something that comes later.
    #[error("`{0}` is not available in this version")]
    NotYet(String),
    /// There is no module of a name that was asked for.
    #[error("unknown module `{name}`")]
    UnknownModule {
        /// The name.
        name: String,
        /// What may help.
        hint: Option<String>,
    },
    /// An extra variable cannot be read.
    #[error("`--extra-vars {text}` cannot be read: {reason}")]
    ExtraVars {
        /// It as it was given.
        text: String,
        /// Why.
        reason: String,
    },
    /// A password cannot be had.
    #[error("no {what} from {origin}: {reason}")]
    Password {
        /// What it is for.
        what: &'static str,
        /// Where it should be from.
        origin: String,
        /// Why.
        reason: String,
    },
    /// An environment variable has a wrong value.
    #[error("`{name}`: expected {expected}, found `{found}`")]
    Environment {
        /// The variable.
        name: &'static str,
        /// What it takes.
        expected: String,
        /// What it holds.
        found: String,
    },
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The plan's file cannot be read.
    #[error("plan `{}` cannot be read", path.display())]
    PlanUnreadable {
        /// The file; `-` for standard input.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The plan is not valid.
    #[error(transparent)]
    Plan(#[from] PlanErrors),
    /// The inventory is not valid.
    #[error(transparent)]
    Inventory(#[from] InventoryError),
    /// A file or folder cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file that the run writes cannot be opened.
    #[error("`{}` cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The report cannot be written.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Signals cannot be heard.
    #[error("signals cannot be listened to")]
    Signals(#[source] io::Error),
    /// Nobody is there to answer a question.
    #[error("cannot ask for the {what}")]
    NoTerminal {
        /// What is asked for.
        what: String,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The engine could not start the run, or not go on with it.
    #[error(transparent)]
    Engine(#[from] ExecutionError),
}

impl CliError {
    /// The exit status it gives.
    pub(crate) fn status(&self) -> ExitStatus {
        match self {
            Self::Usage { .. }
            | Self::NotYet(_)
            | Self::UnknownModule { .. }
            | Self::ExtraVars { .. }
            | Self::NoTerminal { .. } => ExitStatus::WrongUsage,
            Self::Environment { .. }
            | Self::Password { .. }
            | Self::Config(_)
            | Self::PlanUnreadable { .. }
            | Self::Unreadable { .. }
            | Self::Plan(_)
            | Self::Inventory(_) => ExitStatus::NotValid,
            Self::Signals(_) => ExitStatus::InternalError,
            Self::Unwritable { .. } | Self::Report(_) => ExitStatus::NotRecorded,
            Self::Engine(error) => engine_status(error),
        }
    }

    /// What may help.
    fn hints(&self) -> Vec<String> {
        match self {
            Self::Usage { hint, .. } => vec![(*hint).to_owned()],
            Self::Config(error) => error.hints().into_iter().map(str::to_owned).collect(),
            Self::Plan(errors) => errors.hints().into_iter().map(str::to_owned).collect(),
            Self::Inventory(error) => error.hint().into_iter().collect(),
            Self::ExtraVars { .. } => {
                vec![
                    "variables are given as `key=value`, as JSON or YAML in braces, or as `@FILE`"
                        .to_owned(),
                ]
            }
            Self::UnknownModule { hint, .. } => hint.iter().cloned().collect(),
            Self::Engine(error) => engine_hints(error),
            _ => Vec::new(),
        }
    }
}

/// The exit status of whatever ended the program.
pub(crate) fn status_of(error: &anyhow::Error) -> ExitStatus {
    error
        .downcast_ref()
        .map_or(ExitStatus::InternalError, CliError::status)
}

/// The text of an error for a terminal: the error with its causes, then what may help.
pub(crate) fn text_of(error: &anyhow::Error, is_colored: bool) -> String {
    let own = error.downcast_ref::<CliError>();
    let heading = if own.is_some() {
        "error"
    } else {
        "internal error"
    };
    let message = chain(error.as_ref());
    let heading = painted(heading, Style::new().red().bold(), is_colored);
    let mut text = format!("{heading}: {}\n", escape_for_terminal(&message));
    for hint in own.map(CliError::hints).unwrap_or_default() {
        let _ = writeln!(
            text,
            "{}: {}",
            painted("hint", Style::new().cyan(), is_colored),
            escape_for_terminal(&hint)
        );
    }
    text
}

/// An error with its causes, in one line where they are.
pub(crate) fn chain(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        // Writing to a String cannot fail.
        let _ = write!(message, ": {source}");
        cause = source.source();
    }
    message
}

/// The text of a warning for a terminal.
pub(crate) fn warning(message: &str, is_colored: bool) -> String {
    let heading = painted("warning", Style::new().yellow().bold(), is_colored);
    format!("{heading}: {}\n", escape_for_terminal(message))
}

fn painted(heading: &str, style: Style, is_colored: bool) -> String {
    style
        .force_styling(is_colored)
        .apply_to(heading)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_the_error_and_hints_stand_apart() {
        let source = io::Error::from(io::ErrorKind::NotFound);
        let error = CliError::PlanUnreadable {
            path: "plan.json".into(),
            source,
        };
        assert_eq!(
            text_of(&error.into(), false),
            "error: plan `plan.json` cannot be read: entity not found\n"
        );
        let error = CliError::Usage {
            message: "no plan".into(),
            hint: "name one",
        };
        assert_eq!(
            text_of(&error.into(), false),
            "error: no plan\nhint: name one\n"
        );
    }

    #[test]
    fn error_of_nobody_is_an_internal_one() {
        let error = anyhow::anyhow!("lost");
        assert_eq!(status_of(&error), ExitStatus::InternalError);
        assert_eq!(text_of(&error, false), "internal error: lost\n");
    }
}
