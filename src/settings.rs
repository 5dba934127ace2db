//! The settings of a run, put together from all who have a say: an option wins over an environment variable, that over the
//! configuration file, that over what the plan was made with, and that over the default.

mod choice;
mod shown;

use std::path::PathBuf;

use rustle_connection::ConnectionSettings;
use rustle_report::{ColorChoice, ProgressMode};
use rustle_types::{ExecutionOptions, ExecutionPlan, GatherMode, Object};
use tracing::Level;

use crate::cli::RunArgs;
use crate::config::ConfigFile;
use crate::env::{self, Environment};
use crate::errors::CliError;
use crate::wiring::{self, AnsiblePlaces, BecomeDefaults};
use choice::Choices;
pub(crate) use choice::{Chosen, Origin};

/// Everything that a run is told.
#[derive(Debug)]
pub(crate) struct Settings {
    /// The engine's options.
    pub(crate) options: ExecutionOptions,
    /// How hosts are reached.
    pub(crate) connection: ConnectionSettings,
    /// As whom tasks run where the plan does not say.
    pub(crate) r#become: BecomeDefaults,
    /// What is told, and where.
    pub(crate) output: OutputSettings,
    /// Folders with agents for other kinds of machines.
    pub(crate) agent_path: Vec<PathBuf>,
    /// Where modules are looked for that are not native.
    pub(crate) modules: ModuleSettings,
    /// The folder of the runs' journals.
    pub(crate) state_dir: Option<PathBuf>,
    /// Every setting that may come from several places, with the place that it came from.
    pub(crate) chosen: Vec<Chosen>,
}

/// Where modules are looked for that are not native.
#[derive(Debug)]
pub(crate) struct ModuleSettings {
    /// Whether any others than native ones are run.
    pub(crate) are_custom_enabled: bool,
    /// Folders with modules.
    pub(crate) path: Vec<PathBuf>,
    /// Where Ansible and its collections may be.
    pub(crate) ansible: AnsiblePlaces,
}

/// What is told, and where.
#[derive(Debug)]
pub(crate) struct OutputSettings {
    pub(crate) progress: ProgressMode,
    pub(crate) color: ColorChoice,
    pub(crate) verbosity: u8,
    pub(crate) quiet: bool,
    pub(crate) report_file: Option<PathBuf>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) log_level: Level,
}

/// Who has a say.
pub(crate) struct Sources<'s> {
    pub(crate) args: &'s RunArgs,
    pub(crate) environment: &'s Environment,
    pub(crate) file: &'s ConfigFile,
    pub(crate) plan: &'s ExecutionPlan,
}

impl Sources<'_> {
    /// Puts the settings together.
    ///
    /// # Errors
    /// When a variable has a wrong value, or something is asked for that is not there yet.
    pub(crate) fn settings(&self, extra_vars: Object) -> Result<Settings, CliError> {
        let mut choices = Choices::default();
        let options = self.options(&mut choices, extra_vars)?;
        let connection = self.connection(&mut choices, &options)?;
        let output = self.output(&mut choices)?;
        let agent_path = choices
            .environment(env::AGENT_PATH, self.environment.paths(env::AGENT_PATH))
            .file(self.file.ssh.agent_path.clone())
            .or("agent-path", Vec::new());
        let modules = self.modules(&mut choices);
        let state_dir = choices
            .environment(env::STATE_DIR, self.environment.path(env::STATE_DIR))
            .or("state-dir", usual_state_dir(self.environment));
        Ok(Settings {
            options,
            connection,
            r#become: self.become_defaults(),
            output,
            agent_path,
            modules,
            state_dir: Some(state_dir).filter(|dir| !dir.as_os_str().is_empty()),
            chosen: choices.into_list(),
        })
    }

    fn options(
        &self,
        choices: &mut Choices,
        extra_vars: Object,
    ) -> Result<ExecutionOptions, CliError> {
        let RunArgs {
            hosts,
            tasks,
            pace,
            connection,
            output,
            ..
        } = self.args;
        let gather_facts = choices
            .flag(hosts.gather_facts)
            .file(self.file.executor.gather_facts)
            .or("gather-facts", false);
        let gather = self
            .environment
            .parsed(env::GATHER, "full or lazy", |mode| mode.parse().ok())?;
        let gather = choices
            .option(hosts.gather)
            .environment(env::GATHER, gather)
            .file(self.file.executor.gather)
            .or("gather", GatherMode::Full);
        let facts_cache = choices
            .option(hosts.facts_cache.clone().map(Some))
            .file(self.file.executor.facts_cache.clone().map(Some))
            .or("facts-cache", None);
        let facts_cache_timeout = choices
            .option(hosts.facts_cache_timeout)
            .file(self.file.executor.facts_cache_timeout)
            .or(
                "facts-cache-timeout",
                ExecutionOptions::default().facts_cache_timeout,
            );
        let options = self.of_plan(choices);
        let options = self.with_pace(choices, options)?;
        Ok(ExecutionOptions {
            gather_facts,
            gather,
            facts_cache,
            facts_cache_timeout,
            serial: pace.serial.clone(),
            strategy: pace.strategy,
            start_at_task: tasks.start_at_task.clone(),
            step: tasks.step,
            dry_run: tasks.dry_run,
            force_handlers: tasks.force_handlers,
            strict: tasks.strict,
            connection: connection.connection_plugin.clone(),
            extra_vars,
            verbosity: output.verbose,
            ..options
        })
    }

    /// What the options may say and the plan may have been made with.
    fn of_plan(&self, choices: &mut Choices) -> ExecutionOptions {
        let RunArgs { hosts, tasks, .. } = self.args;
        let planned = &self.plan.metadata.planning_options;
        let list = |values: &[String]| Some(values.to_vec()).filter(|values| !values.is_empty());
        ExecutionOptions {
            check: choices
                .flag(tasks.check)
                .plan(self.plan.is_made_for_check().then_some(true))
                .or("check", false),
            diff: choices
                .flag(tasks.diff)
                .plan(planned.diff_mode)
                .or("diff", false),
            limit: choices
                .option(hosts.limit.clone().map(Some))
                .plan(planned.limit.clone().map(Some))
                .or("limit", None),
            tags: choices
                .option(list(&tasks.tags))
                .plan(list(&planned.tags))
                .or("tags", Vec::new()),
            skip_tags: choices
                .option(list(&tasks.skip_tags))
                .plan(list(&planned.skip_tags))
                .or("skip-tags", Vec::new()),
            ..ExecutionOptions::default()
        }
    }

    /// How much at once, how long, how often.
    fn with_pace(
        &self,
        choices: &mut Choices,
        options: ExecutionOptions,
    ) -> Result<ExecutionOptions, CliError> {
        let (pace, file, environment) = (&self.args.pace, &self.file.executor, self.environment);
        let planned = &self.plan.metadata.planning_options;
        Ok(ExecutionOptions {
            forks: choices
                .option(pace.forks)
                .environment(env::FORKS, environment.count(env::FORKS, 1)?)
                .file(file.forks)
                .plan(planned.forks.filter(|forks| *forks > 0))
                .or("forks", options.forks),
            timeout: choices
                .option(pace.timeout)
                .environment(env::TIMEOUT, environment.seconds(env::TIMEOUT)?)
                .file(file.timeout)
                .or("timeout", options.timeout),
            retries: choices
                .option(pace.retries)
                .environment(env::RETRIES, environment.count(env::RETRIES, 0)?)
                .file(file.retries)
                .or("retries", options.retries),
            retry_delay: choices
                .option(pace.retry_delay)
                .file(file.retry_delay)
                .or("retry-delay", options.retry_delay),
            continue_on_error: choices
                .flag(pace.continue_on_error)
                .file(file.continue_on_error)
                .or("continue-on-error", false),
            ..options
        })
    }

    fn connection(
        &self,
        choices: &mut Choices,
        options: &ExecutionOptions,
    ) -> Result<ConnectionSettings, CliError> {
        let (args, file) = (&self.args.connection, &self.file.ssh);
        let defaults = ConnectionSettings::default();
        let transport = match &args.connection_plugin {
            None => defaults.transport,
            Some(name) => wiring::transport(name)
                .ok_or_else(|| CliError::NotYet(format!("--connection-plugin {name}")))?,
        };
        Ok(ConnectionSettings {
            user: args.user.clone(),
            password: None,
            private_key: args
                .private_key
                .as_ref()
                .map(|path| path.to_string_lossy().into_owned()),
            transport,
            connect_timeout: choices
                .file(file.connect_timeout)
                .or("connect-timeout", defaults.connect_timeout),
            keep_alive: choices
                .file(file.keep_alive)
                .or("keep-alive", defaults.keep_alive),
            accept_new_host_keys: choices
                .flag(args.accept_new_host_keys)
                .file(file.accept_new_host_keys)
                .or("accept-new-host-keys", defaults.accept_new_host_keys),
            kex: choices
                .file(file.kex.clone().map(Some))
                .or("kex", defaults.kex),
            ssh_args: choices
                .file(file.args.clone())
                .or("ssh-args", defaults.ssh_args),
            retries: options.retries,
            retry_delay: options.retry_delay,
            connecting: choices
                .file(file.connecting)
                .or("connecting", defaults.connecting),
            connecting_per_address: choices
                .file(file.connecting_per_address)
                .or("connecting-per-address", defaults.connecting_per_address),
        })
    }

    fn output(&self, choices: &mut Choices) -> Result<OutputSettings, CliError> {
        let (args, file) = (&self.args.output, &self.file.reporting);
        let is_plain = self.environment.has(env::NO_COLOR);
        let level = self.environment.parsed(
            env::LOG_LEVEL,
            "error, warn, info, debug or trace",
            |level| level.parse().ok(),
        )?;
        Ok(OutputSettings {
            progress: choices
                .option(args.progress)
                .file(file.progress)
                .or("progress", ProgressMode::Auto),
            color: choices
                .option(args.color)
                .environment(env::NO_COLOR, is_plain.then_some(ColorChoice::Never))
                .file(file.color)
                .or("color", ColorChoice::Auto),
            verbosity: args.verbose,
            quiet: args.quiet,
            report_file: args.report_file.clone(),
            log_file: args.log_file.clone(),
            log_level: choices
                .environment(env::LOG_LEVEL, level)
                .file(file.log_level)
                .or("log-level", Level::INFO),
        })
    }

    fn modules(&self, choices: &mut Choices) -> ModuleSettings {
        let (args, file) = (&self.args.tasks.places, &self.file.modules);
        let named = args.module_path.iter().flat_map(|named| named.0.clone());
        let named: Vec<PathBuf> = named.collect();
        ModuleSettings {
            are_custom_enabled: choices
                .file(file.enable_custom_modules)
                .or("custom-modules", true),
            path: choices
                .option(Some(named).filter(|named| !named.is_empty()))
                .environment(env::MODULE_PATH, self.environment.paths(env::MODULE_PATH))
                .file(file.search_paths.clone())
                .or("module-path", Vec::new()),
            ansible: AnsiblePlaces {
                named: choices
                    .option(args.ansible_path.clone().map(Some))
                    .environment(
                        env::ANSIBLE_PATH,
                        self.environment.path(env::ANSIBLE_PATH).map(Some),
                    )
                    .file(file.ansible_path.clone().map(Some))
                    .or("ansible-path", None),
                path: self.environment.paths("PATH").unwrap_or_default(),
                home: self.environment.path("HOME"),
                collections: self.environment.paths("ANSIBLE_COLLECTIONS_PATH"),
            },
        }
    }

    fn become_defaults(&self) -> BecomeDefaults {
        let args = &self.args.connection;
        BecomeDefaults {
            enabled: args.r#become,
            user: args.become_user.clone(),
            method: args.become_method.clone(),
            password: None,
        }
    }
}

/// The folder of the runs' journals; none where there is no place for it.
pub(crate) fn state_dir(environment: &Environment) -> Option<PathBuf> {
    let named = environment.path(env::STATE_DIR);
    let folder = named.unwrap_or_else(|| usual_state_dir(environment));
    Some(folder).filter(|folder| !folder.as_os_str().is_empty())
}

/// `$XDG_STATE_HOME/rustle`, or its usual place; empty where there is no home either.
fn usual_state_dir(environment: &Environment) -> PathBuf {
    let state = environment
        .path("XDG_STATE_HOME")
        .filter(|path| path.is_absolute());
    let state = state.or_else(|| {
        environment
            .path("HOME")
            .map(|home| home.join(".local/state"))
    });
    state
        .map(|folder| folder.join("rustle"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests;
