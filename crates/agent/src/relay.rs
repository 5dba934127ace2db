//! Calls as another user: a second agent, started by `sudo`, `su`, `doas` or `runuser` through pipes, and its frames relayed.
//!
//! The second agent is put into a folder of the other user's by the same line that puts the first one on the host, so no
//! file of ours is made readable for anybody.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use rustle_process::{CancelLevel, CancelToken};
use rustle_protocol::{
    Attachments, Become, Call, CallId, Link, LinkError, OutputSink, Reply, StopLevel,
};
use rustle_types::{AttachmentId, ModuleResult};
use tokio::io::AsyncRead;
use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;

use crate::asks::Asks;
use crate::escalate;

/// The second agents, one a user and method, started when first needed. Dropping it ends them.
#[derive(Clone, Default)]
pub(crate) struct Relays {
    links: Arc<Mutex<HashMap<Become, Slot>>>,
    drivers: Arc<Mutex<JoinSet<()>>>,
}

/// Where a second agent is or will be, or why there never is one: what was tried with a wrong password is not tried again.
type Slot = Arc<OnceCell<Result<Arc<Link>, String>>>;

impl Relays {
    /// Runs one call as the user that it names, and answers it.
    pub(crate) async fn call(
        &self,
        call: Call,
        cancel: CancelToken,
        asks: Arc<Asks>,
        replies: &mpsc::Sender<Reply>,
    ) {
        let id = call.id;
        let reply = match self.relay(call, &cancel, asks, replies).await {
            Ok(result) => Reply::Done {
                call: id,
                result: Box::new(result),
            },
            Err(LinkError::Become(reason) | LinkError::Lost(reason)) => {
                Reply::BecomeFailed { call: id, reason }
            }
        };
        // Where the connection is gone nobody waits for it.
        let _ = replies.send(reply).await;
    }

    async fn relay(
        &self,
        mut call: Call,
        cancel: &CancelToken,
        asks: Arc<Asks>,
        replies: &mpsc::Sender<Reply>,
    ) -> Result<ModuleResult, LinkError> {
        let Some(as_user) = call.r#become.take() else {
            return Err(LinkError::Become("the call names no user".into()));
        };
        let link = tokio::select! {
            link = self.link(&as_user) => link.map_err(LinkError::Become)?,
            _ = cancel.raised_above(CancelLevel::Run) => return Ok(ModuleResult::failure("cancelled")),
        };
        let files = Arc::new(Relayed {
            call: call.id,
            asks,
            replies: replies.clone(),
        });
        let output = call.stream.then(|| relay_output(call.id, replies.clone()));
        let mut running = link.start(call, files, output).await?;
        let mut level = CancelLevel::Run;
        loop {
            tokio::select! {
                outcome = running.outcome() => return outcome,
                raised = cancel.raised_above(level), if level < CancelLevel::Kill => {
                    level = raised;
                    running.stop(if raised == CancelLevel::Kill { StopLevel::Kill } else { StopLevel::Stop }).await;
                }
            }
        }
    }

    /// The second agent for `as_user`; started if there is none, or the one there was has ended.
    async fn link(&self, as_user: &Become) -> Result<Arc<Link>, String> {
        let slot = {
            let Ok(mut links) = self.links.lock() else {
                return Err("the list of agents is broken".into());
            };
            let slot = links.entry(as_user.clone()).or_default();
            if slot
                .get()
                .is_some_and(|link| link.as_ref().is_ok_and(|link| link.is_lost()))
            {
                *slot = Slot::default();
            }
            Arc::clone(slot)
        };
        slot.get_or_try_init(|| async {
            match escalate::start_agent(as_user).await {
                Ok(escalated) => {
                    let (link, driver) = escalated.split();
                    if let Ok(mut drivers) = self.drivers.lock() {
                        drivers.spawn(driver);
                    }
                    Ok(Ok(Arc::new(link)))
                }
                Err(refusal) if refusal.is_password => Ok(Err(refusal.why)),
                Err(refusal) => Err(refusal.why),
            }
        })
        .await?
        .clone()
    }
}

fn relay_output(call: CallId, replies: mpsc::Sender<Reply>) -> OutputSink {
    Arc::new(move |stream, bytes: Bytes| {
        // Live output is a courtesy: what does not fit through now is still in the result.
        let _ = replies.try_send(Reply::Output {
            call,
            stream,
            bytes,
        });
    })
}

/// Attachments for the second agent: asked for from the controller, and passed on.
struct Relayed {
    call: CallId,
    asks: Arc<Asks>,
    replies: mpsc::Sender<Reply>,
}

#[async_trait]
impl Attachments for Relayed {
    async fn open(
        &self,
        id: &AttachmentId,
        _: u64,
    ) -> std::io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        Ok(Box::new(
            self.asks.open(self.call, id.clone(), &self.replies).await,
        ))
    }
}
