//! The environment variables that the program reads: all of them, in one place.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use rustle_types::closest;

use crate::errors::CliError;

/// A variable, and what it sets.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
}

pub(crate) const CONFIG: &str = "RUSTLE_CONFIG";
pub(crate) const INVENTORY: &str = "RUSTLE_INVENTORY";
pub(crate) const FORKS: &str = "RUSTLE_FORKS";
pub(crate) const TIMEOUT: &str = "RUSTLE_EXEC_TIMEOUT";
pub(crate) const RETRIES: &str = "RUSTLE_MAX_RETRIES";
pub(crate) const GATHER: &str = "RUSTLE_GATHER";
pub(crate) const LOG_LEVEL: &str = "RUSTLE_LOG_LEVEL";
pub(crate) const STATE_DIR: &str = "RUSTLE_STATE_DIR";
pub(crate) const AGENT_PATH: &str = "RUSTLE_AGENT_PATH";
pub(crate) const MODULE_PATH: &str = "RUSTLE_MODULE_PATH";
pub(crate) const ANSIBLE_PATH: &str = "RUSTLE_ANSIBLE_PATH";
pub(crate) const NO_COLOR: &str = "NO_COLOR";

/// Every variable, as the help lists them.
pub(crate) const VARIABLES: &[Variable] = &[
    Variable {
        name: CONFIG,
        help: "configuration file, as --config",
    },
    Variable {
        name: INVENTORY,
        help: "inventory where no -i is given",
    },
    Variable {
        name: FORKS,
        help: "as --forks",
    },
    Variable {
        name: TIMEOUT,
        help: "as --timeout, in seconds",
    },
    Variable {
        name: RETRIES,
        help: "as --retries",
    },
    Variable {
        name: GATHER,
        help: "as --gather: full or lazy",
    },
    Variable {
        name: LOG_LEVEL,
        help: "error, warn, info, debug or trace: what goes into the log",
    },
    Variable {
        name: STATE_DIR,
        help: "folder of the runs' journals",
    },
    Variable {
        name: AGENT_PATH,
        help: "folders with agents for other architectures, separated by colons",
    },
    Variable {
        name: MODULE_PATH,
        help: "as --module-path",
    },
    Variable {
        name: ANSIBLE_PATH,
        help: "as --ansible-path",
    },
    Variable {
        name: NO_COLOR,
        help: "no colours, whatever its value",
    },
];

/// Variables of the build and of the tests that begin like ours.
const OTHERS: [&str; 8] = [
    "RUSTLE_AGENT",
    "RUSTLE_AGENT_PLATFORM",
    "RUSTLE_AGENT_PREBUILT",
    // Those of the tools that come with the project: isolated test hosts, and benchmarks.
    "RUSTLE_HOSTS",
    "RUSTLE_HOSTS_MIRROR",
    "RUSTLE_HOSTS_SET",
    "RUSTLE_VERSUS",
    "RUSTLE_VERSUS_ANSIBLE",
];

/// The variables as they were when the program started.
#[derive(Clone, Debug, Default)]
pub(crate) struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// Takes the environment of this process.
    pub(crate) fn of_process() -> Self {
        Self(std::env::vars_os().collect())
    }

    /// An environment of these variables only.
    #[cfg(test)]
    pub(crate) fn of(variables: &[(&str, &str)]) -> Self {
        Self(
            variables
                .iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }

    /// A variable's path; none where it is not set, or empty.
    pub(crate) fn path(&self, name: &str) -> Option<PathBuf> {
        self.set(name).map(PathBuf::from)
    }

    /// A variable's folders, separated by colons.
    pub(crate) fn paths(&self, name: &str) -> Option<Vec<PathBuf>> {
        self.set(name).map(|paths| {
            std::env::split_paths(paths)
                .filter(|path| !path.as_os_str().is_empty())
                .collect()
        })
    }

    /// A variable's whole number, `least` or more.
    pub(crate) fn count(&self, name: &'static str, least: u32) -> Result<Option<u32>, CliError> {
        let expected = format!("a whole number ≥ {least}");
        self.parsed(name, &expected, |text| {
            text.parse().ok().filter(|count| *count >= least)
        })
    }

    /// A variable's number of seconds.
    pub(crate) fn seconds(&self, name: &'static str) -> Result<Option<Duration>, CliError> {
        self.parsed(name, "a number of seconds", |text| {
            Duration::try_from_secs_f64(text.parse().ok()?).ok()
        })
    }

    /// A variable's value, by `parse`; `expected` says in an error what it takes.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, CliError> {
        let Some(value) = self.set(name) else {
            return Ok(None);
        };
        match value.to_str().and_then(|text| parse(text.trim())) {
            Some(value) => Ok(Some(value)),
            None => Err(CliError::Environment {
                name,
                expected: expected.to_owned(),
                found: value.to_string_lossy().into_owned(),
            }),
        }
    }

    /// Whether a variable is set and not empty.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.set(name).is_some()
    }

    /// A warning a variable that begins like ours and is none.
    pub(crate) fn warnings(&self) -> Vec<String> {
        let ours = || VARIABLES.iter().map(|variable| variable.name);
        let unknown = self
            .0
            .keys()
            .filter_map(|name| name.to_str())
            .filter(|name| {
                name.starts_with("RUSTLE_")
                    && !OTHERS.contains(name)
                    && !ours().any(|known| known == *name)
            });
        unknown
            .map(|name| match closest(name, ours()) {
                Some(near) => {
                    format!("unknown environment variable `{name}`; did you mean `{near}`?")
                }
                None => format!("unknown environment variable `{name}`"),
            })
            .collect()
    }

    fn set(&self, name: &str) -> Option<&OsString> {
        self.0
            .get(std::ffi::OsStr::new(name))
            .filter(|value| !value.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_variable_is_not_set() {
        let environment = Environment::of(&[(FORKS, ""), (CONFIG, "")]);
        assert_eq!(environment.count(FORKS, 1).unwrap(), None);
        assert_eq!(environment.path(CONFIG), None);
    }

    #[test]
    fn wrong_value_is_told_with_what_is_accepted() {
        let error = Environment::of(&[(FORKS, "many")])
            .count(FORKS, 1)
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "`RUSTLE_FORKS`: expected a whole number ≥ 1, found `many`"
        );
        assert!(Environment::of(&[(FORKS, "0")]).count(FORKS, 1).is_err());
        assert!(
            Environment::of(&[(TIMEOUT, "-1")])
                .seconds(TIMEOUT)
                .is_err()
        );
    }

    #[test]
    fn misspelt_variable_is_warned_of() {
        let environment = Environment::of(&[
            ("RUSTLE_FORK", "3"),
            ("RUSTLE_AGENT_PREBUILT", "x"),
            ("PATH", "y"),
        ]);
        assert_eq!(
            environment.warnings(),
            ["unknown environment variable `RUSTLE_FORK`; did you mean `RUSTLE_FORKS`?"]
        );
    }
}
