//! What results say about a file's metadata.

use std::fs::Metadata;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use rustle_module::Object;

use crate::attributes::permissions;

/// Adds kind, owner, mode, size and times of a file to a result, as `stat` and `find` both return them.
pub(crate) fn describe(stat: &mut Object, metadata: &Metadata) {
    let kind = metadata.file_type();
    let mode = permissions(metadata);
    stat.insert("mode".into(), format!("{mode:04o}").into());
    for (key, value) in [
        ("isdir", kind.is_dir()),
        ("ischr", kind.is_char_device()),
        ("isblk", kind.is_block_device()),
        ("isreg", kind.is_file()),
        ("isfifo", kind.is_fifo()),
        ("islnk", kind.is_symlink()),
        ("issock", kind.is_socket()),
    ] {
        stat.insert(key.into(), value.into());
    }
    for (key, value) in [
        ("uid", u64::from(metadata.uid())),
        ("gid", u64::from(metadata.gid())),
        ("size", metadata.size()),
        ("inode", metadata.ino()),
        ("dev", metadata.dev()),
        ("nlink", metadata.nlink()),
    ] {
        stat.insert(key.into(), value.into());
    }
    for (key, seconds, nanos) in [
        ("atime", metadata.atime(), metadata.atime_nsec()),
        ("mtime", metadata.mtime(), metadata.mtime_nsec()),
        ("ctime", metadata.ctime(), metadata.ctime_nsec()),
    ] {
        stat.insert(key.into(), as_float(seconds, nanos).into());
    }
    for (at, key) in [
        "xoth", "woth", "roth", "xgrp", "wgrp", "rgrp", "xusr", "wusr", "rusr",
    ]
    .into_iter()
    .enumerate()
    {
        stat.insert(key.into(), (mode & (1 << at) != 0).into());
    }
    stat.insert("isuid".into(), (mode & 0o4000 != 0).into());
    stat.insert("isgid".into(), (mode & 0o2000 != 0).into());
}

#[expect(
    clippy::cast_precision_loss,
    reason = "results carry times as Python floats"
)]
fn as_float(seconds: i64, nanos: i64) -> f64 {
    seconds as f64 + nanos as f64 / 1e9
}
