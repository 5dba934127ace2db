//! The options of `git`.

use rustle_module::{Constraint, Default, Failure, Opt, Type};
use serde::Deserialize;
use serde_json::Value;

/// The arguments of `git`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    pub(super) repo: String,
    pub(super) dest: String,
    pub(super) version: String,
    pub(super) remote: String,
    pub(super) refspec: Option<String>,
    pub(super) reference: Option<String>,
    pub(super) force: bool,
    pub(super) depth: Option<i64>,
    pub(super) clone: bool,
    pub(super) update: bool,
    pub(super) verify_commit: bool,
    pub(super) gpg_allowlist: Vec<String>,
    pub(super) accept_hostkey: bool,
    pub(super) accept_newhostkey: bool,
    pub(super) key_file: Option<String>,
    pub(super) ssh_opts: Option<String>,
    pub(super) executable: Option<String>,
    pub(super) bare: bool,
    pub(super) recursive: bool,
    pub(super) single_branch: bool,
    pub(super) track_submodules: bool,
    #[serde(default)]
    pub(super) umask: Value,
    pub(super) archive: Option<String>,
    pub(super) archive_prefix: Option<String>,
    pub(super) separate_git_dir: Option<String>,
}

const NO: Default = Default::Bool(false);
const YES: Default = Default::Bool(true);

/// The options.
pub(super) const OPTIONS: &[Opt] = &[
    Opt::new("repo", Type::Str).required().aliases(&["name"]),
    Opt::new("dest", Type::Path).required(),
    Opt::new("version", Type::Str).default(Default::Str("HEAD")),
    Opt::new("remote", Type::Str).default(Default::Str("origin")),
    Opt::new("refspec", Type::Str),
    Opt::new("reference", Type::Str),
    Opt::new("force", Type::Bool).default(NO),
    Opt::new("depth", Type::Int),
    Opt::new("clone", Type::Bool).default(YES),
    Opt::new("update", Type::Bool).default(YES),
    Opt::new("verify_commit", Type::Bool).default(NO),
    Opt::new("gpg_allowlist", Type::List(&Type::Str))
        .default(Default::List(&[]))
        .aliases(&["gpg_whitelist"]),
    Opt::new("accept_hostkey", Type::Bool).default(NO),
    Opt::new("accept_newhostkey", Type::Bool).default(NO),
    Opt::new("key_file", Type::Path),
    Opt::new("ssh_opts", Type::Str),
    Opt::new("executable", Type::Path),
    Opt::new("bare", Type::Bool).default(NO),
    Opt::new("recursive", Type::Bool).default(YES),
    Opt::new("single_branch", Type::Bool).default(NO),
    Opt::new("track_submodules", Type::Bool).default(NO),
    Opt::new("umask", Type::Raw),
    Opt::new("archive", Type::Path),
    Opt::new("archive_prefix", Type::Str),
    Opt::new("separate_git_dir", Type::Path),
];

/// The rules over the options.
pub(super) const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(&["separate_git_dir", "bare"]),
    Constraint::MutuallyExclusive(&["accept_hostkey", "accept_newhostkey"]),
    Constraint::RequiredBy {
        option: "archive_prefix",
        required: &["archive"],
    },
];

impl Args {
    /// Refuses what `git` would take for an option of its own.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let given = [
            ("repo", Some(&self.repo)),
            ("version", Some(&self.version)),
            ("remote", Some(&self.remote)),
            ("refspec", self.refspec.as_ref()),
        ];
        for (name, value) in given {
            if let Some(value) = value.filter(|value| value.starts_with('-')) {
                return Err(Failure::new(format!(
                    "`{value}` cannot be a {name}: git would take it for an option"
                )));
            }
        }
        self.mask().map(drop)
    }

    /// The file mode creation mask, if one is asked for.
    pub(super) fn mask(&self) -> Result<Option<u32>, Failure> {
        match &self.umask {
            Value::Null => Ok(None),
            Value::String(text) => u32::from_str_radix(text.trim_start_matches("0o"), 8)
                .map(Some)
                .map_err(|_| Failure::new("umask must be an octal integer")),
            _ => Err(Failure::new(
                "umask must be defined as a quoted octal integer",
            )),
        }
    }

    /// The command for ssh, with the options that the task asks for. It never asks a person.
    pub(super) fn ssh_command(&self, own: Option<String>) -> String {
        let mut command = own.unwrap_or_else(|| "ssh".to_owned());
        let mut add = |text: &str| {
            command.push(' ');
            command.push_str(text);
        };
        if let Some(options) = &self.ssh_opts {
            add(options);
        }
        let is_decided = self
            .ssh_opts
            .as_ref()
            .is_some_and(|options| options.contains("StrictHostKeyChecking"));
        match (is_decided, self.accept_hostkey, self.accept_newhostkey) {
            (false, true, _) => add("-o StrictHostKeyChecking=no"),
            (false, false, true) => add("-o StrictHostKeyChecking=accept-new"),
            _ => {}
        }
        add("-o BatchMode=yes");
        if let Some(key) = &self.key_file {
            add(&format!(
                "-i {} -o IdentitiesOnly=yes",
                rustle_process::shell_quote(key)
            ));
        }
        command
    }
}
