//! Runs modules in this process.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::jobs::{Jobs, keep_started, started, work};
use rustle_module::{
    Attachment, Caller, DynModule, Failure, HostTarget, own_user, short_name, within,
};
use rustle_process::{CancelLevel, CancelToken, OutputChunk, OutputStream};
use rustle_types::{AttachmentId, HostName, ModuleResult};
use tokio::runtime::Handle;
use tokio::task::JoinSet;

use super::folder::PrivateFolder;
use super::registry::ModuleRegistry;
use crate::world::{Invocation, ModuleInvoker, OutgoingFile, OutputSink, Unreachable};

/// How long a module that was asked to end may take: the grace of its processes, and some more.
const STOP_GRACE: Duration = Duration::from_secs(15);

/// Runs the modules of a registry in this process, each on a thread of its own, so that modules may block.
pub(super) struct LocalInvoker {
    host: HostName,
    modules: ModuleRegistry,
    folder: PrivateFolder,
    background: Mutex<Background>,
}

/// Jobs in the background. They end with this process at the latest.
#[derive(Default)]
struct Background {
    threads: JoinSet<io::Result<()>>,
    /// Stops them.
    cancel: CancelToken,
}

impl Drop for Background {
    fn drop(&mut self) {
        // Threads of jobs hold up the end of tokio's runtime until their modules have ended.
        self.cancel.raise(CancelLevel::Kill);
    }
}

impl LocalInvoker {
    pub(super) fn new(host: HostName, modules: ModuleRegistry) -> io::Result<Self> {
        Ok(Self {
            host,
            modules,
            folder: PrivateFolder::make()?,
            background: Mutex::default(),
        })
    }

    pub(super) const fn modules(&self) -> &ModuleRegistry {
        &self.modules
    }

    /// Ends jobs that still run, and removes what they and modules left in the folder for temporary files.
    pub(super) async fn clean_up(&self) -> io::Result<()> {
        let mut jobs = std::mem::take(&mut *self.background());
        jobs.cancel.raise(CancelLevel::Kill);
        let ended = async { while jobs.threads.join_next().await.is_some() {} };
        // One that has not ended by then is left behind, with its process.
        let _ = tokio::time::timeout(STOP_GRACE, ended).await;
        self.folder.empty()
    }

    fn background(&self) -> MutexGuard<'_, Background> {
        self.background
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Why a call cannot be made here, if so.
    fn refusal(&self, call: &Invocation) -> Option<String> {
        if call.host != self.host {
            return Some(format!(
                "cannot run on `{}`: this run has no connections, and works on `{}` alone. Run the plan from a controller",
                call.host, self.host
            ));
        }
        let wanted = call.as_user.as_ref()?;
        let own = own_user();
        (own.as_ref() != Some(&wanted.user)).then(|| {
            format!(
                "cannot become user `{}`: a run in one process stays the user that it is (`{}`). Start it as that user",
                wanted.user,
                own.as_deref().unwrap_or("unknown")
            )
        })
    }

    fn jobs_folder(&self) -> Jobs {
        Jobs::in_folder(self.folder.path().join("jobs"))
    }

    fn target(&self, call: &mut Invocation, cancel: CancelToken) -> HostTarget<Task> {
        HostTarget {
            mode: call.mode,
            environment: std::mem::take(&mut call.environment),
            temp_dir: self.folder.path().to_owned(),
            is_watched: call.output.is_some(),
            cancel,
            caller: Task {
                files: std::mem::take(&mut call.files),
                output: call.output.take(),
            },
        }
    }

    /// Runs a module to its end, or to the end of its time.
    async fn run(&self, module: &'static dyn DynModule, mut call: Invocation) -> ModuleResult {
        let asked = call.cancel.clone();
        let cancel = asked.child();
        let target = self.target(&mut call, cancel.clone());
        let (handle, mut thread) = (Handle::current(), JoinSet::new());
        thread.spawn_blocking(move || {
            handle.block_on(within(
                call.timeout,
                &cancel,
                module.call(&target, call.args),
            ))
        });
        let overdue = async {
            asked.raised_above(CancelLevel::Run).await;
            tokio::time::sleep(STOP_GRACE).await;
        };
        tokio::select! {
            ended = thread.join_next() => match ended {
                Some(Ok(result)) => result,
                Some(Err(error)) => ModuleResult::failure(format!("the module ended by a mistake of the program: {error}")),
                None => ModuleResult::failure("the module did not start"),
            },
            () = overdue => ModuleResult::failure("cancelled, and the module has not ended"),
        }
    }

    /// Starts a module in the background.
    fn start(
        &self,
        module: &'static dyn DynModule,
        mut call: Invocation,
        limit: Duration,
    ) -> io::Result<ModuleResult> {
        let (id, path) = self.jobs_folder().enter()?;
        keep_started(&path)?;
        let answer = started(&id, &path);
        let mut background = self.background();
        let cancel = background.cancel.child();
        let target = self.target(&mut call, cancel.clone());
        let handle = Handle::current();
        background.threads.spawn_blocking(move || {
            let module = module.call(&target, call.args);
            handle.block_on(work(&path, limit, &cancel, module))
        });
        Ok(answer)
    }
}

#[async_trait]
impl ModuleInvoker for LocalInvoker {
    async fn invoke(&self, call: Invocation) -> Result<ModuleResult, Unreachable> {
        if let Some(reason) = self.refusal(&call) {
            return Ok(ModuleResult::failure(reason));
        }
        if short_name(&call.module) == "async_status" && call.background.is_none() {
            return Ok(self.jobs_folder().status(&call.args));
        }
        let Some(module) = self.modules.find(&call.module) else {
            let reason = format!("module `{}` is not registered here", call.module);
            return Ok(ModuleResult::failure(reason));
        };
        Ok(match call.background {
            None => self.run(module, call).await,
            Some(limit) => self.start(module, call, limit).unwrap_or_else(|error| {
                ModuleResult::failure(format!("cannot start a job: {error}"))
            }),
        })
    }
}

/// The task that makes a call.
struct Task {
    files: Vec<OutgoingFile>,
    output: Option<OutputSink>,
}

#[async_trait]
impl Caller for Task {
    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
        let reader = OutgoingFile::open(&self.files, id, 0).await;
        reader
            .map(|reader| Attachment { reader })
            .map_err(|error| Failure::new(error.to_string()))
    }

    async fn output(&self, chunk: OutputChunk) -> bool {
        if let Some(output) = &self.output {
            output(chunk.stream == OutputStream::Stderr, chunk.bytes);
        }
        true
    }
}
