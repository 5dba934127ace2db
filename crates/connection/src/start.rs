//! Puts the agent on a host if it is not there, and starts it.

use std::pin::Pin;
use std::sync::Arc;

use rustle_protocol::{
    Link, LinkDriver, Payloads, START_TIMEOUT, Start, StartError, StartPlan, command_line,
    converse, marker,
};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};

use crate::destination::Destination;
use crate::error::{ConnectError, ConnectErrorKind, Phase};
use crate::transport::{Channel, Session};

/// How many folders may fail half way through an upload before we give up.
const TRIES: usize = 5;

/// How much of the host's stderr is kept for messages, in bytes.
const STDERR_KEPT: usize = 4 << 10;

type Reader = Box<dyn AsyncRead + Send + Unpin>;
type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// An agent that runs, and what has to be polled and kept for it.
pub(crate) struct StartedAgent {
    pub(crate) link: Link,
    pub(crate) driver: LinkDriver<Reader, Writer>,
    pub(crate) stderr: Reader,
    pub(crate) exited: Pin<Box<dyn Future<Output = ()> + Send>>,
    pub(crate) uploaded: bool,
}

/// Starts the agent in `session`, by the folders that the host offers one after the other.
pub(crate) async fn start_agent(
    session: &Arc<dyn Session>,
    to: &Destination,
    payloads: &dyn Payloads,
) -> Result<StartedAgent, ConnectError> {
    let mut skip: Vec<String> = Vec::new();
    let mut reasons: Vec<String> = Vec::new();
    while skip.len() < TRIES {
        let plan = StartPlan {
            payloads,
            remote_tmp: to.remote_tmp.as_deref(),
            skip: &skip,
        };
        let mark = marker();
        let channel = session.exec(&command_line(&plan, &mark)).await?;
        match tokio::time::timeout(START_TIMEOUT, begin(&plan, &mark, channel)).await {
            Err(_) => {
                let message = format!(
                    "the agent did not start within {} s",
                    START_TIMEOUT.as_secs()
                );
                return Err(failed(to, ConnectErrorKind::Transient, message));
            }
            Ok(Ok(Begun::Running(agent))) => return Ok(*agent),
            Ok(Ok(Begun::Retry { folder, why })) => {
                reasons.push(format!("{folder}: {why}"));
                skip.push(folder);
            }
            Ok(Err(BeginError::NoFolder(why))) => {
                reasons.extend((!why.is_empty()).then_some(why));
                break;
            }
            Ok(Err(BeginError::Other(kind, text))) => {
                let tried: String = reasons.iter().map(|reason| format!("{reason}; ")).collect();
                return Err(failed(to, kind, format!("{tried}{text}")));
            }
        }
    }
    Err(failed(
        to,
        ConnectErrorKind::Agent,
        format!(
            "no folder on the host can hold the agent: {}",
            reasons.join("; ")
        ),
    ))
}

fn failed(to: &Destination, kind: ConnectErrorKind, message: String) -> ConnectError {
    ConnectError {
        host: to.host.clone(),
        phase: Phase::StartAgent,
        kind,
        message,
        hint: None,
    }
}

enum Begun {
    Running(Box<StartedAgent>),
    Retry { folder: String, why: String },
}

enum BeginError {
    /// No folder can hold the agent, and why.
    NoFolder(String),
    Other(ConnectErrorKind, String),
}

async fn begin(plan: &StartPlan<'_>, mark: &str, channel: Channel) -> Result<Begun, BeginError> {
    let Channel {
        mut stdin,
        mut stdout,
        mut stderr,
        exited,
    } = channel;
    let (already, uploaded) = match converse(plan, mark, &mut stdout, &mut stdin).await {
        Ok(Start::Running { already, uploaded }) => (already, uploaded),
        Ok(Start::Retry { folder, why }) => return Ok(Begun::Retry { folder, why }),
        Err(StartError::NoFolder(why)) => return Err(BeginError::NoFolder(why)),
        Err(error) => {
            let kind = match error {
                StartError::Closed { .. } | StartError::Io(_) => ConnectErrorKind::Transient,
                _ => ConnectErrorKind::Agent,
            };
            drop(stdin);
            return Err(BeginError::Other(
                kind,
                format!("{error}{}", said(&mut stderr).await),
            ));
        }
    };
    match Link::greet(stdout, stdin, &already).await {
        Ok((link, driver)) => Ok(Begun::Running(Box::new(StartedAgent {
            link,
            driver,
            stderr,
            exited,
            uploaded,
        }))),
        Err(error) => {
            let text = format!("{error}{}", said(&mut stderr).await);
            Err(BeginError::Other(ConnectErrorKind::Agent, text))
        }
    }
}

/// What the host wrote to stderr, for a message.
async fn said(stderr: &mut Reader) -> String {
    let mut bytes = Vec::new();
    let mut bounded = stderr.take(STDERR_KEPT as u64);
    let read = bounded.read_to_end(&mut bytes);
    // The host may keep it open; what there is by then will do.
    let _ = tokio::time::timeout(std::time::Duration::from_millis(500), read).await;
    let text = String::from_utf8_lossy(&bytes).trim().to_owned();
    if text.is_empty() {
        text
    } else {
        format!("; the host says: {text}")
    }
}
