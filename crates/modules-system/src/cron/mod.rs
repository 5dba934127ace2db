//! The module `cron`: jobs and variables of crontabs.

mod store;
mod table;

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, random_name,
};
use serde::Deserialize;
use serde_json::{Value, json};

use store::Store;
use table::{Place, Table};

/// The module `cron`.
pub(crate) struct Cron;

/// What shall be of the job or variable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CronState {
    Absent,
    Present,
}

/// The arguments of `cron`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    user: Option<String>,
    job: Option<String>,
    cron_file: Option<String>,
    state: CronState,
    backup: bool,
    minute: String,
    hour: String,
    day: String,
    month: String,
    weekday: String,
    special_time: Option<String>,
    disabled: bool,
    env: bool,
    insertafter: Option<String>,
    insertbefore: Option<String>,
}

/// What [`Cron`] found.
pub(crate) struct State {
    /// The text that is there.
    before: String,
    /// What shall be there.
    table: Table,
    /// Whether that is something else.
    changed: bool,
    /// Whether a job was removed.
    removed_job: bool,
}

impl State {
    /// Whether the file is removed, as nothing is left in it.
    fn removes_file(&self, args: &Args) -> bool {
        args.cron_file.is_some() && self.removed_job && self.table.is_empty()
    }
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("user", Type::Str),
    Opt::new("job", Type::Str).aliases(&["value"]),
    Opt::new("cron_file", Type::Path),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("minute", Type::Str).default(Default::Str("*")),
    Opt::new("hour", Type::Str).default(Default::Str("*")),
    Opt::new("day", Type::Str)
        .default(Default::Str("*"))
        .aliases(&["dom"]),
    Opt::new("month", Type::Str).default(Default::Str("*")),
    Opt::new("weekday", Type::Str)
        .default(Default::Str("*"))
        .aliases(&["dow"]),
    Opt::new("special_time", Type::Str).choices(&[
        "annually", "daily", "hourly", "monthly", "reboot", "weekly", "yearly",
    ]),
    Opt::new("disabled", Type::Bool).default(Default::Bool(false)),
    Opt::new("env", Type::Bool).default(Default::Bool(false)),
    Opt::new("insertafter", Type::Str),
    Opt::new("insertbefore", Type::Str),
];

#[async_trait]
impl Module for Cron {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("cron", OPTIONS).constraints(&[Constraint::MutuallyExclusive(&[
        "insertafter",
        "insertbefore",
    ])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check().map_err(|msg| args.failure(msg))?;
        let before = args.store().read(target).await?;
        let mut table = Table::parse(&before);
        let mut removed_job = false;
        let mut changed = match (args.state, args.env) {
            (CronState::Present, true) => {
                let value = args.job.as_deref().unwrap_or_default();
                let set = table.set_variable(&args.name, value, args.place());
                set.map_err(|other| args.failure(format!("Variable named '{other}' not found.")))?
            }
            (CronState::Present, false) => table.set_job(&args.name, &args.line()),
            (CronState::Absent, true) => table.remove_variable(&args.name),
            (CronState::Absent, false) => {
                removed_job = table.remove_job(&args.name);
                removed_job
            }
        };
        // A last line without an end is not run.
        changed |= !before.is_empty() && !before.ends_with(['\r', '\n']);
        Ok(State {
            before,
            table,
            changed,
            removed_job,
        })
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let output = args.output(state, mode);
        if !state.changed {
            return Verdict::unchanged(output);
        }
        let header = args.store().header();
        let diff = json!({
            "before": state.before,
            "before_header": header,
            "after": state.table.render(),
            "after_header": header,
        });
        Verdict::Change(Change {
            diff,
            predicted: output,
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut output = args.output(&state, target.mode());
        let store = args.store();
        if state.removes_file(args) {
            return Ok(output.changed(store.remove()?));
        }
        if args.backup {
            let backup = back_up(&state.before);
            let backup = backup.map_err(|error| args.failure(error.to_string()))?;
            output.result.insert("backup_file".into(), backup.into());
        }
        store.write(target, &state.table.render()).await?;
        Ok(output)
    }
}

/// Keeps the text in a file of its own, and returns its name.
fn back_up(text: &str) -> std::io::Result<String> {
    let path = format!("/tmp/crontab{}", random_name()?);
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

impl Args {
    fn store(&self) -> Store {
        Store::new(self.cron_file.as_deref(), self.user.as_deref())
    }

    fn failure(&self, msg: impl Into<String>) -> Failure {
        Failure {
            warnings: self.warnings(),
            ..Failure::new(msg)
        }
    }

    fn warnings(&self) -> Vec<String> {
        let job = self.job.as_deref().unwrap_or_default();
        let has_break = job.trim_matches(['\r', '\n']).contains(['\r', '\n']);
        let warning = "Job should not contain line breaks";
        has_break.then(|| warning.to_owned()).into_iter().collect()
    }

    /// Refuses options that do not go together.
    fn check(&self) -> Result<(), &'static str> {
        let times = [
            &self.minute,
            &self.hour,
            &self.day,
            &self.month,
            &self.weekday,
        ];
        let has_time = times.iter().any(|time| *time != "*");
        let has_place = self.insertafter.is_some() || self.insertbefore.is_some();
        let is_present = self.state == CronState::Present;
        if self.cron_file.is_some() && self.user.is_none() {
            Err("To use cron_file=... parameter you must specify user=... as well")
        } else if has_place && !(self.env && is_present) {
            Err("Insertafter and insertbefore parameters are valid only with env=yes")
        } else if self.special_time.is_some() && has_time {
            Err("You cannot combine special_time with any of the time or day/date parameters.")
        } else if is_present && self.job.as_ref().is_none_or(String::is_empty) {
            Err("You must specify 'job' to install a new cron job or variable")
        } else {
            Ok(())
        }
    }

    fn place(&self) -> Place<'_> {
        match (&self.insertafter, &self.insertbefore) {
            (Some(other), _) => Place::After(other),
            (None, Some(other)) => Place::Before(other),
            (None, None) => Place::First,
        }
    }

    /// The line of the job.
    fn line(&self) -> String {
        let job = self.job.as_deref().unwrap_or_default();
        let job = job.trim_matches(['\r', '\n']);
        let disabled = if self.disabled { "#" } else { "" };
        let time = match &self.special_time {
            Some(special) => format!("@{special}"),
            None => [
                self.minute.as_str(),
                &self.hour,
                &self.day,
                &self.month,
                &self.weekday,
            ]
            .join(" "),
        };
        match (&self.cron_file, &self.user) {
            (Some(_), Some(user)) => format!("{disabled}{time} {user} {job}"),
            _ => format!("{disabled}{time} {job}"),
        }
    }

    /// The result, also before anything is written.
    fn output(&self, state: &State, mode: Mode) -> Output {
        let mut result = Object::new();
        if let Some(file) = &self.cron_file {
            result.insert("cron_file".into(), file.as_str().into());
        }
        if state.removes_file(self) {
            let mut diff = json!({});
            if mode.diff {
                diff = json!({
                    "before": state.before,
                    "before_header": self.store().header(),
                    "after": "",
                    "after_header": "/dev/null",
                });
            }
            result.insert("state".into(), "absent".into());
            result.insert("diff".into(), diff);
        } else {
            let (jobs, envs): (Value, Value) =
                (state.table.jobs().into(), state.table.variables().into());
            result.insert("jobs".into(), jobs);
            result.insert("envs".into(), envs);
        }
        Output {
            warnings: self.warnings(),
            ..Output::new(result)
        }
    }
}
