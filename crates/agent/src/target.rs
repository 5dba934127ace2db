//! This machine, for one call of the controller's.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rustle_module::{Attachment, Caller, Failure, HostTarget};
use rustle_process::{CancelToken, OutputChunk, OutputStream};
use rustle_protocol::{Call, CallId, Inline, Reply, Stream};
use rustle_types::AttachmentId;
use tokio::sync::mpsc;

use crate::asks::Asks;

/// The controller, for one call.
pub(crate) struct Controller {
    call: CallId,
    inline: Vec<Inline>,
    asks: Arc<Asks>,
    replies: mpsc::Sender<Reply>,
}

/// The machine for `call`, whose environment and attachments it takes.
pub(crate) fn host_target(
    call: &mut Call,
    cancel: CancelToken,
    asks: Arc<Asks>,
    replies: mpsc::Sender<Reply>,
) -> HostTarget<Controller> {
    HostTarget {
        mode: call.mode,
        environment: std::mem::take(&mut call.environment),
        temp_dir: temp_dir(),
        is_watched: call.stream,
        cancel,
        caller: Controller {
            call: call.id,
            inline: std::mem::take(&mut call.inline),
            asks,
            replies,
        },
    }
}

/// The folder that the program lies in: it is private to the user. Where it cannot be told, the system's.
pub(crate) fn temp_dir() -> PathBuf {
    let own = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    own.unwrap_or_else(std::env::temp_dir)
}

#[async_trait]
impl Caller for Controller {
    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
        if let Some(inline) = self.inline.iter().find(|inline| inline.id == *id) {
            let bytes = inline.bytes.clone();
            return Ok(Attachment {
                reader: Box::new(std::io::Cursor::new(bytes)),
            });
        }
        let reader = self.asks.open(self.call, id.clone(), &self.replies).await;
        Ok(Attachment {
            reader: Box::new(reader),
        })
    }

    async fn output(&self, chunk: OutputChunk) -> bool {
        let stream = match chunk.stream {
            OutputStream::Stdout => Stream::Stdout,
            OutputStream::Stderr => Stream::Stderr,
        };
        let output = Reply::Output {
            call: self.call,
            stream,
            bytes: chunk.bytes,
        };
        self.replies.send(output).await.is_ok()
    }
}
