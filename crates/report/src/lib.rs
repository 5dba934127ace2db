//! Readers of a run's events: terminal, JSON, log.
//!
//! What people read goes to standard error, and [`Printer`] is where its writers come from. [`LinesReporter`] and
//! [`BarReporter`] write the same text, which one place makes; they differ in what stands around it. [`JsonReportFile`]
//! writes the report, [`LogReporter`] tells `tracing`. Nothing here asks anyone but the events.
//!
//! Text from hosts and plans reaches a terminal through [`escape_for_terminal`] only.

mod bar;
mod color;
mod escape;
mod format;
mod lines;
mod log;
mod paint;
mod printer;
mod progress;
mod report_file;
mod sink;
#[cfg(test)]
mod story;
mod transcript;
mod verbosity;

pub use bar::BarReporter;
pub use color::{ColorChoice, TerminalTraits};
pub use escape::escape_for_terminal;
pub use lines::LinesReporter;
pub use log::LogReporter;
pub use printer::{Look, Printer};
pub use progress::{ProgressMode, terminal_reporter};
pub use report_file::{JsonReportFile, ReportError, ReportOutcome, write_report};
pub use verbosity::Verbosity;

/// A word of the command line that names no choice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown {what} `{given}`")]
pub struct UnknownChoice {
    /// What was to be chosen.
    pub what: &'static str,
    /// The word.
    pub given: String,
}
