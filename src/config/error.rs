//! What can be wrong with a configuration file.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A configuration that cannot be used. `Display` writes the first line and one indented line a problem.
#[derive(Debug)]
pub(crate) struct ConfigError {
    /// The file.
    pub(crate) path: PathBuf,
    /// What is wrong with it.
    pub(crate) kind: ConfigErrorKind,
}

/// The ways in which a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigErrorKind {
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("is not valid")]
    Invalid(Vec<ConfigProblem>),
}

/// One mistake.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ConfigProblem {
    /// Its line, from 1.
    pub(crate) line: usize,
    /// What is wrong, as a fragment.
    pub(crate) message: String,
    /// What may help.
    pub(crate) hint: Option<String>,
}

impl ConfigError {
    /// What may help, each said once.
    pub(crate) fn hints(&self) -> Vec<&str> {
        let ConfigErrorKind::Invalid(problems) = &self.kind else {
            return Vec::new();
        };
        let mut hints: Vec<&str> = problems
            .iter()
            .filter_map(|problem| problem.hint.as_deref())
            .collect();
        hints.dedup();
        hints
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "configuration `{}` {}", self.path.display(), self.kind)?;
        if let ConfigErrorKind::Invalid(problems) = &self.kind {
            for problem in problems {
                write!(f, "\n  line {}: {}", problem.line, problem.message)?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for ConfigError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}
