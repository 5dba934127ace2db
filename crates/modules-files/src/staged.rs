//! Atomic writes: content is staged beside its destination and takes its place in one step.
//!
//! A reader of the destination sees the old content or the new one, whole, with the right owner and mode from the first moment.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use rustix::fs::XattrFlags;
use rustle_module::{Failure, Target};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::attributes::{
    AttributeArgs, PERMISSIONS, Pass, Subject, permissions, resolve, show_mode,
};
use crate::diff::BeforeAfter;
use crate::os_error::{describe, describe_bare};
use crate::paths::{parent_folder, umask};

/// The longest extension that a staged file takes over from its destination.
const MAX_EXTENSION: usize = 32;

/// Content on its way to a destination. Dropping it removes it and leaves the destination as it was.
pub(crate) struct Staged {
    file: NamedTempFile,
    dest: PathBuf,
    /// The mode that it gets unless the task asks for another. It is set when both are known, for until then nobody else may read it.
    mode: Option<u32>,
    unsafe_writes: bool,
    /// Whether the destination's folder takes no new files, so that the content can only be written over the old one.
    elsewhere: bool,
}

impl Staged {
    /// Makes an empty staged file for `dest`, which must not be a link that is to be kept.
    ///
    /// # Errors
    /// When the folder takes no new files, unless `unsafe_writes` allows to write in place.
    pub(crate) fn for_dest(
        target: &dyn Target,
        dest: &Path,
        unsafe_writes: bool,
    ) -> Result<Self, Failure> {
        let folder = parent_folder(dest);
        let extension = dest
            .extension()
            .and_then(|e| e.to_str())
            .filter(|e| e.len() <= MAX_EXTENSION);
        let suffix = extension.map(|e| format!(".{e}")).unwrap_or_default();
        let mut builder = tempfile::Builder::new();
        builder.prefix(".ansible_tmp").suffix(&suffix).rand_bytes(8);
        let staged = |file, elsewhere| Self {
            file,
            dest: dest.into(),
            mode: None,
            unsafe_writes,
            elsewhere,
        };
        match builder.tempfile_in(folder) {
            Ok(file) => Ok(staged(file, false)),
            Err(_) if unsafe_writes && dest.exists() => {
                let file = builder.tempfile_in(target.temp_dir());
                file.map(|file| staged(file, true)).map_err(|error| {
                    Failure::new(format!(
                        "Could not stage the new content: {}",
                        describe_bare(&error)
                    ))
                })
            }
            Err(error) => Err(Failure::new(format!(
                "The destination directory ({}) is not writable by the current user. Error was: {}",
                folder.display(),
                describe_bare(&error)
            ))),
        }
    }

    /// Where the content is staged.
    pub(crate) fn path(&self) -> &Path {
        self.file.path()
    }

    /// The staged file, for what is not written from its beginning to its end.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Adds content.
    ///
    /// # Errors
    /// When the disk is full or broken.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.file
            .write_all(bytes)
            .map_err(|error| self.failure(&error))
    }

    /// Copies a whole file's content.
    ///
    /// # Errors
    /// When it cannot be read, or the disk is full or broken.
    pub(crate) fn copy_from(&mut self, source: &Path) -> Result<(), Failure> {
        let copied =
            File::open(source).and_then(|mut source| io::copy(&mut source, &mut self.file));
        copied.map(drop).map_err(|error| {
            let (from, to) = (source.display(), self.dest.display());
            Failure::new(format!(
                "failed to copy: {from} to {to}: {}",
                describe_bare(&error)
            ))
        })
    }

    /// Gives the staged file owner, mode and extended attributes of the file that it replaces, or those of a new file. The mode is
    /// its own only once [`settle`](Self::settle) or [`commit`](Self::commit) knows that the task asks for none.
    pub(crate) fn take_attributes(&mut self, like: Option<&Metadata>) {
        // A new file belongs to who makes it and, in a folder with the setgid bit, to the folder's group: as it is already.
        let Some(like) = like else {
            self.mode = Some(0o666 & !umask());
            return;
        };
        copy_extended_attributes(&self.dest, self.file.path());
        self.take_owner_and_mode(like);
    }

    /// Gives the staged file the owner and mode that a task asks for, and tells what differed.
    ///
    /// What is wrong about them is left to be found once the content is in place, as in Ansible.
    pub(crate) async fn settle(
        &mut self,
        target: &dyn Target,
        wanted: &AttributeArgs,
    ) -> (BeforeAfter, bool) {
        let mut diff = BeforeAfter::default();
        let path = self.file.path().to_string_lossy().into_owned();
        let owners = wanted.owners();
        let settled = owners.settle(target, &path, Pass::Set, &mut diff).await;
        let mut changed = settled.unwrap_or(false);
        if let Some(base) = self.mode
            && wanted.wants_mode()
            && let Some(mode) = bits(&wanted.mode, base)
            && mode != base
        {
            diff.set("mode", show_mode(base.into()), show_mode(mode.into()));
            self.mode = Some(mode);
            changed = true;
        }
        // What cannot be set is found once more, and told, when the content is in place.
        let _told_later = self.set_mode();
        (diff, changed)
    }

    /// Takes over owner and mode of a file that is replaced.
    pub(crate) fn take_owner_and_mode(&mut self, like: &Metadata) {
        // Who may not give files away keeps them.
        let _ignored = fchown(self.file.as_file(), Some(like.uid()), Some(like.gid()));
        self.mode = Some(permissions(like));
    }

    /// Gives it the mode that it is to have, if that was not done yet.
    fn set_mode(&mut self) -> Result<(), Failure> {
        let Some(mode) = self.mode else {
            return Ok(());
        };
        rustix::fs::fchmod(self.file.as_file(), mode.into())
            .map_err(|error| self.failure(&error.into()))?;
        self.mode = None;
        Ok(())
    }

    /// Takes over mode, times and extended attributes of the file that was copied, where it replaces another file.
    /// A new file has the mode of new files.
    ///
    /// # Errors
    /// When they cannot be read or set.
    pub(crate) fn take_after(&mut self, source: &Path, replaces: bool) -> Result<(), Failure> {
        let taken = fs::metadata(source).and_then(|metadata| {
            copy_extended_attributes(source, self.file.path());
            self.mode = Some(match replaces {
                true => permissions(&metadata),
                false => 0o666 & !umask(),
            });
            let times = fs::FileTimes::new()
                .set_accessed(metadata.accessed()?)
                .set_modified(metadata.modified()?);
            self.file.as_file().set_times(times)
        });
        taken.map_err(|error| self.failure(&error))
    }

    /// Puts the content in place.
    ///
    /// # Errors
    /// When the destination cannot be replaced.
    pub(crate) fn commit(mut self) -> Result<(), Failure> {
        self.set_mode()?;
        self.file
            .as_file()
            .sync_all()
            .map_err(|error| self.failure(&error))?;
        if self.elsewhere {
            return self.write_over();
        }
        match fs::rename(self.file.path(), &self.dest) {
            Ok(()) => {
                let folder = File::open(parent_folder(&self.dest));
                // The new name is in place; that it survives a power cut is best effort.
                let _ignored = folder.and_then(|folder| folder.sync_all());
                Ok(())
            }
            Err(error) if self.unsafe_writes && is_in_the_way(&error) => self.write_over(),
            Err(error) => Err(self.failure(&error)),
        }
    }

    /// Writes the content over the old one, which is neither atomic nor safe, but works on a file that is a mount point.
    fn write_over(&self) -> Result<(), Failure> {
        let mut staged = File::open(self.file.path()).map_err(|error| self.failure(&error))?;
        let mut dest = File::create(&self.dest).map_err(|error| self.failure(&error))?;
        io::copy(&mut staged, &mut dest).map_err(|error| self.failure(&error))?;
        dest.sync_all().map_err(|error| self.failure(&error))
    }

    fn failure(&self, error: &io::Error) -> Failure {
        let (from, to) = (self.file.path().display(), self.dest.display());
        let text = describe(error, &from.to_string());
        Failure::new(format!(
            "Could not replace file: {from} to {to}: {text} -> b'{to}'"
        ))
    }
}

/// The permissions that a task asks for, over those that there are; none where they cannot be read.
fn bits(wanted: &Value, present: u32) -> Option<u32> {
    let subject = Subject {
        mode: present,
        is_dir: false,
    };
    let mode = resolve(wanted, subject, umask).ok()?;
    u32::try_from(mode & i64::from(PERMISSIONS)).ok()
}

fn is_in_the_way(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ResourceBusy
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::CrossesDevices
    )
}

/// Copies extended attributes (access lists, SELinux context, the user's own), as far as the file system lets us.
fn copy_extended_attributes(from: &Path, to: &Path) {
    let mut names = vec![0; 64 * 1024];
    let Ok(length) = rustix::fs::listxattr(from, &mut names[..]) else {
        return;
    };
    let mut value = vec![0; 64 * 1024];
    for name in names[..length]
        .split(|byte| *byte == 0)
        .filter(|name| !name.is_empty())
    {
        if let Ok(length) = rustix::fs::getxattr(from, name, &mut value[..]) {
            let _ignored = rustix::fs::setxattr(to, name, &value[..length], XattrFlags::empty());
        }
    }
}
