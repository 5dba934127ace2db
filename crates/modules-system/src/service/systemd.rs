//! The modules `systemd_service` and `systemd`, which are one: units of systemd, through `systemctl`.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use super::control::ServiceState;
use super::unit::Unit;
use rustle_module::tool::{Ran, Tool};

const OFFLINE: &str = "Target is a chroot or systemd is offline. This can lead to false positives or prevent the init system tools from working.";

/// The module `systemd_service`, and by its older name `systemd`.
pub(crate) struct Systemd<const OLD_NAME: bool>;

/// Whose units are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Scope {
    System,
    User,
    Global,
}

/// The arguments of `systemd_service`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    pub(super) name: Option<String>,
    pub(super) state: Option<ServiceState>,
    pub(super) enabled: Option<bool>,
    pub(super) force: Option<bool>,
    pub(super) masked: Option<bool>,
    pub(super) daemon_reload: bool,
    pub(super) daemon_reexec: bool,
    pub(super) scope: Scope,
    pub(super) no_block: bool,
}

/// What [`Systemd`] found, and what has to be done.
#[derive(Default)]
pub(crate) struct State {
    unit: Unit,
    /// Verbs for the unit, in their order.
    actions: Vec<&'static str>,
    /// The result.
    result: Object,
    warnings: Vec<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).aliases(&["service", "unit"]),
    Opt::new("state", Type::Str).choices(&["reloaded", "restarted", "started", "stopped"]),
    Opt::new("enabled", Type::Bool),
    Opt::new("force", Type::Bool),
    Opt::new("masked", Type::Bool),
    Opt::new("daemon_reload", Type::Bool)
        .default(Default::Bool(false))
        .aliases(&["daemon-reload"]),
    Opt::new("daemon_reexec", Type::Bool)
        .default(Default::Bool(false))
        .aliases(&["daemon-reexec"]),
    Opt::new("scope", Type::Str)
        .default(Default::Str("system"))
        .choices(&["system", "user", "global"]),
    Opt::new("no_block", Type::Bool).default(Default::Bool(false)),
];

const fn by_name(option: &'static str) -> Constraint {
    Constraint::RequiredBy {
        option,
        required: &["name"],
    }
}

const CONSTRAINTS: &[Constraint] = &[
    Constraint::RequiredOneOf(&[
        "state",
        "enabled",
        "masked",
        "daemon_reload",
        "daemon_reexec",
    ]),
    by_name("state"),
    by_name("enabled"),
    by_name("masked"),
];

#[async_trait]
impl<const OLD_NAME: bool> Module for Systemd<OLD_NAME> {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        if OLD_NAME {
            "systemd"
        } else {
            "systemd_service"
        },
        OPTIONS,
    )
    .constraints(CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        inspect(target, args).await
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        verdict(state)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        apply(target, args, state).await
    }
}

/// Looks at the unit. What asks systemd to read its units anew comes first, unless in check mode: what follows depends on it.
pub(super) async fn inspect(target: &dyn Target, args: &Args) -> Result<State, Failure> {
    let systemctl = Systemctl::new(target, args)?;
    let mut state = State::default();
    if !target.mode().check {
        for (verb, is_wanted) in [
            ("daemon-reload", args.daemon_reload),
            ("daemon-reexec", args.daemon_reexec),
        ] {
            if is_wanted {
                systemctl.daemon(verb, &mut state.warnings).await?;
            }
        }
    }
    let name = args.name.as_deref().map_or(Value::Null, Value::from);
    state.result.insert("name".into(), name);
    if let Some(name) = args.name.as_deref() {
        plan(&systemctl, args, name, &mut state).await?;
    }
    let status = state.unit.properties.clone();
    state.result.insert("status".into(), status.into());
    Ok(state)
}

/// What has to be done, or that nothing has.
pub(super) fn verdict(state: &State) -> Verdict {
    let output = Output {
        warnings: state.warnings.clone(),
        ..Output::new(state.result.clone())
    };
    Verdict::change_if(!state.actions.is_empty(), output)
}

/// Does what has to be done.
pub(super) async fn apply(
    target: &dyn Target,
    args: &Args,
    state: State,
) -> Result<Output, Failure> {
    let systemctl = Systemctl::new(target, args)?;
    let name = args.name.as_deref().unwrap_or_default();
    for action in &state.actions {
        let ran = systemctl.run(&[action, "--", name]).await?;
        if ran.rc == 0 {
            continue;
        }
        let why = match *action {
            "mask" | "unmask" if !state.unit.is_known() => return Err(missing(name)),
            // As in Ansible, a unit that can be found but not masked is none.
            "mask" | "unmask" => continue,
            "enable" | "disable" => format!("{}{}", ran.stdout, ran.stderr),
            _ => ran.stderr,
        };
        return Err(Failure::new(format!(
            "Unable to {action} service {name}: {why}"
        )));
    }
    Ok(Output {
        warnings: state.warnings,
        ..Output::new(state.result)
    })
}

/// Finds out what has to be done to a unit.
async fn plan(
    systemctl: &Systemctl<'_>,
    args: &Args,
    name: &str,
    state: &mut State,
) -> Result<(), Failure> {
    if let Some(pattern) = name.chars().find(|c| matches!(c, '*' | '?' | '[')) {
        return Err(Failure::new(format!(
            "This module does not currently support using glob patterns, found '{pattern}' in service name: {name}"
        )));
    }
    let is_found = look(systemctl, name, state).await?;
    if let Some(masked) = args.masked {
        let asked = systemctl.run(&["is-enabled", "--", name]).await?;
        let is_masked = asked.stdout.trim() == "masked";
        if is_masked != masked {
            state.actions.push(if masked { "mask" } else { "unmask" });
        }
    }
    if args.enabled.is_none() && args.state.is_none() {
        return Ok(());
    }
    if !is_found {
        return Err(missing(name));
    }
    if let Some(enabled) = args.enabled {
        let asked = systemctl.run(&["is-enabled", "--", name]).await?;
        let word = asked.stdout.trim();
        let is_enabled = asked.rc == 0 && !matches!(word, "indirect" | "alias");
        if is_enabled != enabled {
            state
                .actions
                .push(if enabled { "enable" } else { "disable" });
        }
        state.result.insert("enabled".into(), enabled.into());
    }
    if let Some(wanted) = args.state {
        plan_state(systemctl, wanted, state)?;
    }
    Ok(())
}

/// Looks at a unit, and tells whether there is one.
async fn look(systemctl: &Systemctl<'_>, name: &str, state: &mut State) -> Result<bool, Failure> {
    let shown = systemctl.run(&["show", "--", name]).await?;
    let is_ignored = |text: &str| text.contains("ignoring request");
    let mut is_found = false;
    if is_ignored(&shown.stdout) || is_ignored(&shown.stderr) || shown.rc != 0 {
        // Offline, or in a chroot: only the files of units can be asked for.
        let listed = systemctl.run(&["list-unit-files", "--", name]).await?;
        is_found = listed.rc == 0;
    } else {
        state.unit = Unit::parse(&shown.stdout);
        if let Some(error) = state.unit.load_error() {
            let msg = format!("Error loading unit file '{name}': {error}");
            return Err(Failure::new(msg));
        }
    }
    let is_script = Path::new("/etc/init.d").join(name).exists();
    is_found |= state.unit.is_known();
    if is_script && !is_found {
        state.warnings.push(format!(
            "The service ({name}) is actually an init script but the system is managed by systemd"
        ));
    }
    is_found |= is_script;
    Ok(is_found)
}

/// Finds out what has to be done for a unit to run as it shall.
fn plan_state(
    systemctl: &Systemctl<'_>,
    wanted: ServiceState,
    state: &mut State,
) -> Result<(), Failure> {
    state.result.insert("state".into(), wanted.word().into());
    match state.unit.is_running() {
        Some(is_running) => {
            let outcome = wanted.outcome();
            state.result.insert("state".into(), outcome.into());
            let action = wanted.action(is_running, state.unit.is_stopping());
            state.actions.extend(action);
        }
        None if systemctl.is_offline() => state.warnings.push(OFFLINE.to_owned()),
        None => {
            let status = state.unit.properties.clone();
            return Err(Failure::new("Service is in unknown state").with("status", status));
        }
    }
    Ok(())
}

fn missing(name: &str) -> Failure {
    Failure::new(format!("Could not find the requested service {name}: host"))
}

/// `systemctl` with the options of a task.
struct Systemctl<'a> {
    target: &'a dyn Target,
    tool: Tool<'a>,
    options: Vec<&'static str>,
}

impl<'a> Systemctl<'a> {
    fn new(target: &'a dyn Target, args: &Args) -> Result<Self, Failure> {
        let mut options = match args.scope {
            Scope::System => Vec::new(),
            Scope::User => vec!["--user"],
            Scope::Global => vec!["--global"],
        };
        if args.no_block {
            options.push("--no-block");
        }
        if args.force == Some(true) {
            options.push("--force");
        }
        Ok(Self {
            target,
            tool: Tool::find(target, "systemctl")?,
            options,
        })
    }

    async fn run(&self, words: &[&str]) -> Result<Ran, Failure> {
        let words = self.options.iter().chain(words);
        let mut command = self.tool.command(words);
        if self.target.variable("XDG_RUNTIME_DIR").is_none() {
            let uid = rustix::process::getuid().as_raw();
            command = command.env("XDG_RUNTIME_DIR", format!("/run/user/{uid}"));
        }
        self.tool.run_command(command).await
    }

    async fn daemon(&self, verb: &str, warnings: &mut Vec<String>) -> Result<(), Failure> {
        let ran = self.run(&[verb]).await?;
        if ran.rc == 0 {
            return Ok(());
        }
        let (rc, stderr) = (ran.rc, ran.stderr);
        if self.is_offline() {
            warnings.push(format!(
                "{verb} failed, but target is a chroot or systemd is offline. Continuing. Error was: {rc} / {stderr}"
            ));
            return Ok(());
        }
        Err(Failure::new(format!(
            "failure {rc} during {verb}: {stderr}"
        )))
    }

    /// Whether no systemd runs this system: a chroot, a container without one, or said so.
    fn is_offline(&self) -> bool {
        let said = self.target.variable("SYSTEMD_OFFLINE");
        said.as_deref() == Some("1") || !Path::new("/run/systemd/system").exists()
    }
}
