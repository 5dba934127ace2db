//! Calls in the background: a job outlives the call that started it, and the connection.
//!
//! A job is this program started again, in a session of its own. The call goes to it by its stdin, and what becomes of it
//! is in one file of the folder `jobs` beside the program, which is private to the user. The file is there before the call
//! that starts the job is answered, and is replaced as a whole when the job ends.
//!
//! Files of jobs stay until they are cleaned up. A job ends with the machine, and then is found to have no result.

use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustle_module::{ModuleResult, Object, py_str};
use rustle_process::{CancelLevel, CancelToken};
use rustle_protocol::{Call, FrameReader, FrameWriter, Request};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::asks::Asks;
use crate::target::{HostTarget, temp_dir};

/// How long a job is given to say that it is there.
const START: Duration = Duration::from_secs(10);

/// How long a module whose time is over is given to end before it is killed.
const GRACE: Duration = Duration::from_secs(2);

/// Starts a call in the background, and tells its number.
pub(crate) async fn start(call: Call) -> ModuleResult {
    let id = format!(
        "j{:012}.{}",
        random() % 1_000_000_000_000,
        std::process::id()
    );
    let path = jobs_dir().join(&id);
    match tokio::time::timeout(START, launch(call, &path)).await {
        Ok(Ok(())) => {
            let mut result = ModuleResult {
                changed: true,
                ..ModuleResult::default()
            };
            describe(&mut result.result, &id, &path, false);
            result
        }
        Ok(Err(error)) => ModuleResult::failure(format!("cannot start a job: {error}")),
        Err(_) => ModuleResult::failure(format!(
            "the job did not start within {} s",
            START.as_secs()
        )),
    }
}

async fn launch(mut call: Call, path: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(jobs_dir())?;
    #[expect(
        clippy::disallowed_methods,
        reason = "a job has to outlive the agent that starts it, which children of rustle-process do not"
    )]
    let mut command = tokio::process::Command::new("/proc/self/exe");
    let mut child = command
        .arg("job")
        .arg(path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(false)
        .spawn()?;
    let (Some(stdin), Some(mut stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    call.r#become = None;
    FrameWriter::new(stdin)
        .send(&Request::Call(Box::new(call)))
        .await
        .map_err(|error| io::Error::other(error.to_string()))?;
    let mut said = String::new();
    stdout.read_to_string(&mut said).await?;
    if said == "started" {
        Ok(())
    } else {
        Err(io::Error::other(format!("it said `{said}`")))
    }
}

/// Does a job to its end: what this program is started for by [`start`].
pub(crate) fn run(path: &Path) -> ExitCode {
    // Whoever leads a session is in no group that is killed with the connection.
    let _ = rustix::process::setsid();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    match runtime.block_on(work(path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn work(path: &Path) -> io::Result<()> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut frames = FrameReader::<_, Request>::new(tokio::io::stdin());
    let Ok(Some(Request::Call(mut call))) = frames.next().await else {
        return Err(wrong("no call"));
    };
    let limit = Duration::from_secs(call.background_s.unwrap_or(0));
    let id = path.file_name().map(|name| name.to_string_lossy());
    let running =
        json!({"started": 1, "finished": 0, "ansible_job_id": id, "pid": std::process::id()});
    keep(path, &running)?;
    say_started()?;
    let cancel = CancelToken::new();
    let (replies, _) = mpsc::channel(1);
    let asks = Arc::new(Asks::default());
    asks.close();
    let catalogue = crate::catalogue::catalogue();
    let result = match catalogue.find(&call.module) {
        None => ModuleResult::failure(format!("module `{}` is not in this agent", call.module)),
        Some(module) => {
            let target = HostTarget::new(&mut call, cancel.clone(), asks, replies);
            within(limit, &cancel, module.call(&target, call.args)).await
        }
    };
    keep(path, &Value::Object(result.into_object()))
}

/// Tells the agent that started this job that the file is there, and lets go of the pipe.
fn say_started() -> io::Result<()> {
    let mut stdout = io::stdout();
    stdout.write_all(b"started")?;
    stdout.flush()?;
    let null = OpenOptions::new().write(true).open("/dev/null")?;
    rustix::stdio::dup2_stdout(&null)?;
    Ok(())
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

/// Answers `async_status`.
pub(crate) fn status(args: &Object) -> ModuleResult {
    let id = args.get("jid").map(py_str).unwrap_or_default();
    let is_name = !id.is_empty() && !id.contains('/') && !id.starts_with('.');
    let folder = args
        .get("_async_dir")
        .filter(|folder| !folder.is_null())
        .map_or_else(jobs_dir, |folder| PathBuf::from(py_str(folder)));
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
    let known = std::fs::read(&path).ok();
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
    let is_lost = pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists());
    let mut result = if is_lost {
        ModuleResult::failure("the job ended and left no result")
    } else {
        ModuleResult::default()
    };
    describe(&mut result.result, &id, &path, is_lost);
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
    if let Err(error) = std::fs::remove_file(path) {
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

fn jobs_dir() -> PathBuf {
    temp_dir().join("jobs")
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
    std::fs::rename(&fresh, path)
}

fn random() -> u64 {
    std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id())
}
