//! What controller and agent say to each other.

use std::collections::BTreeMap;

use bytes::Bytes;
use rustle_types::{AttachmentId, Mode, ModuleResult, Object};
use serde::{Deserialize, Serialize};

/// Numbers a call within one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// Numbers a question of the agent within one connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ask(pub u64);

/// The first message in each direction.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// [`crate::PROTOCOL_VERSION`] of the sender.
    pub protocol: u32,
    /// The sender's program version.
    pub version: String,
    /// What the sender can do beyond the protocol's first version.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// The sender's process id.
    #[serde(default)]
    pub pid: u32,
}

/// What the controller says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Request {
    /// Comes first.
    Hello(Hello),
    /// Run a module.
    Call(Box<Call>),
    /// Stop a call that runs. Its [`Reply::Done`] still comes.
    Cancel {
        /// The call.
        call: CallId,
        /// How hard.
        level: StopLevel,
    },
    /// A piece of an attachment that the agent asked for.
    Chunk {
        /// The question it answers.
        ask: Ask,
        /// The bytes; an empty piece ends the attachment.
        bytes: Bytes,
    },
    /// The controller cannot give the attachment.
    Refused {
        /// The question it answers.
        ask: Ask,
        /// Why.
        reason: String,
    },
}

/// How hard to stop a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub enum StopLevel {
    /// Ask its processes to end, and kill them after a grace.
    Stop,
    /// Kill its processes.
    Kill,
}

/// A module call.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Call {
    /// Numbers it.
    pub id: CallId,
    /// Names it across connections: execution, host, task, item and attempt.
    pub key: String,
    /// The module's name.
    pub module: String,
    /// Its rendered arguments.
    pub args: Object,
    /// Check and diff mode.
    pub mode: Mode,
    /// Added to the environment of the module's processes.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
    /// After how many milliseconds the call is stopped; none for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u64>,
    /// Runs in the background, for so many seconds at the most; the answer then only names the job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background_s: Option<u64>,
    /// Whether output is sent as it comes.
    #[serde(default)]
    pub stream: bool,
    /// The user to run it as, if not the one the agent runs as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub r#become: Option<Become>,
    /// Small attachments that its arguments name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inline: Vec<Inline>,
}

/// How to run as another user.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Become {
    /// `sudo`, `su`, `doas` or `runuser`.
    pub method: String,
    /// The user.
    pub user: String,
    /// Flags of the method's program, in place of its usual ones.
    #[serde(default)]
    pub flags: Vec<String>,
    /// The program, if not the method's usual one; words that follow are its first arguments.
    #[serde(default)]
    pub exe: Option<String>,
    /// The password, if the method will ask for one. It is never put in arguments or the environment.
    #[serde(default)]
    pub password: Option<String>,
    /// How long becoming the user may take, in milliseconds; none for [`START_TIMEOUT`](crate::START_TIMEOUT).
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

impl std::fmt::Debug for Become {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Become")
            .field("method", &self.method)
            .field("user", &self.user)
            .field("flags", &self.flags)
            .field("exe", &self.exe)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

/// An attachment that travels inside its call.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Inline {
    /// Its name.
    pub id: AttachmentId,
    /// Its bytes.
    pub bytes: Bytes,
}

/// What the agent says.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub enum Reply {
    /// Comes first.
    Hello(Hello),
    /// Output of a call that runs.
    Output {
        /// The call.
        call: CallId,
        /// Which stream.
        stream: Stream,
        /// The bytes, as the process wrote them.
        bytes: Bytes,
    },
    /// Send me this attachment, from `offset` on.
    Need {
        /// Numbers the question.
        ask: Ask,
        /// The call that needs it.
        call: CallId,
        /// The attachment.
        attachment: AttachmentId,
        /// The first byte wanted.
        offset: u64,
    },
    /// The call has ended.
    Done {
        /// The call.
        call: CallId,
        /// Its outcome.
        result: Box<ModuleResult>,
    },
    /// The agent cannot become the user: the call did not run.
    BecomeFailed {
        /// The call.
        call: CallId,
        /// Why.
        reason: String,
    },
    /// The agent cannot go on, and ends.
    Fatal {
        /// Why.
        reason: String,
    },
}

/// A standard stream of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}
