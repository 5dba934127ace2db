//! Runs modules by the agents on the hosts.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rustle_connection::{ConnectError, Destination, HostLink, Pool, TransportKind, ssh_words};
use rustle_events::EventKind;
use rustle_process::CancelLevel;
use rustle_protocol::{
    Attachments, Become, Call, CallId, INLINE_LIMIT, Inline, LinkError, OutputSink, StopLevel,
    Stream,
};
use rustle_runtime::world::{
    Connections, EventSink, FileBytes, Invocation, ModuleInvoker, OutgoingFile, SshRoute,
    Unreachable,
};
use rustle_types::{AttachmentId, HostConnection, HostName, ModuleResult, Object};
use tokio::io::AsyncRead;

/// How much longer than a call's own time limit we wait for its answer.
const ANSWER_GRACE: Duration = Duration::from_secs(30);

/// How long a task that was asked to end may take: the grace of its processes, and some more.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// How long a task that was killed may take to say so.
const KILL_GRACE: Duration = Duration::from_secs(5);

/// Runs modules by agents, over the pool's connections.
pub(crate) struct PoolInvoker {
    pub(crate) pool: Arc<Pool>,
    pub(crate) events: Arc<dyn EventSink>,
    pub(crate) told: Mutex<HashSet<HostName>>,
}

#[async_trait]
impl ModuleInvoker for PoolInvoker {
    async fn invoke(&self, call: Invocation) -> Result<ModuleResult, Unreachable> {
        let to = Destination::from_vars(&call.host, &call.connection, self.pool.settings())
            .map_err(unreachable)?;
        let link = tokio::select! {
            link = self.pool.link(&to) => link.map_err(unreachable)?,
            _ = call.cancel.raised_above(CancelLevel::Run) => return Ok(ModuleResult::failure("cancelled")),
        };
        self.tell(&to, &link);
        let (files, inline) = self.pack(&call.files);
        let message = Call {
            id: CallId(0),
            key: call.key.clone(),
            module: call.module.clone(),
            args: call.args.clone(),
            mode: call.mode,
            environment: call.environment.clone(),
            timeout_ms: call
                .timeout
                .and_then(|limit| u64::try_from(limit.as_millis()).ok()),
            background_s: call.background.map(|limit| limit.as_secs()),
            stream: false,
            r#become: call.as_user.as_ref().map(|user| Become {
                method: user.method.clone(),
                user: user.user.clone(),
                flags: user.flags.clone(),
                exe: user.exe.clone(),
                password: user
                    .password
                    .as_ref()
                    .map(|password| password.expose().to_owned()),
                timeout_ms: user
                    .timeout
                    .and_then(|limit| u64::try_from(limit.as_millis()).ok()),
            }),
            inline,
        };
        match self.converse(&link, message, files, &call).await {
            Ok(result) => Ok(result),
            Err(LinkError::Become(reason)) => Ok(ModuleResult::failure(reason)),
            Err(LinkError::Lost(reason)) => Err(Unreachable {
                reason: format!("the connection was lost while the task ran: {reason}"),
                hint: Some("whether the task did its work is not known".into()),
            }),
        }
    }

    async fn reset(&self, host: &HostName, connection: &Object) {
        // Where the variables tell of no way to the host, there is nothing to forget.
        if let Ok(to) = Destination::from_vars(host, connection, self.pool.settings()) {
            self.pool.reset(&to).await;
        }
    }

    fn ssh_route(
        &self,
        host: &HostName,
        connection: &Object,
    ) -> Result<Option<SshRoute>, Unreachable> {
        let settings = self.pool.settings();
        let to = Destination::from_vars(host, connection, settings).map_err(unreachable)?;
        Ok((to.transport == TransportKind::Ssh).then(|| SshRoute {
            words: ssh_words(&to, settings),
            address: to.address,
        }))
    }

    fn connections(&self) -> Connections {
        let stats = self.pool.stats();
        Connections {
            connect_ms: stats.connect_ms,
            reconnects: u32::try_from(stats.retried).unwrap_or(u32::MAX),
            agents_uploaded: u32::try_from(stats.uploads).unwrap_or(u32::MAX),
        }
    }
}

impl PoolInvoker {
    async fn converse(
        &self,
        link: &HostLink,
        message: Call,
        files: Arc<Files>,
        call: &Invocation,
    ) -> Result<ModuleResult, LinkError> {
        let output = call.output.clone().map(|sink| {
            Arc::new(move |stream, bytes| sink(stream == Stream::Stderr, bytes)) as OutputSink
        });
        let mut running = link.link.start(message, files, output).await?;
        let limit = call
            .timeout
            .map_or(Duration::MAX, |limit| limit.saturating_add(ANSWER_GRACE));
        let mut deadline = std::pin::pin!(sleep(limit));
        let mut level = CancelLevel::Run;
        loop {
            tokio::select! {
                outcome = running.outcome() => return outcome,
                () = &mut deadline => {
                    running.stop(StopLevel::Kill).await;
                    return Ok(ModuleResult::failure(if level > CancelLevel::Run {
                        "cancelled, and the host did not say that the task has ended".to_owned()
                    } else {
                        format!("the host did not answer within {} s after the task's own time limit", ANSWER_GRACE.as_secs())
                    }));
                }
                raised = call.cancel.raised_above(level), if level < CancelLevel::Kill => {
                    level = raised;
                    running.stop(if raised == CancelLevel::Kill { StopLevel::Kill } else { StopLevel::Stop }).await;
                    deadline.set(sleep(if raised == CancelLevel::Kill { KILL_GRACE } else { STOP_GRACE }));
                }
            }
        }
    }

    /// Tells once a host how it was reached.
    fn tell(&self, to: &Destination, link: &HostLink) {
        let is_new = self
            .told
            .lock()
            .is_ok_and(|mut told| told.insert(to.host.clone()));
        if !is_new {
            return;
        }
        let destination = match to.transport {
            TransportKind::Local => None,
            TransportKind::Ssh => Some(format!(
                "{}{}{}",
                to.user
                    .as_ref()
                    .map(|user| format!("{user}@"))
                    .unwrap_or_default(),
                to.address,
                to.port.map(|port| format!(":{port}")).unwrap_or_default()
            )),
        };
        let connection = HostConnection {
            connection: to.transport.name().into(),
            destination,
            connect_ms: link.connect_ms,
            architecture: None,
            agent_uploaded: link.uploaded,
        };
        self.events.note(EventKind::HostConnected {
            host: to.host.clone(),
            connection,
        });
    }

    /// Small files travel inside the call; the host asks for the others if it needs them.
    fn pack(&self, files: &[OutgoingFile]) -> (Arc<Files>, Vec<Inline>) {
        let (mut inline, mut room) = (Vec::new(), INLINE_LIMIT as u64);
        let mut large = Vec::new();
        for file in files {
            match &file.source {
                FileBytes::Memory(bytes) if bytes.len() as u64 <= room => {
                    room -= bytes.len() as u64;
                    inline.push(Inline {
                        id: file.id.clone(),
                        bytes: bytes.clone(),
                    });
                }
                _ => large.push(file.clone()),
            }
        }
        (Arc::new(Files(large)), inline)
    }
}

async fn sleep(limit: Duration) {
    if limit == Duration::MAX {
        std::future::pending::<()>().await;
    }
    tokio::time::sleep(limit).await;
}

fn unreachable(error: ConnectError) -> Unreachable {
    Unreachable {
        reason: error.to_string(),
        hint: error.hint,
    }
}

/// The files of one call.
struct Files(Vec<OutgoingFile>);

#[async_trait]
impl Attachments for Files {
    async fn open(
        &self,
        id: &AttachmentId,
        offset: u64,
    ) -> std::io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        OutgoingFile::open(&self.0, id, offset).await
    }
}
