//! Why a host could not be reached.

use std::fmt;

use rustle_types::HostName;

/// Why a host could not be reached: an unreachable host is data to the run, and the others go on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{phase} failed: {message}")]
pub struct ConnectError {
    /// The host.
    pub host: HostName,
    /// What was being done.
    pub phase: Phase,
    /// What kind of failure it is.
    pub kind: ConnectErrorKind,
    /// What happened, on one line or a few.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// The steps on the way to a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Reading the connection variables.
    Configure,
    /// Reaching the host.
    Connect,
    /// Proving who we are, and that it is the host.
    Authenticate,
    /// Putting and starting the agent.
    StartAgent,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Configure => "reading the connection variables",
            Self::Connect => "connecting",
            Self::Authenticate => "authenticating",
            Self::StartAgent => "starting the agent",
        })
    }
}

/// Kinds of failures, by what helps against them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectErrorKind {
    /// It may work when tried again: refused, reset, timed out.
    Transient,
    /// The host does not let us in.
    Denied,
    /// The host's key is not the one that is known, or it is not known.
    HostKey,
    /// The name has no address, or a setting is wrong.
    Wrong,
    /// The agent does not start there.
    Agent,
}

impl ConnectError {
    /// Whether another try may succeed.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self.kind, ConnectErrorKind::Transient)
    }
}
