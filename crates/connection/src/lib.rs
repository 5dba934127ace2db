//! Transports, agent start, the pool of hosts' connections.
//!
//! A [`Transport`] opens a [`Session`] on a host and runs one shell line in it, with its three streams as pipes. That line
//! starts the agent, and the agent's frames make a [`rustle_protocol::Link`]. The [`Pool`] keeps one such link a host.

mod destination;
mod error;
mod local;
mod payload;
mod pool;
mod ssh;
mod ssh_log;
mod start;
mod transport;

pub use destination::{ConnectionSettings, Destination, TransportKind};
pub use error::{ConnectError, ConnectErrorKind, Phase};
pub use payload::AgentPayloads;
pub use pool::{HostLink, Pool, PoolStats};
pub use ssh::ssh_words;
pub use transport::{Channel, Session, Transport, Transports};
