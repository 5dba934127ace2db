//! The module `file`: files, folders, links and their attributes.

mod absent;
mod desired;
mod directory;
mod hard_link;
mod regular;
mod symlink;
mod times;
mod touch;

use std::fs::File as StdFile;
use std::io::Read;

use async_trait::async_trait;
use rustle_module::accounts::Accounts;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;

use crate::attributes::{AttributeArgs, Kind, add_path_info, failure_at};
use crate::diff::is_binary;
use crate::paths::{file_name, join};
pub(crate) use desired::{Desired, Planned};
pub(crate) use times::Times;

/// How many bytes decide whether a file counts as binary.
const PEEKED: u64 = 8192;

/// The module `file`.
pub(crate) struct File;

/// What shall be at a path.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FileState {
    /// Nothing.
    Absent,
    /// A folder.
    Directory,
    /// A file that is there already.
    File,
    /// A hard link.
    Hard,
    /// A symbolic link.
    Link,
    /// A file, made if it is missing.
    Touch,
}

impl FileState {
    const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Directory => "directory",
            Self::File => "file",
            Self::Hard => "hard",
            Self::Link => "link",
            Self::Touch => "touch",
        }
    }
}

impl From<Kind> for FileState {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Absent => Self::Absent,
            Kind::Link => Self::Link,
            Kind::Directory => Self::Directory,
            Kind::Hard => Self::Hard,
            Kind::File => Self::File,
        }
    }
}

/// The arguments of `file`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    path: String,
    state: Option<FileState>,
    src: Option<String>,
    follow: bool,
    force: bool,
    recurse: bool,
    access_time: Option<String>,
    access_time_format: String,
    modification_time: Option<String>,
    modification_time_format: String,
    _original_basename: Option<String>,
    _diff_peek: Option<bool>,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

/// What [`File`] found.
pub(crate) enum State {
    /// Something is to be done, or not.
    Planned(Box<Desired>, Box<Planned>),
    /// Only a look was asked for.
    Peeked(Object),
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path)
        .required()
        .aliases(&["dest", "name"]),
    Opt::new("state", Type::Str).choices(&["absent", "directory", "file", "hard", "link", "touch"]),
    Opt::new("src", Type::Path),
    Opt::new("follow", Type::Bool).default(Default::Bool(true)),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("recurse", Type::Bool).default(Default::Bool(false)),
    Opt::new("access_time", Type::Str),
    Opt::new("access_time_format", Type::Str).default(Default::Str("%Y%m%d%H%M.%S")),
    Opt::new("modification_time", Type::Str),
    Opt::new("modification_time_format", Type::Str).default(Default::Str("%Y%m%d%H%M.%S")),
    Opt::new("_original_basename", Type::Str),
    Opt::new("_diff_peek", Type::Bool),
];

#[async_trait]
impl Module for File {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("file", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let desired = desire(target, args).await?;
        if args._diff_peek.is_some() {
            return Ok(State::Peeked(peek(target, &desired.path).await));
        }
        let warnings = unknown_accounts(target, &desired).await;
        match desired.plan(target).await {
            Ok(mut planned) => {
                planned.warnings.splice(0..0, warnings);
                Ok(State::Planned(Box::new(desired), Box::new(planned)))
            }
            Err(mut failure) => {
                failure.warnings.splice(0..0, warnings);
                Err(failure)
            }
        }
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        match state {
            State::Planned(_, planned) => planned.verdict(),
            State::Peeked(result) => Verdict::unchanged(Output::new(result.clone())),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        match state {
            State::Planned(desired, planned) => desired.carry_out(target, *planned).await,
            State::Peeked(result) => Ok(Output::new(result)),
        }
    }
}

/// Reads off the arguments what the path shall be.
async fn desire(target: &dyn Target, args: &Args) -> Result<Desired, Failure> {
    let path = path_of(args);
    let state = args.state.unwrap_or_else(|| match Kind::of(path.as_ref()) {
        Kind::Absent if args.recurse => FileState::Directory,
        Kind::Absent => FileState::File,
        kind => kind.into(),
    });
    let refused = if args.recurse && state != FileState::Directory {
        Some("recurse option requires state to be 'directory'")
    } else if args.src.is_some() && !matches!(state, FileState::Link | FileState::Hard) {
        Some("src option requires state to be 'link' or 'hard'")
    } else {
        None
    };
    if let Some(msg) = refused {
        return Err(failure_at(target, "path", &path, Failure::new(msg)).await);
    }
    let modification = (
        args.modification_time.as_deref(),
        args.modification_time_format.as_str(),
    );
    let access = (
        args.access_time.as_deref(),
        args.access_time_format.as_str(),
    );
    let times = match state {
        FileState::Absent => Times::PRESERVE,
        _ => Times::read(modification, access, state)?,
    };
    Ok(Desired {
        path,
        state,
        src: args.src.clone(),
        attributes: args.attributes.clone(),
        follow: args.follow,
        force: args.force,
        recurse: args.recurse,
        times,
    })
}

/// The path that is meant: within a folder if the arguments name a file, but for links and removals.
fn path_of(args: &Args) -> String {
    let path = args.path.as_str();
    let takes_folder = matches!(args.state, Some(FileState::Link | FileState::Absent));
    if takes_folder || !std::path::Path::new(path).is_dir() {
        return path.into();
    }
    let original = args
        ._original_basename
        .as_deref()
        .filter(|name| !name.is_empty());
    let name = original.or_else(|| args.src.as_deref().map(file_name));
    match name.filter(|name| !name.is_empty()) {
        Some(name) => join(path, name),
        None => path.into(),
    }
}

/// Warns in check mode of users and groups that an earlier task may only have pretended to make.
async fn unknown_accounts(target: &dyn Target, desired: &Desired) -> Vec<String> {
    let mut warnings = Vec::new();
    if !target.mode().check || desired.state == FileState::Absent {
        return warnings;
    }
    let accounts = Accounts::new(target);
    if let Some(owner) = &desired.attributes.owner {
        let (found, by) = match owner.parse() {
            Ok(uid) => (accounts.user_with_id(uid).await, "user with uid "),
            Err(_) => (accounts.user_named(owner).await, "user "),
        };
        if found.is_none() {
            warnings.push(format!(
                "failed to look up {by}{owner}. Create user up to this point in real play"
            ));
        }
    }
    if let Some(group) = &desired.attributes.group {
        let (found, by) = match group.parse() {
            Ok(gid) => (accounts.group_with_id(gid).await, "group with gid "),
            Err(_) => (accounts.group_named(group).await, "group "),
        };
        if found.is_none() {
            warnings.push(format!(
                "failed to look up {by}{group}. Create group up to this point in real play"
            ));
        }
    }
    warnings
}

/// Tells whether a file appears to be binary.
async fn peek(target: &dyn Target, path: &str) -> Object {
    let mut head = Vec::new();
    // A pipe would not open before somebody writes to it.
    let is_file = std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file());
    if is_file && let Ok(file) = StdFile::open(path) {
        // What cannot be read (a folder) does not appear to be binary.
        let _ignored = file.take(PEEKED).read_to_end(&mut head);
    }
    let mut result = Object::new();
    result.insert("path".into(), path.into());
    result.insert("appears_binary".into(), is_binary(&head).into());
    add_path_info(target, &mut result, path).await;
    result
}
