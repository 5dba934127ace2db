//! The module `pacman`: packages of Arch Linux.

use std::collections::BTreeMap;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use rustle_process::split_command;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::{Plan, Standing, Wish};

/// The module `pacman`.
pub(crate) struct Pacman;

/// The arguments of `pacman`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    executable: String,
    extra_args: String,
    force: bool,
    name: Option<Vec<String>>,
    reason: Option<String>,
    reason_for: String,
    remove_nosave: bool,
    state: String,
    update_cache: Option<bool>,
    update_cache_extra_args: String,
    upgrade: Option<bool>,
    upgrade_extra_args: String,
}

const OPTIONS: &[Opt] = &[
    Opt::new("executable", Type::Str).default(Default::Str("pacman")),
    Opt::new("extra_args", Type::Str).default(Default::Str("")),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("name", Type::List(&Type::Str)).aliases(&["package", "pkg"]),
    Opt::new("reason", Type::Str).choices(&["dependency", "explicit"]),
    Opt::new("reason_for", Type::Str)
        .default(Default::Str("new"))
        .choices(&["all", "new"]),
    Opt::new("remove_nosave", Type::Bool).default(Default::Bool(false)),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "installed", "latest", "present", "removed"]),
    Opt::new("update_cache", Type::Bool),
    Opt::new("update_cache_extra_args", Type::Str).default(Default::Str("")),
    Opt::new("upgrade", Type::Bool),
    Opt::new("upgrade_extra_args", Type::Str).default(Default::Str("")),
];

/// What is to be done: calls of the program, in order, and the packages they are about.
pub(crate) struct Found {
    calls: Vec<Vec<String>>,
    packages: Vec<String>,
}

#[async_trait]
impl Module for Pacman {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("community.general.pacman", OPTIONS).constraints(&[
        Constraint::MutuallyExclusive(&["name", "upgrade"]),
        Constraint::RequiredOneOf(&["name", "update_cache", "upgrade"]),
    ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let tool = args.tool(target)?;
        let installed = parse_versions(&tool.run(["-Q"]).await?.stdout);
        let outdated = if args.upgrade == Some(true) || args.state == "latest" {
            parse_outdated(&tool.run(["-Qu"]).await?.stdout)
        } else {
            Vec::new()
        };
        if args.upgrade == Some(true) {
            let mut calls = Vec::new();
            if !outdated.is_empty() {
                let extra = words(&args.upgrade_extra_args)?;
                calls.push([vec!["-Su".into(), "--noconfirm".into()], extra].concat());
            }
            return Ok(Found {
                calls,
                packages: outdated,
            });
        }
        args.calls(args.plan(&installed, &outdated))
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        let output = Output::new(args.result(found));
        Verdict::change_if(
            !found.calls.is_empty() || args.update_cache == Some(true),
            output,
        )
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        change: Change,
    ) -> Result<Output, Failure> {
        let tool = args.tool(target)?;
        let mut output = change.predicted;
        if args.update_cache == Some(true) {
            let mut call = vec!["-Sy".to_owned()];
            call.extend(args.force.then(|| "-y".to_owned()));
            call.extend(words(&args.update_cache_extra_args)?);
            let ran = tool.run(call).await?;
            if !ran.is_success() {
                return Err(failure("could not update package db", &ran));
            }
        }
        let (mut stdout, mut stderr) = (String::new(), String::new());
        for call in &found.calls {
            let ran = tool.run(call).await?;
            if !ran.is_success() {
                let names = found.packages.join(", ");
                let msg = format!("failed to change package(s): {names}");
                return Err(failure(&msg, &ran));
            }
            stdout += &ran.stdout;
            stderr += &ran.stderr;
        }
        if !found.calls.is_empty() {
            output.result.insert("stdout".into(), stdout.into());
            output.result.insert("stderr".into(), stderr.into());
        }
        Ok(output)
    }
}

impl Args {
    fn tool<'a>(&self, target: &'a dyn Target) -> Result<Tool<'a>, Failure> {
        if self.executable.starts_with('/') {
            return Ok(Tool::at(target, &self.executable));
        }
        Tool::find(target, &self.executable)
    }

    fn plan(&self, installed: &BTreeMap<String, String>, outdated: &[String]) -> Plan {
        let wish = match self.state.as_str() {
            "absent" | "removed" => Wish::Absent,
            "latest" => Wish::Latest,
            _ => Wish::Present,
        };
        let standings = self.name.iter().flatten().map(|name| {
            let bare = name.split_once('/').map_or(name.as_str(), |(_, bare)| bare);
            let standing = match installed.get(bare) {
                None => Standing::Missing,
                Some(_) if outdated.iter().any(|name| name == bare) => Standing::Outdated,
                Some(_) => Standing::Current,
            };
            (name.clone(), standing)
        });
        Plan::new(wish, standings)
    }

    /// The calls that carry a plan out.
    fn calls(&self, plan: Plan) -> Result<Found, Failure> {
        let mut calls = Vec::new();
        let removed = plan.remove.clone();
        let new: Vec<String> = plan.install.clone();
        let wanted = plan.wanted();
        if !removed.is_empty() {
            let mut call = vec![
                "-R".to_owned(),
                "--noconfirm".into(),
                "--noprogressbar".into(),
            ];
            call.extend(self.force.then(|| "--nodeps".to_owned()));
            call.extend(self.force.then(|| "--nodeps".to_owned()));
            call.extend(self.remove_nosave.then(|| "--nosave".to_owned()));
            calls.push(self.about(call, &removed)?);
        }
        if !wanted.is_empty() {
            let mut call = vec![
                "-S".to_owned(),
                "--noconfirm".into(),
                "--noprogressbar".into(),
                "--needed".into(),
            ];
            call.extend(self.force.then(|| "--overwrite=*".to_owned()));
            calls.push(self.about(call, &wanted)?);
        }
        if let (Some(reason), true) = (&self.reason, removed.is_empty()) {
            let marked = if self.reason_for == "all" {
                self.name.clone().unwrap_or_default()
            } else {
                new
            };
            if !marked.is_empty() {
                let how = if reason == "dependency" {
                    "--asdeps"
                } else {
                    "--asexplicit"
                };
                let mut call = vec!["-D".to_owned(), how.to_owned(), "--".to_owned()];
                call.extend(marked);
                calls.push(call);
            }
        }
        let packages = [removed, wanted].concat();
        Ok(Found { calls, packages })
    }

    /// A call with the user's own options, and then names only.
    fn about(&self, mut call: Vec<String>, names: &[String]) -> Result<Vec<String>, Failure> {
        call.extend(words(&self.extra_args)?);
        call.push("--".to_owned());
        call.extend(names.iter().cloned());
        Ok(call)
    }

    fn result(&self, found: &Found) -> Object {
        let count = found.packages.len();
        let msg = match (self.state.as_str(), count) {
            _ if self.upgrade == Some(true) && count == 0 => "Nothing to upgrade".to_owned(),
            _ if self.upgrade == Some(true) => format!("{count} package(s) upgraded"),
            _ if self.name.is_none() => "Updated package db".to_owned(),
            ("absent" | "removed", 0) => "package(s) already absent".to_owned(),
            ("absent" | "removed", _) => format!("Removed {count} package(s)"),
            (_, 0) => "package(s) already installed".to_owned(),
            _ => format!("Installed {count} package(s)"),
        };
        let mut result = json!({ "msg": msg, "packages": found.packages });
        if let (Some(updated), Value::Object(result)) = (self.update_cache, &mut result) {
            result.insert("cache_updated".into(), updated.into());
        }
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }
}

fn words(text: &str) -> Result<Vec<String>, Failure> {
    split_command(text)
        .map_err(|error| Failure::new(format!("`{text}` cannot be split into words: {error}")))
}

fn failure(msg: &str, ran: &Ran) -> Failure {
    Failure::new(msg)
        .with("rc", ran.rc)
        .with("stdout", ran.stdout.as_str())
        .with("stderr", ran.stderr.as_str())
}

/// Reads `name version` lines.
fn parse_versions(stdout: &str) -> BTreeMap<String, String> {
    let lines = stdout.lines().filter_map(|line| line.split_once(' '));
    lines
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect()
}

/// Reads `name 1.0-1 -> 1.1-1` lines, without packages that are ignored.
fn parse_outdated(stdout: &str) -> Vec<String> {
    let lines = stdout
        .lines()
        .filter(|line| line.contains(" -> ") && !line.contains("[ignored]"));
    lines
        .filter_map(|line| line.split(' ').next())
        .map(ToOwned::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_output_are_read() {
        let installed = parse_versions("acl 2.3.1-3\nbash 5.2.015-1\n");
        assert_eq!(installed["bash"], "5.2.015-1");
        let outdated = "linux 6.5.9.arch2-1 -> 6.6.1.arch1-1\nfoo 1-1 -> 2-1 [ignored]\n";
        assert_eq!(parse_outdated(outdated), ["linux"]);
    }
}
