//! The module `service_facts`: the services of the machine, as a fact.

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{Change, Failure, Mode, Module, Object, Output, Spec, Target, Verdict};
use serde_json::{Value, json};

/// States of units that say more than whether they run.
const BAD: &[&str] = &["not-found", "masked", "failed"];

/// The module `service_facts`.
pub(crate) struct ServiceFacts;

/// The arguments of `service_facts`: there are none.
#[derive(Debug, serde::Deserialize)]
pub(crate) struct Args {}

/// What was found.
#[derive(Default)]
pub(crate) struct Services {
    by_name: Object,
    warnings: Vec<String>,
}

#[async_trait]
impl Module for ServiceFacts {
    type Args = Args;
    type State = Services;
    const SPEC: Spec = Spec::new("service_facts", &[]);

    async fn inspect(&self, target: &dyn Target, _args: &Args) -> Result<Services, Failure> {
        let mut services = Services::default();
        services.add_scripts(target).await?;
        services.add_jobs(target).await?;
        services.add_openrc(target).await?;
        services.add_units(target).await?;
        Ok(services)
    }

    fn diff(&self, _args: &Args, state: &Services, _mode: Mode) -> Verdict {
        let key = |name: &str, value: Value| Object::from_iter([(name.to_owned(), value)]);
        let is_empty = state.by_name.is_empty();
        let result = match is_empty {
            true => key("msg", "Failed to find any services. This can be due to privileges or some other configuration issue.".into()),
            false => key("ansible_facts", json!({"services": state.by_name})),
        };
        let mut output = Output::new(result);
        output.warnings.clone_from(&state.warnings);
        match is_empty {
            true => Verdict::Skipped(output),
            false => Verdict::unchanged(output),
        }
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _state: Services,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

/// What a program says; nothing where it is not installed.
async fn ask(target: &dyn Target, program: &str, words: &[&str]) -> Result<Option<Ran>, Failure> {
    match Tool::look(target, program) {
        Some(tool) => tool.run(words).await.map(Some),
        None => Ok(None),
    }
}

impl Services {
    fn add(&mut self, name: &str, service: Value) {
        self.by_name.insert(name.to_owned(), service);
    }

    /// Scripts of `/etc/init.d`, as `service` lists them: ` [ + ]  name`.
    async fn add_scripts(&mut self, target: &dyn Target) -> Result<(), Failure> {
        if Tool::look(target, "rc-status").is_some() {
            // They are those of `OpenRC`.
            return Ok(());
        }
        let listed = ask(target, "service", &["--status-all"]).await?;
        for line in listed.unwrap_or_default().stdout.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            let state = match words.get(..3) {
                Some(["[", "+", "]"]) => "running",
                Some(["[", "-", "]"]) => "stopped",
                _ => continue,
            };
            let name = words[3..].join(" ");
            let service = json!({"name": name, "state": state, "source": "sysv"});
            self.add(&name, service);
        }
        Ok(())
    }

    /// Jobs of Upstart: `name goal/state, process 1`.
    async fn add_jobs(&mut self, target: &dyn Target) -> Result<(), Failure> {
        let version = ask(target, "initctl", &["version"]).await?;
        if !version.is_some_and(|ran| ran.stdout.contains("upstart")) {
            return Ok(());
        }
        let listed = ask(target, "initctl", &["list"]).await?;
        for line in listed.unwrap_or_default().stdout.lines() {
            let line = line.split(',').next().unwrap_or_default();
            let Some((name, (goal, state))) = line
                .rsplit_once(' ')
                .and_then(|(name, state)| Some((name, state.split_once('/')?)))
            else {
                continue;
            };
            let service = json!({"name": name, "state": state, "goal": goal, "source": "upstart"});
            self.add(name, service);
        }
        Ok(())
    }

    /// Services of `OpenRC`, with the runlevels that they are in.
    async fn add_openrc(&mut self, target: &dyn Target) -> Result<(), Failure> {
        let Some(levels) = ask(target, "rc-update", &["show", "-v"]).await? else {
            return Ok(());
        };
        let levels = levels
            .stdout
            .lines()
            .filter_map(|line| line.split_once('|'));
        let levels: BTreeMap<&str, Vec<&str>> = levels
            .map(|(name, levels)| (name.trim(), levels.split_whitespace().collect()))
            .collect();
        let status = ask(target, "rc-status", &["-a", "-s", "-m"]).await?;
        for line in status.unwrap_or_default().stdout.lines() {
            let mut words = line
                .strip_prefix(' ')
                .unwrap_or_default()
                .split(|c: char| c.is_whitespace() || matches!(c, '[' | ']'))
                .filter(|word| !word.is_empty());
            let (Some(name), Some(state)) = (words.next(), words.next()) else {
                continue;
            };
            let levels = levels.get(name).filter(|levels| !levels.is_empty());
            let service =
                json!({"name": name, "runlevels": levels, "state": state, "source": "openrc"});
            self.add(name, service);
        }
        Ok(())
    }

    /// Units of systemd: those that it has loaded, and those that it could load.
    async fn add_units(&mut self, target: &dyn Target) -> Result<(), Failure> {
        let folders = ["/run/systemd/system", "/dev/.run/systemd", "/dev/.systemd"];
        if !folders.iter().any(|folder| Path::new(folder).exists()) {
            return Ok(());
        }
        let Some(tool) = Tool::look(target, "systemctl") else {
            return Ok(());
        };
        let plain = ["--no-pager", "--type", "service", "--all", "--plain"];
        let loaded = tool.run(["list-units"].iter().chain(&plain)).await?;
        if loaded.is_success() {
            for line in loaded
                .stdout
                .lines()
                .filter(|line| line.contains(".service"))
            {
                self.add_loaded(line.trim_start_matches(['●', '○', '×', ' ']));
            }
        } else {
            let said = loaded.stderr;
            self.warnings
                .push(format!("Could not list units from systemd: {said}"));
        }
        let files = tool.run(["list-unit-files"].iter().chain(&plain)).await?;
        if !files.is_success() {
            let said = files.stderr;
            self.warnings.push(format!(
                "Could not get unit files data from systemd: {said}"
            ));
            return Ok(());
        }
        let lines = files
            .stdout
            .lines()
            .filter(|line| line.contains(".service"));
        let pairs = lines.filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?, words.next()?))
        });
        let mut others = Vec::new();
        for (name, status) in pairs {
            match self.by_name.get_mut(name) {
                Some(Value::Object(unit)) => {
                    unit.insert("status".into(), status.into());
                }
                _ => others.push((name, status)),
            }
        }
        let names: Vec<&str> = others.iter().map(|(name, _)| *name).collect();
        let states = states(&tool, &names).await?;
        for ((name, status), state) in others.into_iter().zip(states) {
            let unit = json!({"name": name, "state": state, "status": status, "source": "systemd"});
            self.add(name, unit);
        }
        Ok(())
    }

    /// A line such as `ssh.service loaded active running OpenBSD Secure Shell server`.
    fn add_loaded(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [name, load, active, sub, ..] = words[..] else {
            return;
        };
        let bad = BAD.iter().find(|bad| [load, active, sub].contains(bad));
        let state = if sub == "running" { sub } else { "stopped" };
        let status = bad.copied().unwrap_or(active);
        let unit = json!({"name": name, "state": state, "status": status, "source": "systemd"});
        self.add(name, unit);
    }
}

/// The states of units that are not loaded, all asked for at once; a template by itself has none.
async fn states(tool: &Tool<'_>, names: &[&str]) -> Result<Vec<String>, Failure> {
    let is_template = |name: &&&str| name.contains("@.");
    let asked: Vec<&str> = names
        .iter()
        .filter(|name| !is_template(name))
        .copied()
        .collect();
    let show = ["show", "--property=ActiveState", "--"];
    let mut found = Vec::new();
    if !asked.is_empty() {
        let shown = tool.run(show.iter().chain(&asked)).await?;
        found = shown.stdout.lines().filter_map(state).collect();
    }
    if found.len() != asked.len() {
        found.clear();
        for name in &asked {
            let shown = tool.run(show.iter().chain([name])).await?;
            let said = shown.stdout.lines().find_map(state);
            found.push(said.unwrap_or_else(|| "unknown".to_owned()));
        }
    }
    let mut found = found.into_iter();
    let of = |name: &&str| match is_template(&name) {
        true => Some("unknown".to_owned()),
        false => found.next(),
    };
    Ok(names.iter().filter_map(of).collect())
}

fn state(line: &str) -> Option<String> {
    let state = line.strip_prefix("ActiveState=")?;
    Some(state.trim_end().to_owned())
}
