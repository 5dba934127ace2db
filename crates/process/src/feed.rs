//! Writes a command's stdin while its output is read.

use bytes::{Buf, Bytes};
use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;

/// Bytes on their way into a command.
pub(crate) struct Feed {
    pipe: Option<ChildStdin>,
    rest: Bytes,
}

impl Feed {
    pub(crate) fn new(pipe: Option<ChildStdin>, bytes: Bytes) -> Self {
        Self { pipe, rest: bytes }
    }

    pub(crate) fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Writes what is left and closes the pipe. May be dropped and called again.
    ///
    /// That the command stopped reading is its own affair; how it ends tells the rest.
    pub(crate) async fn finish(&mut self) {
        while let Some(pipe) = &mut self.pipe
            && self.rest.has_remaining()
        {
            match pipe.write(&self.rest).await {
                Ok(written @ 1..) => self.rest.advance(written),
                Ok(0) | Err(_) => break,
            }
        }
        self.close();
    }

    pub(crate) fn close(&mut self) {
        self.pipe = None;
    }
}
