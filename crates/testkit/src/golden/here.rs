//! A machine for modules to work on: this one.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use rustle_module::{
    Attachment, AttachmentId, DynModule, Expand, Failure, Mode, ModuleResult, Object, Target,
};
use rustle_process::{CancelToken, Command, Finished, ProcessError};

/// This machine, with attachments held in memory.
#[derive(Debug)]
pub struct Here {
    /// Check and diff mode.
    pub mode: Mode,
    /// What the controller would send.
    pub attachments: BTreeMap<String, Vec<u8>>,
    /// How often an attachment was opened.
    pub opened: AtomicUsize,
    /// The folder for temporary files.
    pub temp: PathBuf,
    /// Variables that stand before those of the environment.
    pub environment: BTreeMap<String, String>,
}

impl Here {
    /// This machine in a mode, with a temporary folder that masks know from Ansible's.
    #[must_use]
    pub fn new(mode: Mode) -> Self {
        Self {
            mode,
            attachments: BTreeMap::new(),
            opened: AtomicUsize::new(0),
            temp: "/root/.ansible/tmp/ansible-tmp-1-2-3".into(),
            environment: BTreeMap::new(),
        }
    }

    /// Calls a module and waits for it.
    ///
    /// # Panics
    /// When no runtime can be made.
    #[must_use]
    pub fn call(&self, module: &dyn DynModule, args: Object) -> ModuleResult {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        runtime.block_on(module.call(self, args))
    }
}

impl Expand for Here {
    fn variable(&self, name: &str) -> Option<String> {
        let own = self.environment.get(name).cloned();
        own.or_else(|| std::env::var(name).ok())
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        user.is_none().then(|| self.variable("HOME")).flatten()
    }
}

#[async_trait]
impl Target for Here {
    fn mode(&self) -> Mode {
        self.mode
    }

    async fn run(&self, command: Command) -> Result<Finished, ProcessError> {
        let command = command.envs(&self.environment);
        command.run(&CancelToken::new()).await
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        let bytes = self.attachments.get(&id.0).cloned();
        let bytes = bytes.ok_or_else(|| Failure::new("no such attachment"))?;
        Ok(Attachment {
            reader: Box::new(std::io::Cursor::new(bytes)),
        })
    }

    fn temp_dir(&self) -> &Path {
        &self.temp
    }
}
