//! What a task may ask of the world: the traits that make one runtime run in several places.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::io::{self, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rustle_events::EventKind;
use rustle_module::foreign::Protocol;
use rustle_process::CancelToken;
use rustle_template::{Engine, Layer};
use rustle_types::{AttachmentId, HostName, Mode, ModuleResult, Object, Secret, TaskPlan};
use tokio::io::{AsyncRead, AsyncSeekExt as _};

use crate::files::Files;
use crate::include::RoleParts;
pub use crate::live_vars::LiveVars;

/// Runs modules: here, or by an agent.
#[async_trait]
pub trait ModuleInvoker: Send + Sync {
    /// Runs a module with rendered arguments to its end.
    ///
    /// # Errors
    /// When the host cannot be reached; a module that fails is a result.
    async fn invoke(&self, call: Invocation) -> Result<ModuleResult, Unreachable>;

    /// Forgets the way to a host, given its connection variables: the next call opens a new one.
    async fn reset(&self, _host: &HostName, _connection: &Object) {}

    /// How a program of its own reaches a host by ssh, given the host's connection variables; none where it is this machine.
    ///
    /// # Errors
    /// When the variables make no sense.
    fn ssh_route(
        &self,
        _host: &HostName,
        _connection: &Object,
    ) -> Result<Option<SshRoute>, Unreachable> {
        Ok(None)
    }

    /// What the ways to hosts came to so far; nothing where there are none.
    fn connections(&self) -> Connections {
        Connections::default()
    }
}

/// How ssh reaches a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshRoute {
    /// The words between `ssh` and the address.
    pub words: Vec<String>,
    /// The host's address or ssh name.
    pub address: String,
}

/// What the ways to hosts came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// How long it took to make them, in milliseconds.
    pub connect_ms: u64,
    /// How often one was made again.
    pub reconnects: u32,
    /// Agents that were put on hosts.
    pub agents_uploaded: u32,
}

/// A module call that is ready to be made.
pub struct Invocation {
    /// Names it across connections: task, host, item and attempt.
    pub key: String,
    /// The host to run it on.
    pub host: HostName,
    /// That host's connection variables, rendered.
    pub connection: Object,
    /// The module's name.
    pub module: String,
    /// Its rendered arguments.
    pub args: Object,
    /// Check and diff mode.
    pub mode: Mode,
    /// Added to the environment of what the module runs.
    pub environment: BTreeMap<String, String>,
    /// After how long it is stopped.
    pub timeout: Option<Duration>,
    /// Runs in the background, for so long at the most; the result then only names the job.
    pub background: Option<Duration>,
    /// The user to run as, if not the one who logged in.
    pub as_user: Option<AsUser>,
    /// Bytes that the arguments name.
    pub files: Vec<OutgoingFile>,
    /// Where its output goes while it runs.
    pub output: Option<OutputSink>,
    /// Stops it.
    pub cancel: CancelToken,
}

/// Takes output as it comes, and whether it is standard error.
pub type OutputSink = Arc<dyn Fn(bool, Bytes) + Send + Sync>;

/// A user to run as, and how to become that user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsUser {
    /// `sudo`, `su`, `doas` or `runuser`.
    pub method: String,
    /// The user.
    pub user: String,
    /// Flags of the method's program, in place of its usual ones.
    pub flags: Vec<String>,
    /// The program, if not the usual one.
    pub exe: Option<String>,
    /// The password.
    pub password: Option<Secret>,
    /// How long it may take, if that is said.
    pub timeout: Option<Duration>,
}

/// Bytes that travel with a call.
#[derive(Clone, Debug)]
pub struct OutgoingFile {
    /// The name that the arguments use.
    pub id: AttachmentId,
    /// The bytes.
    pub source: FileBytes,
}

impl OutgoingFile {
    /// Opens one of `files` at an offset.
    ///
    /// # Errors
    /// When none of them has the name, or its file cannot be read.
    pub async fn open(
        files: &[Self],
        id: &AttachmentId,
        offset: u64,
    ) -> io::Result<Box<dyn AsyncRead + Send + Unpin>> {
        let file = files.iter().find(|file| file.id == *id);
        match file.map(|file| &file.source) {
            Some(FileBytes::Memory(bytes) | FileBytes::OnDemand(bytes)) => {
                let start = usize::try_from(offset)
                    .unwrap_or(usize::MAX)
                    .min(bytes.len());
                Ok(Box::new(io::Cursor::new(bytes.slice(start..))))
            }
            Some(FileBytes::Disk { path, .. }) => {
                let mut file = tokio::fs::File::open(path).await?;
                file.seek(SeekFrom::Start(offset)).await?;
                Ok(Box::new(file))
            }
            None => Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!("no file `{}` goes with this call", id.0),
            )),
        }
    }
}

/// Where bytes of a file are.
#[derive(Clone, Debug)]
pub enum FileBytes {
    /// In memory.
    Memory(Bytes),
    /// In memory, and most likely on the host already: they travel only where they are asked for.
    OnDemand(Bytes),
    /// In a file of the controller's, of this size.
    Disk {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
}

impl FileBytes {
    /// How many bytes there are.
    #[must_use]
    pub fn len(&self) -> u64 {
        match self {
            Self::Memory(bytes) | Self::OnDemand(bytes) => bytes.len() as u64,
            Self::Disk { size, .. } => *size,
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a module could not be run at all.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unreachable {
    /// What happened.
    pub reason: String,
    /// What to do about it.
    pub hint: Option<String>,
}

/// Whoever sits at the terminal.
#[async_trait]
pub trait Person: Send + Sync {
    /// Asks something, and whether the answer is shown as it is typed; none where nobody can answer.
    async fn ask(&self, question: &str, is_shown: bool) -> Option<String>;
}

/// The variables of all hosts.
pub trait HostVars: Debug + Send + Sync {
    /// What is known of a host; none for one that the inventory does not have.
    fn record(&self, host: &str) -> Option<Arc<HostRecord>>;
    /// All hosts, in the order in which the sources first name them.
    fn names(&self) -> Vec<HostName>;
    /// The hosts of every group.
    fn groups(&self) -> Arc<Object>;
}

/// What is known of a host at one moment; replaced as a whole when something changes.
#[derive(Clone, Debug)]
pub struct HostRecord {
    /// Inventory variables, groups' merged in.
    pub inventory: Arc<Layer>,
    /// Gathered facts by their full names (`ansible_kernel`).
    pub facts: Arc<Object>,
    /// The facts as templates see them.
    pub facts_layer: Arc<Layer>,
    /// What `include_vars` read.
    pub included: Arc<Layer>,
    /// What `set_fact` and `register` left.
    pub live: LiveVars,
    /// The groups it is in, without `all`.
    pub group_names: Arc<[String]>,
}

/// Hears what happens inside a task while it runs.
pub trait EventSink: Send + Sync {
    /// Takes an event.
    fn note(&self, event: EventKind);
}

/// Task files, roles and files of variables that tasks pick as the plan runs.
///
/// A path that is not absolute begins where the plan's own paths do. Errors are texts for people.
pub trait Library: Send + Sync {
    /// The tasks of a file; none where there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read as a list of tasks.
    fn tasks(&self, path: &Path) -> Result<Option<Arc<[TaskPlan]>>, String>;

    /// A role; none where there is no role of that name.
    ///
    /// # Errors
    /// When a file of it cannot be read, or one that is asked for is not there.
    fn role(&self, wanted: &WantedRole) -> Result<Option<Arc<RoleParts>>, String>;

    /// The variables of a file.
    ///
    /// # Errors
    /// When it cannot be read as a mapping.
    fn vars(&self, path: &Path) -> Result<Object, String>;
}

/// A role, and which of its files.
#[derive(Clone, Debug, Default)]
pub struct WantedRole {
    /// Its name or folder.
    pub name: String,
    /// The file of tasks, if not `main`.
    pub tasks_from: Option<String>,
    /// The file of variables, if not `main`.
    pub vars_from: Option<String>,
    /// The file of default variables, if not `main`.
    pub defaults_from: Option<String>,
    /// The file of handlers, if not `main`.
    pub handlers_from: Option<String>,
    /// Whether the rest of the play sees its variables.
    pub is_public: bool,
    /// Whether it runs again where it ran before.
    pub allows_duplicates: bool,
    /// Whether its parameters are checked by its specification.
    pub is_checked: bool,
}

/// Knows the modules that are not native: those of the plan's author, and Ansible's own.
pub trait ModuleFinder: Send + Sync {
    /// What a module's name means to a task; `role` is the folder of the role that the task is of.
    ///
    /// # Errors
    /// When there is no such module, or it is one that cannot be run.
    fn find(&self, name: &str, role: Option<&Path>) -> Result<FoundModule, NoModule>;

    /// The program of a module, made at the first time it is asked for.
    ///
    /// # Errors
    /// A text for people, when a file of it cannot be read or found.
    fn program(&self, module: &ForeignModule) -> Result<Arc<ModuleProgram>, String>;
}

/// What the name of a module means.
#[derive(Clone, Debug)]
pub enum FoundModule {
    /// A native module, by its own name.
    Native(String),
    /// A program of the controller's.
    Foreign(Arc<ForeignModule>),
}

/// A module that is not native.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignModule {
    /// Its name; that of a collection's module is the whole one.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// How it takes its arguments.
    pub protocol: Protocol,
    /// The words behind its `#!`; none for a binary.
    pub interpreter: Vec<String>,
    /// The version of Ansible that it is told of.
    pub ansible_version: String,
    /// What it may be told beside its arguments, without `_ansible_`; all where that is not known.
    pub told: Option<Arc<[String]>>,
}

/// What is sent to hosts to run a module that is not native.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleProgram {
    /// The bytes.
    pub bytes: Bytes,
    /// Their SHA-256, in hexadecimal digits.
    pub sha256: String,
}

/// Why a name means no module that can be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoModule {
    /// There is none of that name.
    #[error("unknown module `{name}`")]
    Unknown {
        /// The name.
        name: String,
        /// Where it was looked for.
        looked: Vec<String>,
    },
    /// There is one, and it cannot be run.
    #[error("{why}")]
    Refused {
        /// The reason.
        why: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

/// What all tasks of a run share.
#[derive(Clone)]
pub struct World {
    /// Renders.
    pub engine: Arc<Engine>,
    /// Runs modules.
    pub invoker: Arc<dyn ModuleInvoker>,
    /// Knows hosts.
    pub hosts: Arc<dyn HostVars>,
    /// Hears events.
    pub events: Arc<dyn EventSink>,
    /// Knows the controller's files.
    pub files: Arc<Files>,
    /// Knows what tasks pick as the plan runs.
    pub library: Arc<dyn Library>,
    /// Knows modules that are not native; without it every module is.
    pub modules: Option<Arc<dyn ModuleFinder>>,
    /// Answers questions, if there is somebody.
    pub person: Option<Arc<dyn Person>>,
    /// The settings of the run.
    pub settings: Arc<RunSettings>,
}

/// What is set for a whole run.
#[derive(Clone, Debug)]
pub struct RunSettings {
    /// Names the run in the keys of calls.
    pub run: String,
    /// Check and diff mode, unless a task says otherwise.
    pub mode: Mode,
    /// How long a task may take, unless it says otherwise; none for ever.
    pub timeout: Option<Duration>,
    /// Whether output is wanted while a task runs.
    pub live_output: bool,
    /// `-v`s.
    pub verbosity: u8,
    /// Whether tasks become another user where nothing else says so.
    pub r#become: bool,
    /// The user that tasks become.
    pub become_user: Option<String>,
    /// How they become that user.
    pub become_method: Option<String>,
    /// The password for it.
    pub become_password: Option<Secret>,
    /// How many hosts are worked on at once.
    pub forks: u32,
    /// Tags that are run; none means all.
    pub tags: Vec<String>,
    /// Tags that are skipped.
    pub skip_tags: Vec<String>,
    /// The hosts that the run is limited to, as a pattern.
    pub limit: Option<String>,
    /// Where relative paths of the plan begin.
    pub base_dir: PathBuf,
    /// What the inventory is from.
    pub inventory_sources: Vec<String>,
    /// The folder and the file that the inventory is from.
    pub inventory: Option<(String, String)>,
    /// Variables of the plan.
    pub plan_vars: Arc<Layer>,
    /// Variables above all others.
    pub extra_vars: Arc<Layer>,
}
