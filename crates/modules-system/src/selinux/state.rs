//! The module `ansible.posix.selinux`: whether SELinux decides, only tells, or does nothing, and by which policy.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config_file;

/// The module `ansible.posix.selinux`.
pub(crate) struct SeLinux;

/// The arguments of `selinux`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    configfile: String,
    policy: Option<String>,
    state: String,
    update_kernel_param: bool,
}

/// What has to be done, and what is told of it.
#[derive(Default)]
pub(crate) struct State {
    /// Whether the policy is another one, of which nothing more is told in check mode.
    changes_policy: bool,
    changed: bool,
    messages: Vec<String>,
    warnings: Vec<String>,
    needs_restart: bool,
    policy: String,
    /// The new text of the file.
    text: Option<String>,
    /// `1` for deciding, `0` for telling.
    enforce: Option<&'static str>,
    /// Words for `grubby`.
    kernel: Option<[&'static str; 3]>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("configfile", Type::Str)
        .default(Default::Str("/etc/selinux/config"))
        .aliases(&["conf", "file"]),
    Opt::new("policy", Type::Str),
    Opt::new("state", Type::Str)
        .choices(&["enforcing", "permissive", "disabled"])
        .required(),
    Opt::new("update_kernel_param", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for SeLinux {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.selinux", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let now = Now::ask(target).await?;
        let Some(text) = config_file::read(Path::new(&args.configfile))? else {
            let hint = "Please install SELinux-policy package, if this package is not installed previously.";
            let msg = format!("Unable to find file {}", args.configfile);
            return Err(Failure::new(msg).with("details", hint));
        };
        let mut state = State::default();
        let mut edited = text.clone();
        args.plan_policy(&now, &mut edited, &mut state)?;
        if state.changes_policy && !target.mode().check {
            args.check_policy(&text)?;
        }
        args.plan_state(&now, &mut state);
        let said = value(&edited, "SELINUX").unwrap_or("None").to_owned();
        if said != args.state {
            let wanted = &args.state;
            let msg = format!("Config SELinux state changed from '{said}' to '{wanted}'");
            state.change(msg);
            edited = set(&edited, "SELINUX", wanted);
        }
        if args.update_kernel_param {
            args.plan_kernel(target, &mut state).await?;
        }
        state.text = (edited != text).then_some(edited);
        Ok(state)
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let output = match state.changes_policy && mode.check {
            true => Output::default(),
            false => args.output(state),
        };
        Verdict::change_if(state.changed, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        if let Some(number) = state.enforce {
            checked(&Tool::find(target, "setenforce")?, &[number]).await?;
        }
        if let Some(text) = &state.text {
            config_file::replace(Path::new(&args.configfile), text)?;
        }
        if let Some(words) = &state.kernel {
            checked(&Tool::find(target, "grubby")?, words).await?;
        }
        Ok(args.output(&state))
    }
}

/// What is in force.
struct Now {
    /// `enforcing`, `permissive` or `disabled`.
    state: String,
    /// The policy that is loaded, if one is.
    policy: Option<String>,
}

impl Now {
    async fn ask(target: &dyn Target) -> Result<Self, Failure> {
        let told = checked(&Tool::find(target, "getenforce")?, &[]).await?;
        let state = told.stdout.trim().to_lowercase();
        let mut policy = None;
        if state != "disabled"
            && let Some(tool) = Tool::look(target, "sestatus")
        {
            let told = tool.run([] as [&str; 0]).await?.stdout;
            let name = told
                .lines()
                .find_map(|line| line.strip_prefix("Loaded policy name:"));
            policy = name.map(|name| name.trim().to_owned());
        }
        Ok(Self { state, policy })
    }
}

impl State {
    fn change(&mut self, message: String) {
        self.changed = true;
        self.messages.push(message);
    }
}

impl Args {
    fn output(&self, state: &State) -> Output {
        let result = json!({
            "msg": state.messages.join(", "),
            "configfile": self.configfile,
            "policy": state.policy,
            "state": self.state,
            "reboot_required": state.needs_restart,
        });
        let result = match result {
            Value::Object(result) => result,
            _ => Object::new(),
        };
        Output {
            warnings: state.warnings.clone(),
            ..Output::new(result)
        }
    }

    fn plan_policy(&self, now: &Now, text: &mut String, state: &mut State) -> Result<(), Failure> {
        let said = value(text, "SELINUXTYPE").map(ToOwned::to_owned);
        let wanted = match &self.policy {
            Some(policy) => policy.clone(),
            None if self.state == "disabled" => said.clone().unwrap_or_default(),
            None => {
                return Err(Failure::new(
                    "Policy is required if state is not 'disabled'",
                ));
            }
        };
        if let Some(loaded) = now.policy.as_ref().filter(|loaded| **loaded != wanted) {
            let msg = format!("Running SELinux policy changed from '{loaded}' to '{wanted}'");
            state.change(msg);
            state.changes_policy = true;
        }
        if said.as_ref() != Some(&wanted) {
            let (said, file) = (said.as_deref().unwrap_or("None"), &self.configfile);
            state.change(format!(
                "SELinux policy configuration in '{file}' changed from '{said}' to '{wanted}'"
            ));
            state.changes_policy = true;
            *text = set(text, "SELINUXTYPE", &wanted);
        }
        state.policy = wanted;
        Ok(())
    }

    /// Refuses a policy that is not installed.
    fn check_policy(&self, text: &str) -> Result<(), Failure> {
        let Some(policy) = &self.policy else {
            return Ok(());
        };
        let is_said = value(text, "SELINUXTYPE") == Some(policy);
        let folder = Path::new("/etc/selinux").join(policy).join("policy");
        if is_said || folder.exists() {
            return Ok(());
        }
        Err(Failure::new(format!(
            "Policy {policy} does not exist in /etc/selinux/"
        )))
    }

    /// What is in force is another state: that is changed now, as far as it can be without a restart.
    fn plan_state(&self, now: &Now, state: &mut State) {
        let (from, to) = (&now.state, &self.state);
        if from == to {
            return;
        }
        match (from.as_str(), to.as_str()) {
            ("disabled", _) => {
                let msg = format!("Reboot is required to set SELinux state to '{to}'");
                state.warnings.push(msg);
                state.needs_restart = true;
            }
            ("permissive", "disabled") => {
                let msg = "SELinux state change will take effect next reboot";
                state.warnings.push(msg.to_owned());
                state.needs_restart = true;
            }
            (_, "disabled") => {
                state.enforce = Some("0");
                state.warnings.push(format!("SELinux state temporarily changed from '{from}' to 'permissive'. State change will take effect next reboot."));
                state.needs_restart = true;
            }
            (_, to) => {
                state.enforce = Some(if to == "enforcing" { "1" } else { "0" });
                state.change(format!("SELinux state changed from '{from}' to '{to}'"));
            }
        }
    }

    async fn plan_kernel(&self, target: &dyn Target, state: &mut State) -> Result<(), Failure> {
        let shown = checked(&Tool::find(target, "grubby")?, &["--info=ALL"]).await?;
        let is_off = |line: &str| line.contains("selinux=0");
        let args = shown
            .stdout
            .lines()
            .filter(|line| line.starts_with("args="));
        let is_on = !args.into_iter().any(is_off);
        let wanted = self.state != "disabled";
        if is_on == wanted {
            return Ok(());
        }
        let word = |is_on: bool| if is_on { "enabled" } else { "disabled" };
        let (from, to) = (word(is_on), word(wanted));
        state.change(format!(
            "Kernel SELinux state changed from '{from}' to '{to}'"
        ));
        state.needs_restart = true;
        state.kernel = Some(match wanted {
            true => ["--update-kernel=ALL", "--remove-args", "selinux"],
            false => ["--update-kernel=ALL", "--args", "selinux=0"],
        });
        Ok(())
    }
}

async fn checked(tool: &Tool<'_>, words: &[&str]) -> Result<Ran, Failure> {
    let ran = tool.run(words).await?;
    match ran.is_success() {
        true => Ok(ran),
        false => Err(ran.failure(tool.line(words))),
    }
}

/// What the file says under a name, at the beginning of a line.
fn value<'a>(text: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
    Some(value.trim())
}

/// The text with a value in the place of each line with that name, or at its end.
fn set(text: &str, key: &str, wanted: &str) -> String {
    let is_meant = |line: &str| {
        line.strip_prefix(key)
            .is_some_and(|rest| rest.starts_with('='))
    };
    let new = format!("{key}={wanted}\n");
    let lines = text.lines().map(|line| match is_meant(line) {
        true => new.clone(),
        false => format!("{line}\n"),
    });
    let mut edited: String = lines.collect();
    if !text.lines().any(is_meant) {
        edited.push_str(&new);
    }
    edited
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_takes_the_place_of_the_old_one_only() {
        let text = "# SELINUX=x\nSELINUX=enforcing\nSELINUXTYPE=targeted";
        assert_eq!(value(text, "SELINUX"), Some("enforcing"));
        assert_eq!(
            set(text, "SELINUX", "disabled"),
            "# SELINUX=x\nSELINUX=disabled\nSELINUXTYPE=targeted\n"
        );
        assert_eq!(set("", "SELINUX", "disabled"), "SELINUX=disabled\n");
    }
}
