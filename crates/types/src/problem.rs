//! What is wrong with a plan: each mistake with its place, all of them at once.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One mistake in a plan.
///
/// Whatever checks a plan makes these: the reader here, and later checks that know the modules and the hosts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanProblem {
    /// Where it is, as a JSON path (`plays[0].batches[0].tasks[3].args`); empty for the plan as a whole.
    pub path: String,
    /// What is there by its name, as ``task `Restart` ``; nothing where it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What is wrong, as a lowercase fragment with the user's own words in backticks.
    pub message: String,
    /// What may help, as a fragment.
    pub hint: Option<String>,
}

/// Something in a plan that is odd but does not stop it from running; `--strict` makes it a mistake.
pub type PlanWarning = PlanProblem;

impl PlanProblem {
    /// Makes a problem without a hint.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            subject: None,
            message: message.into(),
            hint: None,
        }
    }

    /// Adds what may help.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for PlanProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&*self.path, &self.subject) {
            ("", _) => f.write_str(&self.message),
            (path, None) => write!(f, "{path}: {}", self.message),
            (path, Some(subject)) => write!(f, "{path} ({subject}): {}", self.message),
        }
    }
}

/// Why a plan cannot be run: the whole list of its mistakes, or the one reason that it cannot be read at all.
///
/// `Display` writes the first line and one indented line a problem; hints are apart, in [`PlanErrors::hints`].
#[derive(Debug)]
pub struct PlanErrors {
    /// How the user named the plan: a file, or nothing for standard input.
    pub name: Option<String>,
    /// What kind of trouble it is.
    pub kind: PlanErrorKind,
    /// What else was odd; a misspelt field is often why another is missing.
    pub warnings: Vec<PlanWarning>,
}

/// The ways in which a plan cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanErrorKind {
    /// There is no text at all.
    #[error("is empty")]
    Empty,
    /// The text is not JSON.
    #[error("is not JSON (line {line}, column {column}): {reason}")]
    NotJson {
        /// Line of the mistake, from 1.
        line: usize,
        /// Column of the mistake, from 1.
        column: usize,
        /// What the JSON reader says, without the place.
        reason: String,
    },
    /// The text is what `rustle-parse` writes, which `rustle-plan` has not made a plan of yet.
    #[error("is the output of `rustle-parse`, not an execution plan")]
    ParseOutput,
    /// The plan has mistakes.
    #[error("is not valid")]
    Invalid(Vec<PlanProblem>),
}

/// How many problems a message lists before it only counts them.
const SHOWN_PROBLEMS: usize = 100;

impl PlanErrors {
    /// Makes the error for a list of problems; nothing where the list is empty.
    #[must_use]
    pub fn from_problems(problems: Vec<PlanProblem>) -> Option<Self> {
        (!problems.is_empty()).then_some(Self {
            name: None,
            kind: PlanErrorKind::Invalid(problems),
            warnings: Vec::new(),
        })
    }

    /// Says which plan it is, for the message.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The problems, where the plan could be read; else none.
    #[must_use]
    pub fn problems(&self) -> &[PlanProblem] {
        match &self.kind {
            PlanErrorKind::Invalid(problems) => problems,
            _ => &[],
        }
    }

    /// What may help, each said once, in the order of the problems.
    #[must_use]
    pub fn hints(&self) -> Vec<&str> {
        match &self.kind {
            PlanErrorKind::Empty => vec![
                "`rustle-plan` writes a plan to its standard output; was the step before this one successful?",
            ],
            PlanErrorKind::NotJson { .. } => {
                vec!["a plan is one JSON object, as `rustle-plan` writes it"]
            }
            PlanErrorKind::ParseOutput => {
                vec!["make a plan of it: rustle-parse playbook.yml | rustle-plan | rustle-exec"]
            }
            PlanErrorKind::Invalid(problems) => {
                let mut hints: Vec<&str> = Vec::new();
                for hint in problems
                    .iter()
                    .filter_map(|problem| problem.hint.as_deref())
                {
                    if !hints.contains(&hint) {
                        hints.push(hint);
                    }
                    if hints.len() >= SHOWN_PROBLEMS {
                        break;
                    }
                }
                hints
            }
        }
    }
}

impl From<PlanErrorKind> for PlanErrors {
    fn from(kind: PlanErrorKind) -> Self {
        Self {
            name: None,
            kind,
            warnings: Vec::new(),
        }
    }
}

impl std::error::Error for PlanErrors {}

impl fmt::Display for PlanErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => write!(f, "plan `{name}` {}", self.kind)?,
            None => write!(f, "the plan {}", self.kind)?,
        }
        let problems = self.problems();
        for problem in problems.iter().take(SHOWN_PROBLEMS) {
            write!(f, "\n  {problem}")?;
        }
        if problems.len() > SHOWN_PROBLEMS {
            write!(f, "\n  and {} more", problems.len() - SHOWN_PROBLEMS)?;
        }
        Ok(())
    }
}
