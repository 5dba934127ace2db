//! Attachments that are asked for from the controller.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use rustle_protocol::{Ask, CallId, Reply};
use rustle_types::AttachmentId;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::sync::mpsc;

/// How many chunks may wait for the module that asked, before the controller has to wait.
const WAITING: usize = 4;

/// What the controller answers: bytes, or why there are none. No bytes end the attachment.
type Piece = Result<Bytes, String>;

/// The questions that wait for an answer.
#[derive(Default)]
pub(crate) struct Asks {
    next: AtomicU64,
    open: Mutex<HashMap<Ask, mpsc::Sender<Piece>>>,
}

impl Asks {
    /// Asks for an attachment; its bytes come by the reader.
    pub(crate) async fn open(
        &self,
        call: CallId,
        attachment: AttachmentId,
        replies: &mpsc::Sender<Reply>,
    ) -> AttachmentReader {
        let ask = Ask(self.next.fetch_add(1, Ordering::Relaxed));
        let (piece_tx, piece_rx) = mpsc::channel(WAITING);
        if let Ok(mut open) = self.open.lock() {
            open.insert(ask, piece_tx);
        }
        // A closed channel means that the connection is gone; the reader ends with an error then.
        let _ = replies
            .send(Reply::Need {
                ask,
                call,
                attachment,
                offset: 0,
            })
            .await;
        AttachmentReader {
            piece_rx,
            rest: Bytes::new(),
            is_done: false,
        }
    }

    /// Hands on what the controller answered. An answer to a question that nobody asked is dropped.
    pub(crate) async fn answer(&self, ask: Ask, piece: Piece) {
        let is_last = piece.as_ref().map_or(true, Bytes::is_empty);
        let waiting = self.open.lock().ok().and_then(|mut open| {
            if is_last {
                open.remove(&ask)
            } else {
                open.get(&ask).cloned()
            }
        });
        if let Some(waiting) = waiting {
            // The module may have stopped reading.
            let _ = waiting.send(piece).await;
        }
    }

    /// Ends every attachment that is still read.
    pub(crate) fn close(&self) {
        if let Ok(mut open) = self.open.lock() {
            open.clear();
        }
    }
}

/// The bytes of an attachment as they come.
pub(crate) struct AttachmentReader {
    piece_rx: mpsc::Receiver<Piece>,
    rest: Bytes,
    is_done: bool,
}

impl AsyncRead for AttachmentReader {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        while self.rest.is_empty() && !self.is_done {
            match std::task::ready!(self.piece_rx.poll_recv(cx)) {
                Some(Ok(bytes)) => {
                    self.is_done = bytes.is_empty();
                    self.rest = bytes;
                }
                Some(Err(reason)) => return Poll::Ready(Err(io::Error::other(reason))),
                None => return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into())),
            }
        }
        let count = self.rest.len().min(into.remaining());
        into.put_slice(&self.rest[..count]);
        self.rest.advance(count);
        Poll::Ready(Ok(()))
    }
}
