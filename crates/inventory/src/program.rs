//! Inventories that are programs: what they print for `--list`, and where they give no variables there, for `--host NAME`.

use std::path::Path;
use std::time::Duration;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use rustle_process::{CancelToken, Command, Finished, Outcome, OutputLimit};
use rustle_types::{HostName, Object};
use serde_json::Value;

use crate::error::InventoryErrorKind as Kind;
use crate::tree::describe;

/// How long one run of a program may take. Clouds with many pages of machines answer slowly.
const LONGEST: Duration = Duration::from_secs(300);

/// The most that a program may print.
const LARGEST: OutputLimit = OutputLimit {
    head_bytes: 256 * 1024 * 1024,
    tail_bytes: 0,
};

/// How many runs with `--host` are under way at once.
const SIDE_BY_SIDE: usize = 8;

/// How much of an output an error quotes, in characters.
const QUOTED: usize = 200;

/// What a run of a program gave.
pub(crate) struct Answer {
    /// The JSON object that it printed.
    pub(crate) object: Object,
    /// What it said to people meanwhile.
    pub(crate) said: String,
}

/// Asks a program for the whole inventory.
pub(crate) fn list(path: &Path) -> Result<Answer, Kind> {
    wait_for(ask(path, &["--list"]))
}

/// Asks a program for the variables of each host, in the order of the hosts.
pub(crate) fn variables(path: &Path, hosts: &[HostName]) -> Result<Vec<Answer>, Kind> {
    wait_for(
        stream::iter(hosts)
            .map(async |host| ask(path, &["--host", host.as_str()]).await)
            .buffered(SIDE_BY_SIDE)
            .try_collect(),
    )
}

/// Waits on a thread of its own: an inventory is read by code that does not know whether it runs inside of a runtime.
fn wait_for<T: Send>(work: impl Future<Output = Result<T, Kind>> + Send) -> Result<T, Kind> {
    let wait = || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Kind::Unreadable)?;
        runtime.block_on(work)
    };
    std::thread::scope(|scope| {
        let lost = |_| Kind::Unreadable(std::io::ErrorKind::Interrupted.into());
        scope.spawn(wait).join().map_err(lost)?
    })
}

async fn ask(path: &Path, arguments: &[&str]) -> Result<Answer, Kind> {
    let finished = Command::new(path)
        .args(arguments)
        .timeout(LONGEST)
        .output_limit(LARGEST)
        .run(&CancelToken::new())
        .await
        .map_err(Kind::ProgramStart)?;
    let asked = arguments.join(" ");
    let said = finished.stderr.to_string_lossy().trim().to_owned();
    if let Some(outcome) = failure_of(&finished) {
        return Err(Kind::Program {
            asked,
            outcome,
            said,
        });
    }
    match object_in(&finished.stdout.bytes(), arguments) {
        Ok(object) => Ok(Answer { object, said }),
        Err(problem) => Err(Kind::Program {
            asked,
            outcome: problem,
            said,
        }),
    }
}

fn failure_of(finished: &Finished) -> Option<String> {
    match finished.outcome {
        Outcome::TimedOut { .. } => Some(format!(
            "was ended, for it took more than {} seconds",
            LONGEST.as_secs()
        )),
        Outcome::Cancelled => Some("was cancelled".to_owned()),
        Outcome::Exited if !finished.is_success() => {
            Some(format!("ended with {}", finished.status))
        }
        Outcome::Exited if finished.stdout.truncated => Some(format!(
            "printed more than {} MiB",
            LARGEST.head_bytes / 1024 / 1024
        )),
        Outcome::Exited => None,
    }
}

/// The object that a program printed. Of a host it may say nothing at all.
fn object_in(output: &[u8], arguments: &[&str]) -> Result<Object, String> {
    if output.trim_ascii().is_empty() && arguments.first() == Some(&"--host") {
        return Ok(Object::new());
    }
    match serde_json::from_slice(output) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(format!("printed {}, and not a mapping", describe(&other))),
        Err(error) => {
            let text = String::from_utf8_lossy(output);
            let beginning: String = text.trim().chars().take(QUOTED).collect();
            let quote = if beginning.is_empty() {
                "nothing was printed".to_owned()
            } else {
                format!("the output begins with `{beginning}`")
            };
            Err(format!("printed no JSON: {error}; {quote}"))
        }
    }
}
