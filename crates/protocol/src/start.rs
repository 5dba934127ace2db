//! Starts the agent on a host: one line for `sh`, and the talk with it until the agent takes over.
//!
//! The line needs only `sh`, `uname`, `mkdir`, `head`, `wc`, `chmod`, `mv` and `rm`. It holds no single quote and no
//! backslash, so it can be quoted for any login shell. What it prints are lines that begin with a marker which
//! is random, so nothing that the host prints of its own accord is taken for one:
//!
//! - `MARK start`: the agent follows on the same streams.
//! - `MARK need <folder> gzip|plain <machine> <system>`: no agent is there. Wants a line `<bytes sent> <size> <sha256>` on
//!   stdin; what is sent is packed where the two numbers differ.
//! - `MARK send`: nor is that one. Wants the program's bytes on stdin.
//! - `MARK skip <folder> <why>`: this folder cannot be used; with `need` it is followed by the next candidate.
//! - `MARK end <why>`: it gives up.

use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// An agent program for one kind of machine.
#[derive(Clone, Debug)]
pub struct Payload {
    /// The program.
    pub bytes: Bytes,
    /// The same in gzip's format, for hosts that have `gzip`.
    pub packed: Option<Bytes>,
    /// The program's SHA-256 in hex.
    pub sha256: String,
}

/// Where agent programs come from.
pub trait Payloads: Send + Sync {
    /// The agent that is looked for first: the one for the controller's own kind of machine.
    fn usual(&self) -> &Payload;

    /// The agent for `platform` (`aarch64-linux`).
    ///
    /// # Errors
    /// Where there is none: a text that says where it was looked for.
    fn find(&self, platform: &str) -> Result<Payload, String>;
}

/// How much a host may print before the marker comes, in bytes.
const NOISE_LIMIT: usize = 64 << 10;

/// What the line is told.
pub struct StartPlan<'a> {
    /// The agents at hand.
    pub payloads: &'a dyn Payloads,
    /// `ansible_remote_tmp`, tried first.
    pub remote_tmp: Option<&'a str>,
    /// Folders that were tried before and failed.
    pub skip: &'a [String],
}

/// How the talk with the line ended.
#[derive(Debug)]
pub enum Start {
    /// The agent runs. What was read beyond the marker's line belongs to it.
    Running {
        /// Bytes of the agent that were read already.
        already: Vec<u8>,
        /// Whether the agent had to be sent.
        uploaded: bool,
    },
    /// The upload to this folder failed half way: start over without it.
    Retry {
        /// The folder.
        folder: String,
        /// Why it failed.
        why: String,
    },
}

/// Why the agent did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The streams failed or ended.
    #[error("the host closed the connection before the agent started{}", said(.printed))]
    Closed {
        /// What it printed.
        printed: String,
    },
    /// The host printed too much before the marker.
    #[error("the host printed more than {NOISE_LIMIT} bytes and the agent did not start{}", said(.printed))]
    Noise {
        /// The beginning of what it printed.
        printed: String,
    },
    /// No folder can hold the agent, but for those of the plan's `skip`, which were not tried again.
    #[error("no folder on the host can hold the agent: {0}")]
    NoFolder(String),
    /// There is no agent for the host.
    #[error("{0}")]
    NoAgent(String),
    /// The stream failed.
    #[error("the connection failed while the agent was started")]
    Io(#[from] std::io::Error),
}

fn said(printed: &str) -> String {
    let text = printed.trim();
    if text.is_empty() {
        String::new()
    } else {
        format!("; it printed: {text}")
    }
}

/// A marker that no host prints by chance.
pub fn marker() -> String {
    let random =
        std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
    format!("@@rustle-{random:016x}")
}

/// The line for `sh`, quoted for any shell.
pub fn command_line(plan: &StartPlan<'_>, mark: &str) -> String {
    let payload = plan.payloads.usual();
    let name = agent_name(payload);
    let safe = |text: &str| {
        text.chars()
            .all(|c| c.is_ascii_alphanumeric() || "/._-~@+,:= ".contains(c))
    };
    let first = plan
        .remote_tmp
        .filter(|tmp| safe(tmp))
        .map(home_relative)
        .unwrap_or_default();
    let skip: String = plan
        .skip
        .iter()
        .filter(|folder| safe(folder))
        .map(|f| format!("{f}|"))
        .collect();
    let script = SCRIPT
        .lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .replace("@MARK@", mark)
        .replace("@NAME@", &name)
        .replace("@STEM@", concat!("agent-", env!("CARGO_PKG_VERSION")))
        .replace("@FIRST@", &first)
        .replace("@SKIP@", &skip);
    format!("exec /bin/sh -c '{script}'")
}

/// The name under which a payload lies on hosts.
fn agent_name(payload: &Payload) -> String {
    format!(
        "agent-{}-{}",
        env!("CARGO_PKG_VERSION"),
        &payload.sha256[..16]
    )
}

fn home_relative(folder: &str) -> String {
    folder
        .strip_prefix("~/")
        .map_or_else(|| folder.to_owned(), |rest| format!("$HOME/{rest}"))
}

/// Lines are joined by blanks: it stays one line even for a login shell that would mind more (`csh`).
const SCRIPT: &str = include_str!("start.sh");

/// Talks with the line until the agent runs. `skip` of the plan has to be that of the line.
///
/// # Errors
/// When the connection ends, when no folder can hold the agent, or when there is no agent for the machine.
pub async fn converse<R, W>(
    plan: &StartPlan<'_>,
    mark: &str,
    reader: &mut R,
    writer: &mut W,
) -> Result<Start, StartError>
where
    R: AsyncRead + Unpin,
    W: AsyncWrite + Unpin,
{
    let mut lines = MarkedLines {
        reader,
        buffer: Vec::new(),
        mark,
    };
    let (mut to_send, mut uploaded) = (None::<Bytes>, false);
    loop {
        let line = lines.next().await?;
        let mut words = line.splitn(3, ' ');
        match (
            words.next().unwrap_or(""),
            words.next().unwrap_or(""),
            words.next().unwrap_or(""),
        ) {
            ("start", ..) => {
                return Ok(Start::Running {
                    already: lines.buffer,
                    uploaded,
                });
            }
            ("need", _, about) => {
                let (packing, platform) = about.split_once(' ').unwrap_or((about, ""));
                let found = plan
                    .payloads
                    .find(&platform_name(platform))
                    .map_err(StartError::NoAgent)?;
                let packed = found.packed.clone().filter(|_| packing == "gzip");
                let bytes = packed.unwrap_or_else(|| found.bytes.clone());
                let header = format!("{} {} {}\n", bytes.len(), found.bytes.len(), found.sha256);
                writer.write_all(header.as_bytes()).await?;
                writer.flush().await?;
                to_send = Some(bytes);
            }
            ("send", ..) => {
                let Some(bytes) = &to_send else {
                    return Err(StartError::Closed { printed: line });
                };
                // A host that cannot take it all closes its end, and says why by `skip`.
                if writer.write_all(bytes).await.is_ok() {
                    writer.flush().await?;
                }
                uploaded = true;
            }
            ("skip", folder, why) => {
                return Ok(Start::Retry {
                    folder: folder.into(),
                    why: why.into(),
                });
            }
            ("end", ..) => {
                let why = line.strip_prefix("end ").unwrap_or_default();
                return Err(StartError::NoFolder(
                    why.trim_end_matches([' ', ';']).into(),
                ));
            }
            _ => return Err(StartError::Closed { printed: line }),
        }
    }
}

/// `x86_64-linux` for `x86_64 Linux`.
fn platform_name(uname: &str) -> String {
    let (machine, system) = uname.split_once(' ').unwrap_or((uname, ""));
    let machine = match machine {
        "arm64" => "aarch64",
        "amd64" => "x86_64",
        other => other,
    };
    format!("{machine}-{}", system.trim().to_ascii_lowercase())
}

/// Reads lines that hold the marker, and drops what comes before it.
struct MarkedLines<'a, R> {
    reader: &'a mut R,
    buffer: Vec<u8>,
    mark: &'a str,
}

impl<R: AsyncRead + Unpin> MarkedLines<'_, R> {
    /// The rest of the next line that holds the marker.
    async fn next(&mut self) -> Result<String, StartError> {
        loop {
            if let Some(line) = self.take_line() {
                return Ok(line);
            }
            if self.buffer.len() > NOISE_LIMIT {
                return Err(StartError::Noise {
                    printed: self.printed(),
                });
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                return Err(StartError::Closed {
                    printed: self.printed(),
                });
            }
        }
    }

    fn take_line(&mut self) -> Option<String> {
        let at = find(&self.buffer, self.mark.as_bytes())?;
        let start = at + self.mark.len();
        let end = start + find(&self.buffer[start..], b"\n")?;
        let line = String::from_utf8_lossy(&self.buffer[start..end])
            .trim()
            .to_owned();
        self.buffer.drain(..=end);
        Some(line)
    }

    fn printed(&self) -> String {
        let text =
            String::from_utf8_lossy(&self.buffer[..self.buffer.len().min(2000)]).into_owned();
        text.trim().to_owned()
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

/// How long the host may take between two messages of the start.
pub const START_TIMEOUT: Duration = Duration::from_secs(60);
