//! `make`: targets of a Makefile.

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Constraint, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
    py_str,
};
use serde::Deserialize;
use serde_json::Value;

/// Runs `make`, after it asked whether there is something to do.
pub(crate) struct Make;

/// The arguments of `make`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    chdir: String,
    file: Option<String>,
    jobs: Option<i64>,
    make: Option<String>,
    params: Option<Object>,
    target: Option<String>,
    targets: Option<Vec<String>>,
}

/// Whether there is something to do, and the command for it.
pub(crate) struct State {
    words: Vec<String>,
    line: String,
    is_done: bool,
}

#[async_trait]
impl Module for Make {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "community.general.make",
        &[
            Opt::new("chdir", Type::Path).required(),
            Opt::new("file", Type::Path),
            Opt::new("jobs", Type::Int),
            Opt::new("make", Type::Path),
            Opt::new("params", Type::Dict),
            Opt::new("target", Type::Str),
            Opt::new("targets", Type::List(&Type::Str)),
        ],
    )
    .constraints(&[Constraint::MutuallyExclusive(&["target", "targets"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let tool = args.tool(target)?;
        let words = args.words();
        let mut question = words.clone();
        question.push("-q".into());
        let command = tool.command(&question).current_dir(&args.chdir);
        let ran = tool.run_command(command).await?;
        // Another code than that of nothing to do may be a mistake, which the run itself tells.
        Ok(State {
            line: tool.line(&words),
            is_done: ran.rc == 0,
            words,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = args.output(state, "", "");
        match state.is_done {
            true => Verdict::unchanged(output),
            false => Verdict::Change(Change {
                predicted: output,
                ..Change::default()
            }),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let tool = args.tool(target)?;
        let command = tool.command(&state.words).current_dir(&args.chdir);
        let ran = tool.run_command(command).await?;
        match ran.rc {
            0 => Ok(args.output(&state, ran.stdout.trim_end(), ran.stderr.trim_end())),
            _ => Err(ran.failure(state.line)),
        }
    }
}

impl Args {
    fn tool<'a>(&self, target: &'a dyn Target) -> Result<Tool<'a>, Failure> {
        match &self.make {
            Some(path) => Ok(Tool::at(target, path)),
            None => Tool::find(target, "gmake").or_else(|_| Tool::find(target, "make")),
        }
    }

    fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        if let Some(jobs) = self.jobs {
            words.extend(["-j".to_owned(), jobs.to_string()]);
        }
        if let Some(file) = &self.file {
            words.extend(["--file".to_owned(), file.clone()]);
        }
        words.extend(self.target.clone());
        words.extend(self.targets.iter().flatten().cloned());
        for (name, value) in self.params.iter().flatten() {
            words.push(match value {
                Value::Null => name.clone(),
                value => format!("{name}={}", py_str(value)),
            });
        }
        words
    }

    fn output(&self, state: &State, stdout: &str, stderr: &str) -> Output {
        let mut result = Object::new();
        let mut add = |key: &str, value: Value| drop(result.insert(key.to_owned(), value));
        add("stdout", stdout.into());
        add("stderr", stderr.into());
        add("target", self.target.clone().into());
        add("targets", self.targets.clone().into());
        add(
            "params",
            self.params.clone().map_or(Value::Null, Value::Object),
        );
        add("chdir", self.chdir.as_str().into());
        add("file", self.file.clone().into());
        add("jobs", self.jobs.into());
        add("command", state.line.as_str().into());
        Output::new(result)
    }
}
