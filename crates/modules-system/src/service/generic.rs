//! The module `service`: services of whatever manages them here.
//!
//! systemd is asked as `systemd_service` does; `OpenRC` and scripts in `/etc/init.d` by their own programs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, pause,
};
use serde::Deserialize;

use super::control::ServiceState;
use super::systemd::{self, Scope};
use super::sysv;
use rustle_module::tool::{Ran, Tool};

/// The module `service`.
pub(crate) struct Service;

/// The arguments of `service`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    state: Option<ServiceState>,
    enabled: Option<bool>,
    sleep: Option<u64>,
    pattern: Option<String>,
    runlevel: String,
    arguments: String,
    r#use: String,
}

/// What manages the services of this machine.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Manager {
    OpenRc,
    Scripts,
}

/// What [`Service`] found, and what has to be done.
pub(crate) enum State {
    /// systemd knows.
    Systemd(Box<(systemd::Args, systemd::State)>),
    /// Another manager knows.
    Other {
        manager: Manager,
        action: Option<&'static str>,
        enable: Option<bool>,
    },
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("state", Type::Str).choices(&["reloaded", "restarted", "started", "stopped"]),
    Opt::new("enabled", Type::Bool),
    Opt::new("sleep", Type::Int),
    Opt::new("pattern", Type::Str),
    Opt::new("runlevel", Type::Str).default(Default::Str("default")),
    Opt::new("arguments", Type::Str)
        .default(Default::Str(""))
        .aliases(&["args"]),
    Opt::new("use", Type::Str).default(Default::Str("auto")),
];

#[async_trait]
impl Module for Service {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("service", OPTIONS)
        .constraints(&[Constraint::RequiredOneOf(&["state", "enabled"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let Some(manager) = args.manager(target) else {
            let unit = args.unit();
            let state = systemd::inspect(target, &unit).await?;
            return Ok(State::Systemd(Box::new((unit, state))));
        };
        args.check_found(manager)?;
        let action = match args.state {
            None => None,
            Some(state) => {
                let is_running = args.is_running(target, manager).await?;
                state.action(is_running, false)
            }
        };
        let enable = match args.enabled {
            None => None,
            Some(wanted) => {
                let is_enabled = args.is_enabled(manager);
                (is_enabled != wanted).then_some(wanted)
            }
        };
        Ok(State::Other {
            manager,
            action,
            enable,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        match state {
            State::Systemd(known) => args.with_warnings(systemd::verdict(&known.1)),
            State::Other { action, enable, .. } => {
                let output = Output::new(args.result());
                Verdict::change_if(action.is_some() || enable.is_some(), output)
            }
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let (manager, action, enable) = match state {
            State::Systemd(known) => {
                let (unit, state) = *known;
                let mut output = systemd::apply(target, &unit, state).await?;
                output.warnings.extend(args.unused());
                return Ok(output);
            }
            State::Other {
                manager,
                action,
                enable,
            } => (manager, action, enable),
        };
        if let Some(enable) = enable {
            let ran = args.enable(target, manager, enable).await?;
            args.checked(ran, if enable { "enable" } else { "disable" })?;
        }
        if let Some(action) = action {
            args.act(target, manager, action).await?;
        }
        Ok(Output::new(args.result()))
    }
}

impl Args {
    /// What manages the services, unless it is systemd.
    fn manager(&self, target: &dyn Target) -> Option<Manager> {
        let is_there = |path: &str| Path::new(path).exists();
        match self.r#use.as_str() {
            "systemd" | "systemd_service" | "ansible.builtin.systemd" => None,
            "openrc" => Some(Manager::OpenRc),
            "auto" if is_there("/run/systemd/system") => None,
            "auto" if is_there("/run/openrc") || is_there("/sbin/openrc-run") => {
                Some(Manager::OpenRc)
            }
            "auto"
                if Tool::find(target, "systemctl").is_ok()
                    && !sysv::script(&self.name).exists() =>
            {
                None
            }
            _ => Some(Manager::Scripts),
        }
    }

    /// The same as arguments of `systemd_service`.
    fn unit(&self) -> systemd::Args {
        systemd::Args {
            name: Some(self.name.clone()),
            state: self.state,
            enabled: self.enabled,
            force: None,
            masked: None,
            daemon_reload: false,
            daemon_reexec: false,
            scope: Scope::System,
            no_block: false,
        }
    }

    /// Hints about options that systemd does not have.
    fn unused(&self) -> Vec<String> {
        let given = [
            ("pattern", self.pattern.is_some()),
            ("runlevel", self.runlevel != "default"),
            ("sleep", self.sleep.is_some()),
            ("arguments", !self.arguments.is_empty()),
        ];
        let given = given.iter().filter(|(_, is_given)| *is_given);
        given
            .map(|(name, _)| format!("Ignoring \"{name}\" as it is not used in \"systemd\""))
            .collect()
    }

    fn with_warnings(&self, mut verdict: Verdict) -> Verdict {
        if let Verdict::Unchanged { output, .. }
        | Verdict::Change(Change {
            predicted: output, ..
        }) = &mut verdict
        {
            output.warnings.extend(self.unused());
        }
        verdict
    }

    fn result(&self) -> Object {
        let mut result = Object::new();
        result.insert("name".into(), self.name.as_str().into());
        if let Some(state) = self.state {
            result.insert("state".into(), state.outcome().into());
        }
        if let Some(enabled) = self.enabled {
            result.insert("enabled".into(), enabled.into());
        }
        result
    }

    fn check_found(&self, manager: Manager) -> Result<(), Failure> {
        let name = &self.name;
        match manager {
            _ if sysv::is_found(name) => Ok(()),
            Manager::Scripts => Err(sysv::missing(name)),
            Manager::OpenRc => Err(Failure::new(format!(
                "Could not find the requested service {name}: host"
            ))),
        }
    }

    async fn is_running(&self, target: &dyn Target, manager: Manager) -> Result<bool, Failure> {
        if let Some(pattern) = self.pattern.as_deref().filter(|text| !text.is_empty()) {
            return Ok(sysv::has_process(pattern));
        }
        let ran = self.call(target, manager, "status").await?;
        Ok(ran.rc == 0)
    }

    /// Runs the service's own script.
    async fn call(
        &self,
        target: &dyn Target,
        manager: Manager,
        verb: &str,
    ) -> Result<Ran, Failure> {
        let arguments = self.arguments.split_whitespace();
        match manager {
            Manager::OpenRc => {
                let words = ["--", &self.name, verb].into_iter().chain(arguments);
                Tool::find(target, "rc-service")?.run(words).await
            }
            Manager::Scripts if Tool::find(target, "service").is_ok() => {
                let words = [self.name.as_str(), verb].into_iter().chain(arguments);
                Tool::find(target, "service")?.run(words).await
            }
            Manager::Scripts => {
                let words = [verb].into_iter().chain(arguments);
                Tool::at(target, sysv::script(&self.name)).run(words).await
            }
        }
    }

    async fn act(
        &self,
        target: &dyn Target,
        manager: Manager,
        action: &str,
    ) -> Result<(), Failure> {
        let Some(sleep) = self.sleep.filter(|_| action == "restart") else {
            let ran = self.call(target, manager, action).await?;
            return self.checked(ran, action);
        };
        let ran = self.call(target, manager, "stop").await?;
        self.checked(ran, "stop")?;
        pause(target, Duration::from_secs(sleep)).await?;
        let ran = self.call(target, manager, "start").await?;
        self.checked(ran, "start")
    }

    fn checked(&self, ran: Ran, action: &str) -> Result<(), Failure> {
        if ran.rc == 0 {
            return Ok(());
        }
        let text = if ran.stderr.is_empty() {
            ran.stdout
        } else {
            ran.stderr
        };
        let msg = format!("Unable to {action} service {}: {text}", self.name);
        Err(Failure::new(msg).with("rc", ran.rc))
    }

    /// Whether the service starts with the machine.
    fn is_enabled(&self, manager: Manager) -> bool {
        if manager == Manager::OpenRc {
            let link = Path::new("/etc/runlevels")
                .join(&self.runlevel)
                .join(&self.name);
            return fs::symlink_metadata(link).is_ok();
        }
        let mut levels = sysv::LEVELS.iter();
        levels.any(|level| sysv::starts_in(level, &self.name))
    }

    async fn enable(
        &self,
        target: &dyn Target,
        manager: Manager,
        enable: bool,
    ) -> Result<Ran, Failure> {
        let name = self.name.as_str();
        if manager == Manager::OpenRc {
            let verb = if enable { "add" } else { "del" };
            let tool = Tool::find(target, "rc-update")?;
            return tool.run([verb, "--", name, &self.runlevel]).await;
        }
        sysv::enable(target, name, enable, &[]).await
    }
}
