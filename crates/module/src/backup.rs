//! Backups of files before they are changed.

use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use crate::os_error::describe_bare;
use crate::result::Failure;
use chrono::{Local, TimeDelta};
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps};

/// Copies a file, with owner, mode and times, to `path.PID.YYYY-MM-DD@HH:MM:SS~` and returns that name.
///
/// An agent lives long, so that name may be taken by a backup of the same second; then it is the next second's that is free.
///
/// # Errors
/// When the copy cannot be made.
pub fn make(path: &str) -> Result<String, Failure> {
    let backup = free_name(path);
    copy(path, &backup).map_err(|error| {
        let text = describe_bare(&error);
        Failure::new(format!(
            "Could not make backup of {path} to {backup}: {text}"
        ))
    })?;
    Ok(backup)
}

/// The name that a backup made now has.
#[must_use]
pub fn free_name(path: &str) -> String {
    let mut time = Local::now();
    loop {
        let date = time.format("%Y-%m-%d@%H:%M:%S");
        let backup = format!("{path}.{}.{date}~", std::process::id());
        if !Path::new(&backup).exists() {
            break backup;
        }
        time += TimeDelta::seconds(1);
    }
}

fn copy(path: &str, backup: &str) -> std::io::Result<()> {
    let metadata = fs::metadata(path)?;
    // Copies the permissions too.
    fs::copy(path, backup)?;
    // Who may not give files away owns the backup.
    let _ignored = chown(backup, Some(metadata.uid()), Some(metadata.gid()));
    let times = Timestamps {
        last_access: Timespec {
            tv_sec: metadata.atime(),
            tv_nsec: metadata.atime_nsec(),
        },
        last_modification: Timespec {
            tv_sec: metadata.mtime(),
            tv_nsec: metadata.mtime_nsec(),
        },
    };
    Ok(rustix::fs::utimensat(
        CWD,
        backup,
        &times,
        AtFlags::empty(),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backups_of_the_same_second_do_not_overwrite_each_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        let path = path.to_str().expect("text");
        fs::write(path, "one").expect("a file");
        let first = make(path).expect("a backup");
        fs::write(path, "two").expect("a file");
        let second = make(path).expect("a backup");
        assert_eq!(fs::read_to_string(first).expect("readable"), "one");
        assert_eq!(fs::read_to_string(second).expect("readable"), "two");
    }
}
