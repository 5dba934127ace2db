//! What results say about a path: kind, owner, mode, size.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustle_types::Object;

use crate::accounts::Accounts;
use crate::result::Failure;
use crate::target::Target;

/// The bits of a mode that are permissions.
pub const PERMISSIONS: u32 = 0o7777;

/// What is at a path, in the words of the `state` option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Nothing.
    Absent,
    /// A symbolic link, whether its target exists or not.
    Link,
    /// A folder.
    Directory,
    /// A file with further names.
    Hard,
    /// A file, or anything else.
    File,
}

impl Kind {
    /// What is at `path`, links not followed.
    #[must_use]
    pub fn of(path: &Path) -> Self {
        fs::symlink_metadata(path).map_or(Self::Absent, |metadata| Self::of_metadata(&metadata))
    }

    fn of_metadata(metadata: &Metadata) -> Self {
        if metadata.is_symlink() {
            Self::Link
        } else if metadata.is_dir() {
            Self::Directory
        } else if metadata.nlink() > 1 {
            Self::Hard
        } else {
            Self::File
        }
    }

    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Link => "link",
            Self::Directory => "directory",
            Self::Hard => "hard",
            Self::File => "file",
        }
    }
}

/// The permission bits of what metadata describes.
#[must_use]
pub fn permissions(metadata: &Metadata) -> u32 {
    metadata.mode() & PERMISSIONS
}

/// Adds owner, mode, kind and size of `path` to a result; nothing if it (or the target of a link) does not exist.
pub async fn add_path_info(target: &dyn Target, result: &mut Object, path: &str) {
    let path = Path::new(path);
    let Ok(metadata) = fs::symlink_metadata(path) else {
        return;
    };
    if !path.exists() {
        return;
    }
    let accounts = Accounts::new(target);
    let (uid, gid) = (metadata.uid(), metadata.gid());
    let owner = accounts.user_with_id(uid).await;
    let group = accounts.group_with_id(gid).await;
    result.insert("uid".into(), uid.into());
    result.insert("gid".into(), gid.into());
    let owner = owner.map_or_else(|| uid.to_string(), |user| user.name);
    let group = group.map_or_else(|| gid.to_string(), |group| group.name);
    result.insert("owner".into(), owner.into());
    result.insert("group".into(), group.into());
    let mode = show_mode(permissions(&metadata).into());
    result.insert("mode".into(), mode.into());
    result.insert("state".into(), Kind::of_metadata(&metadata).word().into());
    if selinux_is_enabled() {
        let context = selinux_context(path).unwrap_or_default();
        result.insert("secontext".into(), context.into());
    }
    result.insert("size".into(), metadata.size().into());
}

/// A failure about `path`, which the result names by `key` (`path` or `dest`) and describes.
pub async fn failure_at(target: &dyn Target, key: &str, path: &str, failure: Failure) -> Failure {
    let mut failure = failure.with(key, path);
    add_path_info(target, &mut failure.result, path).await;
    failure
}

/// A mode as results show it: octal, with a zero in front of at least three digits.
#[must_use]
pub fn show_mode(mode: i64) -> String {
    let sign = if mode < 0 { "-" } else { "" };
    let width = if mode < 0 { 2 } else { 3 };
    format!("0{sign}{:0width$o}", mode.unsigned_abs())
}

/// Whether SELinux is enabled on this machine. Where it is not, contexts that a task asks for are ignored.
#[must_use]
pub fn selinux_is_enabled() -> bool {
    Path::new("/sys/fs/selinux/enforce").exists()
}

/// The context of a path itself, links not followed: `user:role:type:level`.
#[must_use]
pub fn selinux_context(path: &Path) -> Option<String> {
    let mut buffer = vec![0; 1024];
    let length = rustix::fs::lgetxattr(path, "security.selinux", &mut buffer[..]).ok()?;
    let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
    Some(text.trim_end_matches('\0').to_owned())
}
