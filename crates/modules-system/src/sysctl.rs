//! The module `ansible.posix.sysctl`: parameters of the kernel, now and after a restart.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, as_bool,
};
use serde::Deserialize;
use serde_json::Value;

use crate::config_file;
use rustle_module::tool::{Ran, Tool};

/// The module `ansible.posix.sysctl`.
pub(crate) struct Sysctl;

/// What shall be of the parameter.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum SysctlState {
    Present,
    Absent,
}

/// The arguments of `sysctl`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    value: Option<String>,
    state: SysctlState,
    ignoreerrors: bool,
    reload: bool,
    sysctl_set: bool,
    sysctl_file: String,
}

/// What has to be done.
#[derive(Default)]
pub(crate) struct State {
    /// The new text of the file.
    text: Option<String>,
    /// Whether the kernel gets the value at once.
    sets: bool,
    /// Whether anything is other than it should be.
    changed: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required().aliases(&["key"]),
    Opt::new("value", Type::Str).aliases(&["val"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["present", "absent"]),
    Opt::new("ignoreerrors", Type::Bool).default(Default::Bool(false)),
    Opt::new("reload", Type::Bool).default(Default::Bool(true)),
    Opt::new("sysctl_set", Type::Bool).default(Default::Bool(false)),
    Opt::new("sysctl_file", Type::Path).default(Default::Str("/etc/sysctl.conf")),
];

#[async_trait]
impl Module for Sysctl {
    type Args = Args;
    type State = State;
    const SPEC: Spec =
        Spec::new("ansible.posix.sysctl", OPTIONS).constraints(&[Constraint::RequiredIf {
            option: "state",
            value: "present",
            required: &["value"],
            any: false,
        }]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let is_present = args.state == SysctlState::Present;
        let text = config_file::read(Path::new(&args.sysctl_file))?.unwrap_or_default();
        let (name, value) = (args.name.trim(), args.value());
        let written = values(&text).filter(|(key, _)| *key == name).last();
        let differs = match written {
            Some((_, written)) => !is_present || written != value,
            None => is_present,
        };
        let tool = Tool::find(target, "sysctl")?;
        let now = tool.run(["-e", "-n", "--", name]).await?;
        let now = (now.rc == 0).then_some(now.stdout);
        let is_now = now.is_some_and(|now| now.split_whitespace().eq(value.split_whitespace()));
        let sets = args.sysctl_set && is_present && !is_now;
        Ok(State {
            text: differs.then(|| args.edit(&text)),
            sets,
            changed: differs || sets || args.reload && is_present && !is_now,
        })
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        if !state.changed {
            return Verdict::unchanged(Output::default());
        }
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: Output::new(Object::new()),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let tool = Tool::find(target, "sysctl")?;
        let ignore = args.ignoreerrors.then_some("-e");
        if state.sets {
            let name = args.name.trim();
            let setting = format!("{name}={}", args.value());
            let words = ignore.into_iter().chain(["-w", "--", &setting]);
            let ran = tool.run(words).await?;
            if has_failed(&ran) {
                let (out, err) = (ran.stdout, ran.stderr);
                return Err(Failure::new(format!("setting {name} failed: {out}{err}")));
            }
        }
        if let Some(text) = &state.text {
            config_file::replace(Path::new(&args.sysctl_file), text)?;
        }
        if args.reload {
            let words = ignore.into_iter().chain(["-p", "--", &args.sysctl_file]);
            let ran = tool.run(words).await?;
            if has_failed(&ran) {
                let (out, err) = (ran.stdout, ran.stderr);
                return Err(Failure::new(format!("Failed to reload sysctl: {out}{err}")));
            }
        }
        Ok(Output::default())
    }
}

impl Args {
    fn check(&self) -> Result<(), Failure> {
        if self.name.trim().is_empty() {
            return Err(Failure::new("name cannot be blank"));
        }
        let value = self.value.as_deref().unwrap_or_default();
        if self.state == SysctlState::Present && value.is_empty() {
            return Err(Failure::new("value cannot be blank"));
        }
        Ok(())
    }

    /// The value; words for truth values are numbers to the kernel.
    fn value(&self) -> String {
        let value = self.value.as_deref().unwrap_or_default();
        match as_bool(&Value::String(value.to_lowercase())) {
            Some(true) => "1".to_owned(),
            Some(false) => "0".to_owned(),
            None => value.trim().to_owned(),
        }
    }

    /// The new text: each parameter once, at its first place, without spaces around the sign.
    fn edit(&self, text: &str) -> String {
        let (name, value) = (self.name.trim(), self.value());
        let mut lines = Vec::new();
        let mut seen: Vec<&str> = Vec::new();
        for line in text.lines().map(str::trim) {
            match setting(line) {
                None => lines.push(line.to_owned()),
                Some((key, _)) if seen.contains(&key) => {}
                Some((key, old)) => {
                    seen.push(key);
                    if key != name {
                        lines.push(format!("{key}={old}"));
                    } else if self.state == SysctlState::Present {
                        lines.push(format!("{name}={value}"));
                    }
                }
            }
        }
        if !seen.contains(&name) && self.state == SysctlState::Present {
            lines.push(format!("{name}={value}"));
        }
        lines.into_iter().map(|line| line + "\n").collect()
    }
}

/// The parameter that a line sets.
fn setting(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    if line.starts_with(['#', ';']) {
        return None;
    }
    let (key, value) = line.split_once('=')?;
    Some((key.trim(), value.trim()))
}

fn values(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter_map(setting)
}

/// Whether setting failed, which some `sysctl` tell only by a message. What is read-only is no failure.
fn has_failed(ran: &Ran) -> bool {
    let is_complaint = |line: &str| {
        let told = line.strip_prefix("sysctl: setting key \"");
        let reason = told.and_then(|told| told.split_once("\": "));
        reason.is_some_and(|(_, reason)| !reason.starts_with("Read-only file system"))
    };
    ran.rc != 0 || ran.stderr.lines().any(is_complaint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_parameter_stays_once() {
        let args = |state| Args {
            name: "b".into(),
            value: Some("Yes".into()),
            state,
            ignoreerrors: false,
            reload: false,
            sysctl_set: false,
            sysctl_file: String::new(),
        };
        let text = "# c\n a = 1 = 2\nb=0\na=3\n; d=1\nword\nb=4";
        let present = args(SysctlState::Present).edit(text);
        assert_eq!(present, "# c\na=1 = 2\nb=1\n; d=1\nword\n");
        let absent = args(SysctlState::Absent).edit(text);
        assert_eq!(absent, "# c\na=1 = 2\n; d=1\nword\n");
        assert_eq!(args(SysctlState::Present).edit(""), "b=1\n");
    }

    #[test]
    fn messages_tell_failures() {
        let ran = |rc, stderr: &str| Ran {
            rc,
            stdout: String::new(),
            stderr: stderr.into(),
        };
        assert!(has_failed(&ran(1, "")));
        assert!(has_failed(&ran(
            0,
            "sysctl: setting key \"a\": Invalid argument\n"
        )));
        let read_only = "sysctl: setting key \"a\": Read-only file system\n";
        assert!(!has_failed(&ran(0, read_only)));
    }
}
