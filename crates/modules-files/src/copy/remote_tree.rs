//! `remote_src` of a folder: what is missing or different below the destination is copied, with modes and times.
//!
//! Nothing is removed from the destination. What is there keeps its mode; only its content is replaced.

use std::fs::{self, Metadata};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use rustle_module::{Failure, Object, Output, Target, Verdict};
use serde_json::Value;

use super::Options;
use super::place::make_folders_with;
use crate::attributes::{Pass, add_path_info};
use crate::checksum::{Algorithm, of_file};
use crate::diff::BeforeAfter;
use crate::os_error::{describe, describe_bare};
use crate::paths::{file_name, join, parent};
use crate::staged::Staged;

/// A folder to be copied within the machine, and what has to be done for it.
pub(super) struct RemoteTree {
    src: String,
    dest: String,
    /// The folder that becomes like the source.
    base: String,
    /// What the result names.
    shown: String,
    steps: Vec<Step>,
    changed: bool,
    present: Object,
}

/// One thing to be done.
enum Step {
    Folder(PathBuf, Option<u32>),
    File(PathBuf, PathBuf),
    Link(PathBuf, PathBuf),
}

impl RemoteTree {
    /// Compares the folders. Changes nothing.
    ///
    /// # Errors
    /// When a folder cannot be read, or an attribute cannot.
    pub(super) async fn plan(
        target: &dyn Target,
        (src, dest): (&str, &str),
        shown: String,
        options: &Options,
        local_follow: bool,
    ) -> Result<Self, Failure> {
        let base = if src.ends_with('/') {
            dest.to_owned()
        } else {
            join(dest, file_name(src))
        };
        let mut tree = Self {
            src: src.into(),
            dest: dest.into(),
            base,
            shown,
            steps: Vec::new(),
            changed: false,
            present: Object::new(),
        };
        let mut copied = Copied {
            steps: Vec::new(),
            local_follow,
            way: Vec::new(),
        };
        copied.folder(Path::new(src), Path::new(&tree.base))?;
        tree.steps = copied.steps;
        tree.changed = !tree.steps.is_empty() || tree.settle(target, options, Pass::Look).await?;
        tree.present = tree.result();
        add_path_info(target, &mut tree.present, &tree.shown).await;
        Ok(tree)
    }

    fn result(&self) -> Object {
        let mut result = Object::new();
        result.insert("dest".into(), self.shown.as_str().into());
        result.insert("src".into(), self.src.as_str().into());
        result.insert("md5sum".into(), Value::Null);
        result.insert("checksum".into(), Value::Null);
        result
    }

    pub(super) fn verdict(&self) -> Verdict {
        let output = Output::new(self.present.clone());
        Verdict::change_if(self.changed, output)
    }

    /// Copies, and then settles attributes: owner and group of all, the rest of the destination itself.
    ///
    /// # Errors
    /// When something cannot be copied; what was copied before stays.
    pub(super) async fn carry_out(
        &self,
        target: &dyn Target,
        options: &Options,
    ) -> Result<Output, Failure> {
        if Path::new(&self.dest).is_file() {
            let (src, dest) = (&self.src, &self.dest);
            return Err(Failure::new(format!(
                "Task failed: Module failed: Could not replace '{dest}' with b'{src}': [Errno 20] Not a directory: b'{src}' -> b'{dest}'"
            )));
        }
        let mut changed = !self.steps.is_empty();
        if self.dest.ends_with('/') {
            changed |= make_folders_with(target, parent(&self.dest), options).await?;
        }
        for step in &self.steps {
            step.carry_out(target, options)?;
        }
        changed |= self.settle(target, options, Pass::Set).await?;
        let mut result = self.result();
        add_path_info(target, &mut result, &self.shown).await;
        Ok(Output::new(result).changed(changed))
    }

    async fn settle(
        &self,
        target: &dyn Target,
        options: &Options,
        pass: Pass,
    ) -> Result<bool, Failure> {
        let mut unshown = BeforeAfter::default();
        let mut changed = false;
        let wanted = &options.attributes;
        let owners = wanted.owners().with_ids(target).await;
        let mut todo = vec![PathBuf::from(&self.base)];
        while owners.any()
            && let Some(path) = todo.pop()
        {
            let Ok(metadata) = fs::symlink_metadata(&path) else {
                continue;
            };
            changed |= owners
                .settle(target, &path.to_string_lossy(), pass, &mut unshown)
                .await?;
            if metadata.is_dir() {
                let entries = fs::read_dir(&path).into_iter().flatten().flatten();
                todo.extend(entries.map(|entry| entry.path()));
            }
        }
        if Path::new(&self.shown).exists() {
            changed |= wanted
                .settle(target, &self.shown, pass, &mut unshown)
                .await?;
        }
        Ok(changed)
    }
}

/// The comparison of two folders.
struct Copied {
    steps: Vec<Step>,
    local_follow: bool,
    /// The folders that we are in, so that links do not lead round in circles.
    way: Vec<PathBuf>,
}

impl Copied {
    fn folder(&mut self, src: &Path, dest: &Path) -> Result<(), Failure> {
        let failed = |error: &std::io::Error| Failure::new(describe(error, &src.to_string_lossy()));
        let real = fs::canonicalize(src).map_err(|error| failed(&error))?;
        if self.way.contains(&real) {
            return Ok(());
        }
        if !dest.exists() {
            let mode = fs::metadata(src).map(|m| m.permissions().mode()).ok();
            self.steps.push(Step::Folder(dest.into(), mode));
        }
        self.way.push(real);
        let mut entries: Vec<PathBuf> = fs::read_dir(src)
            .map_err(|error| failed(&error))?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        entries.sort();
        for entry in entries {
            let dest = dest.join(entry.file_name().unwrap_or_default());
            self.entry(&entry, &dest)?;
        }
        self.way.pop();
        Ok(())
    }

    fn entry(&mut self, src: &Path, dest: &Path) -> Result<(), Failure> {
        let follows = self.local_follow;
        let look = if follows {
            fs::metadata(src)
        } else {
            fs::symlink_metadata(src)
        };
        let Ok(metadata) = look else {
            return Ok(());
        };
        if metadata.is_symlink() {
            let aim = fs::read_link(src).unwrap_or_default();
            if fs::read_link(dest).ok().as_ref() != Some(&aim) && !dest.is_dir() {
                self.steps.push(Step::Link(aim, dest.into()));
            }
        } else if metadata.is_dir() {
            self.folder(src, dest)?;
        } else if metadata.is_file() && differs(src, dest, &metadata) {
            self.steps.push(Step::File(src.into(), dest.into()));
        }
        Ok(())
    }
}

fn differs(src: &Path, dest: &Path, metadata: &Metadata) -> bool {
    let Ok(there) = fs::metadata(dest) else {
        return true;
    };
    if there.len() != metadata.len() {
        return true;
    }
    let sum = |path| of_file(path, Algorithm::Sha1).ok();
    sum(src) != sum(dest)
}

impl Step {
    fn carry_out(&self, target: &dyn Target, options: &Options) -> Result<(), Failure> {
        match self {
            Self::Folder(path, mode) => make_folder(path, *mode),
            Self::File(src, dest) => copy_file(target, src, dest, options),
            Self::Link(aim, dest) => make_link(aim, dest),
        }
    }
}

fn make_folder(path: &Path, mode: Option<u32>) -> Result<(), Failure> {
    let made = fs::create_dir_all(path).and_then(|()| match mode {
        Some(mode) => fs::set_permissions(path, fs::Permissions::from_mode(mode)),
        None => Ok(()),
    });
    made.map_err(|error| Failure::new(describe(&error, &path.to_string_lossy())))
}

fn copy_file(
    target: &dyn Target,
    src: &Path,
    dest: &Path,
    options: &Options,
) -> Result<(), Failure> {
    let mut staged = Staged::for_dest(target, dest, options.unsafe_writes)?;
    staged.copy_from(src)?;
    match fs::symlink_metadata(dest).ok().filter(Metadata::is_file) {
        Some(there) => staged.take_owner_and_mode(&there),
        // A file that is new has all of its source but the owner.
        None => staged.take_after(src, true)?,
    }
    staged.commit()
}

fn make_link(aim: &Path, dest: &Path) -> Result<(), Failure> {
    let made = match fs::symlink_metadata(dest) {
        Ok(_) => fs::remove_file(dest).and_then(|()| symlink(aim, dest)),
        Err(_) => symlink(aim, dest),
    };
    made.map_err(|error| {
        let (aim, dest) = (aim.display(), dest.display());
        Failure::new(format!(
            "Error while linking: {}: b'{aim}' -> b'{dest}'",
            describe_bare(&error)
        ))
    })
}
