//! A member of an archive, and the place that it gets.

use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use rustle_module::Failure;

/// A member of an archive.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Its name as the archive has it.
    pub(super) name: String,
    /// Where it goes, below the destination; empty for the destination itself.
    pub(super) place: PathBuf,
    pub(super) kind: MemberKind,
    /// Its permissions; none where the archive knows of none.
    pub(super) mode: Option<u32>,
    /// Who owns it; archives of zip do not tell.
    pub(super) owner: Option<Owner>,
    /// When it was changed, in seconds since 1970.
    pub(super) modified: i64,
    /// What only zip tells.
    pub(super) zip: Option<ZipDetails>,
}

/// What a member is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MemberKind {
    /// A file of so many bytes.
    File(u64),
    Directory,
    /// A symbolic link with this text.
    Symlink(PathBuf),
    /// One more name of the file at this place below the destination.
    HardLink(PathBuf),
}

/// Who owns a member, by names and numbers of the machine that packed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) user: String,
    pub(super) group: String,
}

/// What only zip tells of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ZipDetails {
    pub(super) crc: u32,
    pub(super) is_stored: bool,
}

/// Takes members one after the other, each with a reader of its content.
pub(super) type Visit<'a> = dyn FnMut(&Member, &mut dyn Read) -> Result<(), Failure> + 'a;

impl Member {
    /// Whether its mode would give its caller the rights of its owner.
    pub(super) fn is_setuid(&self) -> bool {
        let bits = self.mode.unwrap_or(0) & 0o6000;
        bits != 0 && !matches!(self.kind, MemberKind::Directory)
    }
}

/// The place of a name below the destination, after its first `strip` components were taken off; none where nothing is left.
///
/// A slash at the beginning does not count, as with every `tar`.
///
/// # Errors
/// When the name would lead out of the destination.
pub(super) fn place_of(name: &str, strip: usize) -> Result<Option<PathBuf>, Failure> {
    let mut place = PathBuf::new();
    let mut count = 0;
    for component in Path::new(name).components() {
        match component {
            Component::RootDir | Component::CurDir => continue,
            Component::Normal(part) => {
                count += 1;
                if count > strip {
                    place.push(part);
                }
            }
            Component::ParentDir | Component::Prefix(_) => {
                return Err(refused(name, "its name leads out of the destination"));
            }
        }
    }
    let is_left = count > strip || (count == 0 && strip == 0);
    Ok(is_left.then_some(place))
}

/// Why nothing of an archive is unpacked.
pub(super) fn refused(name: &str, why: &str) -> Failure {
    Failure::new(format!(
        "the archive is not unpacked because of its member `{name}`: {why}"
    ))
}

/// The archive cannot be read.
pub(super) fn damaged(error: &io::Error) -> Failure {
    Failure::new(format!("Unable to list files in the archive: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_below_the_destination() {
        for (name, strip, expected) in [
            ("a/b", 0, Some("a/b")),
            ("./a/", 0, Some("a")),
            ("/etc/x", 0, Some("etc/x")),
            ("./", 0, Some("")),
            ("a/b", 1, Some("b")),
            ("a/", 1, None),
            ("./a/b", 1, Some("b")),
        ] {
            let place = place_of(name, strip).expect("inside");
            assert_eq!(place.as_deref(), expected.map(Path::new), "{name}");
        }
        for name in ["../x", "a/../../x", "a/..", "/../x"] {
            assert!(place_of(name, 0).is_err(), "{name}");
        }
    }
}
