//! `remote_src`: copies within the machine. Files are handled here, folders in [`remote_tree`](super::remote_tree).

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::Access;
use rustle_module::{Change, Failure, Object, Output, Target, Verdict};
use serde_json::Value;

use super::Options;
use super::place::{Placement, Source, Spot, find_spot};
use super::remote_tree::RemoteTree;
use crate::attributes::{PERMISSIONS, Pass, add_path_info, show_mode};
use crate::checksum::{Algorithm, of_file};
use crate::diff::BeforeAfter;
use crate::paths::{file_name, join, parent};

/// A copy within the machine, and what has to be done for it.
pub(super) struct Remote {
    src: String,
    dest: String,
    name: String,
    options: Options,
    step: Step,
}

enum Step {
    /// Nothing is done: this is the result.
    Answer(Output),
    /// A folder would be made, which ends what check mode can tell.
    MakeFolder(String),
    /// A file is copied; its SHA-1 and MD5, the result so far, and whether something changes.
    File {
        sha1: String,
        md5: String,
        present: Object,
        changed: bool,
    },
    /// A folder is copied.
    Folder(Box<RemoteTree>),
}

impl Remote {
    /// Finds out what has to be done. Changes nothing.
    ///
    /// # Errors
    /// When there is nothing to copy or no folder to copy to, or an attribute cannot be read.
    pub(super) async fn plan(
        target: &dyn Target,
        (src, dest): (&str, &str),
        name: Option<&str>,
        mut options: Options,
        local_follow: bool,
    ) -> Result<Self, Failure> {
        let metadata =
            fs::metadata(src).map_err(|_| Failure::new(format!("Source {src} not found")))?;
        if rustix::fs::access(src, Access::READ_OK).is_err() {
            return Err(Failure::new(format!("Source {src} not readable")));
        }
        if options.attributes.mode == "preserve" {
            let mode = metadata.mode() & PERMISSIONS;
            options.attributes.mode = Value::String(show_mode(mode.into()));
        }
        if !metadata.is_file() && !metadata.is_dir() {
            return Err(Failure::new(format!(
                "Cannot copy invalid source '{src}': not a file"
            )));
        }
        let mut remote = Self {
            src: src.into(),
            dest: dest.into(),
            name: name
                .filter(|name| !name.is_empty())
                .unwrap_or_else(|| file_name(src))
                .into(),
            options,
            step: Step::MakeFolder(parent(dest).into()),
        };
        let misses_folder = dest.ends_with('/') && !Path::new(parent(dest)).exists();
        if metadata.is_file() {
            remote.plan_file(target, misses_folder).await?;
        } else if !(misses_folder && target.mode().check) {
            remote
                .plan_folder(target, misses_folder, local_follow)
                .await?;
        }
        Ok(remote)
    }

    async fn plan_file(&mut self, target: &dyn Target, misses_folder: bool) -> Result<(), Failure> {
        let sum = |algorithm| {
            of_file(&self.src, algorithm)
                .map_err(|_| Failure::new(format!("Source {} not readable", self.src)))
        };
        let (sha1, md5) = (sum(Algorithm::Sha1)?, sum(Algorithm::Md5)?);
        let placement = self.placement(&sha1, &md5);
        placement.check_expected()?;
        if misses_folder {
            if !target.mode().check {
                let present = Object::new();
                self.step = Step::File {
                    sha1,
                    md5,
                    present,
                    changed: true,
                };
            }
            return Ok(());
        }
        let spot = find_spot(&self.dest, &self.name, self.options.follow)?;
        if spot.exists && !self.options.force {
            self.step = Step::Answer(self.exists(target, &spot.dest).await);
            return Ok(());
        }
        let mut present = placement.result(&spot.dest, None);
        let mut changed = spot.is_link || spot.checksum.as_ref() != Some(&sha1);
        changed |= self.attributes_differ(target, &spot).await?;
        add_path_info(target, &mut present, &spot.dest).await;
        self.step = Step::File {
            sha1,
            md5,
            present,
            changed,
        };
        Ok(())
    }

    async fn attributes_differ(&self, target: &dyn Target, spot: &Spot) -> Result<bool, Failure> {
        if !spot.exists {
            return Ok(false);
        }
        let mut unshown = BeforeAfter::default();
        let attributes = &self.options.attributes;
        attributes
            .settle(target, &spot.dest, Pass::Look, &mut unshown)
            .await
    }

    async fn plan_folder(
        &mut self,
        target: &dyn Target,
        misses_folder: bool,
        local_follow: bool,
    ) -> Result<(), Failure> {
        let is_folder = misses_folder || Path::new(&self.dest).is_dir();
        // The name is empty where the source ends in a slash: then its content is meant.
        let shown = if is_folder {
            join(&self.dest, &self.name)
        } else {
            self.dest.clone()
        };
        if !misses_folder {
            if Path::new(&shown).exists() && !self.options.force {
                self.step = Step::Answer(self.exists(target, &shown).await);
                return Ok(());
            }
            let folder = parent(&shown);
            if !folder.is_empty() && !Path::new(folder).exists() {
                let msg = format!("Destination directory {folder} does not exist");
                return Err(Failure::new(msg));
            }
        }
        let tree = RemoteTree::plan(
            target,
            (&self.src, &self.dest),
            shown,
            &self.options,
            local_follow,
        );
        self.step = Step::Folder(Box::new(tree.await?));
        Ok(())
    }

    fn placement<'a>(&'a self, sha1: &'a str, md5: &'a str) -> Placement<'a> {
        Placement {
            dest: &self.dest,
            name: &self.name,
            source: Source::File(&self.src, sha1, md5),
            src: &self.src,
            options: &self.options,
        }
    }

    async fn exists(&self, target: &dyn Target, dest: &str) -> Output {
        let mut result = Object::new();
        result.insert("msg".into(), "file already exists".into());
        result.insert("src".into(), self.src.as_str().into());
        result.insert("dest".into(), dest.into());
        add_path_info(target, &mut result, dest).await;
        Output::new(result)
    }

    /// The verdict that this plan is.
    pub(super) fn verdict(&self) -> Verdict {
        match &self.step {
            Step::Answer(output) => Verdict::unchanged(output.clone()),
            Step::MakeFolder(folder) => {
                let mut result = Object::new();
                let msg = format!("dest directory {folder} would be created");
                result.insert("msg".into(), msg.into());
                result.insert("src".into(), self.src.as_str().into());
                Verdict::Change(Change {
                    diff: Value::Null,
                    predicted: Output::new(result),
                })
            }
            Step::File {
                present, changed, ..
            } => {
                let output = Output::new(present.clone());
                Verdict::change_if(*changed, output)
            }
            Step::Folder(tree) => tree.verdict(),
        }
    }

    /// Does what was planned.
    ///
    /// # Errors
    /// As [`Placement::put`].
    pub(super) async fn carry_out(self, target: &dyn Target) -> Result<Output, Failure> {
        match &self.step {
            Step::Answer(output) => Ok(output.clone()),
            Step::MakeFolder(_) => Ok(Output::default()),
            Step::File { sha1, md5, .. } => self.placement(sha1, md5).put(target).await,
            Step::Folder(tree) => tree.carry_out(target, &self.options).await,
        }
    }
}
