//! `git_config`: one setting of git.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

/// Reads and writes settings by the program `git`.
pub(crate) struct GitConfig;

/// The arguments of `git_config`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    value: Option<String>,
    scope: Option<String>,
    file: Option<String>,
    repo: Option<String>,
    state: String,
    add_mode: String,
}

/// What [`GitConfig`] found.
pub(crate) struct State {
    values: Vec<String>,
    /// The command that would change it.
    words: Vec<String>,
    line: String,
}

#[async_trait]
impl Module for GitConfig {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "community.general.git_config",
        &[
            Opt::new("name", Type::Str).required(),
            Opt::new("value", Type::Str),
            Opt::new("scope", Type::Str).choices(&["file", "local", "global", "system"]),
            Opt::new("file", Type::Path),
            Opt::new("repo", Type::Path),
            Opt::new("state", Type::Str)
                .default(Default::Str("present"))
                .choices(&["present", "absent"]),
            Opt::new("add_mode", Type::Str)
                .default(Default::Str("replace-all"))
                .choices(&["add", "replace-all"]),
        ],
    )
    .constraints(&[
        Constraint::RequiredIf {
            option: "scope",
            value: "local",
            required: &["repo"],
            any: false,
        },
        Constraint::RequiredIf {
            option: "scope",
            value: "file",
            required: &["file"],
            any: false,
        },
        Constraint::RequiredIf {
            option: "state",
            value: "present",
            required: &["value"],
            any: false,
        },
    ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let tool = Tool::find(target, "git")?;
        if args.name.starts_with('-') {
            let msg = format!(
                "`{}` cannot be a name: git would take it for an option",
                args.name
            );
            return Err(Failure::new(msg));
        }
        let mut read = args.words();
        read.extend(["--get-all".into(), args.name.clone()]);
        let ran = args.run(&tool, &read).await?;
        let is_missing_file = ran.rc == 128 && ran.stderr.contains("unable to read config file");
        if ran.rc >= 2 && !is_missing_file {
            return Err(Failure::new(ran.stderr.clone())
                .with("rc", ran.rc)
                .with("cmd", tool.line(&read)));
        }
        let values = ran.stdout.trim_end().lines().map(str::to_owned).collect();
        let mut words = args.words();
        if args.state == "absent" {
            words.extend(["--unset-all".into(), args.name.clone()]);
        } else {
            let value = args.value.clone().unwrap_or_default();
            words.extend([format!("--{}", args.add_mode), args.name.clone(), value]);
        }
        Ok(State {
            values,
            line: tool.words(&words).join(" "),
            words,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let told = |msg: &str| {
            let msg = [("msg".to_owned(), msg.into())];
            Output::new(Object::from_iter(msg))
        };
        let value = args.value.clone().unwrap_or_default();
        let is_absent = args.state == "absent";
        if is_absent && state.values.is_empty() {
            return Verdict::unchanged(told("no setting to unset"));
        }
        let is_there = state.values.contains(&value);
        let is_right = is_there && (state.values.len() == 1 || args.add_mode == "add");
        if !is_absent && is_right {
            return Verdict::unchanged(told(""));
        }
        let mut after: Vec<String> = match args.add_mode.as_str() {
            "add" if !is_absent => state.values.clone(),
            _ => Vec::new(),
        };
        after.extend((!is_absent).then_some(value));
        let shown = |values: &[String]| format!("{}\n", values.join("\n"));
        let diff: Value = json!({
            "before_header": state.line,
            "before": shown(&state.values),
            "after_header": state.line,
            "after": shown(&after),
        });
        let mut output = told("setting changed");
        output.result.insert("diff".into(), diff);
        Verdict::Change(Change {
            predicted: output,
            ..Change::default()
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        change: Change,
    ) -> Result<Output, Failure> {
        let tool = Tool::find(target, "git")?;
        let ran = args.run(&tool, &state.words).await?;
        match ran.rc {
            0 => Ok(change.predicted),
            _ => Err(ran.failure(tool.line(&state.words))),
        }
    }
}

impl Args {
    /// The words that say which settings are meant.
    fn words(&self) -> Vec<String> {
        let mut words = vec!["config".to_owned(), "--includes".to_owned()];
        match (self.scope.as_deref(), &self.file) {
            (Some("file"), Some(file)) => words.extend(["-f".into(), file.clone()]),
            (Some(scope), _) => words.push(format!("--{scope}")),
            (None, _) => {}
        }
        words
    }

    async fn run(&self, tool: &Tool<'_>, words: &[String]) -> Result<Ran, Failure> {
        let folder = self
            .repo
            .as_deref()
            .filter(|_| self.scope.as_deref() == Some("local"));
        let folder = folder
            .filter(|folder| Path::new(folder).is_dir())
            .unwrap_or("/");
        tool.run_command(tool.command(words).current_dir(folder))
            .await
    }
}
