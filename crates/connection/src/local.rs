//! This machine itself: the agent is a child process.

use std::sync::Arc;

use async_trait::async_trait;
use rustle_process::Command;
use rustle_types::HostName;

use crate::destination::Destination;
use crate::error::{ConnectError, ConnectErrorKind, Phase};
use crate::transport::{Channel, Session, Transport};

/// The local transport.
pub(crate) struct Local;

#[async_trait]
impl Transport for Local {
    async fn open(&self, to: &Destination) -> Result<Arc<dyn Session>, ConnectError> {
        Ok(Arc::new(LocalSession {
            host: to.host.clone(),
        }))
    }
}

struct LocalSession {
    host: HostName,
}

#[async_trait]
impl Session for LocalSession {
    async fn exec(&self, line: &str) -> Result<Channel, ConnectError> {
        let failed = |message: String| ConnectError {
            host: self.host.clone(),
            phase: Phase::StartAgent,
            kind: ConnectErrorKind::Agent,
            message,
            hint: None,
        };
        let started = Command::new("/bin/sh").args(["-c", line]).start().await;
        let mut child = started.map_err(|error| failed(error.to_string()))?;
        match (child.stdin.take(), child.stdout.take(), child.stderr.take()) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Channel {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                stderr: Box::new(stderr),
                exited: Box::pin(async move {
                    // Why it ended matters to nobody.
                    let _ = child.wait().await;
                }),
            }),
            _ => Err(failed("the shell has no streams".into())),
        }
    }

    async fn close(&self) {}
}
