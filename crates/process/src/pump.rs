//! Reads one output stream: into the capture, and to the receiver of chunks.

use std::fmt;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;
use tokio::time::Instant;

use crate::capture::{Capture, Captured};

const CHUNK_BYTES: usize = 64 * 1024;

/// One of the two streams that a command writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OutputStream {
    /// File descriptor 1.
    Stdout,
    /// File descriptor 2.
    Stderr,
}

impl fmt::Display for OutputStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        })
    }
}

/// Some bytes of output, as they arrived: cut anywhere, in a line or in a character too.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChunk {
    /// Where they were written.
    pub stream: OutputStream,
    /// At least one and at most 64 KiB.
    pub bytes: Bytes,
}

/// What a pump did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Pumped {
    /// It read some bytes.
    Read,
    /// It handed over bytes that it had read before, after the receiver had kept it waiting.
    Delivered { waited: Duration },
    /// The stream ended.
    Ended,
}

/// Moves the bytes of one stream.
pub(crate) struct Pump<R> {
    stream: OutputStream,
    pipe: Option<R>,
    buffer: Vec<u8>,
    capture: Capture,
    chunk_tx: Option<mpsc::Sender<OutputChunk>>,
    /// Read, and not taken by a full channel; since when.
    pending: Option<(OutputChunk, Instant)>,
}

impl<R: AsyncRead + Unpin> Pump<R> {
    pub(crate) fn new(
        stream: OutputStream,
        pipe: Option<R>,
        capture: Capture,
        chunk_tx: Option<mpsc::Sender<OutputChunk>>,
    ) -> Self {
        Self {
            stream,
            pipe,
            buffer: vec![0; CHUNK_BYTES],
            capture,
            chunk_tx,
            pending: None,
        }
    }

    /// Whether there is more to read or to hand over.
    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some() || self.is_blocked()
    }

    /// Whether the receiver of chunks keeps us from reading.
    pub(crate) fn is_blocked(&self) -> bool {
        self.pending.is_some()
    }

    /// Reads, or hands over what was read. May be dropped and called again: nothing is lost.
    pub(crate) async fn next(&mut self) -> io::Result<Pumped> {
        if self.is_blocked() {
            return Ok(self.deliver().await);
        }
        let Some(pipe) = &mut self.pipe else {
            return Ok(Pumped::Ended);
        };
        let length = pipe.read(&mut self.buffer).await?;
        if length == 0 {
            self.pipe = None;
            return Ok(Pumped::Ended);
        }
        self.take(length);
        Ok(Pumped::Read)
    }

    fn take(&mut self, length: usize) {
        let bytes = &self.buffer[..length];
        self.capture.push(bytes);
        let Some(chunk_tx) = &self.chunk_tx else {
            return;
        };
        let chunk = OutputChunk {
            stream: self.stream,
            bytes: Bytes::copy_from_slice(bytes),
        };
        match chunk_tx.try_send(chunk) {
            Ok(()) => {}
            Err(TrySendError::Full(chunk)) => self.pending = Some((chunk, Instant::now())),
            Err(TrySendError::Closed(_)) => self.chunk_tx = None,
        }
    }

    /// A receiver that went away is noticed for good with the next chunk.
    async fn deliver(&mut self) -> Pumped {
        let permit = match &self.chunk_tx {
            Some(chunk_tx) => chunk_tx.reserve().await.ok(),
            None => None,
        };
        let mut waited = Duration::ZERO;
        if let Some((chunk, since)) = self.pending.take() {
            waited = since.elapsed();
            if let Some(permit) = permit {
                permit.send(chunk);
            }
        }
        Pumped::Delivered { waited }
    }

    /// Reads on without the receiver of chunks.
    pub(crate) fn stop_streaming(&mut self) {
        self.chunk_tx = None;
        self.pending = None;
    }

    /// What was kept, and the pipe if it is still open.
    pub(crate) fn finish(self) -> (Captured, Option<R>) {
        (self.capture.finish(), self.pipe)
    }
}
