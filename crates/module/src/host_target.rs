//! This machine, as modules see it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_process::{CancelLevel, CancelToken, Command, Finished, OutputChunk, ProcessError};
use rustle_types::{AttachmentId, Mode};
use tokio::sync::mpsc;

use crate::accounts::{User, parse_user};
use crate::coerce::Expand;
use crate::result::Failure;
use crate::target::{Attachment, Target};

/// How many chunks of output may wait for the caller before the command has to.
const OUTPUT_WAITING: usize = 16;

/// Whoever made a call: has the bytes that go with it, and may watch its output.
#[async_trait]
pub trait Caller: Send + Sync {
    /// Opens bytes that go with the call.
    ///
    /// # Errors
    /// When the caller does not know them or cannot be reached.
    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure>;

    /// Takes output as it comes; tells whether anybody is still there to take more.
    async fn output(&self, chunk: OutputChunk) -> bool;
}

/// This machine, for one call.
pub struct HostTarget<C> {
    /// Check and diff mode.
    pub mode: Mode,
    /// Added to the environment of what the module runs.
    pub environment: BTreeMap<String, String>,
    /// A folder for temporary files, private to the user.
    pub temp_dir: PathBuf,
    /// Whether the caller wants output while it comes.
    pub is_watched: bool,
    /// Stops the call.
    pub cancel: CancelToken,
    /// Who made it.
    pub caller: C,
}

impl<C: Caller> Expand for HostTarget<C> {
    fn variable(&self, name: &str) -> Option<String> {
        self.environment
            .get(name)
            .cloned()
            .or_else(|| std::env::var(name).ok())
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        let account = match user {
            None => {
                return self
                    .variable("HOME")
                    .or_else(|| account(|user| user.uid == own_uid()).map(|user| user.home));
            }
            Some(name) => account(|user| user.name == name),
        };
        account.map(|user| user.home)
    }
}

/// The name of the user that this program runs as; none where the machine's own list of users does not have it.
#[must_use]
pub fn own_user() -> Option<String> {
    let uid = rustix::process::geteuid().as_raw();
    account(|user| user.uid == uid).map(|user| user.name)
}

fn own_uid() -> u32 {
    rustix::process::getuid().as_raw()
}

/// A user of this machine's own; those of a directory service are left to the shell's variables.
fn account(is_wanted: impl Fn(&User) -> bool) -> Option<User> {
    let passwd = std::fs::read_to_string("/etc/passwd").ok()?;
    passwd.lines().filter_map(parse_user).find(is_wanted)
}

#[async_trait]
impl<C: Caller> Target for HostTarget<C> {
    fn mode(&self) -> Mode {
        self.mode
    }

    async fn run(&self, command: Command) -> Result<Finished, ProcessError> {
        let command = command.envs_where_unset(&self.environment);
        if !self.is_watched {
            return command.run(&self.cancel).await;
        }
        let (chunk_tx, mut chunk_rx) = mpsc::channel::<OutputChunk>(OUTPUT_WAITING);
        let forward = async {
            while let Some(chunk) = chunk_rx.recv().await {
                if !self.caller.output(chunk).await {
                    break;
                }
            }
        };
        tokio::join!(command.stream_to(chunk_tx).run(&self.cancel), forward).0
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
        self.caller.attachment(id).await
    }

    fn temp_dir(&self) -> &Path {
        &self.temp_dir
    }

    async fn cancelled(&self) {
        self.cancel.raised_above(CancelLevel::Run).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    #[async_trait]
    impl Caller for Nobody {
        async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
            Err(Failure::new(format!("no bytes `{}`", id.0)))
        }

        async fn output(&self, _: OutputChunk) -> bool {
            false
        }
    }

    #[tokio::test]
    async fn environment_of_a_task_changes_no_language_that_a_module_sets() {
        let environment = [("LC_ALL", "de_DE.UTF-8"), ("WORD", "x")];
        let target = HostTarget {
            mode: Mode::default(),
            environment: environment
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into(),
            temp_dir: PathBuf::from("/tmp"),
            is_watched: false,
            cancel: CancelToken::new(),
            caller: Nobody,
        };
        let shown = |command: Command| {
            let target = &target;
            async move {
                let finished = target.run(command).await.unwrap();
                String::from_utf8(finished.stdout.bytes().to_vec()).unwrap()
            }
        };
        let command = Command::new("sh").args(["-c", "echo $LC_ALL $WORD"]);
        assert_eq!(shown(command.clone()).await, "de_DE.UTF-8 x\n");
        assert_eq!(shown(command.env("LC_ALL", "C")).await, "C x\n");
    }
}
