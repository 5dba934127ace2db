//! OpenSSH's client: one master process a host, and our channel through its socket.
//!
//! The master is started by us and not by the `openssh` crate, so that arguments of the user's reach it
//! (`ansible_ssh_common_args`); the crate then talks with it. A master that nobody uses any more ends by itself after
//! [`PERSIST`], so none outlives a controller that was killed.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use openssh::Stdio;
use rustle_process::{CancelToken, Command};
use rustle_types::HostName;
use tokio::sync::Mutex;

use crate::destination::{ConnectionSettings, Destination};
use crate::error::{ConnectError, ConnectErrorKind, Phase};
use crate::ssh_log::explain;
use crate::transport::{Channel, Session, Transport};

/// How long an unused master waits, as ssh writes it.
const PERSIST: &str = "60";

/// How long logging in may take once the host has answered.
const LOGIN_TIMEOUT: Duration = Duration::from_secs(30);

/// What ssh runs where it wants a password (`SSH_ASKPASS`): it hands on the line that ssh's own input holds. So the password goes
/// through pipes alone. Other questions are not answered: a key that is not known stays unknown, a key with a passphrase is passed by.
const ASKPASS: &str = r#"#!/bin/sh
case $1 in *yes/no* | *passphrase* | *PIN*) exit 1 ;; esac
IFS= read -r word && printf '%s\n' "$word"
"#;

/// The ssh transport.
pub(crate) struct Ssh {
    sockets: tempfile::TempDir,
    next: AtomicU64,
    settings: ConnectionSettings,
}

impl Ssh {
    pub(crate) fn new(settings: &ConnectionSettings) -> std::io::Result<Self> {
        let sockets = socket_folder()?;
        write_askpass(&sockets.path().join("askpass"))?;
        Ok(Self {
            sockets,
            next: AtomicU64::new(0),
            settings: settings.clone(),
        })
    }

    /// The command that starts a master. Its end is not waited for, so that it lingers nowhere.
    fn master(&self, to: &Destination, socket: &Path, log: &Path) -> Command {
        let command = Command::new("ssh").args(["-f", "-N", "-T", "-E"]).arg(log);
        let command = self
            .with_options(command.arg("-S").arg(socket), to)
            .linger(Duration::ZERO);
        match &to.password {
            Some(password) => command
                .env("SSH_ASKPASS", self.sockets.path().join("askpass"))
                .env("SSH_ASKPASS_REQUIRE", "force")
                .stdin(format!("{}\n", password.expose())),
            None => command,
        }
    }

    /// What ssh has to say against its own arguments. A master does not write that to its log, and is gone before we read it.
    async fn complaint(&self, to: &Destination) -> String {
        let command = self.with_options(Command::new("ssh").arg("-G"), to);
        let finished = command.run(&CancelToken::new()).await;
        finished.map_or_else(
            |error| error.to_string(),
            |it| String::from_utf8_lossy(&it.stderr.bytes()).into_owned(),
        )
    }

    /// Adds the options and the destination. What the user asks for comes first, for the first of an option's values wins.
    fn with_options(&self, command: Command, to: &Destination) -> Command {
        let persist = format!("ControlPersist={PERSIST}");
        let asks: &[&str] = match to.password {
            Some(_) => &["-o", "BatchMode=no", "-o", "NumberOfPasswordPrompts=1"],
            None => &[],
        };
        command
            .args(asks)
            .args(ssh_words(to, &self.settings))
            .args(["-o", "ControlMaster=yes", "-o", &persist, "--"])
            .arg(&to.address)
            .timeout(self.settings.connect_timeout + LOGIN_TIMEOUT)
    }
}

/// The words between `ssh` and the address that lead to a host. What the user asks for comes first, for the first of an option's values
/// wins.
#[must_use]
pub fn ssh_words(to: &Destination, settings: &ConnectionSettings) -> Vec<String> {
    let mut words = vec!["-o".to_owned(), "BatchMode=yes".to_owned()];
    words.extend(to.ssh_args.iter().cloned());
    let seconds = |time: Duration| time.as_secs().max(1);
    let mut options = vec![
        format!("ConnectTimeout={}", seconds(settings.connect_timeout)),
        format!("ServerAliveInterval={}", seconds(settings.keep_alive)),
        "ServerAliveCountMax=3".into(),
        "ForwardX11=no".into(),
    ];
    if settings.accept_new_host_keys {
        options.push("StrictHostKeyChecking=accept-new".into());
    }
    let kex = settings.kex.iter();
    options.extend(kex.map(|kex| format!("KexAlgorithms={kex}")));
    let mut add = |option: &str, value: String| words.extend([option.to_owned(), value]);
    for option in options {
        add("-o", option);
    }
    if let Some(port) = to.port {
        add("-p", port.to_string());
    }
    if let Some(user) = &to.user {
        add("-l", user.clone());
    }
    if let Some(key) = &to.private_key {
        add("-o", "IdentitiesOnly=yes".into());
        add("-i", key.clone());
    }
    words
}

fn write_askpass(path: &Path) -> std::io::Result<()> {
    fs::write(path, ASKPASS)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o700))
}

/// A private folder with a short name: a socket's path may have about a hundred bytes.
fn socket_folder() -> std::io::Result<tempfile::TempDir> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("rustle-");
    let runtime = std::env::var_os("XDG_RUNTIME_DIR")
        .map(PathBuf::from)
        .filter(|dir| dir.as_os_str().len() < 40);
    match runtime.and_then(|dir| builder.tempdir_in(dir).ok()) {
        Some(dir) => Ok(dir),
        None => builder.tempdir_in("/tmp").or_else(|_| builder.tempdir()),
    }
}

#[async_trait]
impl Transport for Ssh {
    async fn open(&self, to: &Destination) -> Result<Arc<dyn Session>, ConnectError> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let socket = self.sockets.path().join(number.to_string());
        let log = self.sockets.path().join(format!("{number}.log"));
        let outcome = self
            .master(to, &socket, &log)
            .run(&CancelToken::new())
            .await;
        let failed = |phase, kind, message: String, hint| ConnectError {
            host: to.host.clone(),
            phase,
            kind,
            message,
            hint,
        };
        let finished = outcome.map_err(|error| {
            let hint = Some("install the OpenSSH client (package openssh-client)".into());
            failed(
                Phase::Connect,
                ConnectErrorKind::Wrong,
                error.to_string(),
                hint,
            )
        })?;
        if !finished.is_success() {
            let mut said = fs::read_to_string(&log).unwrap_or_default();
            if said.trim().is_empty() {
                said = self.complaint(to).await;
            }
            return Err(explain(to, &said, finished.outcome));
        }
        let session = openssh::Session::resume_mux(socket.into(), Some(log.into()));
        Ok(Arc::new(SshSession {
            host: to.host.clone(),
            session: Mutex::new(Some(Arc::new(session))),
        }))
    }
}

struct SshSession {
    host: HostName,
    session: Mutex<Option<Arc<openssh::Session>>>,
}

impl SshSession {
    fn failed(&self, message: String) -> ConnectError {
        let (phase, kind) = (Phase::StartAgent, ConnectErrorKind::Transient);
        ConnectError {
            host: self.host.clone(),
            phase,
            kind,
            message,
            hint: None,
        }
    }
}

#[async_trait]
impl Session for SshSession {
    async fn exec(&self, line: &str) -> Result<Channel, ConnectError> {
        let session = self
            .session
            .lock()
            .await
            .clone()
            .ok_or_else(|| self.failed("the session is closed".into()))?;
        let mut command = session.arc_raw_command(line);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command
            .spawn()
            .await
            .map_err(|error| self.failed(with_causes(&error)))?;
        match (
            child.stdin().take(),
            child.stdout().take(),
            child.stderr().take(),
        ) {
            (Some(stdin), Some(stdout), Some(stderr)) => Ok(Channel {
                stdin: Box::new(stdin),
                stdout: Box::new(stdout),
                stderr: Box::new(stderr),
                exited: Box::pin(async move {
                    // Why it ended matters to nobody.
                    let _ = child.wait().await;
                }),
            }),
            _ => Err(self.failed("the channel has no streams".into())),
        }
    }

    async fn close(&self) {
        let session = self.session.lock().await.take();
        if let Some(session) = session.and_then(|session| Arc::try_unwrap(session).ok()) {
            // A master that does not hear us ends by itself when nobody uses it.
            let _ = session.close().await;
        }
    }
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
