//! This machine, as modules see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use rustle_module::accounts::{User, parse_user};
use rustle_module::{Attachment, Expand, Failure, Target};
use rustle_process::{
    CancelLevel, CancelToken, Command, Finished, OutputChunk, OutputStream, ProcessError,
};
use rustle_protocol::{Call, CallId, Inline, Reply, Stream};
use rustle_types::{AttachmentId, Mode};
use tokio::sync::mpsc;

use crate::asks::Asks;

/// How many chunks of output may wait for the connection before the command has to.
const OUTPUT_WAITING: usize = 16;

/// This machine, for one call.
pub(crate) struct HostTarget {
    pub(crate) call: CallId,
    pub(crate) mode: Mode,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) inline: Vec<Inline>,
    pub(crate) stream: bool,
    pub(crate) cancel: CancelToken,
    pub(crate) asks: Arc<Asks>,
    pub(crate) replies: mpsc::Sender<Reply>,
    pub(crate) temp_dir: PathBuf,
}

impl HostTarget {
    /// The machine for `call`, whose environment and attachments it takes.
    pub(crate) fn new(
        call: &mut Call,
        cancel: CancelToken,
        asks: Arc<Asks>,
        replies: mpsc::Sender<Reply>,
    ) -> Self {
        Self {
            call: call.id,
            mode: call.mode,
            environment: std::mem::take(&mut call.environment),
            inline: std::mem::take(&mut call.inline),
            stream: call.stream,
            cancel,
            asks,
            replies,
            temp_dir: temp_dir(),
        }
    }
}

/// The folder that the program lies in: it is private to the user. Where it cannot be told, the system's.
pub(crate) fn temp_dir() -> PathBuf {
    let own = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    own.unwrap_or_else(std::env::temp_dir)
}

impl Expand for HostTarget {
    fn variable(&self, name: &str) -> Option<String> {
        self.environment
            .get(name)
            .cloned()
            .or_else(|| std::env::var(name).ok())
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        match user {
            None => self
                .variable("HOME")
                .or_else(|| home_of(|account| account.uid == rustix::process::getuid().as_raw())),
            Some(name) => home_of(|account| account.name == name),
        }
    }
}

/// The home folder of a user of this machine's own; those of a directory service are left to the shell's variables.
fn home_of(is_wanted: impl Fn(&User) -> bool) -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd
        .lines()
        .filter_map(parse_user)
        .find(is_wanted)
        .map(|user| user.home)
}

#[async_trait]
impl Target for HostTarget {
    fn mode(&self) -> Mode {
        self.mode
    }

    async fn run(&self, command: Command) -> Result<Finished, ProcessError> {
        let command = command.envs(&self.environment);
        if !self.stream {
            return command.run(&self.cancel).await;
        }
        let (chunk_tx, mut chunk_rx) = mpsc::channel::<OutputChunk>(OUTPUT_WAITING);
        let forward = async {
            while let Some(chunk) = chunk_rx.recv().await {
                let stream = match chunk.stream {
                    OutputStream::Stdout => Stream::Stdout,
                    OutputStream::Stderr => Stream::Stderr,
                };
                let output = Reply::Output {
                    call: self.call,
                    stream,
                    bytes: chunk.bytes,
                };
                if self.replies.send(output).await.is_err() {
                    break;
                }
            }
        };
        tokio::join!(command.stream_to(chunk_tx).run(&self.cancel), forward).0
    }

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

    fn temp_dir(&self) -> &Path {
        &self.temp_dir
    }

    async fn cancelled(&self) {
        self.cancel.raised_above(CancelLevel::Run).await;
    }
}
