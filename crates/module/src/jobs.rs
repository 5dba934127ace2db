//! Calls in the background: what is kept of each, and what it answers.
//!
//! What becomes of a job is in one file of a folder that is private to the user. The file is there before the call that starts
//! the job is answered, and is replaced as a whole when the job ends. Files of jobs stay until they are cleaned up, or until a
//! job is started a week after they were last written to. A job ends with the process that does it, and then is found to have no result.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustle_process::{CancelLevel, CancelToken};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use crate::pyrepr::py_str;

/// How long the file of a job that has ended is kept for whoever may still ask.
const KEPT: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// How long a module whose time is over is given to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// The folder of a user's jobs.
#[derive(Clone, Debug)]
pub struct Jobs {
    folder: PathBuf,
}

impl Jobs {
    /// Jobs whose files lie in `folder`.
    #[must_use]
    pub fn in_folder(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// A number for a new job, and its file, whose folder is made.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn enter(&self) -> io::Result<(String, PathBuf)> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&self.folder)?;
        self.prune(SystemTime::now());
        let id = format!(
            "j{:012}.{}",
            random() % 1_000_000_000_000,
            std::process::id()
        );
        let path = self.folder.join(&id);
        Ok((id, path))
    }
}

impl Jobs {
    /// Removes files of jobs that ended, or whose process is gone, long before `now`. What cannot be removed stays.
    fn prune(&self, now: SystemTime) {
        for entry in fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let written = entry.metadata().and_then(|about| about.modified());
            let is_old = written
                .is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age > KEPT));
            if is_old && !is_at_work(&path) {
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// Whether the process that does a job is there.
fn is_at_work(path: &Path) -> bool {
    let known = fs::read(path).ok();
    let known = known.and_then(|text| serde_json::from_slice::<Object>(&text).ok());
    known.is_some_and(|known| {
        let pid = known.get("pid").and_then(Value::as_u64);
        known.contains_key("started") && pid.is_some_and(is_there)
    })
}

fn is_there(pid: u64) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

/// What starting a job answers.
#[must_use]
pub fn started(id: &str, path: &Path) -> ModuleResult {
    let mut result = ModuleResult {
        changed: true,
        ..ModuleResult::default()
    };
    describe(&mut result.result, id, path, false);
    result
}

/// Writes that this process does a job from now on.
///
/// # Errors
/// When the file cannot be written.
pub fn keep_started(path: &Path) -> io::Result<()> {
    let id = path.file_name().map(|name| name.to_string_lossy());
    let running =
        json!({"started": 1, "finished": 0, "ansible_job_id": id, "pid": std::process::id()});
    keep(path, &running)
}

/// Does a job to its end, or to the end of its time, and writes its result.
///
/// # Errors
/// When the file cannot be written.
pub async fn work(
    path: &Path,
    limit: Duration,
    cancel: &CancelToken,
    module: impl Future<Output = ModuleResult>,
) -> io::Result<()> {
    let result = within(limit, cancel, module).await;
    keep(path, &Value::Object(result.into_object()))
}

impl Jobs {
    /// Answers `async_status`.
    #[must_use]
    pub fn status(&self, args: &Object) -> ModuleResult {
        let id = args.get("jid").map(py_str).unwrap_or_default();
        let is_name = !id.is_empty() && !id.contains('/') && !id.starts_with('.');
        let folder = args
            .get("_async_dir")
            .filter(|folder| !folder.is_null())
            .map_or_else(
                || self.folder.clone(),
                |folder| PathBuf::from(py_str(folder)),
            );
        let path = folder.join(&id);
        if !is_name || !path.is_file() {
            let mut result = ModuleResult::failure("could not find job");
            describe(&mut result.result, &id, &path, true);
            return result;
        }
        if args
            .get("mode")
            .is_some_and(|mode| py_str(mode) == "cleanup")
        {
            return clean_up(&id, &path);
        }
        let known = fs::read(&path).ok();
        let known = known.and_then(|text| serde_json::from_slice::<Object>(&text).ok());
        let Some(known) = known else {
            // It may be written at this moment.
            let mut result = ModuleResult::default();
            describe(&mut result.result, &id, &path, false);
            return result;
        };
        if !known.contains_key("started") {
            let mut result = result_of(known);
            describe(&mut result.result, &id, &path, true);
            return result;
        }
        let pid = known.get("pid").and_then(Value::as_u64);
        let is_lost = pid.is_some_and(|pid| !is_there(pid));
        let mut result = if is_lost {
            ModuleResult::failure("the job ended and left no result")
        } else {
            ModuleResult::default()
        };
        describe(&mut result.result, &id, &path, is_lost);
        result
    }
}

/// Waits for a module, and ends it when its time is over.
async fn within(
    limit: Duration,
    cancel: &CancelToken,
    module: impl Future<Output = ModuleResult>,
) -> ModuleResult {
    let mut module = std::pin::pin!(module);
    if let Ok(result) = tokio::time::timeout(limit, &mut module).await {
        return result;
    }
    cancel.raise(CancelLevel::Stop);
    if tokio::time::timeout(GRACE, &mut module).await.is_err() {
        cancel.raise(CancelLevel::Kill);
        let _ = tokio::time::timeout(GRACE, &mut module).await;
    }
    let mut result = ModuleResult::failure("Timeout exceeded");
    result
        .result
        .insert("child_pid".into(), std::process::id().into());
    for stream in ["stdout", "stderr"] {
        result.result.insert(stream.into(), "".into());
    }
    result
}

/// The result that a flat object tells of.
fn result_of(mut object: Object) -> ModuleResult {
    let mut is_on = |key: &str| object.shift_remove(key) == Some(Value::Bool(true));
    let (changed, failed, skipped) = (is_on("changed"), is_on("failed"), is_on("skipped"));
    let warnings = match object.shift_remove("warnings") {
        Some(Value::Array(warnings)) => warnings.iter().map(py_str).collect(),
        _ => Vec::new(),
    };
    ModuleResult {
        changed,
        failed,
        skipped,
        msg: object.shift_remove("msg"),
        diff: object.shift_remove("diff"),
        warnings,
        result: object,
    }
}

fn clean_up(id: &str, path: &Path) -> ModuleResult {
    if let Err(error) = fs::remove_file(path) {
        return ModuleResult::failure(format!("cannot remove `{}`: {error}", path.display()));
    }
    let mut result = ModuleResult::default();
    result.result.insert("ansible_job_id".into(), id.into());
    result
        .result
        .insert("erased".into(), path.display().to_string().into());
    result
}

/// The keys that every answer about a job has.
fn describe(result: &mut Object, id: &str, path: &Path, is_finished: bool) {
    result.insert("ansible_job_id".into(), id.into());
    result.insert("started".into(), true.into());
    result.insert("finished".into(), is_finished.into());
    result.insert("results_file".into(), path.display().to_string().into());
    for stream in ["stdout", "stderr"] {
        result.entry(stream).or_insert_with(|| Value::from(""));
    }
}

/// Writes a job's file as a whole.
fn keep(path: &Path, state: &Value) -> io::Result<()> {
    let fresh = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(true)
        .mode(0o600)
        .open(&fresh)?;
    file.write_all(state.to_string().as_bytes())?;
    fs::rename(&fresh, path)
}

fn random() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_jobs_that_ended_a_week_ago_are_removed_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let jobs = Jobs::in_folder(folder.path().to_owned());
        let file = |name: &str, state: Value| {
            fs::write(folder.path().join(name), state.to_string()).unwrap();
        };
        file("j1.1", json!({"changed": true, "rc": 0}));
        file("j2.1", json!({"started": 1, "pid": std::process::id()}));
        file("j3.1", json!({"started": 1, "pid": u64::from(u32::MAX)}));
        let left = || {
            let entries = fs::read_dir(folder.path()).unwrap();
            let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let mut names: Vec<String> = names.collect();
            names.sort();
            names
        };
        jobs.prune(SystemTime::now() + KEPT / 2);
        assert_eq!(left(), ["j1.1", "j2.1", "j3.1"]);
        jobs.prune(SystemTime::now() + KEPT + KEPT);
        assert_eq!(left(), ["j2.1"]);
    }
}
