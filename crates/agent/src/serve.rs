//! Answers the protocol on stdin and stdout.
//!
//! One thread moves messages. Every call runs on a thread of its own, so a module may block; it hears of a cancel by its
//! token. Replies go through one channel of [`REPLIES`] messages to the one writer of stdout.

use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustle_module::{Catalogue, ModuleResult, within};
use rustle_process::{CancelLevel, CancelToken};
use rustle_protocol::{
    Call, CallId, FrameError, FrameReader, FrameWriter, Hello, PROTOCOL_VERSION, Reply, Request,
    StopLevel,
};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::asks::Asks;
use crate::jobs;
use crate::relay::Relays;
use crate::target::host_target;

/// How many replies may wait for the connection.
const REPLIES: usize = 64;

/// How long calls that still run when the controller goes are given to end.
const SETTLE: Duration = Duration::from_secs(8);

/// Serves until stdin closes.
pub(crate) fn serve() -> ExitCode {
    leave_terminal();
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    else {
        return ExitCode::FAILURE;
    };
    let outcome = runtime.block_on(answer_all());
    // A thread that sits in a read of stdin never ends by itself.
    runtime.shutdown_background();
    outcome
}

/// Goes where no terminal is, if we came by one: what modules run must find nobody to ask, and must not be stopped for asking.
fn leave_terminal() {
    if std::fs::File::open("/dev/tty").is_ok() {
        // Who leads a group cannot leave, and was not started at a terminal of ours.
        let _ = rustix::process::setsid();
    }
}

/// What calls share.
#[derive(Clone)]
struct Shared {
    catalogue: Arc<Catalogue>,
    asks: Arc<Asks>,
    running: Arc<Mutex<HashMap<CallId, CancelToken>>>,
    relays: Relays,
    replies: mpsc::Sender<Reply>,
    all: CancelToken,
}

async fn answer_all() -> ExitCode {
    let (replies, reply_rx) = mpsc::channel(REPLIES);
    let shared = Shared {
        catalogue: Arc::new(crate::catalogue::catalogue()),
        asks: Arc::default(),
        running: Arc::default(),
        relays: Relays::default(),
        replies,
        all: CancelToken::new(),
    };
    let mut tasks = JoinSet::new();
    let mut writer = JoinSet::new();
    writer.spawn(write_replies(reply_rx));
    let mut frames = FrameReader::<_, Request>::new(tokio::io::stdin());
    let outcome = loop {
        tokio::select! {
            request = frames.next() => match request {
                Ok(Some(request)) => take(request, &shared, &mut tasks).await,
                Ok(None) => break ExitCode::SUCCESS,
                Err(error) => {
                    let _ = shared.replies.send(Reply::Fatal { reason: error.to_string() }).await;
                    break ExitCode::FAILURE;
                }
            },
            Some(_) = tasks.join_next() => {}
        }
    };
    settle(&shared, &mut tasks).await;
    drop(shared);
    while writer.join_next().await.is_some() {}
    outcome
}

/// Ends what still runs: first politely, then not.
async fn settle(shared: &Shared, tasks: &mut JoinSet<()>) {
    shared.asks.close();
    shared.all.raise(CancelLevel::Stop);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(SETTLE, ended).await.is_err() {
        shared.all.raise(CancelLevel::Kill);
        let ended = async { while tasks.join_next().await.is_some() {} };
        // A module that blocks for longer than this is left behind with the process.
        let _ = tokio::time::timeout(Duration::from_secs(1), ended).await;
    }
}

async fn take(request: Request, shared: &Shared, tasks: &mut JoinSet<()>) {
    match request {
        Request::Hello(_) => {
            let hello = Hello {
                protocol: PROTOCOL_VERSION,
                version: env!("CARGO_PKG_VERSION").into(),
                capabilities: vec![],
                pid: std::process::id(),
            };
            let _ = shared.replies.send(Reply::Hello(hello)).await;
        }
        Request::Call(call) => {
            let (shared, cancel) = (shared.clone(), shared.register(call.id));
            if call.r#become.is_some() {
                tasks.spawn(async move { relay_call(*call, cancel, &shared).await });
            } else {
                let handle = Handle::current();
                tasks.spawn_blocking(move || handle.block_on(run_call(*call, cancel, &shared)));
            }
        }
        Request::Cancel { call, level } => {
            let token = shared
                .running
                .lock()
                .ok()
                .and_then(|running| running.get(&call).cloned());
            // A call that has ended in the meantime needs no stopping.
            if let Some(token) = token {
                token.raise(match level {
                    StopLevel::Stop => CancelLevel::Stop,
                    StopLevel::Kill => CancelLevel::Kill,
                });
            }
        }
        Request::Chunk { ask, bytes } => shared.asks.answer(ask, Ok(bytes)).await,
        Request::Refused { ask, reason } => shared.asks.answer(ask, Err(reason)).await,
    }
}

impl Shared {
    /// A token that stops the call.
    fn register(&self, call: CallId) -> CancelToken {
        let cancel = self.all.child();
        if let Ok(mut running) = self.running.lock() {
            running.insert(call, cancel.clone());
        }
        cancel
    }

    fn forget(&self, call: CallId) {
        if let Ok(mut running) = self.running.lock() {
            running.remove(&call);
        }
    }
}

async fn relay_call(call: Call, cancel: CancelToken, shared: &Shared) {
    let id = call.id;
    shared
        .relays
        .call(call, cancel, Arc::clone(&shared.asks), &shared.replies)
        .await;
    shared.forget(id);
}

async fn run_call(mut call: Call, cancel: CancelToken, shared: &Shared) {
    let id = call.id;
    let result = match shared.catalogue.find(&call.module) {
        _ if call.background_s.is_some() => jobs::start(call).await,
        _ if call.module == "async_status" => jobs::status(&call.args),
        None => ModuleResult::failure(format!("module `{}` is not in this agent", call.module)),
        Some(module) => {
            let limit = call.timeout_ms.map(Duration::from_millis);
            let target = host_target(
                &mut call,
                cancel.clone(),
                Arc::clone(&shared.asks),
                shared.replies.clone(),
            );
            within(limit, &cancel, module.call(&target, call.args)).await
        }
    };
    shared.forget(id);
    // Where the connection is gone nobody waits for it.
    let _ = shared
        .replies
        .send(Reply::Done {
            call: id,
            result: Box::new(result),
        })
        .await;
}

/// Writes replies. A result that is too long for a frame becomes a failure that says so.
async fn write_replies(mut replies: mpsc::Receiver<Reply>) {
    let mut writer = FrameWriter::new(tokio::io::stdout());
    while let Some(reply) = replies.recv().await {
        let sent = match (writer.send(&reply).await, reply) {
            (Err(error @ FrameError::TooLong { .. }), Reply::Done { call, .. }) => {
                let msg = format!("the task ran, and its result cannot be sent: {error}");
                let result = Box::new(ModuleResult::failure(msg));
                writer.send(&Reply::Done { call, result }).await
            }
            (sent, _) => sent,
        };
        if sent.is_err() {
            break;
        }
    }
}
