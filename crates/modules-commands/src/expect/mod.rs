//! `expect`: a program that asks questions at a terminal, and the answers.

mod talk;
mod waiting;

use std::io;
use std::path::Path;
use std::pin::pin;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use rustle_module::{
    Change, CheckSupport, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, py_repr, py_type,
};
use rustle_process::{Command, Finished, ProcessError, Terminal, split_command};
use serde::Deserialize;
use serde_json::Value;

use crate::report::{delta, local_time};
use talk::Talk;
use waiting::{Waited, wait};

/// Programs that turn off the echo after they asked throw away what was typed before.
const BEFORE_ANSWER: Duration = Duration::from_millis(50);

/// The size that programs see.
const SIZE: (u16, u16) = (24, 80);

/// Runs a program at a terminal, and answers it.
pub(crate) struct Expect;

/// The arguments of `expect`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    command: String,
    chdir: Option<String>,
    creates: Option<String>,
    removes: Option<String>,
    responses: Object,
    #[serde(default)]
    timeout: Value,
    echo: bool,
}

/// What is to be run, and why it need not.
pub(crate) struct State {
    words: Vec<String>,
    talk: Talk,
    /// How long to wait for the next question; none for ever.
    patience: Option<Duration>,
    done: Option<String>,
}

#[async_trait]
impl Module for Expect {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "expect",
        &[
            Opt::new("command", Type::Str).required(),
            Opt::new("chdir", Type::Path),
            Opt::new("creates", Type::Path),
            Opt::new("removes", Type::Path),
            Opt::new("responses", Type::Dict).required(),
            Opt::new("timeout", Type::Raw).default(Default::Int(30)),
            Opt::new("echo", Type::Bool).default(Default::Bool(false)),
        ],
    )
    .check_mode(CheckSupport::None);

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let patience = patience(&args.timeout)?;
        let talk = Talk::new(&args.responses)?;
        if args.command.trim().is_empty() {
            return Err(Failure::new("no command given").with("rc", 256));
        }
        if let Some(folder) = args.folder()
            && let Err(error) = Path::new(folder).join("./.").metadata()
        {
            let error = rustle_module::os_error::describe_bare(&error);
            return Err(Failure::new(format!("{error}: '{folder}'")));
        }
        let words = split_command(&args.command)
            .map_err(|error| Failure::new(format!("`{}` has no words: {error}", args.command)))?;
        Ok(State {
            words,
            talk,
            patience,
            done: args.done(),
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let Some(done) = &state.done else {
            return Verdict::Change(Change::default());
        };
        let result = [
            ("cmd", args.command.as_str().into()),
            ("stdout", Value::from(format!("skipped, since {done}"))),
            ("rc", 0.into()),
        ];
        let result = result.map(|(key, value)| (key.to_owned(), value));
        Verdict::unchanged(Output::new(Object::from_iter(result)))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        mut state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let started = (SystemTime::now(), Instant::now());
        let ended = args.converse(target, &mut state).await?;
        let elapsed = started.1.elapsed();
        let rc = ended.map(|finished| finished.status.to_return_code());
        let mut result = Object::new();
        for (key, value) in [
            ("cmd", args.command.as_str().into()),
            ("stdout", state.talk.output().into()),
            ("rc", Value::from(rc)),
            ("start", local_time(started.0).into()),
            ("end", local_time(started.0 + elapsed).into()),
            ("delta", delta(elapsed).into()),
        ] {
            result.insert(key.into(), value);
        }
        let msg = match rc {
            Some(0) => return Ok(Output::new(result)),
            Some(_) => "non-zero return code",
            None => "command exceeded timeout",
        };
        Err(Failure {
            result,
            ..Failure::new(msg)
        }
        .changed())
    }
}

impl Args {
    fn folder(&self) -> Option<&str> {
        self.chdir.as_deref().filter(|folder| !folder.is_empty())
    }

    /// Why nothing is to be run, if so.
    fn done(&self) -> Option<String> {
        let exists = |path: &str| Path::new(self.folder().unwrap_or(".")).join(path).exists();
        let given = |option: &Option<String>| option.clone().filter(|path| !path.is_empty());
        let created = given(&self.creates).filter(|path| exists(path));
        if let Some(path) = created {
            return Some(format!("{path} exists"));
        }
        let removed = given(&self.removes).filter(|path| !exists(path));
        removed.map(|path| format!("{path} does not exist"))
    }

    /// Runs the program and answers it to its end; none where it kept silent for too long, and was killed.
    async fn converse(
        &self,
        target: &dyn Target,
        state: &mut State,
    ) -> Result<Option<Finished>, Failure> {
        let terminal = Terminal::open().map_err(|error| broken(&error))?;
        terminal
            .set_size(SIZE.0, SIZE.1)
            .map_err(|error| broken(&error))?;
        terminal
            .set_echo(self.echo)
            .map_err(|error| broken(&error))?;
        let program = state.words[0].clone();
        let mut command = Command::new(&program).args(&state.words[1..]);
        if let Some(folder) = self.folder() {
            command = command.current_dir(folder);
        }
        let mut running = pin!(target.run(command.at_terminal(&terminal)));
        let mut buffer = vec![0; 4096];
        loop {
            let patience = state.patience;
            let waited = match state.talk.answer()? {
                Some(answer) => {
                    let typed = async {
                        tokio::time::sleep(BEFORE_ANSWER).await;
                        terminal.type_line(&answer).await.map(|()| 0)
                    };
                    wait(running.as_mut(), typed, patience).await
                }
                None => wait(running.as_mut(), terminal.read(&mut buffer), patience).await,
            };
            match waited {
                Waited::Came(count) => state
                    .talk
                    .hear(&buffer[..count.map_err(|error| broken(&error))?])?,
                Waited::Ended(finished) => {
                    let finished = finished.map_err(|error| not_started(&error, &program))?;
                    state.hear_rest(&terminal)?;
                    return Ok(Some(finished));
                }
                Waited::TimedOut => return Ok(None),
            }
        }
    }
}

impl State {
    /// Hears what the program said last.
    fn hear_rest(&mut self, terminal: &Terminal) -> Result<(), Failure> {
        let mut buffer = [0; 4096];
        while let Some(count) = terminal
            .read_ready(&mut buffer)
            .map_err(|error| broken(&error))?
        {
            self.talk.hear(&buffer[..count])?;
        }
        Ok(())
    }
}

fn broken(error: &io::Error) -> Failure {
    Failure::new(format!("the terminal failed: {error}"))
}

/// How long to wait for the next question: whole seconds; null for ever.
fn patience(timeout: &Value) -> Result<Option<Duration>, Failure> {
    let number = match timeout {
        Value::Null => return Ok(None),
        Value::String(text) => text.trim().parse().ok(),
        Value::Number(number) => number.as_u64(),
        _ => None,
    };
    let number = number.ok_or_else(|| {
        Failure::new(format!(
            "argument 'timeout' is of type <class '{}'> and we were unable to convert to int: \"{}\" cannot be converted to an int",
            py_type(timeout),
            py_repr(timeout)
        ))
    })?;
    Ok(Some(Duration::from_secs(number)))
}

fn not_started(error: &ProcessError, program: &str) -> Failure {
    match error {
        ProcessError::ProgramNotFound { .. } | ProcessError::PermissionDenied { .. } => {
            Failure::new(format!(
                "The command was not found or was not executable: {program}."
            ))
        }
        error => Failure::new(error.to_string()),
    }
}
