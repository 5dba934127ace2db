//! `rustle.toml`: where it is looked for, and what may stand in it.
//!
//! Every mistake is told at once, with its line. A key is named in one place only, where [`ConfigFile::read`] takes it:
//! which keys are known, and so which ones are nearly right, comes from there.

mod error;
mod reader;

use std::path::{Path, PathBuf};
use std::time::Duration;

use rustle_report::{ColorChoice, ProgressMode};
use rustle_types::GatherMode;
use tracing::Level;

use crate::env::{self, Environment};
use crate::errors::CliError;
pub(crate) use error::{ConfigError, ConfigErrorKind};
use reader::{Reader, Section};

/// What a configuration file sets; what it does not is none.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct ConfigFile {
    /// The file, where there is one.
    pub(crate) path: Option<PathBuf>,
    pub(crate) executor: Executor,
    pub(crate) reporting: Reporting,
    pub(crate) ssh: Ssh,
    pub(crate) modules: Modules,
}

/// `[modules]`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Modules {
    pub(crate) search_paths: Option<Vec<PathBuf>>,
    pub(crate) enable_custom_modules: Option<bool>,
    pub(crate) ansible_path: Option<PathBuf>,
}

/// `[executor]`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Executor {
    pub(crate) timeout: Option<Duration>,
    pub(crate) retries: Option<u32>,
    pub(crate) retry_delay: Option<Duration>,
    pub(crate) forks: Option<u32>,
    pub(crate) continue_on_error: Option<bool>,
    pub(crate) gather_facts: Option<bool>,
    pub(crate) gather: Option<GatherMode>,
    pub(crate) facts_cache: Option<PathBuf>,
    pub(crate) facts_cache_timeout: Option<Duration>,
}

/// `[reporting]`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Reporting {
    pub(crate) progress: Option<ProgressMode>,
    pub(crate) color: Option<ColorChoice>,
    pub(crate) log_level: Option<Level>,
}

/// `[ssh]`
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Ssh {
    pub(crate) kex: Option<String>,
    pub(crate) accept_new_host_keys: Option<bool>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) keep_alive: Option<Duration>,
    pub(crate) args: Option<Vec<String>>,
    pub(crate) connecting: Option<usize>,
    pub(crate) connecting_per_address: Option<usize>,
    pub(crate) agent_path: Option<Vec<PathBuf>>,
}

impl ConfigFile {
    /// Finds and reads the configuration: `named` by `--config`, else by `RUSTLE_CONFIG`, else the first that is there of
    /// this folder's, the user's and the machine's. Having none is fine, unless one was named.
    ///
    /// # Errors
    /// When the file cannot be read, or with all its mistakes at once.
    pub(crate) fn load(named: Option<&Path>, environment: &Environment) -> Result<Self, CliError> {
        let named = named
            .map(Path::to_owned)
            .or_else(|| environment.path(env::CONFIG));
        let path = match named {
            Some(path) => path,
            None => match usual_places(environment)
                .into_iter()
                .find(|path| path.exists())
            {
                Some(path) => path,
                None => return Ok(Self::default()),
            },
        };
        let read = std::fs::read_to_string(&path).map_err(ConfigErrorKind::Unreadable);
        let config = read.and_then(|text| Self::read(&text, &Home::of(&path, environment)));
        match config {
            Ok(config) => Ok(Self {
                path: Some(path),
                ..config
            }),
            Err(kind) => Err(ConfigError { path, kind }.into()),
        }
    }

    /// Reads the text of a configuration; paths in it are looked up from `home`.
    fn read(text: &str, home: &Home) -> Result<Self, ConfigErrorKind> {
        let mut file = Reader::parse(text)?;
        let config = Self {
            path: None,
            executor: file.section("executor", |section| executor(section, home)),
            reporting: file.section("reporting", reporting),
            ssh: file.section("ssh", |section| ssh(section, home)),
            modules: file.section("modules", |section| modules(section, home)),
        };
        file.section("performance", later_performance);
        file.finish()?;
        Ok(config)
    }
}

/// Where paths of a configuration begin.
struct Home {
    folder: PathBuf,
    user: Option<PathBuf>,
}

impl Home {
    fn of(file: &Path, environment: &Environment) -> Self {
        Self {
            folder: file.parent().map(Path::to_owned).unwrap_or_default(),
            user: environment.path("HOME"),
        }
    }

    /// A path as it is written, with `~` for the user's home; a relative one begins at the configuration's folder.
    fn path(&self, written: &str) -> PathBuf {
        match (written.strip_prefix("~/"), &self.user) {
            (Some(rest), Some(user)) => user.join(rest),
            _ => self.folder.join(written),
        }
    }
}

fn usual_places(environment: &Environment) -> Vec<PathBuf> {
    let of_user = environment
        .path("XDG_CONFIG_HOME")
        .filter(|path| path.is_absolute())
        .or_else(|| environment.path("HOME").map(|home| home.join(".config")));
    let mut places = vec![PathBuf::from("rustle.toml")];
    places.extend(of_user.map(|folder| folder.join("rustle/rustle.toml")));
    places.push("/etc/rustle/rustle.toml".into());
    places
}

fn executor(section: &mut Section<'_>, home: &Home) -> Executor {
    Executor {
        timeout: section.seconds("default_timeout_secs"),
        retries: section.count("default_retries", 0),
        retry_delay: section.seconds("default_retry_delay_secs"),
        forks: section.count("max_forks", 1),
        continue_on_error: section.bool("continue_on_error"),
        gather_facts: section.bool("gather_facts_by_default"),
        gather: section.word("gather", "full or lazy", |word| word.parse().ok()),
        facts_cache: section
            .text("facts_cache")
            .filter(|folder| !folder.is_empty())
            .map(|folder| home.path(&folder)),
        facts_cache_timeout: section.seconds("facts_cache_timeout_secs"),
    }
}

fn reporting(section: &mut Section<'_>) -> Reporting {
    let is_shown = section.bool("enable_progress_reporting");
    let progress = section.word("progress", "auto, bar, lines or none", |word| {
        word.parse().ok()
    });
    section.later("report_format", "json");
    section.later("log_failed_tasks", true);
    section.later("log_changed_tasks", true);
    Reporting {
        progress: if is_shown == Some(false) {
            Some(ProgressMode::None)
        } else {
            progress
        },
        color: section.word("color", "auto, always or never", |word| word.parse().ok()),
        log_level: section.word("log_level", "error, warn, info, debug or trace", |word| {
            word.parse().ok()
        }),
    }
}

fn ssh(section: &mut Section<'_>, home: &Home) -> Ssh {
    let limit = |count: Option<u32>| count.and_then(|count| usize::try_from(count).ok());
    Ssh {
        kex: section.text("kex"),
        accept_new_host_keys: section.bool("accept_new_host_keys"),
        connect_timeout: section.seconds("connect_timeout_secs"),
        keep_alive: section.seconds("keep_alive_secs"),
        args: section.texts("args"),
        connecting: limit(section.count("connecting", 1)),
        connecting_per_address: limit(section.count("connecting_per_address", 1)),
        agent_path: section
            .texts("agent_path")
            .map(|folders| folders.iter().map(|folder| home.path(folder)).collect()),
    }
}

fn modules(section: &mut Section<'_>, home: &Home) -> Modules {
    section.later("module_timeout_secs", 300);
    Modules {
        search_paths: section
            .texts("search_paths")
            .map(|folders| folders.iter().map(|folder| home.path(folder)).collect()),
        enable_custom_modules: section.bool("enable_custom_modules"),
        ansible_path: section
            .text("ansible_path")
            .filter(|folder| !folder.is_empty())
            .map(|folder| home.path(&folder)),
    }
}

fn later_performance(section: &mut Section<'_>) {
    section.later("task_queue_size", 1000);
    section.later("connection_pool_size", 50);
    section.later("memory_limit_mb", 1000);
}

#[cfg(test)]
mod tests;
