//! What a way to a host has to offer.

use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::destination::{ConnectionSettings, Destination, TransportKind};
use crate::error::ConnectError;
use crate::local::Local;
use crate::ssh::Ssh;

/// A way to hosts.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Opens a session on a host: reached, authenticated, ready to run a line.
    async fn open(&self, to: &Destination) -> Result<Arc<dyn Session>, ConnectError>;
}

/// A session on a host. Dropping it without [`Session::close`] may leave a helper process behind for a minute.
#[async_trait]
pub trait Session: Send + Sync {
    /// Runs a line by the login shell.
    async fn exec(&self, line: &str) -> Result<Channel, ConnectError>;

    /// Ends the session.
    async fn close(&self);
}

/// The streams of a line that runs. Dropping it closes them.
pub struct Channel {
    /// Its stdin.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// Its stdout.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// Its stderr.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Ends when the line has ended; dropping it gives the line up.
    pub exited: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// The transports there are.
pub struct Transports {
    ssh: Ssh,
    local: Local,
}

impl Transports {
    /// The transports, with these settings.
    ///
    /// # Errors
    /// When no folder for their sockets can be made.
    pub fn new(settings: &ConnectionSettings) -> std::io::Result<Self> {
        Ok(Self {
            ssh: Ssh::new(settings)?,
            local: Local,
        })
    }

    pub(crate) fn of(&self, kind: TransportKind) -> &dyn Transport {
        match kind {
            TransportKind::Ssh => &self.ssh,
            TransportKind::Local => &self.local,
        }
    }
}
