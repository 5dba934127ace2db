//! Modules that are not native, on their host: programs that speak Ansible's protocols.
//!
//! Such a module does all by itself: it checks its arguments, knows check mode and hides its secrets. Here its program is kept,
//! it is given its arguments, and what it prints is read as its result. No argument is ever part of a command line.

mod answer;
mod kept;
mod python;
mod workplace;

use std::time::Duration;

use async_trait::async_trait;
use rustle_module::foreign::{FOREIGN, ForeignCall, Interpreter, Protocol};
use rustle_module::{
    DynModule, Failure, ModuleResult, Object, Spec, Target, pause, py_json, py_str,
};
use rustle_process::{Command, Finished, OutputLimit, ProcessError, shell_quote};
use serde_json::Value;

use self::kept::kept_program;
use self::workplace::Workplace;

/// How much of a module's output is read: more than the longest result that a connection carries.
const OUTPUT: OutputLimit = OutputLimit {
    head_bytes: 40 << 20,
    tail_bytes: 0,
};

/// How often a binary is started that some other process of ours seems to be writing still.
const BUSY_TRIES: u32 = 20;

/// Between two such starts.
const BUSY_PAUSE: Duration = Duration::from_millis(25);

/// Runs modules that are not native.
pub(crate) struct Foreign;

const SPEC: Spec = Spec::new(FOREIGN, &[]).any_option();

#[async_trait]
impl DynModule for Foreign {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn call(&self, target: &dyn Target, args: Object) -> ModuleResult {
        match run(target, args).await {
            Ok(result) => result,
            Err(failure) => failure.into(),
        }
    }
}

async fn run(target: &dyn Target, args: Object) -> Result<ModuleResult, Failure> {
    let call: ForeignCall = serde_json::from_value(Value::Object(args))
        .map_err(|error| Failure::new(format!("the call of a module is not whole: {error}")))?;
    let program = kept_program(
        target,
        &call.program,
        call.interpreter == Interpreter::Itself,
    );
    let program = program.await?;
    if call.is_fetched_only {
        return Ok(ModuleResult::default());
    }
    let interpreter = interpreter(target, &call).await?;
    let place = Workplace::make(target)?;
    let mut args = call.args;
    args.insert(
        "_ansible_tmpdir".into(),
        Value::String(format!("{}/", place.path().display())),
    );
    let mut program = program;
    let mut words = Vec::new();
    let mut stdin = None;
    match call.protocol {
        Protocol::KeyValueFile => words.push(place.keep("args", key_values(&args).as_bytes())?),
        Protocol::JsonFile => words.push(place.keep("args", json(&args).as_bytes())?),
        Protocol::JsonInText => program = place.keep_text(&program, &json(&args))?,
        Protocol::JsonOnStdin => stdin = Some(json(&args)),
    }
    let mut command = match interpreter.words.split_first() {
        None => Command::new(&program),
        Some((first, rest)) => Command::new(first).args(rest).arg(&program),
    };
    command = command.args(&words).output_limit(OUTPUT);
    if let Some(stdin) = stdin {
        command = command.stdin(stdin);
    }
    let finished = start(target, command).await;
    let finished = finished.map_err(|error| not_started(&call.name, &error))?;
    let mut result = answer::read(&finished);
    interpreter.tell(&mut result);
    Ok(result)
}

/// Starts a module. Where another thread of ours starts a program while one is being kept, the kept one counts as written to for
/// as long as that takes.
async fn start(target: &dyn Target, command: Command) -> Result<Finished, ProcessError> {
    for _ in 0..BUSY_TRIES {
        let outcome = target.run(command.clone()).await;
        let is_busy = |error: &ProcessError| {
            let said = error.io_error().map(std::io::Error::kind);
            said == Some(std::io::ErrorKind::ExecutableFileBusy)
        };
        match outcome {
            Err(error) if is_busy(&error) && pause(target, BUSY_PAUSE).await.is_ok() => {}
            outcome => return outcome,
        }
    }
    target.run(command).await
}

/// What a module is run by, and what is told of the choice.
#[derive(Default)]
struct Chosen {
    words: Vec<String>,
    /// A Python that nobody named.
    discovered: Option<String>,
    warning: Option<String>,
}

impl Chosen {
    fn tell(self, result: &mut ModuleResult) {
        result.warnings.splice(0..0, self.warning);
        let Some(path) = self.discovered else { return };
        let facts = result.result.entry("ansible_facts");
        let facts = facts.or_insert_with(|| Value::Object(Object::new()));
        if let Value::Object(facts) = facts {
            facts.insert("discovered_interpreter_python".into(), path.into());
        }
    }
}

async fn interpreter(target: &dyn Target, call: &ForeignCall) -> Result<Chosen, Failure> {
    match &call.interpreter {
        Interpreter::Itself => Ok(Chosen::default()),
        Interpreter::Words(words) => Ok(Chosen {
            words: words.clone(),
            ..Chosen::default()
        }),
        Interpreter::AnyPython {
            candidates,
            args,
            is_told,
        } => {
            let found = python::find(target, candidates).await;
            let found = found.ok_or_else(|| {
                Failure::new(format!(
                    "the module `{}` needs Python, and this host has none: no {} in its PATH runs. \
                     Install one, or name it by `ansible_python_interpreter`",
                    call.name,
                    candidates.join(", ")
                ))
            })?;
            let mut words = vec![found.clone()];
            words.extend(args.iter().cloned());
            let warning = is_told.then(|| {
                format!("the module runs by the Python `{found}`, which was found by its name; another may be found once one more is installed. `ansible_python_interpreter` names one for good")
            });
            Ok(Chosen {
                words,
                discovered: Some(found),
                warning,
            })
        }
    }
}

fn not_started(name: &str, error: &ProcessError) -> Failure {
    match error {
        ProcessError::ProgramNotFound { program, .. }
        | ProcessError::InterpreterNotFound { program, .. } => {
            Failure::new(format!("The module interpreter '{program}' was not found."))
                .with("rc", 127)
        }
        error => {
            let why = error.io_error().map(|why| format!(": {why}"));
            let why = why.unwrap_or_default();
            Failure::new(format!("cannot run the module `{name}`: {error}{why}"))
        }
    }
}

fn json(args: &Object) -> String {
    py_json(&Value::Object(args.clone()))
}

/// `key=value` words as a shell would read them, values as Python prints them.
fn key_values(args: &Object) -> String {
    let words = args.iter().map(|(name, value)| {
        let value = py_str(value);
        format!("{name}={} ", shell_quote(&value))
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_words_of_a_shell_in_pythons_spelling() {
        let Value::Object(args) =
            json!({"a": 1, "b": "x y", "c": [1, "q'z"], "d": {"k": "v"}, "e": true, "f": null})
        else {
            unreachable!("an object")
        };
        let expected =
            r#"a=1 b='x y' c='[1, "q'"'"'z"]' d='{'"'"'k'"'"': '"'"'v'"'"'}' e=True f=None "#;
        assert_eq!(key_values(&args), expected);
    }
}
