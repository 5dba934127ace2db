//! The module `community.general.sudoers`: a file of rules for `sudo`.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::os_error::describe_bare;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use crate::config_file;
use rustle_module::tool::Tool;

/// The mode that `sudo` wants.
const MODE: u32 = 0o440;

/// The module `community.general.sudoers`.
pub(crate) struct Sudoers;

/// What shall be of the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum RuleState {
    Present,
    Absent,
}

/// Whether `visudo` judges the rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Validation {
    Absent,
    Detect,
    Required,
}

/// The arguments of `sudoers`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    user: Option<String>,
    group: Option<String>,
    commands: Option<Vec<String>>,
    host: String,
    runas: Option<String>,
    noexec: bool,
    nopassword: bool,
    setenv: bool,
    state: RuleState,
    sudoers_path: String,
    validation: Validation,
}

/// Whether the file is other than it should be, and what it should be.
pub(crate) struct State {
    differs: bool,
    rule: Option<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("user", Type::Str),
    Opt::new("group", Type::Str),
    Opt::new("commands", Type::List(&Type::Str)),
    Opt::new("host", Type::Str).default(Default::Str("ALL")),
    Opt::new("runas", Type::Str),
    Opt::new("noexec", Type::Bool).default(Default::Bool(false)),
    Opt::new("nopassword", Type::Bool).default(Default::Bool(true)),
    Opt::new("setenv", Type::Bool).default(Default::Bool(false)),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["present", "absent"]),
    Opt::new("sudoers_path", Type::Str).default(Default::Str("/etc/sudoers.d")),
    Opt::new("validation", Type::Str)
        .default(Default::Str("detect"))
        .choices(&["absent", "detect", "required"]),
];

#[async_trait]
impl Module for Sudoers {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.sudoers", OPTIONS).constraints(&[
        Constraint::MutuallyExclusive(&["user", "group"]),
        Constraint::RequiredIf {
            option: "state",
            value: "present",
            required: &["commands"],
            any: false,
        },
    ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let path = args.path();
        let failed = |error: io::Error| at(&error, &path);
        if args.state == RuleState::Absent {
            return Ok(State {
                differs: path.exists(),
                rule: None,
            });
        }
        let rule = args.rule()?;
        args.validate(target, &rule).await?;
        let differs = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => true,
            metadata => {
                let mode = metadata.map_err(failed)?.permissions().mode() & 0o7777;
                fs::read(&path).map_err(failed)? != rule.as_bytes() || mode != MODE
            }
        };
        Ok(State {
            differs,
            rule: Some(rule),
        })
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        if !state.differs {
            return Verdict::unchanged(Output::default());
        }
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: Output::default(),
        })
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let path = args.path();
        match state.rule {
            None => fs::remove_file(&path).map_err(|error| at(&error, &path))?,
            Some(rule) => {
                let folder = path.parent().unwrap_or(Path::new("/"));
                fs::metadata(folder).map_err(|error| at(&error, &path))?;
                config_file::replace_with_mode(&path, &rule, Some(MODE))?;
            }
        }
        Ok(Output::default())
    }
}

impl Args {
    fn path(&self) -> PathBuf {
        Path::new(&self.sudoers_path).join(&self.name)
    }

    /// The line of the rule.
    fn rule(&self) -> Result<String, Failure> {
        let owner = match (&self.user, &self.group) {
            (Some(user), _) => user.clone(),
            (None, Some(group)) => format!("%{group}"),
            (None, None) => {
                let msg = "one of the following is required where state is present: user, group";
                return Err(Failure::new(msg));
            }
        };
        let runas = self.runas.as_deref().unwrap_or_default();
        let runas = if runas.is_empty() {
            String::new()
        } else {
            format!("({runas})")
        };
        let tags = [
            (self.noexec, "NOEXEC:"),
            (self.nopassword, "NOPASSWD:"),
            (self.setenv, "SETENV:"),
        ];
        let tags: String = tags
            .iter()
            .filter_map(|(is_set, tag)| is_set.then_some(*tag))
            .collect();
        let commands = self.commands.as_deref().unwrap_or_default().join(", ");
        Ok(format!("{owner} {}={runas}{tags} {commands}\n", self.host))
    }

    /// Lets `visudo` judge a rule, if it should and is there.
    async fn validate(&self, target: &dyn Target, rule: &str) -> Result<(), Failure> {
        if self.validation == Validation::Absent {
            return Ok(());
        }
        let tool = match Tool::find(target, "visudo") {
            Err(_) if self.validation == Validation::Detect => return Ok(()),
            tool => tool?,
        };
        let command = tool.command(["-c", "-f", "-"]).stdin(rule.to_owned());
        let ran = tool.run_command(command).await?;
        if ran.rc == 0 {
            return Ok(());
        }
        let told = if ran.stdout.is_empty() {
            &ran.stderr
        } else {
            &ran.stdout
        };
        Err(
            Failure::new(format!("Failed to validate sudoers rule:\n{told}"))
                .with("stdout", ran.stdout.as_str())
                .with("stderr", ran.stderr.as_str()),
        )
    }
}

fn at(error: &io::Error, path: &Path) -> Failure {
    let text = describe_bare(error);
    Failure::new(format!("{text}: '{}'", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_written_as_sudo_reads_them() {
        let mut args = Args {
            name: "r".into(),
            user: Some("joe".into()),
            group: None,
            commands: Some(vec!["/bin/a".into(), "/bin/b -x".into()]),
            host: "ALL".into(),
            runas: None,
            noexec: false,
            nopassword: false,
            setenv: false,
            state: RuleState::Present,
            sudoers_path: "/etc/sudoers.d".into(),
            validation: Validation::Absent,
        };
        assert_eq!(args.rule().as_deref(), Ok("joe ALL= /bin/a, /bin/b -x\n"));
        (args.user, args.group) = (None, Some("adm".into()));
        (args.noexec, args.nopassword, args.setenv) = (true, true, true);
        args.runas = Some("root".into());
        let rule = "%adm ALL=(root)NOEXEC:NOPASSWD:SETENV: /bin/a, /bin/b -x\n";
        assert_eq!(args.rule().as_deref(), Ok(rule));
        args.group = None;
        assert!(args.rule().is_err());
    }
}
