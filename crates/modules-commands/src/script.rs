//! `script`: runs a file that the controller sends, by a shell.
//!
//! # What the controller sends
//!
//! Besides the task's options: `_attachment`, the file; `_name`, its name; `_arguments`, the text behind the file's name, as it was
//! written. Where the controller has no such file it sends `_missing`, which says so: as in Ansible that only matters where the file would run.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Attached, Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Received,
    Spec, Target, Type, Verdict,
};
use rustle_process::{Command, shell_quote};
use serde::Deserialize;

use crate::outcome::{judge_plainly, not_run_plainly};

/// Runs a file of the controller on the host.
pub(crate) struct Script;

/// The checked options.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    creates: Option<String>,
    removes: Option<String>,
    chdir: Option<String>,
    executable: Option<String>,
    #[serde(rename = "_attachment")]
    attached: Option<Attached>,
    #[serde(rename = "_name")]
    name: Option<String>,
    #[serde(rename = "_arguments")]
    arguments: Option<String>,
    #[serde(rename = "_missing")]
    missing: Option<String>,
}

/// Why the file is not to run, if so.
pub(crate) struct State {
    done: Option<String>,
}

/// The two ways to name the file: exactly one of them.
const LINES: &[&str] = &["_raw_params", "cmd"];

#[async_trait]
impl Module for Script {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "script",
        &[
            Opt::new("_raw_params", Type::Str),
            Opt::new("cmd", Type::Str),
            Opt::new("creates", Type::Str),
            Opt::new("removes", Type::Str),
            Opt::new("chdir", Type::Str),
            Opt::new("executable", Type::Str),
            Opt::new("decrypt", Type::Bool).default(Default::Bool(true)),
            Opt::new("_attachment", Type::Raw).internal(),
            Opt::new("_name", Type::Str).internal(),
            Opt::new("_arguments", Type::Str).internal(),
            Opt::new("_missing", Type::Str).internal(),
        ],
    )
    .constraints(&[
        Constraint::MutuallyExclusive(LINES),
        Constraint::RequiredOneOf(LINES),
    ])
    .free_form();

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let done = done(args);
        if done.is_none() {
            if let Some(folder) = given(&args.chdir).filter(|folder| !folder.starts_with('/')) {
                return Err(Failure::new(format!(
                    "chdir {folder} must be an absolute path for a Unix-aware remote node"
                )));
            }
            if let Some(missing) = &args.missing {
                return Err(Failure::new(missing));
            }
        }
        Ok(State { done })
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let skipped = |msg: &str| {
            let msg = [("msg".to_owned(), msg.into())];
            Verdict::Skipped(Output::new(Object::from_iter(msg)))
        };
        if let Some(done) = &state.done {
            return skipped(done);
        }
        if mode.check && given(&args.creates).or(given(&args.removes)).is_none() {
            return skipped("Check mode is not supported for this task.");
        }
        Verdict::Change(Change::default())
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let Some(attached) = &args.attached else {
            return Err(Failure::new("the controller sent no script"));
        };
        let name = args.name.as_deref().unwrap_or("script");
        let received = Received::fetch(target, attached, name, 0o700).await?;
        let path = received.path().to_string_lossy();
        let arguments = args.arguments.as_deref().unwrap_or_default();
        let mut line = format!("{}{arguments}", shell_quote(&path));
        if let Some(executable) = given(&args.executable) {
            line = format!("{executable} {line}");
        }
        if let Some(folder) = given(&args.chdir) {
            line = format!("cd {} && {line}", shell_quote(folder));
        }
        match target
            .run(Command::new("/bin/sh").args(["-c", &line]))
            .await
        {
            Ok(finished) => judge_plainly(&finished),
            Err(error) => Err(not_run_plainly(&error)),
        }
    }
}

fn given(option: &Option<String>) -> Option<&str> {
    option.as_deref().filter(|text| !text.is_empty())
}

/// Why there is nothing to do, if so. Unlike those of `command`, these are paths and no patterns.
fn done(args: &Args) -> Option<String> {
    let created = given(&args.creates).filter(|path| Path::new(path).exists());
    if let Some(path) = created {
        return Some(format!("{path} exists, matching creates option"));
    }
    let removed = given(&args.removes).filter(|path| !Path::new(path).exists())?;
    Some(format!("{removed} does not exist, matching removes option"))
}
