//! Where text goes.

use std::io::{self, IsTerminal as _, Write};

use crate::color::{ColorChoice, TerminalTraits};
use crate::verbosity::Verbosity;

/// The one place that knows of standard output and standard error: the first is for data, the second for people.
#[derive(Clone, Copy, Debug)]
pub struct Printer {
    verbosity: Verbosity,
    color: ColorChoice,
    people: TerminalTraits,
}

/// How text for people looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// How much is told.
    pub verbosity: Verbosity,
    /// Whether it is coloured.
    pub color: bool,
}

impl Printer {
    /// Makes a printer for this process's standard streams.
    #[must_use]
    pub fn new(verbosity: Verbosity, color: ColorChoice) -> Self {
        Self {
            verbosity,
            color,
            people: TerminalTraits::read(io::stderr().is_terminal()),
        }
    }

    /// A writer for data: schedules, lists, JSON. Buffers lines.
    #[must_use]
    pub fn data(&self) -> Box<dyn Write + Send> {
        Box::new(io::stdout())
    }

    /// A writer for people: progress, failures, warnings. Does not buffer, so write whole lines.
    #[must_use]
    pub fn people(&self) -> Box<dyn Write + Send> {
        Box::new(io::stderr())
    }

    /// How text for people looks.
    #[must_use]
    pub fn look(&self) -> Look {
        Look {
            verbosity: self.verbosity,
            color: self.color.is_colored(self.people),
        }
    }

    /// Whether people sit at a terminal on which lines can be drawn anew.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.people.is_terminal && !self.people.is_dumb
    }
}
