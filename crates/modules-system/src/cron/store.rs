//! Where a crontab is: a file of its own, or a user's table behind `crontab`.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};

use rustle_module::accounts::Accounts;
use rustle_module::{Failure, Target};

use crate::tool::Tool;

/// Files in it are crontabs of the system.
const SYSTEM_FOLDER: &str = "/etc/cron.d";

/// Where a crontab is.
pub(super) enum Store {
    /// A file.
    File(PathBuf),
    /// The table of a user, or of the user that we are.
    Table(Option<String>),
}

impl Store {
    /// The place that a task names.
    pub(super) fn new(cron_file: Option<&str>, user: Option<&str>) -> Self {
        match cron_file {
            // An absolute path stays alone.
            Some(file) => Self::File(Path::new(SYSTEM_FOLDER).join(file)),
            None => Self::Table(user.map(ToOwned::to_owned)),
        }
    }

    /// How differences name it.
    pub(super) fn header(&self) -> String {
        match self {
            Self::File(path) => path.to_string_lossy().into_owned(),
            Self::Table(Some(user)) => format!("crontab for user \"{user}\""),
            Self::Table(None) => "crontab".to_owned(),
        }
    }

    /// The text that is there; empty where there is none.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) async fn read(&self, target: &dyn Target) -> Result<String, Failure> {
        let user = match self {
            Self::File(path) => return read_file(path),
            Self::Table(user) => user.as_deref(),
        };
        let mut words = arguments(target, user).await;
        words.push("-l".to_owned());
        let ran = Tool::find(target, "crontab")?.run(words).await?;
        match ran.rc {
            0 => Ok(without_header(&ran.stdout)),
            // There is none yet.
            1 => Ok(String::new()),
            rc => Err(Failure::new("Unable to read crontab")
                .with("rc", rc)
                .with("stderr", ran.stderr)),
        }
    }

    /// Puts a text in its place.
    ///
    /// # Errors
    /// When it cannot be written, or `crontab` refuses it.
    pub(super) async fn write(&self, target: &dyn Target, text: &str) -> Result<(), Failure> {
        let user = match self {
            Self::File(path) => {
                return write_file(path, text).map_err(|error| failure(&error, path));
            }
            Self::Table(user) => user.as_deref(),
        };
        let mut words = arguments(target, user).await;
        words.push("-".to_owned());
        let tool = Tool::find(target, "crontab")?;
        let command = tool.command(words).stdin(text.to_owned());
        let ran = tool.run_command(command).await?;
        if ran.rc == 0 {
            return Ok(());
        }
        Err(Failure::new(ran.stderr).with("rc", ran.rc))
    }

    /// Removes a file, and tells whether there was one.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        let Self::File(path) = self else {
            return Ok(false);
        };
        match fs::remove_file(path) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failure(&error, path)),
        }
    }
}

/// Names a user to `crontab`, unless it is us.
async fn arguments(target: &dyn Target, user: Option<&str>) -> Vec<String> {
    let Some(user) = user else {
        return Vec::new();
    };
    let uid = rustix::process::getuid().as_raw();
    let us = Accounts::new(target).user_with_id(uid).await;
    if us.is_some_and(|us| us.name == user) {
        return Vec::new();
    }
    vec!["-u".to_owned(), user.to_owned()]
}

fn read_file(path: &Path) -> Result<String, Failure> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes)
            .map_err(|_| Failure::new(format!("{} is not UTF-8", path.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(failure(&error, path)),
    }
}

fn failure(error: &io::Error, path: &Path) -> Failure {
    let number = error.raw_os_error().unwrap_or_default();
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let path = path.display();
    Failure::new(format!(
        "Task failed: Module failed: [Errno {number}] {text}: b'{path}'"
    ))
}

/// Replaces a file in one step: cron may look at any time. A link's target is what is replaced.
fn write_file(path: &Path, text: &str) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().unwrap_or(Path::new("/"));
    // Cron skips names that begin with a dot.
    let mut staged = tempfile::Builder::new()
        .prefix(".rustle")
        .tempfile_in(folder)?;
    staged.write_all(text.as_bytes())?;
    let like = fs::metadata(&path).ok();
    let mode = like.as_ref().map_or(0o644, |like| like.mode() & 0o7777);
    if let Some(like) = like {
        fchown(staged.as_file(), Some(like.uid()), Some(like.gid()))?;
    }
    let permissions = fs::Permissions::from_mode(mode);
    staged.as_file().set_permissions(permissions)?;
    staged.as_file().sync_all()?;
    staged.persist(&path).map(drop).map_err(|error| error.error)
}

/// Leaves out the lines that some `crontab` puts in front.
fn without_header(text: &str) -> String {
    let is_header = |line: &str| {
        line == "# DO NOT EDIT THIS FILE - edit the master and reinstall."
            || line.starts_with("# (/tmp/") && line.contains("installed on")
            || line.starts_with("# (") && line.contains("version")
    };
    let mut headers = 0;
    let kept = text.split_inclusive('\n').filter(|line| {
        let drop = headers < 3 && is_header(line.trim_end());
        headers += usize::from(drop);
        !drop
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_crontab_adds_in_front_is_left_out() {
        let text = "# DO NOT EDIT THIS FILE - edit the master and reinstall.\n# (/tmp/x installed on Mon)\n# (Cron version V5.0)\n* * * * * x\n";
        assert_eq!(without_header(text), "* * * * * x\n");
    }

    #[test]
    fn a_file_keeps_its_mode_when_it_is_replaced() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("jobs");
        fs::write(&path, "old").expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("a mode");
        write_file(&path, "new\n").expect("written");
        assert_eq!(fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(fs::read_to_string(&path).expect("readable"), "new\n");
        assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
    }
}
