//! The folder of a file of keys, reached so that its owner cannot lead us elsewhere.
//!
//! We often are root, and the folder often belongs to somebody else, who may swap it for a link at any moment. So the folder is
//! opened once, part by part, and everything in it is reached from there. A link on the way is followed only where it belongs to root
//! or leads to what belongs to its own owner.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, fchmod, fchown, fstat, mkdirat, openat};
use rustix::fs::{fsync, renameat, statat, unlinkat};
use rustix::process::{Gid, Uid};
use rustle_module::accounts::User;
use rustle_module::random_name;

/// The mode of a folder that only its owner may look into.
pub(super) const PRIVATE: u32 = 0o700;

/// What is made of a path that is not there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
    /// Nothing: it is an error.
    Fails,
    /// The last folder, private.
    MakesLast,
    /// All folders, as new folders are.
    MakesAll,
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder {
    fd: OwnedFd,
}

impl Folder {
    /// Opens a folder.
    ///
    /// # Errors
    /// When it is not there or cannot be made, or somebody's link on the way leads to what is not theirs.
    pub(super) fn open(path: &Path, missing: Missing) -> io::Result<Self> {
        let start = if path.is_absolute() { "/" } else { "." };
        let mut at = openat(CWD, start, FOLDER | OFlags::PATH, Mode::empty())?;
        let parts: Vec<Component<'_>> = path
            .components()
            .filter(|part| matches!(part, Component::Normal(_) | Component::ParentDir))
            .collect();
        for (index, part) in parts.iter().enumerate() {
            let is_last = index + 1 == parts.len();
            let name = Path::new(part.as_os_str());
            let next = match (enter(&at, name), missing) {
                (Err(error), Missing::MakesAll) if is_missing(&error) => {
                    mkdirat(&at, name, Mode::from(0o777))?;
                    enter(&at, name)
                }
                (Err(error), Missing::MakesLast) if is_missing(&error) && is_last => {
                    mkdirat(&at, name, Mode::from(PRIVATE))?;
                    enter(&at, name)
                }
                (entered, _) => entered,
            };
            at = next?;
        }
        let fd = openat(&at, ".", FOLDER, Mode::empty())?;
        Ok(Self { fd })
    }

    /// Gives the folder to its user alone.
    ///
    /// # Errors
    /// When we may not.
    pub(super) fn give_to(&self, user: &User) -> io::Result<()> {
        let (uid, gid) = owner(user);
        fchown(&self.fd, Some(uid), Some(gid))?;
        Ok(fchmod(&self.fd, Mode::from(PRIVATE))?)
    }

    /// The text of a file; nothing where there is none.
    ///
    /// # Errors
    /// When it is no file, cannot be read, is not UTF-8, or is somebody's link to what is not theirs.
    pub(super) fn read(&self, name: &Path) -> io::Result<Option<String>> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let fd = match openat(&self.fd, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
            Err(rustix::io::Errno::LOOP) => follow(&self.fd, name, || {
                openat(&self.fd, name, flags, Mode::empty())
            }),
            opened => opened.map_err(io::Error::from),
        };
        let fd = match fd {
            Err(error) if is_missing(&error) => return Ok(None),
            fd => fd?,
        };
        if FileType::from_raw_mode(fstat(&fd)?.st_mode) != FileType::RegularFile {
            return Err(io::Error::other("it is not a regular file"));
        }
        let mut text = String::new();
        File::from(fd).read_to_string(&mut text)?;
        Ok(Some(text))
    }

    /// Replaces a file (or a link) in one step by one that only the user may read and write.
    ///
    /// # Errors
    /// When the folder takes no new files, or the disk is full or broken.
    pub(super) fn replace(&self, name: &Path, text: &str, user: &User) -> io::Result<()> {
        let staged = format!(".ansible_tmp{}", random_name()?);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
        let fd = openat(&self.fd, &staged, flags, Mode::from(0o600))?;
        let mut file = File::from(fd);
        let put = self.fill(&mut file, text, user).and_then(|()| {
            renameat(&self.fd, &staged, &self.fd, name)?;
            Ok(fsync(&self.fd)?)
        });
        if put.is_err() {
            // What failed counts; the rest is tidying up.
            let _ignored = unlinkat(&self.fd, &staged, AtFlags::empty());
        }
        put
    }

    fn fill(&self, file: &mut File, text: &str, user: &User) -> io::Result<()> {
        file.write_all(text.as_bytes())?;
        let (uid, gid) = owner(user);
        // Who may not give files away keeps them.
        let _ignored = fchown(&*file, Some(uid), Some(gid));
        fchmod(&*file, Mode::from(0o600))?;
        file.sync_all()
    }
}

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::CLOEXEC);

fn owner(user: &User) -> (Uid, Gid) {
    (Uid::from_raw(user.uid), Gid::from_raw(user.gid))
}

fn is_missing(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}

/// Opens a folder below another one.
fn enter(at: &OwnedFd, name: &Path) -> io::Result<OwnedFd> {
    let flags = FOLDER | OFlags::PATH;
    match openat(at, name, flags | OFlags::NOFOLLOW, Mode::empty()) {
        // That is what links give, too.
        Err(rustix::io::Errno::NOTDIR) => {
            follow(at, name, || openat(at, name, flags, Mode::empty()))
        }
        opened => Ok(opened?),
    }
}

/// Follows a link, if that may be.
fn follow(
    at: &OwnedFd,
    name: &Path,
    open: impl FnOnce() -> rustix::io::Result<OwnedFd>,
) -> io::Result<OwnedFd> {
    let link = statat(at, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let opened = open()?;
    if link.st_uid == 0 || link.st_uid == fstat(&opened)?.st_uid {
        return Ok(opened);
    }
    Err(io::Error::other(format!(
        "`{}` is a link to what does not belong to the link's owner",
        name.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::{MetadataExt, lchown, symlink};

    fn nobody() -> User {
        User {
            name: "nobody".into(),
            uid: 65534,
            gid: 65534,
            gecos: String::new(),
            home: String::new(),
            shell: String::new(),
        }
    }

    #[test]
    fn links_of_others_to_what_is_not_theirs_are_refused() {
        let top = tempfile::tempdir().expect("a folder");
        let path = |name: &str| top.path().join(name);
        fs::create_dir(path("ours")).expect("a folder");
        fs::write(path("ours/secret"), "s").expect("a file");
        symlink("ours", path("link")).expect("a link");
        symlink("secret", path("ours/keys")).expect("a link");
        let folder = Folder::open(&path("link"), Missing::Fails).expect("a link of ours");
        let read = folder.read(Path::new("keys")).expect("a link of ours");
        assert_eq!(read.as_deref(), Some("s"));
        for link in ["link", "ours/keys"] {
            lchown(path(link), Some(65534), Some(65534)).expect("root gives it away");
        }
        assert!(folder.read(Path::new("keys")).is_err());
        assert!(Folder::open(&path("link"), Missing::Fails).is_err());
    }

    #[test]
    fn a_link_is_replaced_and_its_target_stays_as_it_was() {
        let top = tempfile::tempdir().expect("a folder");
        let path = |name: &str| top.path().join(name);
        fs::write(path("secret"), "s").expect("a file");
        symlink("secret", path("keys")).expect("a link");
        let folder = Folder::open(top.path(), Missing::Fails).expect("a folder");
        let put = folder.replace(Path::new("keys"), "k\n", &nobody());
        put.expect("it is replaced");
        let metadata = fs::symlink_metadata(path("keys")).expect("there");
        assert!(metadata.is_file());
        assert_eq!((metadata.uid(), metadata.mode() & 0o7777), (65534, 0o600));
        let secret = fs::metadata(path("secret")).expect("there");
        assert_eq!((secret.uid(), secret.size()), (0, 1));
        assert_eq!(fs::read_dir(top.path()).expect("readable").count(), 2);
    }

    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let top = tempfile::tempdir().expect("a folder");
        let fifo = top.path().join("keys");
        rustix::fs::mknodat(CWD, &fifo, FileType::Fifo, Mode::from(0o600), 0).expect("a pipe");
        let folder = Folder::open(top.path(), Missing::Fails).expect("a folder");
        assert!(folder.read(Path::new("keys")).is_err());
        assert_eq!(folder.read(Path::new("none")).expect("none"), None);
    }

    #[test]
    fn missing_folders_are_made_as_far_as_asked() {
        let top = tempfile::tempdir().expect("a folder");
        let deep = top.path().join("a/b");
        for missing in [Missing::Fails, Missing::MakesLast] {
            Folder::open(&deep, missing).expect_err("its parent is not there");
        }
        Folder::open(&deep, Missing::MakesAll).expect("all are made");
        let last = deep.join("c");
        let folder = Folder::open(&last, Missing::MakesLast).expect("the last is made");
        folder.give_to(&nobody()).expect("we are root");
        let metadata = fs::metadata(&last).expect("there");
        assert_eq!((metadata.uid(), metadata.mode() & 0o777), (65534, PRIVATE));
    }
}
