//! The command line: every option with its help.
//!
//! Options hold what the user typed and nothing else; defaults, environment and files come in `settings.rs`. So a default
//! that a help text names is not one that clap fills in.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use rustle_report::{ColorChoice, ProgressMode};
use rustle_types::{ExitStatus, GatherMode, Serial, StrategyKind};

use crate::env;

const EXAMPLES: &str = "\
Examples:
  rustle-parse site.yml | rustle-plan | rustle-exec -i hosts.ini
  rustle-exec plan.json                                  run a plan
  rustle-exec --check --diff plan.json                   show what would change
  rustle-exec -i hosts.ini --limit 'web:!web3' plan.json run it on some hosts only
  rustle-exec --start-at-task 'Deploy' plan.json         start in the middle
  rustle-exec ./run                                      a plan file named like a command";

/// Runs execution plans on many hosts over SSH, with Ansible's modules in native Rust.
#[derive(Debug, Parser)]
#[command(
    name = "rustle-exec",
    version,
    override_usage = "rustle-exec [OPTIONS] [EXECUTION_PLAN]\n       rustle-exec <COMMAND>",
    disable_help_subcommand = true,
    after_help = after_help(),
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

impl Cli {
    /// Whether options or a plan stand before a command, where they would mean nothing.
    pub(crate) fn has_stray_options(&self) -> bool {
        self.command.is_some() && self.run != RunArgs::default()
    }

    /// As [`Self::chosen_run`], for good.
    pub(crate) fn into_run(self) -> RunArgs {
        match self.command {
            Some(Command::Run(args)) => *args,
            _ => self.run,
        }
    }

    /// The options of the run: those after `run`, else those that stand alone.
    pub(crate) fn chosen_run(&self) -> &RunArgs {
        match &self.command {
            Some(Command::Run(args)) => args,
            _ => &self.run,
        }
    }
}

/// The words that are commands where a plan could stand; a plan file of such a name is `./NAME`.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a plan; the same as without a command
    Run(Box<RunArgs>),
    /// Print the JSON Schema of execution plans
    Schema,
    /// Continue a run that was interrupted or failed; what was done is not done again
    Resume(ResumeArgs),
    /// List past runs, the last one first
    Runs,
    /// Pause, resume or ask a run that goes on (not available in this version)
    Ctl(LaterArgs),
    /// Make a program that holds a plan (not available in this version)
    Bundle(LaterArgs),
    /// List the modules, or show one with its options
    Modules(ModulesArgs),
    /// Collect facts of hosts (not available in this version)
    Collect(LaterArgs),
    /// Run one module without a plan (not available in this version)
    Adhoc(LaterArgs),
}

impl Command {
    /// The command's word.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Schema => "schema",
            Self::Resume(_) => "resume",
            Self::Runs => "runs",
            Self::Ctl(_) => "ctl",
            Self::Bundle(_) => "bundle",
            Self::Modules(_) => "modules",
            Self::Collect(_) => "collect",
            Self::Adhoc(_) => "adhoc",
        }
    }
}

/// Which run is continued, and how.
#[derive(Args, Debug)]
pub(crate) struct ResumeArgs {
    /// The run's id or its beginning, as `runs` lists it, or `last`
    #[arg(value_name = "ID", default_value = "last")]
    pub(crate) run: String,
    /// Continue although plan or inventory are not what they were
    #[arg(long)]
    pub(crate) with_changes: bool,
    /// Do tasks again of which it is not known whether they were done
    #[arg(long)]
    pub(crate) rerun_unknown: bool,
}

/// What is told of modules.
#[derive(Args, Debug)]
pub(crate) struct ModulesArgs {
    /// The module to show; without it all are listed
    #[arg(value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
    #[command(flatten)]
    pub(crate) places: ModulePlaces,
    /// Use this configuration file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// Where modules are looked for that are not native.
#[derive(Args, Clone, Debug, Default, PartialEq)]
pub(crate) struct ModulePlaces {
    /// Look for modules in this folder too; several by colons (repeatable)
    #[arg(long, value_name = "DIR", value_parser = folders)]
    pub(crate) module_path: Vec<Folders>,
    /// Take modules that are not native from the Ansible of this folder [default: that of PATH]
    #[arg(long, value_name = "DIR")]
    pub(crate) ansible_path: Option<PathBuf>,
}

/// Whatever follows a command that is not there yet.
#[derive(Args, Debug)]
#[command(disable_help_flag = true)]
pub(crate) struct LaterArgs {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

/// The options of a run.
#[derive(Args, Debug, Default, PartialEq)]
pub(crate) struct RunArgs {
    /// The execution plan, or `-` for standard input (also where none is named and input is piped in)
    #[arg(value_name = "EXECUTION_PLAN")]
    pub(crate) plan: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) hosts: HostArgs,
    #[command(flatten)]
    pub(crate) tasks: TaskArgs,
    #[command(flatten)]
    pub(crate) pace: PaceArgs,
    #[command(flatten)]
    pub(crate) connection: ConnectionArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten)]
    pub(crate) vault: VaultOptions,
    #[command(flatten)]
    pub(crate) later: LaterOptions,
}

/// Which hosts, and what is known of them.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Hosts and variables")]
pub(crate) struct HostArgs {
    /// Inventory: INI, YAML or JSON file, program, folder, output of rustle-parse, or host names with a comma (repeatable)
    #[arg(short, long, value_name = "FILE")]
    pub(crate) inventory: Vec<String>,
    /// Stay with the hosts of this pattern
    #[arg(short, long, value_name = "PATTERN")]
    pub(crate) limit: Option<String>,
    /// Variables above all others: key=value, JSON, YAML, or @FILE (repeatable)
    #[arg(short, long, value_name = "VARS")]
    pub(crate) extra_vars: Vec<String>,
    /// Gather facts also in plays that do not ask for them
    #[arg(long)]
    pub(crate) gather_facts: bool,
    /// Which facts plays gather that do not say: all, or those that the plan uses [default: full]
    #[arg(long, value_name = "MODE", value_parser = words::<_, GatherMode>(GatherMode::ALL.map(GatherMode::name)))]
    pub(crate) gather: Option<GatherMode>,
    /// Keep facts in this folder between runs
    #[arg(long, value_name = "DIR")]
    pub(crate) facts_cache: Option<PathBuf>,
    /// How old facts of another run may be; 0 is no limit
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) facts_cache_timeout: Option<Duration>,
}

/// Which tasks, and how they are run.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Tasks")]
pub(crate) struct TaskArgs {
    /// Run only tasks with one of these tags
    #[arg(short, long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) tags: Vec<String>,
    /// Skip tasks with one of these tags
    #[arg(long, value_name = "TAGS", value_delimiter = ',')]
    pub(crate) skip_tags: Vec<String>,
    /// Only predict what would change
    #[arg(short, long)]
    pub(crate) check: bool,
    /// Show differences of what changes
    #[arg(short = 'D', long)]
    pub(crate) diff: bool,
    /// Start at the task of this name
    #[arg(long, value_name = "TASK")]
    pub(crate) start_at_task: Option<String>,
    /// Ask before each task
    #[arg(long)]
    pub(crate) step: bool,
    /// Print what would be run, on which hosts, without connecting to any
    #[arg(long)]
    pub(crate) dry_run: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    /// Take warnings about the plan as mistakes
    #[arg(long)]
    pub(crate) strict: bool,
    /// Run handlers also on hosts that failed
    #[arg(long)]
    pub(crate) force_handlers: bool,
    #[command(flatten)]
    pub(crate) places: ModulePlaces,
}

/// Folders that were named by one option.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Folders(pub(crate) Vec<PathBuf>);

/// What is listed in place of a run.
#[derive(Args, Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct ListArgs {
    /// List the hosts of each play and end
    #[arg(long)]
    pub(crate) list_hosts: bool,
    /// List the tasks of each play and end
    #[arg(long)]
    pub(crate) list_tasks: bool,
    /// List the tags of each play and end
    #[arg(long)]
    pub(crate) list_tags: bool,
}

impl ListArgs {
    /// Whether anything is listed.
    pub(crate) fn is_asked(self) -> bool {
        self.list_hosts || self.list_tasks || self.list_tags
    }
}

/// How much at once, how long, how often.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Pace and failures")]
pub(crate) struct PaceArgs {
    /// How many hosts are worked on at once [default: 50]
    #[arg(short, long, value_name = "NUM", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) forks: Option<u32>,
    /// Work through the hosts in slices of this many, or of this share of them (30%); several sizes by commas
    #[arg(long, value_name = "NUM", value_parser = serial, value_delimiter = ',')]
    pub(crate) serial: Vec<Serial>,
    /// How tasks are given to hosts [default: the plan's, else linear]
    #[arg(long, value_name = "STRATEGY", value_parser = strategy)]
    pub(crate) strategy: Option<StrategyKind>,
    /// How long a task may take that says nothing itself; 0 is no limit [default: 600]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) timeout: Option<Duration>,
    /// How often a connection is tried again after a passing failure [default: 3]
    #[arg(long, value_name = "NUM")]
    pub(crate) retries: Option<u32>,
    /// The longest wait between two tries [default: 5]
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(crate) retry_delay: Option<Duration>,
    /// Go on where a strategy would stop at a failure
    #[arg(long)]
    pub(crate) continue_on_error: bool,
}

/// How hosts are reached, and as whom.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Connection")]
pub(crate) struct ConnectionArgs {
    /// The connection of hosts that name none: ssh or local [default: ssh]
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) connection_plugin: Option<String>,
    /// Log in as this user where neither plan nor inventory names one
    #[arg(short, long, value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Ask for the password to log in with
    #[arg(short = 'k', long)]
    pub(crate) ask_pass: bool,
    /// A file with the password to log in with, or a program that prints it
    #[arg(
        long,
        visible_alias = "conn-pass-file",
        value_name = "FILE",
        conflicts_with = "ask_pass"
    )]
    pub(crate) connection_password_file: Option<PathBuf>,
    /// Log in with this key
    #[arg(long, value_name = "FILE")]
    pub(crate) private_key: Option<PathBuf>,
    /// Accept and keep the keys of hosts that are not known yet
    #[arg(long)]
    pub(crate) accept_new_host_keys: bool,
    /// Run tasks as another user where the plan does not say
    #[arg(short, long)]
    pub(crate) r#become: bool,
    /// That user [default: root]
    #[arg(long, value_name = "USER")]
    pub(crate) become_user: Option<String>,
    /// How to become that user: sudo, su, doas or runuser [default: sudo]
    #[arg(long, value_name = "METHOD", value_parser = ["sudo", "su", "doas", "runuser"])]
    pub(crate) become_method: Option<String>,
    /// Ask for the password that becoming that user needs
    #[arg(short = 'K', long)]
    pub(crate) ask_become_pass: bool,
}

/// What is told, and where.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// Write the report of the run to this file, as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) report_file: Option<PathBuf>,
    /// Write a log of the run to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) log_file: Option<PathBuf>,
    /// How progress is shown [default: auto]
    #[arg(long, value_name = "MODE", value_parser = words::<_, ProgressMode>(ProgressMode::ALL.map(ProgressMode::name)))]
    pub(crate) progress: Option<ProgressMode>,
    /// Whether output is coloured [default: auto]
    #[arg(long, value_name = "WHEN", value_parser = words::<_, ColorChoice>(ColorChoice::ALL.map(ColorChoice::name)))]
    pub(crate) color: Option<ColorChoice>,
    /// Tell more; repeat it for still more
    #[arg(short, long, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    /// Tell of failures and the recap only
    #[arg(short, long, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Use this configuration file [default: rustle.toml of this folder, of the user, or of the machine]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The passwords of vaults.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Vault")]
pub(crate) struct VaultOptions {
    /// A vault id: its label, and a file or `prompt`; may be given more than once
    #[arg(long, value_name = "LABEL@SOURCE")]
    pub(crate) vault_id: Vec<String>,
    /// A file with the password of the vault, or a program that prints it
    #[arg(long, visible_alias = "vault-pass-file", value_name = "FILE")]
    pub(crate) vault_password_file: Vec<PathBuf>,
    /// Ask for the password of the vault
    #[arg(short = 'J', long, visible_alias = "ask-vault-password")]
    pub(crate) ask_vault_pass: bool,
}

/// Options that a later version gives a meaning: each is known, and refused by name.
#[derive(Args, Debug, Default, PartialEq)]
#[command(next_help_heading = "Not available in this version")]
pub(crate) struct LaterOptions {
    /// Remove what the run left on hosts when it fails
    #[arg(long)]
    cleanup_on_failure: bool,
}

impl LaterOptions {
    /// The first of them that was given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        [(self.cleanup_on_failure, "--cleanup-on-failure")]
            .into_iter()
            .find_map(|(is_given, name)| is_given.then_some(name))
    }
}

/// What stands below the options: examples, environment variables, exit statuses.
fn after_help() -> String {
    let mut text = format!(
        "{EXAMPLES}\n\nEnvironment (an option wins, and both win over the configuration file):"
    );
    // Writing to a String cannot fail.
    for variable in env::VARIABLES {
        let _ = write!(text, "\n  {:<20} {}", variable.name, variable.help);
    }
    text.push_str("\n\nExit status:");
    for status in ExitStatus::ALL {
        let _ = write!(text, "\n  {:<4} {}", status.code(), status.meaning());
    }
    text
}

/// Takes one of a few words.
fn words<const N: usize, T>(names: [&'static str; N]) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync,
{
    PossibleValuesParser::new(names).try_map(|word| word.parse())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "expected a number of seconds".to_owned())
}

fn folders(text: &str) -> Result<Folders, std::convert::Infallible> {
    let folders = std::env::split_paths(text);
    let named = folders.filter(|folder| !folder.as_os_str().is_empty());
    Ok(Folders(named.collect()))
}

fn serial(text: &str) -> Result<Serial, String> {
    match serde_json::from_value(text.into()) {
        Ok(Serial::Template(_)) => Err("a template has no place here".into()),
        Ok(serial) => Ok(serial),
        Err(error) => Err(error.to_string()),
    }
}

fn strategy(text: &str) -> Result<StrategyKind, String> {
    text.parse()
        .map_err(|unknown: rustle_types::plan::UnknownStrategy| unknown.hint)
}

#[cfg(test)]
mod tests;
