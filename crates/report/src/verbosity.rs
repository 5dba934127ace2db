//! How much is told.

/// How much is told to people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Failures and the verdict only (`-q`).
    Quiet,
    /// What changed and what failed by name, the rest in numbers.
    #[default]
    Normal,
    /// Every host by name, items and output of tasks (1, `-v`), results as well (2, `-vv`), and more.
    Verbose(u8),
}

impl Verbosity {
    /// Makes it of how often `-v` was given and whether `-q` was.
    #[must_use]
    pub fn of_flags(verbose: u8, is_quiet: bool) -> Self {
        match (is_quiet, verbose) {
            (true, _) => Self::Quiet,
            (false, 0) => Self::Normal,
            (false, level) => Self::Verbose(level),
        }
    }

    /// Whether it is at least as many `-v` as `level`.
    #[must_use]
    pub fn is_at_least(self, level: u8) -> bool {
        self >= Self::Verbose(level)
    }
}
