//! The module `ansible.posix.at`: commands that run once, later.

use std::fs;
use std::io::Write;

use async_trait::async_trait;
use rustle_module::os_error::describe;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, CheckSupport, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec,
    Target, Type, Verdict,
};
use serde::Deserialize;
use tempfile::NamedTempFile;

/// The module `ansible.posix.at`.
pub(crate) struct At;

/// What shall be of the job.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum JobState {
    Present,
    Absent,
}

/// The arguments of `at`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    command: Option<String>,
    script_file: Option<String>,
    count: Option<i64>,
    units: Option<String>,
    state: JobState,
    unique: bool,
}

/// What has to be done.
pub(crate) enum State {
    /// Nothing: it is as it shall be.
    Same,
    /// The job is to be added: so many of the units from now.
    Add(i64, String),
    /// These jobs are to be removed.
    Remove(Vec<String>),
}

const OPTIONS: &[Opt] = &[
    Opt::new("command", Type::Str),
    Opt::new("script_file", Type::Str),
    Opt::new("count", Type::Int),
    Opt::new("units", Type::Str).choices(&["minutes", "hours", "days", "weeks"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["present", "absent"]),
    Opt::new("unique", Type::Bool).default(Default::Bool(false)),
];

const ONE: &[&str] = &["command", "script_file"];

#[async_trait]
impl Module for At {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.at", OPTIONS)
        .constraints(&[
            Constraint::MutuallyExclusive(ONE),
            Constraint::RequiredOneOf(ONE),
        ])
        .check_mode(CheckSupport::None);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let tool = Tool::find(target, "at")?;
        if args.state == JobState::Absent {
            let jobs = args.jobs(&tool, target).await?;
            return Ok(match jobs.is_empty() {
                true => State::Same,
                false => State::Remove(jobs),
            });
        }
        let (Some(count), Some(units)) = (args.count.filter(|count| *count != 0), &args.units)
        else {
            return Err(Failure::new("present state requires count and units"));
        };
        if args.unique && !args.jobs(&tool, target).await?.is_empty() {
            return Ok(State::Same);
        }
        Ok(State::Add(count, units.clone()))
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let differs = !matches!(state, State::Same);
        Verdict::change_if(differs, Output::new(args.result()))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut result = args.result();
        match state {
            State::Same => {}
            State::Remove(jobs) => {
                let tool = Tool::find(target, "atrm")?;
                for job in jobs {
                    checked(&tool, &[&job]).await?;
                }
            }
            State::Add(count, units) => {
                let script = args.add(target, count, &units).await?;
                result.insert("script_file".into(), script.into());
                result.insert("count".into(), count.into());
                result.insert("units".into(), units.into());
            }
        }
        Ok(Output::new(result))
    }
}

impl Args {
    fn result(&self) -> Object {
        let state = match self.state {
            JobState::Present => "present",
            JobState::Absent => "absent",
        };
        Object::from_iter([("state".to_owned(), state.into())])
    }

    /// The commands of the job.
    fn text(&self) -> Result<String, Failure> {
        if let Some(command) = &self.command {
            return Ok(command.clone());
        }
        let path = self.script_file.as_deref().unwrap_or_default();
        fs::read_to_string(path).map_err(|error| Failure::new(describe(&error, path)))
    }

    /// The jobs that hold these commands.
    async fn jobs(&self, at: &Tool<'_>, target: &dyn Target) -> Result<Vec<String>, Failure> {
        let text = self.text()?;
        let text = text.trim();
        let queue = Tool::find(target, "atq")?;
        let queue = checked(&queue, &[]).await?;
        let ids = queue
            .stdout
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let mut jobs = Vec::new();
        for id in ids {
            // A job that has run meanwhile cannot be shown any more.
            let shown = at.run(["-c", id]).await?;
            if shown.is_success() && shown.stdout.contains(text) {
                jobs.push(id.to_owned());
            }
        }
        Ok(jobs)
    }

    /// Adds the job, and gives the name of the file that its commands were read from.
    async fn add(&self, target: &dyn Target, count: i64, units: &str) -> Result<String, Failure> {
        let written = match &self.command {
            Some(command) => Some(write(command)?),
            None => None,
        };
        let given = self.script_file.clone().unwrap_or_default();
        let script = written
            .as_ref()
            .map_or(given, |file| file.path().to_string_lossy().into_owned());
        let tool = Tool::find(target, "at")?;
        let time = [format!("now + {count}"), units.to_owned()].join(" ");
        let mut words = vec!["-f", script.as_str()];
        words.extend(time.split(' '));
        checked(&tool, &words).await?;
        Ok(script)
    }
}

/// A file with the commands, which is removed when `at` has read it.
fn write(command: &str) -> Result<NamedTempFile, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("cannot write the job: {error}"));
    let mut file = tempfile::Builder::new()
        .prefix("at")
        .tempfile()
        .map_err(failed)?;
    writeln!(file, "{command}").map_err(failed)?;
    Ok(file)
}

async fn checked(tool: &Tool<'_>, words: &[&str]) -> Result<Ran, Failure> {
    let ran = tool.run(words).await?;
    match ran.is_success() {
        true => Ok(ran),
        false => Err(ran.failure(tool.words(words).join(" "))),
    }
}
