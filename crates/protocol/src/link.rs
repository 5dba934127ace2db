//! Many module calls at once over one connection to an agent.
//!
//! [`Link`] is the handle that units hold; [`LinkDriver`] is the future that moves the messages, owned and
//! polled by the pool. Orders reach the driver by a channel of [`ORDERS`] messages. When the connection ends,
//! for whatever reason, every call that waits gets [`LinkError::Lost`] with that reason.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use rustle_types::{AttachmentId, ModuleResult};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::{
    Ask, CHUNK, Call, CallId, FrameError, FrameReader, FrameWriter, Hello, PROTOCOL_VERSION, Reply,
    Request, StopLevel, Stream,
};

/// How many orders may wait for the driver before a sender waits too.
const ORDERS: usize = 64;

/// Bytes that a call names and that the agent may ask for.
#[async_trait]
pub trait Attachments: Send + Sync {
    /// Opens an attachment, `offset` bytes into it.
    async fn open(
        &self,
        id: &AttachmentId,
        offset: u64,
    ) -> std::io::Result<Box<dyn AsyncRead + Send + Unpin>>;
}

/// No attachments at all.
pub struct NoAttachments;

#[async_trait]
impl Attachments for NoAttachments {
    async fn open(
        &self,
        id: &AttachmentId,
        _: u64,
    ) -> std::io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        Err(std::io::Error::new(
            std::io::ErrorKind::NotFound,
            format!("no attachment `{}`", id.0),
        ))
    }
}

/// Receives the output of a call as it comes.
pub type OutputSink = Arc<dyn Fn(Stream, Bytes) + Send + Sync>;

/// Why a call over a link has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// The connection ended before the outcome came.
    #[error("the connection to the agent was lost: {0}")]
    Lost(String),
    /// The agent could not become the user that the call asks for.
    #[error("{0}")]
    Become(String),
}

enum Order {
    Call {
        call: Box<Call>,
        files: Arc<dyn Attachments>,
        output: Option<OutputSink>,
        done: oneshot::Sender<Answer>,
    },
    Cancel {
        call: CallId,
        level: StopLevel,
    },
}

type Answer = Result<ModuleResult, LinkError>;

/// A handle to an agent; cheap to share. Dropping the last one ends the connection.
pub struct Link {
    orders: mpsc::Sender<Order>,
    next: AtomicU64,
    /// What the agent said of itself.
    pub agent: Hello,
}

/// A call that was sent and has not ended.
pub struct Running<'a> {
    link: &'a Link,
    id: CallId,
    done: oneshot::Receiver<Answer>,
}

impl Link {
    /// Greets the agent at the other end of `reader` and `writer`.
    ///
    /// # Errors
    /// When the connection fails, or the agent speaks another version of the protocol.
    pub async fn greet<R, W>(
        reader: R,
        writer: W,
        already: &[u8],
    ) -> Result<(Self, LinkDriver<R, W>), GreetError>
    where
        R: AsyncRead + Send + Unpin + 'static,
        W: AsyncWrite + Send + Unpin + 'static,
    {
        let mut frames = FrameReader::with_already_read(reader, already);
        let mut writer = FrameWriter::new(writer);
        let own = Hello {
            protocol: PROTOCOL_VERSION,
            version: env!("CARGO_PKG_VERSION").into(),
            capabilities: vec![],
            pid: std::process::id(),
        };
        writer.send(&Request::Hello(own)).await?;
        let agent = match frames.next().await? {
            Some(Reply::Hello(hello)) if hello.protocol == PROTOCOL_VERSION => hello,
            Some(Reply::Hello(hello)) => {
                return Err(GreetError::Version {
                    found: hello.protocol,
                });
            }
            Some(Reply::Fatal { reason }) => return Err(GreetError::Refused(reason)),
            Some(_) | None => return Err(GreetError::NoHello),
        };
        let (orders, order_rx) = mpsc::channel(ORDERS);
        Ok((
            Self {
                orders,
                next: AtomicU64::new(1),
                agent,
            },
            LinkDriver {
                frames,
                writer,
                order_rx,
            },
        ))
    }

    /// Sends a call; its `id` is set here. The output, if it is streamed, goes to `output`.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn start(
        &self,
        mut call: Call,
        files: Arc<dyn Attachments>,
        output: Option<OutputSink>,
    ) -> Result<Running<'_>, LinkError> {
        let id = CallId(self.next.fetch_add(1, Ordering::Relaxed));
        call.id = id;
        call.stream = output.is_some();
        let (done, answer) = oneshot::channel();
        let order = Order::Call {
            call: Box::new(call),
            files,
            output,
            done,
        };
        self.orders.send(order).await.map_err(|_| gone())?;
        Ok(Running {
            link: self,
            id,
            done: answer,
        })
    }

    /// Whether the connection has ended.
    #[must_use]
    pub fn is_lost(&self) -> bool {
        self.orders.is_closed()
    }
}

impl Running<'_> {
    /// Waits for the outcome. Cancel-safe; dropping it leaves the call running on the host.
    ///
    /// # Errors
    /// When the connection ends first.
    pub async fn outcome(&mut self) -> Answer {
        match (&mut self.done).await {
            Ok(answer) => answer,
            Err(_) => Err(gone()),
        }
    }

    /// Asks the agent to stop the call. Its outcome still comes.
    pub async fn stop(&self, level: StopLevel) {
        // A closed channel means that the connection is gone, which the outcome will say.
        let _ = self
            .link
            .orders
            .send(Order::Cancel {
                call: self.id,
                level,
            })
            .await;
    }
}

fn gone() -> LinkError {
    LinkError::Lost("it has ended".into())
}

/// Why the agent could not be greeted.
#[derive(Debug, thiserror::Error)]
pub enum GreetError {
    /// The connection failed.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The agent speaks another version.
    #[error(
        "the agent speaks version {found} of the protocol, and this program version {PROTOCOL_VERSION}"
    )]
    Version {
        /// Its version.
        found: u32,
    },
    /// The agent said why it cannot serve.
    #[error("the agent refused to serve: {0}")]
    Refused(String),
    /// What came is no hello.
    #[error("the agent did not greet")]
    NoHello,
}

/// Moves the messages of one connection until it ends.
pub struct LinkDriver<R, W> {
    frames: FrameReader<R, Reply>,
    writer: FrameWriter<W, Request>,
    order_rx: mpsc::Receiver<Order>,
}

struct Pending {
    files: Arc<dyn Attachments>,
    output: Option<OutputSink>,
    done: oneshot::Sender<Answer>,
}

impl<R, W> LinkDriver<R, W>
where
    R: AsyncRead + Send + Unpin + 'static,
    W: AsyncWrite + Send + Unpin + 'static,
{
    /// Runs until all handles are dropped or the connection ends; returns why, if it was not we who ended it.
    pub async fn run(self) -> Option<String> {
        let Self {
            mut frames,
            writer,
            mut order_rx,
        } = self;
        let (request_tx, request_rx) = mpsc::channel(8);
        let mut tasks = JoinSet::new();
        let (unsent_tx, mut unsent_rx) = mpsc::unbounded_channel();
        tasks.spawn(write_requests(writer, request_rx, unsent_tx));
        let mut pending: HashMap<CallId, Pending> = HashMap::new();
        let end = loop {
            tokio::select! {
                reply = frames.next() => match reply {
                    Ok(Some(reply)) => {
                        if let Some(reason) = take_reply(reply, &mut pending, &request_tx, &mut tasks) {
                            break Some(reason);
                        }
                    }
                    Ok(None) => break Some("the agent closed it".into()),
                    Err(error) => break Some(with_cause(&error)),
                },
                order = order_rx.recv() => match order {
                    None => break None,
                    Some(order) => {
                        if request_tx.send(take_order(order, &mut pending)).await.is_err() {
                            break Some("the agent no longer reads".into());
                        }
                    }
                },
                Some((call, reason)) = unsent_rx.recv() => {
                    finish(&mut pending, call, Ok(ModuleResult::failure(reason)));
                }
                Some(_) = tasks.join_next() => {}
            }
        };
        order_rx.close();
        let reason = end.clone().unwrap_or_else(|| "it was closed".into());
        for (_, waiting) in pending {
            let _ = waiting.done.send(Err(LinkError::Lost(reason.clone())));
        }
        while let Ok(order) = order_rx.try_recv() {
            if let Order::Call { done, .. } = order {
                let _ = done.send(Err(LinkError::Lost(reason.clone())));
            }
        }
        end
    }
}

fn take_order(order: Order, pending: &mut HashMap<CallId, Pending>) -> Request {
    match order {
        Order::Call {
            call,
            files,
            output,
            done,
        } => {
            pending.insert(
                call.id,
                Pending {
                    files,
                    output,
                    done,
                },
            );
            Request::Call(call)
        }
        Order::Cancel { call, level } => Request::Cancel { call, level },
    }
}

/// Handles one reply; returns why the connection cannot go on, if so.
fn take_reply(
    reply: Reply,
    pending: &mut HashMap<CallId, Pending>,
    requests: &mpsc::Sender<Request>,
    tasks: &mut JoinSet<()>,
) -> Option<String> {
    match reply {
        Reply::Done { call, result } => finish(pending, call, Ok(*result)),
        Reply::BecomeFailed { call, reason } => {
            finish(pending, call, Err(LinkError::Become(reason)))
        }
        Reply::Output {
            call,
            stream,
            bytes,
        } => {
            if let Some(sink) = pending
                .get(&call)
                .and_then(|waiting| waiting.output.as_ref())
            {
                sink(stream, bytes);
            }
        }
        Reply::Need {
            ask,
            call,
            attachment,
            offset,
        } => {
            let files = pending
                .get(&call)
                .map_or_else(|| Arc::new(NoAttachments) as _, |w| Arc::clone(&w.files));
            tasks.spawn(send_attachment(
                files,
                attachment,
                offset,
                ask,
                requests.clone(),
            ));
        }
        Reply::Fatal { reason } => return Some(reason),
        Reply::Hello(_) => return Some("the agent greeted twice".into()),
    }
    None
}

fn finish(pending: &mut HashMap<CallId, Pending>, call: CallId, answer: Answer) {
    if let Some(waiting) = pending.remove(&call) {
        // Nobody waits any more where the unit was dropped.
        let _ = waiting.done.send(answer);
    }
}

/// Writes requests. A call that is too long for a frame is given back by `unsent`, with the reason.
async fn write_requests<W: AsyncWrite + Unpin>(
    mut writer: FrameWriter<W, Request>,
    mut requests: mpsc::Receiver<Request>,
    unsent: mpsc::UnboundedSender<(CallId, String)>,
) {
    while let Some(request) = requests.recv().await {
        match (writer.send(&request).await, request) {
            (Ok(()), _) => {}
            (Err(error @ FrameError::TooLong { .. }), Request::Call(call)) => {
                // A driver that is gone has told all calls so.
                let _ = unsent.send((
                    call.id,
                    format!("the task's arguments cannot be sent: {error}"),
                ));
            }
            // The reader sees the end of the connection too, and has the better reason.
            (Err(_), _) => break,
        }
    }
}

/// Streams an attachment in chunks; an empty chunk ends it.
async fn send_attachment(
    files: Arc<dyn Attachments>,
    id: AttachmentId,
    offset: u64,
    ask: Ask,
    requests: mpsc::Sender<Request>,
) {
    let outcome = async {
        let mut reader = files.open(&id, offset).await?;
        loop {
            let mut buffer = BytesMut::with_capacity(CHUNK);
            while buffer.len() < CHUNK
                && (&mut reader)
                    .take((CHUNK - buffer.len()) as u64)
                    .read_buf(&mut buffer)
                    .await?
                    > 0
            {}
            let bytes = buffer.freeze();
            let is_last = bytes.is_empty();
            if requests.send(Request::Chunk { ask, bytes }).await.is_err() || is_last {
                return Ok::<(), std::io::Error>(());
            }
        }
    };
    if let Err(error) = outcome.await {
        let _ = requests
            .send(Request::Refused {
                ask,
                reason: error.to_string(),
            })
            .await;
    }
}

fn with_cause(error: &FrameError) -> String {
    std::error::Error::source(error)
        .map_or_else(|| error.to_string(), |source| format!("{error}: {source}"))
}
