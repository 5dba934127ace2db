//! The module `apk`: packages of Alpine.

use std::fs;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::{Plan, Standing, Wish};

/// The module `apk`.
pub(crate) struct Apk;

/// The arguments of `apk`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    available: bool,
    name: Option<Vec<String>>,
    no_cache: bool,
    repository: Option<Vec<String>>,
    state: String,
    update_cache: bool,
    upgrade: bool,
    world: String,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const OPTIONS: &[Opt] = &[
    flag("available"),
    Opt::new("name", Type::List(&Type::Str)),
    flag("no_cache"),
    Opt::new("repository", Type::List(&Type::Str)),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["present", "absent", "latest", "installed", "removed"]),
    flag("update_cache"),
    flag("upgrade"),
    Opt::new("world", Type::Str).default(Default::Str("/etc/apk/world")),
];

/// What is to be done, and in check mode how it went.
pub(crate) struct Found {
    words: Option<Vec<String>>,
    predicted: Option<Output>,
}

#[async_trait]
impl Module for Apk {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("community.general.apk", OPTIONS).constraints(&[
        Constraint::MutuallyExclusive(&["name", "upgrade"]),
        Constraint::RequiredOneOf(&["name", "update_cache", "upgrade"]),
    ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let names = args.name.as_deref().unwrap_or_default();
        if names.iter().any(|name| name.trim().is_empty()) {
            return Err(Failure::new("Package name(s) cannot be empty"));
        }
        let words = if args.upgrade {
            let mut words = vec!["upgrade".to_owned()];
            words.extend(args.available.then(|| "--available".to_owned()));
            Some(words)
        } else {
            args.words(args.plan(target).await?)
        };
        let mut predicted = None;
        if let (true, Some(words)) = (target.mode().check, &words) {
            predicted = Some(args.carry_out(target, words).await?);
        }
        Ok(Found { words, predicted })
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        if found.words.is_none() && !args.update_cache {
            return Verdict::unchanged(args.idle());
        }
        let only_update = args.idle().changed(args.name.is_none());
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: found.predicted.clone().unwrap_or(only_update),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut output = args.idle().changed(false);
        if args.update_cache {
            let ran = args.run(target, &["update".to_owned()]).await?;
            if !ran.is_success() {
                return Err(failure("could not update package db", &ran));
            }
            if args.name.is_none() && !args.upgrade {
                output
                    .result
                    .insert("msg".into(), "updated repository indexes".into());
                return Ok(output.changed(true));
            }
        }
        match &found.words {
            Some(words) => args.carry_out(target, words).await,
            None => Ok(output),
        }
    }
}

impl Args {
    async fn plan(&self, target: &dyn Target) -> Result<Plan, Failure> {
        let wish = match self.state.as_str() {
            "absent" | "removed" => Wish::Absent,
            "latest" => Wish::Latest,
            _ => Wish::Present,
        };
        let world = fs::read_to_string(&self.world).unwrap_or_default();
        let tool = Tool::find(target, "apk")?;
        let mut standings = Vec::new();
        for name in self.name.iter().flatten() {
            let bare = name.split(['=', '<', '>', '~', '@']).next().unwrap_or(name);
            let is_there = tool.run(["-e", "info", "--", bare]).await?.is_success();
            let is_wanted = world_names(&world, name);
            let standing = match (is_there, is_wanted) {
                (false, _) => Standing::Missing,
                // It came as a dependency, and shall stay for its own sake.
                (true, false) if wish != Wish::Absent => Standing::Unfit,
                (true, _) if wish == Wish::Latest => {
                    let ran = tool.run(["version", "--", bare]).await?;
                    if is_outdated(&ran.stdout) {
                        Standing::Outdated
                    } else {
                        Standing::Current
                    }
                }
                (true, _) => Standing::Current,
            };
            standings.push((name.clone(), standing));
        }
        Ok(Plan::new(wish, standings))
    }

    fn words(&self, plan: Plan) -> Option<Vec<String>> {
        if plan.is_empty() {
            return None;
        }
        let (mut words, names) = if plan.remove.is_empty() {
            let mut words = vec!["add".to_owned()];
            words.extend((self.state == "latest").then(|| "--upgrade".to_owned()));
            (words, plan.wanted())
        } else {
            (vec!["del".to_owned(), "--purge".to_owned()], plan.remove)
        };
        words.push("--".to_owned());
        words.extend(names);
        Some(words)
    }

    async fn run(&self, target: &dyn Target, words: &[String]) -> Result<Ran, Failure> {
        let mut all = Vec::new();
        all.extend(self.no_cache.then(|| "--no-cache".to_owned()));
        for repository in self.repository.iter().flatten() {
            all.extend(["--repository".to_owned(), repository.clone()]);
        }
        all.extend(target.mode().check.then(|| "--simulate".to_owned()));
        all.extend(words.iter().cloned());
        Tool::find(target, "apk")?.run(all).await
    }

    async fn carry_out(&self, target: &dyn Target, words: &[String]) -> Result<Output, Failure> {
        let ran = self.run(target, words).await?;
        let verb = words.first().map_or("", String::as_str);
        let names = self.name.as_deref().unwrap_or_default().join(", ");
        if !ran.is_success() {
            let msg = match verb {
                "upgrade" => "failed to upgrade packages".to_owned(),
                "del" => format!("failed to remove {names} package(s)"),
                _ => format!("failed to install {names}"),
            };
            return Err(failure(&msg, &ran));
        }
        let packages = parse_packages(&ran.stdout);
        let (is_changed, msg) = match verb {
            "upgrade" if packages.is_empty() => (false, "packages already upgraded".to_owned()),
            "upgrade" => (true, "upgraded packages".to_owned()),
            "del" => (true, format!("removed {names} package(s)")),
            _ => (true, format!("installed {names} package(s)")),
        };
        let result = json!({
            "msg": msg,
            "packages": packages,
            "stdout": ran.stdout,
            "stderr": ran.stderr,
        });
        let mut output = self.idle().changed(is_changed);
        if let Value::Object(result) = result {
            output.result = result;
        }
        Ok(output)
    }

    /// What is told where nothing has to be done.
    fn idle(&self) -> Output {
        let msg = match self.state.as_str() {
            _ if self.name.is_none() => "",
            "absent" | "removed" => "package(s) already removed",
            _ => "package(s) already installed",
        };
        let mut result = Object::new();
        result.insert("msg".into(), msg.into());
        Output::new(result)
    }
}

fn failure(msg: &str, ran: &Ran) -> Failure {
    Failure::new(msg)
        .with("stdout", ran.stdout.as_str())
        .with("stderr", ran.stderr.as_str())
        .with("packages", parse_packages(&ran.stdout))
}

/// Whether the list of packages that are there for their own sake has this one.
fn world_names(world: &str, name: &str) -> bool {
    world.split_whitespace().any(|entry| entry == name)
}

/// Reads lines such as `(1/2) Installing musl (1.2.4-r2)`.
fn parse_packages(stdout: &str) -> Vec<String> {
    let lines = stdout.lines().filter_map(|line| {
        let rest = line.strip_prefix('(')?.split_once(')')?.1;
        rest.split_whitespace().nth(1).map(ToOwned::to_owned)
    });
    lines.collect()
}

/// Whether `apk version` shows a newer version: `musl-1.2.3-r4 < 1.2.4-r2`.
fn is_outdated(stdout: &str) -> bool {
    stdout
        .lines()
        .any(|line| line.split_whitespace().nth(1) == Some("<"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_output_are_read() {
        let add = "(1/2) Installing oniguruma (6.9.8-r1)\n(2/2) Installing jq (1.6-r3)\nExecuting busybox-1.36.1-r5.trigger\nOK: 9 MiB in 17 packages\n";
        assert_eq!(parse_packages(add), ["oniguruma", "jq"]);
        let version = "Installed:                                Available:\nmusl-1.2.4-r1                           < 1.2.4-r2 \n";
        assert!(is_outdated(version));
        assert!(!is_outdated(
            "Installed:     Available:\njq-1.6-r3      = 1.6-r3\n"
        ));
        assert!(world_names("alpine-base\njq\n", "jq") && !world_names("jq-dev\n", "jq"));
    }
}
