//! Frames and messages between controller and agent.
//!
//! The agent is started on a host with its stdin and stdout as the two directions of one connection. Each
//! direction is a sequence of frames: a length of four bytes, big endian, then that many bytes of one
//! MessagePack message. The controller sends [`Request`]s and the agent [`Reply`]s; both begin with a hello.
//!
//! | limit | value |
//! |---|---|
//! | one frame | [`MAX_FRAME`] |
//! | one chunk of an attachment or of output | [`CHUNK`] |
//! | an attachment sent along inside a call | [`INLINE_LIMIT`] |
//!
//! Shutdown: the controller closes its side; the agent stops what still runs, and exits. A frame that is too
//! long, or that cannot be read, ends the connection with an error that says so.

mod frames;
mod link;
mod message;
mod start;

pub use frames::{FrameError, FrameReader, FrameWriter};
pub use link::{
    Attachments, GreetError, Link, LinkDriver, LinkError, NoAttachments, OutputSink, Running,
};
pub use message::{Ask, Become, Call, CallId, Hello, Inline, Reply, Request, StopLevel, Stream};
pub use start::{
    Payload, Payloads, START_TIMEOUT, Start, StartError, StartPlan, command_line, converse, marker,
};

/// The version of the messages. Both sides have to speak the same.
pub const PROTOCOL_VERSION: u32 = 1;

/// The longest frame that is read or written, in bytes.
///
/// A task's output is kept to 10 MiB a stream, so both streams and the rest of a result fit.
pub const MAX_FRAME: usize = 32 << 20;

/// The size of the pieces in which attachments and output travel, in bytes.
pub const CHUNK: usize = 128 << 10;

/// Attachments up to this size travel inside the call that needs them, and save a round trip.
pub const INLINE_LIMIT: usize = 64 << 10;
