//! The module `ansible.posix.mount`: entries of `fstab`, and what is mounted.

mod fstab;
mod point;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::os_error::describe_bare;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, backup,
};
use serde::Deserialize;
use serde_json::json;

use crate::config_file;
use fstab::{Entry, escape};

/// The table of file systems.
const FSTAB: &str = "/etc/fstab";

/// The module `ansible.posix.mount`.
pub(crate) struct Mount;

/// What shall be of the entry, and of what is mounted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum MountState {
    Absent,
    AbsentFromFstab,
    Mounted,
    Present,
    Unmounted,
    Remounted,
    Ephemeral,
}

/// The arguments of `mount`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    path: String,
    src: Option<String>,
    fstype: Option<String>,
    opts: Option<String>,
    opts_no_log: bool,
    dump: String,
    passno: String,
    state: MountState,
    fstab: Option<String>,
    boot: bool,
    backup: bool,
}

/// What is there, and what has to be done.
pub(crate) struct State {
    /// The table as it is; nothing where there is none.
    before: Option<String>,
    /// The table as it shall be.
    after: Option<String>,
    /// Whether something is mounted.
    is_mounted: bool,
    changed: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path).required().aliases(&["name"]),
    Opt::new("src", Type::Path),
    Opt::new("fstype", Type::Str),
    Opt::new("opts", Type::Str),
    Opt::new("opts_no_log", Type::Bool).default(Default::Bool(false)),
    Opt::new("dump", Type::Str).default(Default::Str("0")),
    Opt::new("passno", Type::Str).default(Default::Str("0")),
    Opt::new("state", Type::Str).required().choices(&[
        "absent",
        "absent_from_fstab",
        "mounted",
        "present",
        "unmounted",
        "remounted",
        "ephemeral",
    ]),
    Opt::new("fstab", Type::Str),
    Opt::new("boot", Type::Bool).default(Default::Bool(true)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
];

const fn needs_source(state: &'static str) -> Constraint {
    Constraint::RequiredIf {
        option: "state",
        value: state,
        required: &["src", "fstype"],
        any: false,
    }
}

#[async_trait]
impl Module for Mount {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.mount", OPTIONS).constraints(&[
        needs_source("mounted"),
        needs_source("present"),
        needs_source("ephemeral"),
    ]);

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let source = point::source(&args.path);
        if args.state == MountState::Ephemeral && source.is_some() && source != args.src {
            let msg = "Ephemeral mount point is already mounted with a different source than the specified one. Failing in order to prevent an unwanted unmount or override operation. Try replacing this command with a \"state: unmounted\" followed by a \"state: ephemeral\", or use a different destination path.";
            return Err(Failure::new(msg));
        }
        let before = config_file::read(Path::new(args.fstab()))?;
        let after = args.edit(before.as_deref().unwrap_or_default());
        let is_mounted = source.is_some();
        let changed = match args.state {
            MountState::Remounted | MountState::Ephemeral => true,
            MountState::Unmounted => is_mounted,
            MountState::Mounted => after.is_some() || !is_mounted,
            MountState::Present | MountState::Absent | MountState::AbsentFromFstab => {
                after.is_some()
            }
        };
        Ok(State {
            before,
            after,
            is_mounted,
            changed,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = args.output("");
        Verdict::change_if(state.changed, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let made = match args.state {
            MountState::Mounted | MountState::Ephemeral => args.make_folders()?,
            _ => Vec::new(),
        };
        let backup = args.write(&state)?;
        match args.state {
            MountState::Present | MountState::AbsentFromFstab => {}
            MountState::Absent => args.remove(target, &state).await?,
            MountState::Unmounted => {
                let unmounted = point::unmount(target, args).await;
                unmounted.map_err(|text| args.failure("unmounting", &text))?;
            }
            MountState::Remounted => {
                let remounted = point::remount(target, args).await;
                remounted.map_err(|text| args.failure("remounting", &text))?;
            }
            MountState::Mounted | MountState::Ephemeral => {
                let mounted = if state.is_mounted {
                    point::remount(target, args).await
                } else {
                    point::mount(target, args).await
                };
                if let Err(text) = mounted {
                    args.undo(&state, &made)?;
                    return Err(args.failure("mounting", &text));
                }
            }
        }
        // Only what adds an entry tells of a backup.
        let tells = matches!(args.state, MountState::Present | MountState::Mounted);
        Ok(args.output(backup.filter(|_| tells).as_deref().unwrap_or_default()))
    }
}

impl Args {
    fn fstab(&self) -> &str {
        self.fstab.as_deref().unwrap_or(FSTAB)
    }

    /// The options; what is not mounted at the start says so.
    fn opts(&self) -> String {
        let opts = self.opts.as_deref().unwrap_or("defaults");
        if self.boot {
            opts.to_owned()
        } else {
            format!("{opts},noauto")
        }
    }

    /// The new table, if it is other than the present one.
    fn edit(&self, before: &str) -> Option<String> {
        let src = self.src.as_deref().map(escape);
        match self.state {
            MountState::Mounted | MountState::Present => {
                let entry = Entry {
                    src: src.unwrap_or_default(),
                    name: escape(&self.path),
                    fstype: escape(self.fstype.as_deref().unwrap_or_default()),
                    opts: escape(&self.opts()),
                    dump: escape(&self.dump),
                    passno: escape(&self.passno),
                };
                fstab::set(before, &entry)
            }
            MountState::Absent | MountState::AbsentFromFstab => {
                fstab::unset(before, &escape(&self.path), src.as_deref())
            }
            MountState::Unmounted | MountState::Remounted | MountState::Ephemeral => None,
        }
    }

    /// Writes the new table, and tells the name of the backup if one is made.
    fn write(&self, state: &State) -> Result<Option<String>, Failure> {
        let Some(after) = &state.after else {
            return Ok(None);
        };
        let path = Path::new(self.fstab());
        if let (None, Some(folder)) = (&state.before, path.parent()) {
            fs::create_dir_all(folder).map_err(|error| config_file::failure(&error, folder))?;
        }
        let backup = match &state.before {
            Some(_) if self.backup => Some(backup::make(self.fstab())?),
            _ => None,
        };
        config_file::replace(path, after)?;
        Ok(backup)
    }

    /// Makes the mount point, and tells which folders there were not before.
    fn make_folders(&self) -> Result<Vec<PathBuf>, Failure> {
        let path = Path::new(&self.path);
        let missing = path
            .ancestors()
            .filter(|path| !path.as_os_str().is_empty())
            .take_while(|path| !path.exists());
        let missing: Vec<PathBuf> = missing.map(Path::to_owned).collect();
        fs::create_dir_all(path)
            .or_else(|error| if path.exists() { Ok(()) } else { Err(error) })
            .map_err(|error| {
                let (text, path) = (describe_bare(&error), &self.path);
                Failure::new(format!("Error making dir {path}: {text}: '{path}'"))
            })?;
        Ok(missing)
    }

    /// Unmounts what is no longer in the table, and removes the mount point.
    async fn remove(&self, target: &dyn Target, state: &State) -> Result<(), Failure> {
        if state.is_mounted {
            let unmounted = point::unmount(target, self).await;
            unmounted.map_err(|text| self.failure("unmounting", &text))?;
        }
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let text = format!("{}: '{}'", describe_bare(&error), self.path);
                Err(self.failure("rmdir", &text))
            }
            _ => Ok(()),
        }
    }

    /// Puts back what was before mounting failed.
    fn undo(&self, state: &State, made: &[PathBuf]) -> Result<(), Failure> {
        for folder in made {
            // One that is in use by now stays.
            let _ignored = fs::remove_dir(folder);
        }
        let path = Path::new(self.fstab());
        match &state.before {
            Some(before) if state.after.is_some() => config_file::replace(path, before),
            _ => Ok(()),
        }
    }

    fn failure(&self, doing: &str, text: &str) -> Failure {
        let secret = self.opts.as_deref().filter(|_| self.opts_no_log);
        let text = match secret {
            Some(secret) if !secret.is_empty() => text.replace(secret, "********"),
            _ => text.to_owned(),
        };
        Failure::new(format!("Error {doing} {}: {text}", self.path))
    }

    /// The arguments, as results repeat them.
    fn output(&self, backup: &str) -> Output {
        let opts = match (&self.opts, self.opts_no_log, self.boot) {
            (Some(_), true, true) => "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER".to_owned(),
            (Some(_), true, false) => "********,noauto".to_owned(),
            _ => self.opts(),
        };
        let mut result = Object::from_iter([
            ("name".to_owned(), json!(self.path)),
            ("opts".to_owned(), json!(opts)),
            ("dump".to_owned(), json!(self.dump)),
            ("passno".to_owned(), json!(self.passno)),
            ("fstab".to_owned(), json!(self.fstab())),
            (
                "boot".to_owned(),
                json!(if self.boot { "yes" } else { "no" }),
            ),
            ("backup_file".to_owned(), json!(backup)),
        ]);
        for (key, value) in [("src", &self.src), ("fstype", &self.fstype)] {
            if let Some(value) = value {
                result.insert(key.into(), value.as_str().into());
            }
        }
        let output = Output::new(result);
        let is_by_hand = |opts: &String| opts.split(',').any(|opt| opt == "noauto");
        if self.boot && self.opts.as_ref().is_some_and(is_by_hand) {
            output.warning("Ignore the 'boot' due to 'opts' contains 'noauto'.")
        } else {
            output
        }
    }
}
