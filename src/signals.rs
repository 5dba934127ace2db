//! Signals that ask the program to end.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::errors::CliError;

/// Hears the signals that ask the program to end. From then on they do not end it by themselves.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let it.
    pub(crate) fn listen() -> Result<Self, CliError> {
        let hear = |kind| signal(kind).map_err(CliError::Signals);
        Ok(Self {
            interrupt: hear(SignalKind::interrupt())?,
            terminate: hear(SignalKind::terminate())?,
            hangup: hear(SignalKind::hangup())?,
        })
    }

    /// The name of the next signal. One that comes while nobody waits is not lost; several of a kind may become one.
    pub(crate) async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.hangup.recv() => "SIGHUP",
        }
    }
}
