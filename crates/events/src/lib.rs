//! The event vocabulary of a run and pure folds over it.
//!
//! Everything that happens in a run is an [`Event`], stamped by the engine. Terminal, report, log and journal are readers of
//! this stream and learn from nothing else. [`Tally`] folds it into the numbers that all of them need, [`ReportFold`]
//! into the whole report.

mod event;
mod report_fold;
mod reporter;
mod tally;

pub use event::{EVENT_VERSION, Event, EventKind, TaskInfo, TaskPath, UnitId};
pub use report_fold::{ReportFold, RunningTask, error_text};
pub use reporter::Reporter;
pub use tally::Tally;
