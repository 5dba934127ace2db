//! Puts one file's content in its place: finds the place, makes folders, backs up, validates, replaces, settles attributes.

use std::fs;
use std::path::Path;

use md5::{Digest, Md5};
use rustix::fs::Access;
use rustle_module::{Attached, Failure, Object, Output, Target, hex};
use serde_json::Value;

use super::Options;
use crate::attributes::{AttributeArgs, Pass, add_path_info, restore_context};
use crate::checksum::{Algorithm, of_file};
use crate::diff::BeforeAfter;
use crate::os_error::describe;
use crate::paths::{file_name, join, make_folders, parent, real_text};
use crate::staged::Staged;
use crate::{backup, validate};

/// Where content comes from.
pub(super) enum Source<'a> {
    /// The controller.
    Attached(&'a Attached),
    /// A file of this machine: its path, SHA-1 and MD5.
    File(&'a str, &'a str, &'a str),
}

impl Source<'_> {
    fn checksum(&self) -> &str {
        match self {
            Self::Attached(attached) => &attached.checksum,
            Self::File(_, sha1, _) => sha1,
        }
    }
}

/// One file to be put in place.
pub(super) struct Placement<'a> {
    /// The `dest` option.
    pub(super) dest: &'a str,
    /// The name that the file has within a folder.
    pub(super) name: &'a str,
    /// Its content.
    pub(super) source: Source<'a>,
    /// What the result names as `src`.
    pub(super) src: &'a str,
    /// How it is put there.
    pub(super) options: &'a Options,
}

/// The place that a file takes.
pub(super) struct Spot {
    /// Its path.
    pub(super) dest: String,
    /// Whether something is there, links followed.
    pub(super) exists: bool,
    /// Whether it is a link, which will be replaced.
    pub(super) is_link: bool,
    /// The SHA-1 of the file there.
    pub(super) checksum: Option<String>,
}

/// Finds the place for a file: within `dest` if that is a folder, at its target if links are followed.
///
/// # Errors
/// When the folder that it lies in is missing.
pub(super) fn find_spot(dest: &str, name: &str, follow: bool) -> Result<Spot, Failure> {
    let is_folder = |path: &str| Path::new(path).is_dir();
    let mut dest = match dest.ends_with('/') {
        true if is_folder(&join(dest, name)) => join(&join(dest, name), file_name(name)),
        false if !is_folder(dest) => dest.to_owned(),
        _ => join(dest, name),
    };
    let is_link = |dest: &str| fs::symlink_metadata(dest).is_ok_and(|m| m.is_symlink());
    let exists = Path::new(&dest).exists();
    if exists && follow && is_link(&dest) {
        dest = real_text(&dest);
    }
    if !exists {
        check_parent(&dest)?;
    }
    let is_file = Path::new(&dest).is_file();
    let checksum = is_file
        .then(|| of_file(&dest, Algorithm::Sha1).ok())
        .flatten();
    Ok(Spot {
        is_link: is_link(&dest),
        exists,
        checksum,
        dest,
    })
}

fn check_parent(dest: &str) -> Result<(), Failure> {
    let folder = parent(dest);
    match fs::metadata(if folder.is_empty() { "." } else { folder }) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Err(Failure::new(
            format!("Destination directory {folder} is not accessible"),
        )),
        Err(_) => Err(Failure::new(format!(
            "Destination directory {folder} does not exist"
        ))),
    }
}

impl Placement<'_> {
    /// Puts the file in place and returns the result.
    ///
    /// # Errors
    /// When a folder is missing, the command that validates does not accept it, the kernel refuses, or an attribute cannot
    /// be read. The last leaves the file in place.
    pub(super) async fn put(&self, target: &dyn Target) -> Result<Output, Failure> {
        self.check_expected()?;
        let mut changed = self.make_missing_folders(target).await?;
        let spot = find_spot(self.dest, self.name, self.options.follow)?;
        let dest = spot.dest.as_str();
        self.check_writable(dest)?;
        let mut md5 = None;
        let mut backup_file = None;
        if spot.is_link || spot.checksum.as_deref() != Some(self.source.checksum()) {
            if self.options.backup && spot.exists {
                backup_file = Some(backup::make(dest)?);
            }
            md5 = Some(self.replace(target, &spot).await?);
            changed = true;
        }
        let mut unshown = BeforeAfter::default();
        let attributes = &self.options.attributes;
        changed |= attributes
            .settle(target, dest, Pass::Set, &mut unshown)
            .await?;
        let mut result = self.result(dest, md5);
        if let Some(backup_file) = backup_file {
            result.insert("backup_file".into(), backup_file.into());
        }
        add_path_info(target, &mut result, dest).await;
        Ok(Output::new(result).changed(changed))
    }

    /// The keys of the result, without the description of the file.
    pub(super) fn result(&self, dest: &str, md5: Option<String>) -> Object {
        let md5 = md5.or_else(|| match &self.source {
            Source::Attached(attached) => {
                // Nothing was streamed, so what is there is what was sent.
                attached
                    .md5
                    .clone()
                    .or_else(|| of_file(dest, Algorithm::Md5).ok())
            }
            Source::File(_, _, md5) => Some((*md5).to_owned()),
        });
        let mut result = Object::new();
        result.insert("dest".into(), dest.into());
        result.insert("src".into(), self.src.into());
        result.insert("md5sum".into(), md5.map_or(Value::Null, Value::String));
        result.insert("checksum".into(), self.source.checksum().into());
        result
    }

    /// Compares the content with the checksum that the task expects.
    ///
    /// # Errors
    /// When they differ.
    pub(super) fn check_expected(&self) -> Result<(), Failure> {
        let present = self.source.checksum();
        match self
            .options
            .checksum
            .as_deref()
            .filter(|expected| !expected.is_empty())
        {
            Some(expected) if expected != present => {
                let msg = "Copied file does not match the expected checksum. Transfer failed.";
                let failure = Failure::new(msg).with("checksum", present);
                Err(failure.with("expected_checksum", expected))
            }
            _ => Ok(()),
        }
    }

    /// Makes the folders of a `dest` that ends in a slash.
    async fn make_missing_folders(&self, target: &dyn Target) -> Result<bool, Failure> {
        if !self.dest.ends_with('/') {
            return Ok(false);
        }
        let full = join(self.dest, self.name);
        make_folders_with(target, parent(&full), self.options).await
    }

    fn check_writable(&self, dest: &str) -> Result<(), Failure> {
        let folder = parent(dest);
        let path = if folder.is_empty() { "." } else { folder };
        let is_writable = rustix::fs::access(path, Access::WRITE_OK).is_ok();
        if is_writable || self.options.unsafe_writes {
            return Ok(());
        }
        Err(Failure::new(format!("Destination {folder} not writable")))
    }

    /// Stages, validates and commits the content, and returns its MD5.
    async fn replace(&self, target: &dyn Target, spot: &Spot) -> Result<String, Failure> {
        let dest = Path::new(&spot.dest);
        let like = fs::symlink_metadata(dest)
            .ok()
            .filter(fs::Metadata::is_file);
        let mut staged = Staged::for_dest(target, dest, self.options.unsafe_writes)?;
        let md5 = match &self.source {
            Source::Attached(attached) => {
                let mut md5 = Md5::new();
                let mut keep = |bytes: &[u8]| {
                    md5.update(bytes);
                    staged.write(bytes)
                };
                attached.stream(target, &mut keep).await?;
                staged.take_attributes(like.as_ref());
                hex(&md5.finalize())
            }
            Source::File(path, _, md5) => {
                staged.copy_from(path.as_ref())?;
                staged.take_after(path.as_ref(), like.is_some())?;
                (*md5).to_owned()
            }
        };
        let _told_later = staged.settle(target, &self.options.attributes).await;
        if let Some(command) = self
            .options
            .validate
            .as_deref()
            .filter(|text| !text.is_empty())
        {
            accept(target, command, staged.path()).await?;
        }
        staged.commit()?;
        if like.is_none() {
            restore_context(target, dest).await;
        }
        Ok(md5)
    }
}

/// Makes missing folders, each with the task's owner and group and the mode of `directory_mode`.
pub(super) async fn make_folders_with(
    target: &dyn Target,
    folder: &str,
    options: &Options,
) -> Result<bool, Failure> {
    let made = make_folders(folder).map_err(|error| {
        let text = describe(&error, folder);
        Failure::new(format!(
            "There was an issue creating {folder} as requested: {text}"
        ))
    })?;
    let attributes = options.of_folders();
    for folder in &made {
        settle_silently(target, &attributes, folder).await?;
    }
    Ok(!made.is_empty())
}

async fn settle_silently(
    target: &dyn Target,
    attributes: &AttributeArgs,
    path: &str,
) -> Result<bool, Failure> {
    let mut unshown = BeforeAfter::default();
    attributes
        .settle(target, path, Pass::Set, &mut unshown)
        .await
}

async fn accept(target: &dyn Target, command: &str, path: &Path) -> Result<(), Failure> {
    let finished = validate::run(target, command, path).await?;
    if finished.is_success() {
        return Ok(());
    }
    Err(Failure::new("failed to validate")
        .with("exit_status", finished.status.to_return_code())
        .with("stdout", finished.stdout.to_string_lossy())
        .with("stderr", finished.stderr.to_string_lossy()))
}
