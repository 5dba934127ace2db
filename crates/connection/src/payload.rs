//! The agent programs that the controller can put on hosts.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Mutex;

use bytes::Bytes;
use rustle_protocol::{Payload, Payloads};
use sha2::{Digest, Sha256};

/// The agents at hand: the one built in, and those in the agent folders.
pub struct AgentPayloads {
    platform: String,
    builtin: Payload,
    folders: Vec<PathBuf>,
    read: Mutex<HashMap<String, Payload>>,
}

impl AgentPayloads {
    /// The agent that the program carries for its own `platform` (`x86_64-linux`), as it is and packed by gzip, and folders that may hold
    /// `rustle-agent-<arch>-<os>` for others.
    #[must_use]
    pub fn new(platform: &str, builtin: Bytes, packed: Bytes, folders: Vec<PathBuf>) -> Self {
        let builtin = payload(builtin, Some(packed));
        Self {
            platform: platform.into(),
            builtin,
            folders,
            read: Mutex::default(),
        }
    }
}

impl Payloads for AgentPayloads {
    fn usual(&self) -> &Payload {
        &self.builtin
    }

    fn find(&self, platform: &str) -> Result<Payload, String> {
        if platform == self.platform {
            return Ok(self.builtin.clone());
        }
        let Ok(mut read) = self.read.lock() else {
            return Err("the list of agents is broken".into());
        };
        if let Some(payload) = read.get(platform) {
            return Ok(payload.clone());
        }
        let files: Vec<PathBuf> = self
            .folders
            .iter()
            .map(|f| f.join(format!("rustle-agent-{platform}")))
            .collect();
        let Some(bytes) = files.iter().find_map(|file| std::fs::read(file).ok()) else {
            let looked: Vec<String> = files
                .iter()
                .map(|file| file.display().to_string())
                .collect();
            let looked = if looked.is_empty() {
                "no `agent_path` is set".into()
            } else {
                looked.join(", ")
            };
            return Err(format!(
                "there is no agent for {platform} (looked for: {looked}); this program carries the one for {}",
                self.platform
            ));
        };
        let payload = payload(bytes.into(), None);
        read.insert(platform.into(), payload.clone());
        Ok(payload)
    }
}

fn payload(bytes: Bytes, packed: Option<Bytes>) -> Payload {
    use std::fmt::Write as _;
    let sha256 = Sha256::digest(&bytes)
        .iter()
        .fold(String::with_capacity(64), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        });
    Payload {
        bytes,
        packed,
        sha256,
    }
}
