//! Starts a second agent, as another user.

use std::fmt::Write as _;
use std::io::Cursor;
use std::time::Duration;

use rustle_process::{Command, Terminal};
use rustle_protocol::{
    Become, Link, LinkDriver, Payload, Payloads, START_TIMEOUT, Start, StartPlan, command_line,
    converse, marker,
};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, Chain};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::gate::{Gate, Refusal};
use crate::methods::{Method, surrounded};

/// How many folders may fail half way through before we give up.
const TRIES: usize = 5;

/// How long an agent whose link is closed may take to go.
const SETTLE: Duration = Duration::from_secs(10);

type Reader = Chain<Cursor<Vec<u8>>, ChildStdout>;

/// A second agent, and what has to be polled for as long as it is used.
pub(crate) struct Escalated {
    pub(crate) link: Link,
    driver: LinkDriver<Reader, ChildStdin>,
    gate: Remains,
}

/// What is kept of the program that let us in.
struct Remains {
    child: rustle_process::Duplex,
    stderr: ChildStderr,
    terminal: Option<Terminal>,
}

impl Escalated {
    /// Moves the messages until the link ends.
    pub(crate) fn split(self) -> (Link, impl Future<Output = ()> + Send + 'static) {
        let Self { link, driver, gate } = self;
        let Remains {
            mut child,
            mut stderr,
            terminal,
        } = gate;
        let drive = async move {
            tokio::select! {
                _ = driver.run() => {}
                () = drain(&mut stderr) => {}
                () = drain_terminal(terminal.as_ref()) => {}
            }
            // Its stdin is closed now, so it goes; the group is not killed before it had the time to settle.
            let _ = tokio::time::timeout(SETTLE, child.wait()).await;
        };
        (link, drive)
    }
}

/// Starts an agent as the user, within the time that this may take.
pub(crate) async fn start_agent(as_user: &Become) -> Result<Escalated, Refusal> {
    let limit = as_user
        .timeout_ms
        .map_or(START_TIMEOUT, Duration::from_millis);
    let mut said = String::new();
    let started = match tokio::time::timeout(limit, find_a_way(as_user, &mut said)).await {
        Ok(started) => started,
        Err(_) => Err(Refusal::from(format!(
            "it did not answer within {} s (ansible_become_timeout){said}",
            limit.as_secs_f64(),
        ))),
    };
    started.map_err(|refusal| Refusal {
        why: format!(
            "cannot become `{}` by {}: {}",
            as_user.user, as_user.method, refusal.why
        ),
        ..refusal
    })
}

/// Tries without a terminal where that may do, then with one; and one folder after the other. `said` is what there is to say when time is over.
async fn find_a_way(as_user: &Become, said: &mut String) -> Result<Escalated, Refusal> {
    let Some(method) = Method::named(&as_user.method) else {
        let why = format!(
            "`{}` is not supported; the methods are sudo, su, doas and runuser",
            as_user.method
        );
        return Err(why.into());
    };
    if as_user
        .password
        .as_ref()
        .is_some_and(|password| password.contains(['\n', '\r', '\0']))
    {
        return Err(
            "the password holds the end of a line, which cannot be typed"
                .to_owned()
                .into(),
        );
    }
    let own =
        OwnProgram::read().map_err(|error| format!("the agent cannot read itself: {error}"))?;
    let mut has_terminal = method.asks_at_terminal() && as_user.password.is_some();
    let mut skip: Vec<String> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    while skip.len() < TRIES {
        let plan = StartPlan {
            payloads: &own,
            remote_tmp: None,
            skip: &skip,
        };
        match try_once(as_user, method, &plan, has_terminal, said).await {
            Ok(Attempt::Started(escalated)) => return Ok(*escalated),
            Ok(Attempt::Retry { folder, why }) => {
                reasons.push(format!("{folder}: {why}"));
                skip.push(folder);
            }
            Err(refusal) if refusal.wants_terminal && !has_terminal => has_terminal = true,
            Err(refusal) => {
                let tried: String = reasons.iter().map(|reason| format!("; {reason}")).collect();
                return Err(Refusal {
                    why: format!("{}{tried}", refusal.why),
                    ..refusal
                });
            }
        }
    }
    Err(format!(
        "no folder of the user's can hold the agent: {}",
        reasons.join("; ")
    )
    .into())
}

enum Attempt {
    Started(Box<Escalated>),
    Retry { folder: String, why: String },
}

async fn try_once(
    as_user: &Become,
    method: Method,
    plan: &StartPlan<'_>,
    has_terminal: bool,
    said: &mut String,
) -> Result<Attempt, Refusal> {
    let mark = marker();
    let prompt = format!("[{}]:", marker());
    let line = surrounded(&command_line(plan, &mark), has_terminal);
    let command: Command = method.command(as_user, &prompt, &line)?;
    let terminal = has_terminal
        .then(Terminal::open)
        .transpose()
        .map_err(|error| format!("the host has no terminal for it: {error}"))?;
    let mut gate = Gate::open(as_user, command, terminal, (prompt, line)).await?;
    let printed = gate.pass(&mark, said).await?;
    let after = gate.said();
    let Gate {
        mut stdin,
        stdout,
        stderr,
        child,
        terminal,
        ..
    } = gate;
    let mut reader = AsyncReadExt::chain(Cursor::new(printed), stdout);
    let already = match converse(plan, &mark, &mut reader, &mut stdin).await {
        Ok(Start::Running { already, .. }) => already,
        Ok(Start::Retry { folder, why }) => return Ok(Attempt::Retry { folder, why }),
        Err(error) => return Err(format!("{error}{after}").into()),
    };
    let (link, driver) = Link::greet(reader, stdin, &already)
        .await
        .map_err(|error| error.to_string())?;
    let gate = Remains {
        child,
        stderr,
        terminal,
    };
    Ok(Attempt::Started(Box::new(Escalated { link, driver, gate })))
}

/// Reads and forgets; comes back never, so that the end of stderr alone ends nothing.
async fn drain(stderr: &mut ChildStderr) {
    let mut buffer = [0; 1024];
    while matches!(stderr.read(&mut buffer).await, Ok(1..)) {}
    std::future::pending::<()>().await;
}

/// The same for a terminal, which is held open until the link has ended.
async fn drain_terminal(terminal: Option<&Terminal>) {
    let mut buffer = [0; 1024];
    if let Some(terminal) = terminal {
        while terminal.read(&mut buffer).await.is_ok() {}
    }
    std::future::pending::<()>().await;
}

/// This program, for the other user's folder.
struct OwnProgram(Payload);

impl OwnProgram {
    fn read() -> std::io::Result<Self> {
        let bytes = std::fs::read("/proc/self/exe")?;
        let sha256 = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |mut text, byte| {
                // Writing to a String cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            });
        Ok(Self(Payload {
            bytes: bytes.into(),
            packed: None,
            sha256,
        }))
    }
}

impl Payloads for OwnProgram {
    fn usual(&self) -> &Payload {
        &self.0
    }

    fn find(&self, _: &str) -> Result<Payload, String> {
        Ok(self.0.clone())
    }
}
