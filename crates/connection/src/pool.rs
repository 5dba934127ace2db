//! One connection a host, opened when first needed and shared from then on.
//!
//! The pool owns every connection and the tasks that move their frames. [`Pool::close`] ends them all; a pool that is
//! dropped aborts them.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex};
use std::time::{Duration, Instant};

use rand::RngExt as _;
use rustle_protocol::{Link, Payloads};
use tokio::io::AsyncReadExt;
use tokio::sync::{Mutex, Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::destination::{ConnectionSettings, Destination};
use crate::error::ConnectError;
use crate::start::{StartedAgent, start_agent};
use crate::transport::{Session, Transports};

/// The first wait before a connection is tried again; it doubles up to `retry_delay`.
const FIRST_RETRY: Duration = Duration::from_millis(500);

/// How long an agent whose connection is closed may take to go.
const AGENT_GRACE: Duration = Duration::from_secs(12);

/// A host's connection and the agent at its end.
pub struct HostLink {
    /// The agent.
    pub link: Link,
    /// What opening it took, in milliseconds.
    pub connect_ms: u64,
    /// Whether the agent had to be put on the host.
    pub uploaded: bool,
    session: Arc<dyn Session>,
    /// Hears when the task that moves the frames has ended, and the channel is closed with it.
    ended: StdMutex<Option<oneshot::Receiver<()>>>,
}

type Slot = Arc<Mutex<Option<Arc<HostLink>>>>;

/// How many connections may be in the making, by address and port.
type Limits = HashMap<(String, Option<u16>), Arc<Semaphore>>;

/// Connections by destination.
pub struct Pool {
    settings: ConnectionSettings,
    transports: Transports,
    payloads: Arc<dyn Payloads>,
    slots: StdMutex<HashMap<Destination, Slot>>,
    drivers: StdMutex<JoinSet<()>>,
    connecting: Semaphore,
    per_address: StdMutex<Limits>,
    opened: AtomicU64,
    uploads: AtomicU64,
    retried: AtomicU64,
    connect_ms: AtomicU64,
}

/// What opening connections took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolStats {
    /// Connections opened.
    pub opened: u64,
    /// Agents put on hosts that had none.
    pub uploads: u64,
    /// Tries that failed and were made again.
    pub retried: u64,
    /// Milliseconds that opening took, added up over all connections.
    pub connect_ms: u64,
}

impl Pool {
    /// A pool without connections.
    ///
    /// # Errors
    /// When no folder for ssh's sockets can be made.
    pub fn new(settings: ConnectionSettings, payloads: Arc<dyn Payloads>) -> std::io::Result<Self> {
        Ok(Self {
            transports: Transports::new(&settings)?,
            connecting: Semaphore::new(settings.connecting.max(1)),
            settings,
            payloads,
            slots: StdMutex::default(),
            drivers: StdMutex::default(),
            per_address: StdMutex::default(),
            opened: AtomicU64::new(0),
            uploads: AtomicU64::new(0),
            retried: AtomicU64::new(0),
            connect_ms: AtomicU64::new(0),
        })
    }

    /// What the user set for all hosts.
    #[must_use]
    pub const fn settings(&self) -> &ConnectionSettings {
        &self.settings
    }

    /// The connection to `to`: the open one, or a new one. Passing failures are tried again with growing, jittered waits.
    ///
    /// # Errors
    /// When the host cannot be reached.
    pub async fn link(&self, to: &Destination) -> Result<Arc<HostLink>, ConnectError> {
        let slot = self
            .slots
            .lock()
            .map(|mut slots| Arc::clone(slots.entry(to.clone()).or_default()));
        let slot = slot.unwrap_or_default();
        let mut open = slot.lock().await;
        if let Some(link) = open.as_ref().filter(|link| !link.link.is_lost()) {
            return Ok(Arc::clone(link));
        }
        let mut wait = FIRST_RETRY.min(self.settings.retry_delay);
        let mut tries_left = self.settings.retries;
        loop {
            match self.open(to).await {
                Ok(link) => {
                    *open = Some(Arc::clone(&link));
                    return Ok(link);
                }
                Err(error) if error.is_transient() && tries_left > 0 => {
                    tracing::debug!(host = %to.host, %error, "connecting again");
                    self.retried.fetch_add(1, Ordering::Relaxed);
                    tries_left -= 1;
                    let jitter = rand::rng().random_range(0.5..=1.0);
                    tokio::time::sleep(wait.mul_f64(jitter)).await;
                    wait = (wait * 2).min(self.settings.retry_delay);
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn open(&self, to: &Destination) -> Result<Arc<HostLink>, ConnectError> {
        let address = self.address_limit(to);
        // Neither semaphore is ever closed, so both waits end with a permit.
        let _at_address = address.acquire().await;
        let _anywhere = self.connecting.acquire().await;
        let begin = Instant::now();
        let session = self.transports.of(to.transport).open(to).await?;
        let agent = match start_agent(&session, to, &*self.payloads).await {
            Ok(agent) => agent,
            Err(error) => {
                session.close().await;
                return Err(error);
            }
        };
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.uploads
            .fetch_add(u64::from(agent.uploaded), Ordering::Relaxed);
        let took = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.connect_ms.fetch_add(took, Ordering::Relaxed);
        Ok(self.keep(agent, session, took))
    }

    /// Gives the agent's frames a task that moves them.
    fn keep(
        &self,
        agent: StartedAgent,
        session: Arc<dyn Session>,
        connect_ms: u64,
    ) -> Arc<HostLink> {
        let StartedAgent {
            link,
            driver,
            mut stderr,
            exited,
            uploaded,
        } = agent;
        let (ended_tx, ended) = oneshot::channel();
        if let Ok(mut drivers) = self.drivers.lock() {
            drivers.spawn(async move {
                let drain = async move {
                    let mut buffer = [0; 1024];
                    while matches!(stderr.read(&mut buffer).await, Ok(1..)) {}
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    _ = driver.run() => {}
                    () = drain => {}
                }
                // Its stdin is closed now, and it stops what it runs before it goes.
                let _ = tokio::time::timeout(AGENT_GRACE, exited).await;
                let _ = ended_tx.send(());
            });
        }
        Arc::new(HostLink {
            link,
            connect_ms,
            uploaded,
            session,
            ended: StdMutex::new(Some(ended)),
        })
    }

    fn address_limit(&self, to: &Destination) -> Arc<Semaphore> {
        let limit = self.settings.connecting_per_address.max(1);
        let fresh = || Arc::new(Semaphore::new(limit));
        let key = (to.address.clone(), to.port);
        self.per_address.lock().map_or_else(
            |_| fresh(),
            |mut limits| Arc::clone(limits.entry(key).or_insert_with(fresh)),
        )
    }

    /// Forgets the connection to `to`; the next call opens a new one.
    pub async fn reset(&self, to: &Destination) {
        let slot = self
            .slots
            .lock()
            .ok()
            .and_then(|slots| slots.get(to).cloned());
        if let Some(slot) = slot
            && let Some(link) = slot.lock().await.take()
        {
            close(link).await;
        }
    }

    /// What opening connections took so far.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        PoolStats {
            opened: self.opened.load(Ordering::Relaxed),
            uploads: self.uploads.load(Ordering::Relaxed),
            retried: self.retried.load(Ordering::Relaxed),
            connect_ms: self.connect_ms.load(Ordering::Relaxed),
        }
    }

    /// Ends all connections; the agents see their stdin close, and go.
    pub async fn close(&self) {
        let slots: Vec<Slot> = self
            .slots
            .lock()
            .map(|mut slots| slots.drain().map(|(_, slot)| slot).collect())
            .unwrap_or_default();
        let mut closing = JoinSet::new();
        for slot in slots {
            closing.spawn(async move {
                if let Some(link) = slot.lock().await.take() {
                    close(link).await;
                }
            });
        }
        while closing.join_next().await.is_some() {}
        // Whatever still moves frames is aborted.
        drop(
            self.drivers
                .lock()
                .map(|mut drivers| std::mem::take(&mut *drivers)),
        );
    }
}

/// Closes a connection that nobody else uses: first the agent sees its stdin close and goes, then the session ends.
async fn close(link: Arc<HostLink>) {
    let session = Arc::clone(&link.session);
    let ended = link.ended.lock().ok().and_then(|mut ended| ended.take());
    drop(link);
    if let Some(ended) = ended {
        // An agent that does not go is left to the end of its connection.
        let _ = tokio::time::timeout(AGENT_GRACE, ended).await;
    }
    session.close().await;
}
