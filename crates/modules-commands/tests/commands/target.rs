//! The machine that the tests run on, as modules see it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::{Attachment, AttachmentId, Expand, Failure, Mode, ModuleResult, Target};
use rustle_modules_commands::FAMILY;
use rustle_process::{CancelLevel, CancelToken, Command, Finished, OutputLimit, ProcessError};
use serde_json::Value;
use tokio::sync::mpsc;

#[derive(Default)]
pub(crate) struct Here {
    pub(crate) mode: Mode,
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) cancel: CancelToken,
    /// Cancels as soon as something is written.
    pub(crate) cancel_at_output: bool,
    pub(crate) timeout: Option<Duration>,
    pub(crate) limit: OutputLimit,
}

impl Here {
    /// With an environment that does not depend on who runs the tests.
    pub(crate) fn new() -> Self {
        let env = [
            ("HOME", "/root"),
            ("LC_ALL", "C.UTF-8"),
            ("SHELL", "/bin/sh"),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        Self {
            env: env.into(),
            ..Self::default()
        }
    }

    pub(crate) fn checking() -> Self {
        let mode = Mode {
            check: true,
            diff: false,
        };
        Self {
            mode,
            ..Self::new()
        }
    }

    /// Calls a module with an object of arguments.
    pub(crate) async fn call(&self, module: &str, args: Value) -> ModuleResult {
        let Value::Object(args) = args else {
            panic!("arguments are an object: {args}")
        };
        let module = FAMILY
            .iter()
            .find(|candidate| candidate.spec().name == module)
            .unwrap();
        module.call(self, args).await
    }
}

impl Expand for Here {
    fn variable(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        match user {
            None => self.variable("HOME"),
            Some("root") => Some("/root".to_owned()),
            Some(_) => None,
        }
    }
}

#[async_trait]
impl Target for Here {
    fn mode(&self) -> Mode {
        self.mode
    }

    async fn run(&self, command: Command) -> Result<Finished, ProcessError> {
        let mut command = command.envs(&self.env).output_limit(self.limit);
        if let Some(timeout) = self.timeout {
            command = command.timeout(timeout);
        }
        let (chunk_tx, mut chunk_rx) = mpsc::channel(1);
        let watch = async {
            while chunk_rx.recv().await.is_some() {
                if self.cancel_at_output {
                    self.cancel.raise(CancelLevel::Stop);
                }
            }
        };
        tokio::join!(command.stream_to(chunk_tx).run(&self.cancel), watch).0
    }

    async fn attachment(&self, _id: &AttachmentId) -> Result<Attachment, Failure> {
        Err(Failure::new("no attachments here"))
    }

    async fn cancelled(&self) {
        self.cancel.raised_above(CancelLevel::Run).await;
    }

    fn temp_dir(&self) -> &Path {
        Path::new("/tmp")
    }
}
