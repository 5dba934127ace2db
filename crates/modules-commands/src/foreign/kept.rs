//! Programs of modules that the controller sent, each kept once under the name of its content.
//!
//! The folder is private to the user. What is in it is checked by its SHA-256 each time before it runs, so that what a full disk or
//! a broken write left behind is fetched again.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::OFlags;
use rustle_module::foreign::Program;
use rustle_module::{Failure, Target, hex, random_name};
use sha2::{Digest, Sha256};
use tokio::io::AsyncReadExt;

/// How long a program is kept that nobody runs.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How much is read at once.
const CHUNK: usize = 64 * 1024;

/// Where the program is; it is fetched from the controller unless it is here already, and whole.
pub(super) async fn kept_program(
    target: &dyn Target,
    program: &Program,
    is_executed: bool,
) -> Result<PathBuf, Failure> {
    let folder = target.temp_dir().join("modules");
    let is_name =
        program.sha256.len() == 64 && program.sha256.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_name {
        return Err(Failure::new("the controller named a program by no SHA-256"));
    }
    let path = folder.join(&program.sha256);
    if is_whole(&path, &program.sha256) {
        return Ok(path);
    }
    make_private(&folder).map_err(|error| cannot_keep(&error))?;
    prune(&folder, SystemTime::now());
    let unique = random_name().map_err(|error| cannot_keep(&error))?;
    let new = New(folder.join(format!("{}.{unique}", program.sha256)));
    new.fetch(target, program, if is_executed { 0o700 } else { 0o600 })
        .await?;
    fs::rename(&new.0, &path).map_err(|error| cannot_keep(&error))?;
    Ok(path)
}

/// Makes the folder, or sees that the one that is there is ours alone.
fn make_private(folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let about = folder.symlink_metadata()?;
            let is_ours = about.is_dir() && about.uid() == rustix::process::geteuid().as_raw();
            if is_ours && about.mode() & 0o077 == 0 {
                return Ok(());
            }
            Err(io::Error::other(format!(
                "`{}` is not a private folder of this user",
                folder.display()
            )))
        }
        made => made,
    }
}

/// Whether a file is there with this content. Links are not followed.
fn is_whole(path: &Path, sha256: &str) -> bool {
    sum_of(path).is_ok_and(|sum| sum == sha256)
}

fn sum_of(path: &Path) -> io::Result<String> {
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).map_err(io::Error::other)?;
    let mut file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        sum.update(&buffer[..count]);
    }
    // That it was used is what keeps it.
    let _ = File::set_modified(&file, SystemTime::now());
    Ok(hex(&sum.finalize()))
}

/// A file that is being fetched; what did not become a program is removed.
struct New(PathBuf);

impl New {
    async fn fetch(
        &self,
        target: &dyn Target,
        program: &Program,
        mode: u32,
    ) -> Result<(), Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        let mut file = options.open(&self.0).map_err(|error| cannot_keep(&error))?;
        let reader = target.attachment(&program.id).await?.reader;
        // One byte more shows that there is more than was announced.
        let mut reader = reader.take(program.size.saturating_add(1));
        let (mut sum, mut buffer) = (Sha256::new(), vec![0; CHUNK]);
        loop {
            let read = reader.read(&mut buffer).await;
            let count = read.map_err(|error| not_whole(&error.to_string()))?;
            if count == 0 {
                break;
            }
            sum.update(&buffer[..count]);
            file.write_all(&buffer[..count])
                .map_err(|error| cannot_keep(&error))?;
        }
        if hex(&sum.finalize()) == program.sha256 {
            Ok(())
        } else {
            Err(not_whole("its checksum differs"))
        }
    }
}

impl Drop for New {
    fn drop(&mut self) {
        // Once it has its name there is nothing to remove.
        let _ignored = fs::remove_file(&self.0);
    }
}

/// Removes programs that nobody ran for long. What cannot be removed stays.
fn prune(folder: &Path, now: SystemTime) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let used = entry.metadata().and_then(|about| about.modified());
        let is_old = used.is_ok_and(|used| now.duration_since(used).is_ok_and(|age| age > KEPT));
        if is_old {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn cannot_keep(error: &io::Error) -> Failure {
    Failure::new(format!("cannot keep the program of a module: {error}"))
}

fn not_whole(why: &str) -> Failure {
    Failure::new(format!(
        "the program of a module did not arrive whole: {why}"
    ))
}
