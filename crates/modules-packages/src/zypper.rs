//! The module `zypper`: packages of SUSE.

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use rustle_process::split_command;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::{Plan, Standing, Wish};

/// Exit codes that are no failure: all well, a restart is needed, of the system or of the manager.
const FINE: [i32; 4] = [0, 102, 103, 106];

/// The exit code of a package's own scripts.
const POST_ERROR: i32 = 107;

/// The module `zypper`.
pub(crate) struct Zypper;

/// The arguments of `zypper`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    allow_vendor_change: bool,
    auto_import_keys: bool,
    clean_deps: bool,
    disable_gpg_check: bool,
    disable_recommends: bool,
    extra_args: Option<String>,
    extra_args_precommand: Option<String>,
    force: bool,
    force_resolution: bool,
    name: Vec<String>,
    oldpackage: bool,
    quiet: bool,
    replacefiles: bool,
    skip_post_errors: bool,
    state: String,
    r#type: String,
    update_cache: bool,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const fn on(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(true))
}

const OPTIONS: &[Opt] = &[
    flag("allow_vendor_change"),
    flag("auto_import_keys"),
    flag("clean_deps"),
    flag("disable_gpg_check"),
    on("disable_recommends"),
    Opt::new("extra_args", Type::Str),
    Opt::new("extra_args_precommand", Type::Str),
    flag("force"),
    flag("force_resolution"),
    Opt::new("name", Type::List(&Type::Str))
        .required()
        .aliases(&["pkg"]),
    flag("oldpackage"),
    on("quiet"),
    flag("replacefiles"),
    // Messages are what `zypper` says, and short already.
    flag("simple_errors"),
    flag("skip_post_errors"),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&[
            "present",
            "latest",
            "absent",
            "dist-upgrade",
            "installed",
            "removed",
        ]),
    Opt::new("type", Type::Str)
        .default(Default::Str("package"))
        .choices(&[
            "package",
            "patch",
            "pattern",
            "product",
            "srcpackage",
            "application",
        ]),
    flag("update_cache").aliases(&["refresh"]),
];

/// What is to be done: calls of the program, in order.
pub(crate) struct Found {
    calls: Vec<Vec<String>>,
}

#[async_trait]
impl Module for Zypper {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("community.general.zypper", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        let names = args.names();
        if names == ["*"] || args.state == "dist-upgrade" {
            return Ok(Found {
                calls: vec![args.call(
                    if args.state == "dist-upgrade" {
                        "dist-upgrade"
                    } else {
                        "update"
                    },
                    &[],
                )?],
            });
        }
        let tool = Tool::find(target, "zypper")?;
        let rpm = Tool::find(target, "rpm")?;
        let outdated = if args.state == "latest" {
            let words = ["--non-interactive", "--quiet", "list-updates"];
            parse_updates(&tool.run(words).await?.stdout)
        } else {
            Vec::new()
        };
        let mut standings = Vec::new();
        for name in names {
            let bare = name.split(['=', '<', '>']).next().unwrap_or(name);
            let is_plain = args.r#type == "package" && bare == name && !name.contains('/');
            let is_there = is_plain && rpm.run(["-q", "--", bare]).await?.is_success();
            let standing = match is_there {
                _ if !is_plain && args.wish() == Wish::Absent => Standing::Current,
                false => Standing::Missing,
                true if outdated.iter().any(|name| name == bare) => Standing::Outdated,
                true => Standing::Current,
            };
            standings.push((name.to_owned(), standing));
        }
        let plan = Plan::new(args.wish(), standings);
        let mut calls = Vec::new();
        if !plan.remove.is_empty() {
            calls.push(args.call("remove", &plan.remove)?);
        }
        let wanted = plan.wanted();
        if !wanted.is_empty() {
            calls.push(args.call("install", &wanted)?);
        }
        Ok(Found { calls })
    }

    fn diff(&self, args: &Args, found: &Found, _mode: Mode) -> Verdict {
        if found.calls.is_empty() && !args.update_cache {
            return Verdict::unchanged(Output::new(args.result(&Ran::default())));
        }
        let output = Output::new(args.result(&Ran::default()));
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: output.changed(!found.calls.is_empty()),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        let tool = Tool::find(target, "zypper")?;
        let mut all = Ran::default();
        if args.update_cache {
            let words = ["--non-interactive", "refresh"];
            let ran = tool.run(words).await?;
            if !ran.is_success() {
                return Err(failure(&ran));
            }
        }
        let mut is_changed = false;
        for call in &found.calls {
            let ran = tool.run(call).await?;
            let is_fine = FINE.contains(&ran.rc) || (ran.rc == POST_ERROR && args.skip_post_errors);
            if !is_fine {
                return Err(failure(&ran));
            }
            is_changed |= !ran.stdout.contains("Nothing to do.");
            all.join(&ran);
        }
        Ok(Output::new(args.result(&all)).changed(is_changed))
    }
}

impl Args {
    fn names(&self) -> Vec<&str> {
        let names = self.name.iter().map(|name| name.trim());
        names.filter(|name| !name.is_empty()).collect()
    }

    fn wish(&self) -> Wish {
        match self.state.as_str() {
            "absent" | "removed" => Wish::Absent,
            "latest" => Wish::Latest,
            _ => Wish::Present,
        }
    }

    fn call(&self, command: &str, names: &[String]) -> Result<Vec<String>, Failure> {
        let mut call = vec!["--non-interactive".to_owned()];
        let mut when = |is_given: bool, word: &str| call.extend(is_given.then(|| word.to_owned()));
        when(self.quiet, "--quiet");
        when(self.disable_gpg_check, "--no-gpg-checks");
        when(self.auto_import_keys, "--gpg-auto-import-keys");
        call.extend(words(self.extra_args_precommand.as_deref())?);
        call.push(command.to_owned());
        let mut when = |is_given: bool, word: &str| call.extend(is_given.then(|| word.to_owned()));
        let is_install = command == "install";
        when(command != "remove", "--auto-agree-with-licenses");
        when(is_install && self.disable_recommends, "--no-recommends");
        when(is_install && self.force, "--force");
        when(
            command != "remove" && self.force_resolution,
            "--force-resolution",
        );
        when(is_install && self.oldpackage, "--oldpackage");
        when(command != "remove" && self.replacefiles, "--replacefiles");
        when(
            command == "dist-upgrade" && self.allow_vendor_change,
            "--allow-vendor-change",
        );
        when(command == "remove" && self.clean_deps, "--clean-deps");
        if !names.is_empty() {
            call.extend(["--type".to_owned(), self.r#type.clone()]);
        }
        call.extend(words(self.extra_args.as_deref())?);
        if !names.is_empty() {
            call.push("--".to_owned());
            call.extend(names.iter().cloned());
        }
        Ok(call)
    }

    fn result(&self, ran: &Ran) -> Object {
        let result = json!({
            "name": self.name,
            "state": self.state,
            "update_cache": self.update_cache,
            "rc": ran.rc,
            "stdout": ran.stdout,
            "stderr": ran.stderr,
        });
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }
}

fn words(text: Option<&str>) -> Result<Vec<String>, Failure> {
    let text = text.unwrap_or_default();
    split_command(text)
        .map_err(|error| Failure::new(format!("`{text}` cannot be split into words: {error}")))
}

fn failure(ran: &Ran) -> Failure {
    Failure::new(format!(
        "Zypper run command failed with return code {}.",
        ran.rc
    ))
    .with("rc", ran.rc)
    .with("stdout", ran.stdout.as_str())
    .with("stderr", ran.stderr.as_str())
}

/// Reads the names in the table of `list-updates`: `v | Repository | bash | 4.4 | 5.0 | x86_64`.
fn parse_updates(stdout: &str) -> Vec<String> {
    let rows = stdout.lines().filter_map(|line| {
        let columns: Vec<&str> = line.split('|').map(str::trim).collect();
        let is_row = columns.len() >= 5 && columns.first() != Some(&"S");
        columns
            .get(2)
            .filter(|_| is_row)
            .map(|name| (*name).to_owned())
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_table_of_updates_is_read() {
        let table = "S | Repository      | Name | Current Version | Available Version | Arch\n--+-----------------+------+-----------------+-------------------+-------\nv | Update (15.5)   | bash | 4.4-150400.25   | 4.4-150400.27     | x86_64\n";
        assert_eq!(parse_updates(table), ["bash"]);
        assert!(parse_updates("No updates found.\n").is_empty());
    }
}
