//! The module `sysvinit`: services by scripts in `/etc/init.d`.

use std::time::Duration;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, pause,
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::control::ServiceState;
use super::sysv;

/// Exit statuses of `status` that tell whether a service runs; the first says that it does.
const TELLING: [i32; 6] = [0, 1, 2, 3, 4, 69];

/// The module `sysvinit`.
pub(crate) struct SysVInit;

/// The arguments of `sysvinit`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    state: Option<ServiceState>,
    enabled: Option<bool>,
    sleep: u64,
    pattern: Option<String>,
    arguments: Option<String>,
    runlevels: Option<Vec<String>>,
    daemonize: bool,
}

/// What has to be done.
#[derive(Default)]
pub(crate) struct State {
    enable: bool,
    verbs: Vec<&'static str>,
    warnings: Vec<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required().aliases(&["service"]),
    Opt::new("state", Type::Str).choices(&["started", "stopped", "restarted", "reloaded"]),
    Opt::new("enabled", Type::Bool),
    Opt::new("sleep", Type::Int).default(Default::Int(1)),
    Opt::new("pattern", Type::Str),
    Opt::new("arguments", Type::Str).aliases(&["args"]),
    Opt::new("runlevels", Type::List(&Type::Str)),
    Opt::new("daemonize", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for SysVInit {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("sysvinit", OPTIONS)
        .constraints(&[Constraint::RequiredOneOf(&["state", "enabled"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        if !sysv::is_found(&args.name) {
            return Err(sysv::missing(&args.name));
        }
        let mut state = State {
            enable: args
                .enabled
                .is_some_and(|wanted| args.is_enabled(wanted) != wanted),
            ..State::default()
        };
        state.verbs = match args.state {
            None => Vec::new(),
            Some(ServiceState::Reloaded) => vec!["reload"],
            Some(ServiceState::Restarted) => vec!["stop", "start"],
            Some(wanted) => {
                let is_running = args.is_running(target, &mut state.warnings).await?;
                wanted.action(is_running, false).into_iter().collect()
            }
        };
        Ok(state)
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let differs = state.enable || !state.verbs.is_empty();
        let told = |acts: bool| (acts, None);
        let acts = !state.verbs.is_empty();
        Verdict::change_if(differs, args.output(told(state.enable), told(acts), state))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut enabled = None;
        if state.enable {
            let wanted = args.enabled == Some(true);
            let levels = args.runlevels.as_deref().unwrap_or_default();
            let ran = sysv::enable(target, &args.name, wanted, levels).await?;
            let verb = if wanted { "enable" } else { "disable" };
            enabled = Some(args.checked(ran, verb)?);
        }
        let mut acted: Option<Ran> = None;
        for (at, verb) in state.verbs.iter().enumerate() {
            if at > 0 {
                pause(target, Duration::from_secs(args.sleep)).await?;
            }
            let ran = args.call(target, verb).await?;
            let told = if state.verbs.len() > 1 {
                "restart"
            } else {
                verb
            };
            let ran = args.checked(ran, told)?;
            acted.get_or_insert_default().join(&ran);
        }
        let acts = acted.is_some();
        Ok(args.output((state.enable, enabled), (acts, acted), &state))
    }
}

impl Args {
    /// Whether it starts with the machine: in one of the usual runlevels, or in those that are given.
    fn is_enabled(&self, wanted: bool) -> bool {
        let starts = |level: &str| sysv::starts_in(level, &self.name);
        match self.runlevels.as_deref().unwrap_or_default() {
            [] => sysv::LEVELS.iter().any(|level| starts(level)),
            levels if wanted => levels.iter().all(|level| starts(level)),
            levels => levels.iter().any(|level| starts(level)),
        }
    }

    async fn is_running(
        &self,
        target: &dyn Target,
        warnings: &mut Vec<String>,
    ) -> Result<bool, Failure> {
        let pattern = self.pattern.as_deref().filter(|text| !text.is_empty());
        let known = match pattern {
            Some(pattern) => sysv::has_process(pattern).then_some(true),
            None => {
                let tool = Tool::at(target, sysv::script(&self.name));
                told(&tool.run(["status"]).await?)
            }
        };
        if known.is_none() {
            let msg = "Unable to determine if service is up, assuming it is down";
            warnings.push(msg.to_owned());
        }
        Ok(known == Some(true))
    }

    /// Runs the script.
    async fn call(&self, target: &dyn Target, verb: &str) -> Result<Ran, Failure> {
        let arguments = self.arguments.as_deref().unwrap_or_default();
        let words = [verb].into_iter().chain(arguments.split_whitespace());
        let tool = Tool::at(target, sysv::script(&self.name));
        let command = tool.command(words);
        // What a script leaves in the background goes on by itself, in a session of its own if need be.
        let command = match self.daemonize {
            true => command.new_session(),
            false => command,
        };
        tool.run_command(command).await
    }

    fn checked(&self, ran: Ran, verb: &str) -> Result<Ran, Failure> {
        if ran.is_success() {
            return Ok(ran);
        }
        let failure = Failure::new(format!("Failed to {verb} service: {}", self.name));
        Err(failure
            .with("rc", ran.rc)
            .with("stdout", ran.stdout)
            .with("stderr", ran.stderr))
    }

    fn output(
        &self,
        enabled: (bool, Option<Ran>),
        acted: (bool, Option<Ran>),
        state: &State,
    ) -> Output {
        let mut enabled = shown(enabled);
        if let (Some(levels), Value::Object(enabled)) = (&self.runlevels, &mut enabled) {
            enabled.insert("runlevels".into(), json!(levels));
        }
        let word = self.state.map_or("null", ServiceState::word);
        let mut status = Object::from_iter([("enabled".to_owned(), enabled)]);
        status.insert(word.into(), shown(acted));
        let mut output = Output::new(Object::from_iter([
            ("name".to_owned(), self.name.as_str().into()),
            ("status".to_owned(), status.into()),
        ]));
        output.warnings.clone_from(&state.warnings);
        output
    }
}

/// What was done, with what was said to it.
fn shown((changed, ran): (bool, Option<Ran>)) -> Value {
    let (rc, stdout, stderr) = match ran {
        Some(ran) => (Some(ran.rc), Some(ran.stdout), Some(ran.stderr)),
        None => (None, None, None),
    };
    json!({"changed": changed, "rc": rc, "stdout": stdout, "stderr": stderr})
}

/// What a script says of its service: by its exit status, or by what it writes.
fn told(ran: &Ran) -> Option<bool> {
    if TELLING.contains(&ran.rc) {
        return Some(ran.is_success());
    }
    let said = format!("{}{}", ran.stdout, ran.stderr).to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    match has(&["not running", "stopped", "dead"]) {
        true => Some(false),
        false => has(&["running", "started"]).then_some(true),
    }
}
