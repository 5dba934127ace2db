//! Calls in the background: a job outlives the call that started it, and the connection.
//!
//! A job is this program started again, in a session of its own. The call goes to it by its stdin. What is kept of it is told
//! in [`rustle_module::jobs`]; the folder is `jobs` beside the program, which is private to the user.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustle_module::jobs::{Jobs, keep_started, started, work};
use rustle_module::{ModuleResult, Object};
use rustle_process::CancelToken;
use rustle_protocol::{Call, FrameReader, FrameWriter, Request};
use tokio::io::AsyncReadExt;
use tokio::sync::mpsc;

use crate::asks::Asks;
use crate::target::{host_target, temp_dir};

/// How long a job is given to say that it is there.
const START: Duration = Duration::from_secs(10);

/// Starts a call in the background, and tells its number.
pub(crate) async fn start(call: Call) -> ModuleResult {
    let launched = async {
        let (id, path) = jobs().enter()?;
        launch(call, &path).await?;
        Ok::<_, io::Error>(started(&id, &path))
    };
    match tokio::time::timeout(START, launched).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => ModuleResult::failure(format!("cannot start a job: {error}")),
        Err(_) => ModuleResult::failure(format!(
            "the job did not start within {} s",
            START.as_secs()
        )),
    }
}

async fn launch(mut call: Call, path: &Path) -> io::Result<()> {
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
    match runtime.block_on(take_over(path)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

async fn take_over(path: &Path) -> io::Result<()> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut frames = FrameReader::<_, Request>::new(tokio::io::stdin());
    let Ok(Some(Request::Call(mut call))) = frames.next().await else {
        return Err(wrong("no call"));
    };
    let limit = Duration::from_secs(call.background_s.unwrap_or(0));
    keep_started(path)?;
    say_started()?;
    let cancel = CancelToken::new();
    let (replies, _) = mpsc::channel(1);
    let asks = Arc::new(Asks::default());
    asks.close();
    let catalogue = crate::catalogue::catalogue();
    let module = async {
        let Some(module) = catalogue.find(&call.module) else {
            let reason = format!("module `{}` is not in this agent", call.module);
            return ModuleResult::failure(reason);
        };
        let target = host_target(&mut call, cancel.clone(), asks, replies);
        module.call(&target, call.args).await
    };
    work(path, limit, &cancel, module).await
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

fn jobs() -> Jobs {
    Jobs::in_folder(temp_dir().join("jobs"))
}

/// Answers `async_status`.
pub(crate) fn status(args: &Object) -> ModuleResult {
    jobs().status(args)
}
