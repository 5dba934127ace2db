//! Puts members in their places, below the destination and nowhere else.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, FileTimes, OpenOptions, Permissions};
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Gid, Timespec, Timestamps, Uid};
use rustle_module::{Failure, random_name};

use super::member::{Member, MemberKind, Owner, refused};
use super::survey::{Survey, Unpacking};
use crate::os_error::describe_bare;

/// Who owns what is unpacked: names of the archive as numbers of this machine.
#[derive(Default)]
pub(super) struct Owners {
    pub(super) users: HashMap<String, u32>,
    pub(super) groups: HashMap<String, u32>,
}

impl Owners {
    /// The numbers for an owner: those of the names where this machine knows them.
    pub(super) fn ids(&self, owner: &Owner) -> (u32, u32) {
        let user = self.users.get(&owner.user);
        let group = self.groups.get(&owner.group);
        (
            user.copied().unwrap_or(owner.uid),
            group.copied().unwrap_or(owner.gid),
        )
    }
}

/// Unpacks, and returns what `unzip` would write about it.
///
/// # Errors
/// When a member cannot be written, or would be written elsewhere. Members before it stay.
pub(super) fn unpack(
    unpacking: &Unpacking<'_>,
    survey: &Survey,
    owners: &Owners,
) -> Result<String, Failure> {
    let real =
        fs::canonicalize(unpacking.dest).map_err(|error| Failure::new(describe_bare(&error)))?;
    let mut writer = Writer {
        unpacking,
        owners,
        real,
        folders: Vec::new(),
        told: format!("Archive:  {}\n", unpacking.src.display()),
    };
    unpacking.visit(
        &mut |member, content| match survey.newer.contains(&member.place) {
            true => Ok(()),
            false => writer.put(member, content),
        },
    )?;
    writer.finish()
}

struct Writer<'a> {
    unpacking: &'a Unpacking<'a>,
    owners: &'a Owners,
    /// The destination without links.
    real: PathBuf,
    /// Folders, whose attributes are set at the end: what is put into them changes their times.
    folders: Vec<(PathBuf, Member)>,
    told: String,
}

impl Writer<'_> {
    fn put(&mut self, member: &Member, content: &mut dyn Read) -> Result<(), Failure> {
        let path = self.path_of(member, &member.place)?;
        let failed = |error: io::Error| {
            Failure::new(format!("{}: {}", path.display(), describe_bare(&error)))
        };
        self.tell(member);
        if self.stays(member, &path) {
            return Ok(());
        }
        match &member.kind {
            MemberKind::Directory => {
                if !path.is_dir() {
                    remove_file(&path).map_err(failed)?;
                    fs::create_dir(&path).map_err(failed)?;
                }
                self.folders.push((path, member.clone()));
                return Ok(());
            }
            MemberKind::File(size) => self.put_file(member, &path, *size, content),
            MemberKind::Symlink(text) => {
                replace(&path, |path| symlink(text, path)).and_then(|()| match self.ids(member) {
                    Some((uid, gid)) => chown(&path, uid, gid),
                    None => Ok(()),
                })
            }
            MemberKind::HardLink(of) => {
                let of = self.path_of(member, of)?;
                replace(&path, |path| fs::hard_link(&of, path))
            }
        }
        .map_err(failed)
    }

    /// Whether what is there is not to be replaced.
    fn stays(&self, member: &Member, path: &Path) -> bool {
        let options = &self.unpacking.wanted.options;
        let Ok(found) = fs::symlink_metadata(path) else {
            return false;
        };
        if matches!(member.kind, MemberKind::Directory) {
            return false;
        }
        let modified = |found: &fs::Metadata| std::os::unix::fs::MetadataExt::mtime(found);
        let is_newer = || member.zip.is_none() && modified(&found) >= member.modified;
        options.skip_old_files || (self.unpacking.keep_newer && is_newer())
    }

    fn put_file(
        &self,
        member: &Member,
        path: &Path,
        size: u64,
        content: &mut dyn Read,
    ) -> io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        replace(path, |staged| {
            let mut file = options.open(staged)?;
            // A content that is longer than it says would be the end of what was checked before.
            let copied = io::copy(&mut content.take(size.saturating_add(1)), &mut file)?;
            if copied != size {
                return Err(io::Error::other(
                    "its size is not the one that the archive tells",
                ));
            }
            self.settle(&file, staged, member)
        })
    }

    fn settle(&self, file: &File, staged: &Path, member: &Member) -> io::Result<()> {
        if let Some((uid, gid)) = self.ids(member) {
            chown(staged, uid, gid)?;
        }
        let mode = self.unpacking.mode_of(member);
        file.set_permissions(Permissions::from_mode(mode & !0o6000))?;
        if self.unpacking.wanted.options.touch {
            return Ok(());
        }
        let modified = SystemTime::UNIX_EPOCH
            + Duration::from_secs(u64::try_from(member.modified).unwrap_or(0));
        file.set_times(FileTimes::new().set_modified(modified))
    }

    /// Whom the member shall belong to; none where it stays with whoever unpacks it.
    fn ids(&self, member: &Member) -> Option<(u32, u32)> {
        let keeps = rustix::process::geteuid().is_root() && !self.unpacking.wanted.options.no_owner;
        let owner = member.owner.as_ref().filter(|_| keeps)?;
        Some(match self.unpacking.wanted.options.numeric_owner {
            true => (owner.uid, owner.gid),
            false => self.owners.ids(owner),
        })
    }

    /// Where a place is. Folders on the way are made; a link on the way has to stay in the destination.
    fn path_of(&self, member: &Member, place: &Path) -> Result<PathBuf, Failure> {
        let mut path = self.unpacking.dest.to_owned();
        let mut parts = place.components().peekable();
        while let Some(part) = parts.next() {
            path.push(part);
            let is_link = path.is_symlink();
            let is_last = parts.peek().is_none();
            let follows = is_link && (!is_last || member.kind == MemberKind::Directory);
            if follows && path.is_dir() {
                let real = fs::canonicalize(&path).unwrap_or_default();
                if !real.starts_with(&self.real) {
                    let why = format!("`{}` leads out of the destination", path.display());
                    return Err(refused(&member.name, &why));
                }
            } else if !is_last && !path.exists() && !is_link {
                fs::create_dir(&path).map_err(|error| {
                    Failure::new(format!("{}: {}", path.display(), describe_bare(&error)))
                })?;
            }
        }
        Ok(path)
    }

    fn tell(&mut self, member: &Member) {
        let path = self.unpacking.dest.join(&member.name);
        let verb = match (&member.kind, member.zip) {
            (MemberKind::Directory, _) if path.is_dir() => return,
            (MemberKind::Directory, _) => "creating",
            (MemberKind::Symlink(_), _) => "linking",
            (_, Some(details)) if details.is_stored => "extracting",
            _ => "inflating",
        };
        let end = if verb == "creating" { "" } else { "  " };
        // Writing to a String cannot fail.
        let _ = writeln!(self.told, "{verb:>11}: {}{end}", path.display());
    }

    /// Sets the attributes of folders, from the innermost on.
    fn finish(mut self) -> Result<String, Failure> {
        while let Some((path, member)) = self.folders.pop() {
            self.settle_folder(&path, &member).map_err(|error| {
                Failure::new(format!("{}: {}", path.display(), describe_bare(&error)))
            })?;
        }
        Ok(self.told)
    }

    fn settle_folder(&self, path: &Path, member: &Member) -> io::Result<()> {
        if let Some((uid, gid)) = self.ids(member) {
            chown(path, uid, gid)?;
        }
        let mode = self.unpacking.mode_of(member);
        fs::set_permissions(path, Permissions::from_mode(mode))?;
        if self.unpacking.wanted.options.touch {
            return Ok(());
        }
        let times = Timestamps {
            last_access: Timespec {
                tv_sec: 0,
                tv_nsec: rustix::fs::UTIME_NOW,
            },
            last_modification: Timespec {
                tv_sec: member.modified,
                tv_nsec: 0,
            },
        };
        Ok(rustix::fs::utimensat(CWD, path, &times, AtFlags::empty())?)
    }
}

fn chown(path: &Path, uid: u32, gid: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    Ok(rustix::fs::chownat(CWD, path, Some(uid), Some(gid), flags)?)
}

/// Makes something beside its place, and puts it there in one step.
fn replace(path: &Path, make: impl FnOnce(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let staged = folder.join(format!(".unpacked-{}", random_name()?));
    let made = make(&staged).and_then(|()| fs::rename(&staged, path));
    // It is gone where the rename worked, but for two names of one file, of which both stay.
    let _ignored = fs::remove_file(&staged);
    made
}

/// Removes what is no folder, if there is something.
fn remove_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}
