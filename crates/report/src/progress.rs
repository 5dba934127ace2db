//! Which reader of events a terminal gets.

use std::fmt;
use std::str::FromStr;

use rustle_events::Reporter;

use crate::UnknownChoice;
use crate::bar::BarReporter;
use crate::lines::LinesReporter;
use crate::printer::Printer;

/// How the progress of a run is shown (`--progress`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ProgressMode {
    /// A bar on a terminal, else lines.
    #[default]
    Auto,
    /// A bar at the bottom, and lines above it for what changed and what failed.
    Bar,
    /// Lines.
    Lines,
    /// Nothing but failures and the recap.
    None,
}

impl ProgressMode {
    /// Every mode.
    pub const ALL: [Self; 4] = [Self::Auto, Self::Bar, Self::Lines, Self::None];

    /// The mode as the command line writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Bar => "bar",
            Self::Lines => "lines",
            Self::None => "none",
        }
    }
}

impl fmt::Display for ProgressMode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ProgressMode {
    type Err = UnknownChoice;

    fn from_str(given: &str) -> Result<Self, Self::Err> {
        let mode = Self::ALL.into_iter().find(|mode| mode.name() == given);
        mode.ok_or_else(|| UnknownChoice {
            what: "progress mode",
            given: given.into(),
        })
    }
}

/// Makes the reader of events that shows a run to people.
///
/// A quiet printer gets no bar. Where someone is asked questions on the same terminal (`--step`), ask for lines.
#[must_use]
pub fn terminal_reporter(printer: &Printer, mode: ProgressMode) -> Box<dyn Reporter> {
    let (out, look) = (printer.people(), printer.look());
    let is_quiet = look.verbosity == crate::Verbosity::Quiet;
    match mode {
        ProgressMode::None => Box::new(LinesReporter::of_failures(out, look)),
        ProgressMode::Auto if printer.is_live() && !is_quiet => {
            Box::new(BarReporter::new(out, look))
        }
        ProgressMode::Bar if !is_quiet => Box::new(BarReporter::new(out, look)),
        ProgressMode::Auto | ProgressMode::Bar | ProgressMode::Lines => {
            Box::new(LinesReporter::new(out, look))
        }
    }
}
