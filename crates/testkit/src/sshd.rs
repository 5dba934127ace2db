//! A real OpenSSH server for one test.

use std::io::{BufRead as _, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::collected::{Collected, Missed};
use crate::processes::Family;
use crate::program;
use crate::sshd_files::SshdFiles;

/// How long the server may take for anything a test waits for.
const PATIENCE: Duration = Duration::from_secs(20);

/// What the server logs when its port is open.
const LISTENING: &str = "Server listening on ";

/// How often another port is tried where somebody took the one that was free a moment before.
const PORT_TRIES: usize = 20;

/// How a server differs from the usual one.
#[derive(Clone, Debug)]
pub struct SshdOptions {
    /// `MaxSessions`: sessions that one connection may have.
    pub max_sessions: Option<u32>,
    /// `MaxStartups`: connections that may be logging in at once, as `10` or `10:30:100`.
    pub max_startups: Option<String>,
    /// Text that the client is shown before it logs in.
    pub banner: Option<String>,
    /// Text that each session writes to its standard output before the command runs, as careless login
    /// scripts do.
    pub noise: Option<String>,
    /// `PermitRootLogin`; true unless said otherwise.
    pub permit_root_login: bool,
    /// Whether the client's key is refused.
    pub refuse_key: bool,
    /// Whether the user is let in by [`Sshd::PASSWORD`] too. Needs root, for a user database of the server's own.
    pub takes_password: bool,
    /// More lines for `sshd_config`. The first of several lines with one keyword counts, and these are last.
    pub extra_config: Vec<String>,
}

impl Default for SshdOptions {
    fn default() -> Self {
        Self {
            max_sessions: None,
            max_startups: None,
            banner: None,
            noise: None,
            permit_root_login: true,
            refuse_key: false,
            takes_password: false,
            extra_config: Vec::new(),
        }
    }
}

/// A throw-away `sshd` on a loopback port, with its own host key, client key and home folder.
///
/// Logs in the user who runs the test, root or not. Sessions have a temporary folder as `HOME` and start in it, so
/// several servers are several hosts, as far as home folders go; the rest of the file system is shared, and so is
/// the user database, which still names the real home.
///
/// On drop the server and all its sessions are killed, with what they left behind, and the folder is removed.
/// Processes that went to another user or emptied their environment are only found while they descend from the
/// server.
pub struct Sshd {
    folder: TempDir,
    child: Child,
    log: Collected,
    port: u16,
    user: String,
}

impl Sshd {
    /// What the user may type to log in, where the server takes passwords.
    pub const PASSWORD: &str = "s3cret pass";

    /// Starts a server and waits until it greets.
    ///
    /// # Panics
    ///
    /// Where `sshd` is not installed, with the package that brings it, and where it does not start, with its log.
    #[must_use]
    #[expect(
        clippy::needless_pass_by_value,
        reason = "options are made for one server"
    )]
    pub fn start(options: SshdOptions) -> Self {
        let program = program::require("sshd", "openssh-server");
        let user = program::run_tool(program::command("id").arg("-un"));
        let folder = tempfile::Builder::new()
            .prefix("rustle-sshd-")
            .tempdir()
            .expect("a temporary folder can be made");
        let files = SshdFiles {
            folder: folder.path(),
        };
        files.make(&options);
        if options.takes_password {
            files.write_shadow(&user);
        }
        make_separation_folder();
        for _ in 0..PORT_TRIES {
            let port = free_port();
            files.write_config(port, &options);
            files.write_known_hosts(port);
            let command = if options.takes_password {
                with_own_shadow(&program, &files.shadow())
            } else {
                program::command(&program)
            };
            if let Some((child, log)) = spawn(command, &files.config()) {
                let sshd = Self {
                    folder,
                    child,
                    log,
                    port,
                    user,
                };
                sshd.require_greeting();
                return sshd;
            }
        }
        panic!("no free loopback port for sshd in {PORT_TRIES} tries");
    }

    /// Returns the port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the name of the user that can log in: the one that runs the test.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// Returns the path of the private key that the server accepts.
    #[must_use]
    pub fn client_key(&self) -> PathBuf {
        self.files().client_key()
    }

    /// Returns the path of a `known_hosts` file with the server's first host key.
    #[must_use]
    pub fn known_hosts(&self) -> PathBuf {
        self.files().known_hosts()
    }

    /// Returns the home folder of the sessions.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.files().home()
    }

    /// Returns the folder of the server's own files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns what the server logged so far (`LogLevel VERBOSE`).
    #[must_use]
    pub fn log(&self) -> String {
        self.log.text()
    }

    /// Waits until the log holds `text` so many times; panics with the log if it does not.
    pub fn wait_for_log(&self, text: &str, times: usize) {
        if let Err(missed) = self.log.wait_for(text, times, PATIENCE) {
            panic!(
                "sshd did not log {text:?} {times} times: {missed:?}\n{}",
                self.log()
            );
        }
    }

    /// Returns the options by which any OpenSSH client reaches the server, and nothing of the machine's own
    /// configuration: for `ansible_ssh_common_args`.
    #[must_use]
    pub fn common_args(&self) -> Vec<String> {
        let known_hosts = format!("UserKnownHostsFile={}", self.known_hosts().display());
        [
            "-F",
            "none",
            "-o",
            &known_hosts,
            "-o",
            "StrictHostKeyChecking=yes",
        ]
        .into_iter()
        .chain([
            "-o",
            "GlobalKnownHostsFile=none",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "IdentityAgent=none",
        ])
        .map(str::to_owned)
        .collect()
    }

    /// Returns the arguments of `ssh` up to the command: options, port, key and destination.
    #[must_use]
    pub fn ssh_args(&self) -> Vec<String> {
        let mut args = self.common_args();
        args.extend(["-o", "BatchMode=yes", "-i"].map(str::to_owned));
        args.push(self.client_key().display().to_string());
        args.extend([
            "-p".to_owned(),
            self.port.to_string(),
            format!("{}@127.0.0.1", self.user),
        ]);
        args
    }

    /// Gives the server another host key, which `known_hosts` does not hold. Sessions that are open stay so.
    pub fn rotate_host_key(&self) {
        let files = self.files();
        files.make_key(&files.host_key());
        let times = self.log().matches(LISTENING).count() + 1;
        kill_process(self.pid(), Signal::HUP).expect("the server runs");
        self.wait_for_log(LISTENING, times);
        self.require_greeting();
    }

    /// Ends all connections at once, as a crash of the network's other end would. The server goes on.
    pub fn kill_sessions(&self) {
        self.family().end();
    }

    /// Ends the server and its connections: from now on they are refused. The home folder stays until drop.
    pub fn stop(&mut self) {
        // A stopped listener cannot fork while its family is looked for.
        let _ = kill_process(self.pid(), Signal::STOP);
        self.family().end();
        // Both fail only where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        Family {
            ancestor: None,
            ..self.family()
        }
        .end();
    }

    /// The sessions, and what they left behind.
    pub(crate) fn family(&self) -> Family {
        Family {
            ancestor: Some(self.pid()),
            mark: format!("HOME={}", self.home().display()),
        }
    }

    fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn files(&self) -> SshdFiles<'_> {
        SshdFiles {
            folder: self.folder.path(),
        }
    }

    fn require_greeting(&self) {
        if let Err(problem) = read_greeting(self.port) {
            panic!(
                "sshd on port {} does not greet: {problem}\n{}",
                self.port,
                self.log()
            );
        }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts the server and waits until its port is open; `None` where somebody else has the port.
fn spawn(mut server: Command, config: &Path) -> Option<(Child, Collected)> {
    let mut child = server
        .args(["-D", "-e", "-f"])
        .arg(config)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {server:?}: {error}"));
    let log = Collected::drain(child.stderr.take().expect("stderr is piped"));
    match log.wait_for(LISTENING, 1, PATIENCE) {
        Ok(()) => return Some((child, log)),
        Err(Missed::Closed) => {}
        Err(Missed::TimedOut) => child.kill().expect("it is our child"),
    }
    child.wait().expect("it is our child");
    assert!(
        log.text().contains("Address already in use"),
        "sshd did not start:\n{}",
        log.text()
    );
    None
}

/// The server with these passwords in place of the machine's, in a mount namespace of its own.
fn with_own_shadow(program: &Path, shadow: &Path) -> Command {
    let unshare = program::require("unshare", "util-linux");
    let mut command = program::command(unshare);
    command
        .args(["--mount", "sh", "-c"])
        .arg(r#"mount --bind "$0" /etc/shadow && exec "$@""#)
        .args([shadow, program]);
    command
}

/// Reads the first line that the server says.
fn read_greeting(port: u16) -> Result<(), String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream =
        TcpStream::connect_timeout(&address, PATIENCE).map_err(|error| error.to_string())?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .map_err(|error| error.to_string())?;
    let mut line = String::new();
    BufReader::new(stream)
        .read_line(&mut line)
        .map_err(|error| error.to_string())?;
    if line.starts_with("SSH-2.0-") {
        Ok(())
    } else {
        Err(format!("it says {line:?}"))
    }
}

/// A port that nobody listens on at this moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
    listener
        .local_addr()
        .expect("a bound socket has an address")
        .port()
}

/// Makes the empty folder that a server of root locks its unprivileged half into; the package's service makes it
/// at start, which a machine that never started it lacks.
fn make_separation_folder() {
    if rustix::process::geteuid().is_root() {
        std::fs::create_dir_all("/run/sshd").expect("root can write to /run");
    }
}
