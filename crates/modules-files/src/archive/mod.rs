//! The module `archive`: files and folders in an archive, or one file packed.
//!
//! Archives are written here, without `tar` or `zip`, beside their destination, and take its place in one step. One that would hold what
//! the present one does is thrown away. Entries stand in the order of their names, so that the same files give the same archive.

mod contents;
mod pack;
mod sources;

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::accounts::Accounts;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::{AttributeArgs, Pass, add_path_info, failure_at, restore_context};
use crate::diff::BeforeAfter;
use crate::fnmatch;
use crate::os_error::{describe, describe_bare};
use crate::paths::real_path;
use crate::staged::Staged;
use contents::Contents;
use pack::{Names, PackError};
use sources::{Entry, Sources, entries};

/// The module `archive`.
pub(crate) struct Archive;

/// The arguments of `archive`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    path: Vec<String>,
    dest: Option<String>,
    format: String,
    exclude_path: Vec<String>,
    exclusion_patterns: Option<Vec<String>>,
    force_archive: bool,
    remove: bool,
    unsafe_writes: bool,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

/// How a stream is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Bzip2,
    Xz,
}

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Zip,
    Tar(Packing),
    /// One file, packed alone.
    Packed(Packing),
}

/// What [`Archive`] found.
pub(crate) struct State {
    root: OsString,
    targets: Vec<PathBuf>,
    missing: Vec<PathBuf>,
    dest: String,
    shape: Shape,
    /// Whether one file is packed, be it alone or into an archive that nobody asked to be one.
    is_single: bool,
    exists: bool,
    /// Whether the archive that is there has other attributes.
    unsettled: bool,
    result: Object,
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::List(&Type::Path)).required(),
    Opt::new("dest", Type::Path),
    Opt::new("format", Type::Str)
        .default(Default::Str("gz"))
        .choices(&["bz2", "gz", "tar", "xz", "zip"]),
    Opt::new("exclude_path", Type::List(&Type::Path)).default(Default::List(&[])),
    Opt::new("exclusion_patterns", Type::List(&Type::Path)),
    Opt::new("force_archive", Type::Bool).default(Default::Bool(false)),
    Opt::new("remove", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for Archive {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.archive", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let sources = Sources::expand(&args.path, &args.exclude_path);
        let planned = args.plan(&sources);
        let mut state = match planned {
            Ok(state) => state,
            Err(failure) => {
                return Err(failure_at(target, "path", &args.path.join(", "), failure).await);
            }
        };
        if state.exists {
            let mut unshown = BeforeAfter::default();
            let look = args
                .attributes
                .settle(target, &state.dest, Pass::Look, &mut unshown);
            state.unsettled = look.await?;
        }
        add_path_info(target, &mut state.result, &state.dest).await;
        Ok(state)
    }

    fn diff(&self, _args: &Args, state: &State, mode: Mode) -> Verdict {
        let output = Output::new(state.result.clone());
        // Whether the content differs is found when it is packed. Until then one file counts as the same, and an archive
        // as another one, as with Ansible.
        let is_taken_as_same = mode.check && state.is_single && state.exists;
        let packs = !state.targets.is_empty() && !is_taken_as_same;
        Verdict::change_if(packs || state.unsettled, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut result = state.result.clone();
        let mut changed = false;
        if !state.targets.is_empty() {
            let (packed, is_new) = args.write(target, &state).await?;
            changed |= is_new;
            if args.remove {
                state.remove_targets()?;
            }
            let word = match state.shape {
                Shape::Packed(_) => "compress",
                _ if state.missing.is_empty() => "archive",
                _ => "incomplete",
            };
            result.insert("archived".into(), shown(&packed));
            result.insert("dest_state".into(), word.into());
        }
        let mut unshown = BeforeAfter::default();
        let settled = args
            .attributes
            .settle(target, &state.dest, Pass::Set, &mut unshown);
        changed |= settled.await?;
        add_path_info(target, &mut result, &state.dest).await;
        Ok(Output::new(result).changed(changed))
    }
}

impl Args {
    /// Decides what is packed, and where it goes.
    fn plan(&self, sources: &Sources) -> Result<State, Failure> {
        let listed = |paths: &[PathBuf]| {
            let texts: Vec<_> = paths.iter().map(|path| path.to_string_lossy()).collect();
            texts.join(", ")
        };
        let Some(first) = sources.paths.first() else {
            return Err(Failure::new("Error, no source paths were found")
                .with("expanded_paths", listed(&sources.expanded))
                .with("expanded_exclude_paths", listed(&sources.left_out)));
        };
        let is_archive =
            self.force_archive || sources.has_patterns || sources.paths.len() > 1 || first.is_dir();
        let dest = match &self.dest {
            Some(dest) => dest.clone(),
            None if is_archive => {
                let msg = "Error, must specify \"dest\" when archiving multiple files or trees";
                return Err(Failure::new(msg).with("dest", "None"));
            }
            None => format!("{}.{}", first.to_string_lossy(), self.format),
        };
        let is_inside = |path: &PathBuf| path.is_dir() && Path::new(&dest).starts_with(path);
        if self.remove && sources.paths.iter().any(is_inside) {
            let msg =
                "Error, created archive can not be contained in source paths when remove=true";
            return Err(Failure::new(msg));
        }
        if Path::new(&dest).is_dir() {
            let msg = format!("attempted to write an archive over the directory {dest}");
            return Err(Failure::new(msg).with("dest", dest));
        }
        let (targets, missing) = sources.look();
        let exists = Path::new(&dest).exists();
        let word = match targets.is_empty() && exists {
            true => word_of(&dest),
            false => "absent",
        };
        let root = sources.root();
        let mut result = Object::new();
        for (key, value) in [
            ("archived", shown(&[])),
            ("dest", dest.as_str().into()),
            ("dest_state", word.into()),
            ("arcroot", root.to_string_lossy().into_owned().into()),
            ("missing", shown(&missing)),
            ("expanded_paths", shown(&sources.expanded)),
            ("expanded_exclude_paths", shown(&sources.left_out)),
        ] {
            result.insert(key.into(), value);
        }
        Ok(State {
            root,
            targets,
            missing,
            shape: self.shape(is_archive),
            is_single: !is_archive,
            dest,
            exists,
            unsettled: false,
            result,
        })
    }

    fn shape(&self, is_archive: bool) -> Shape {
        let packing = match self.format.as_str() {
            "zip" => return Shape::Zip,
            "tar" => return Shape::Tar(Packing::None),
            "bz2" => Packing::Bzip2,
            "xz" => Packing::Xz,
            _ => Packing::Gzip,
        };
        match is_archive {
            true => Shape::Tar(packing),
            false => Shape::Packed(packing),
        }
    }

    /// Writes the archive; returns what is in it, and whether it differs from the one that was there.
    async fn write(
        &self,
        target: &dyn Target,
        state: &State,
    ) -> Result<(Vec<PathBuf>, bool), Failure> {
        let dest = real_path(Path::new(&state.dest));
        let patterns = self.exclusion_patterns.as_deref().unwrap_or_default();
        let is_zip = state.shape == Shape::Zip;
        let is_wanted = |entry: &Entry| {
            // The patterns are about the whole path in a zip, and about the name in a tar.
            let subject = if is_zip { &entry.path } else { &entry.name };
            let subject = subject.to_string_lossy();
            let is_left_out = patterns
                .iter()
                .any(|pattern| fnmatch::matches(pattern, &subject));
            !is_left_out && real_path(&entry.path) != dest
        };
        let entries = entries(&state.targets, &state.root, is_wanted)?;
        let names = names_of(target, &entries).await;
        let mut staged = Staged::for_dest(target, &dest, self.unsafe_writes)?;
        let packed = match state.shape {
            Shape::Zip => pack::zip(staged.file(), &entries),
            Shape::Tar(packing) => pack::compressed(staged.file(), packing, |out| {
                pack::tar(out, &entries, &names)
            }),
            Shape::Packed(packing) => pack::compressed(staged.file(), packing, |out| {
                let path = &state.targets[0];
                pack::single(out, path).map(|()| vec![path.clone()])
            }),
        };
        let packed = match packed {
            Ok(packed) => packed,
            Err(error) => return Err(self.failure(target, state, &error).await),
        };
        let present = Contents::of_file(&dest, state.shape);
        if present.is_some() && present == Contents::of_file(staged.path(), state.shape) {
            return Ok((packed, false));
        }
        staged.take_attributes(fs::metadata(&dest).ok().as_ref());
        staged.settle(target, &self.attributes).await;
        staged.commit()?;
        if !state.exists {
            restore_context(target, &dest).await;
        }
        Ok((packed, true))
    }

    async fn failure(&self, target: &dyn Target, state: &State, error: &PackError) -> Failure {
        let dest = &state.dest;
        let is_packed = matches!(state.shape, Shape::Packed(_));
        let text = match error {
            PackError::Entry(path, error) if is_packed => {
                let path = path.to_string_lossy();
                let error = describe(error, &path);
                let text = format!("Unable to write to compressed file: {error}");
                let failure = Failure::new(text).with("dest", dest.as_str());
                return failure_at(target, "path", &path, failure).await;
            }
            PackError::Entry(path, error) => {
                let path = path.to_string_lossy();
                let error = describe_bare(error);
                format!("Errors when writing archive at {dest}: {path}: {error}: '{path}'")
            }
            PackError::Archive(error) => {
                let format = match state.shape {
                    Shape::Tar(packing) if packing != Packing::None => {
                        format!("tar.{}", self.format)
                    }
                    _ => self.format.clone(),
                };
                let error = describe(error, dest);
                format!("Error when writing {format} archive at {dest}: {error}")
            }
        };
        Failure::new(text)
    }
}

impl State {
    /// Removes what was packed. Of a link to a folder only the link goes, and an archive that a pattern also names stays.
    fn remove_targets(&self) -> Result<(), Failure> {
        let dest = real_path(Path::new(&self.dest));
        for path in self.targets.iter().filter(|path| real_path(path) != dest) {
            let is_dir = fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
            let removed = if is_dir {
                fs::remove_dir_all(path)
            } else {
                fs::remove_file(path)
            };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let error = describe(&error, &path.to_string_lossy());
                    let msg = format!("Error deleting some source files: {error}");
                    return Err(Failure::new(msg).changed());
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// What an archive that is there counts as, by its name.
fn word_of(dest: &str) -> &'static str {
    let name = dest.to_ascii_lowercase();
    let endings = [
        ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".tgz", ".tbz2", ".zip",
    ];
    match endings.iter().any(|ending| name.ends_with(ending)) {
        true => "archive",
        false => "compress",
    }
}

fn shown(paths: &[PathBuf]) -> Value {
    let texts = paths.iter().map(|path| path.to_string_lossy().into_owned());
    texts.map(Value::from).collect()
}

/// The names of all owners of what is packed.
async fn names_of(target: &dyn Target, entries: &[Entry]) -> Names {
    let accounts = Accounts::new(target);
    let metadata = entries
        .iter()
        .map(|entry| fs::symlink_metadata(&entry.path));
    let ids: BTreeSet<(u32, u32)> = metadata
        .flatten()
        .map(|metadata| (metadata.uid(), metadata.gid()))
        .collect();
    let mut names = Names::default();
    for (uid, gid) in ids {
        if let Some(user) = accounts.user_with_id(uid).await {
            names.users.insert(uid, user.name);
        }
        if let Some(group) = accounts.group_with_id(gid).await {
            names.groups.insert(gid, group.name);
        }
    }
    names
}
