//! The files that one test server stands on: keys, configuration, and what the client needs.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::program;
use crate::sshd::SshdOptions;

/// The hash of [`Sshd::PASSWORD`](crate::Sshd::PASSWORD).
const HASH: &str = "$6$saltsalt$osX/3U830g/zrFjlLO4TCL7anTNnqPEtGZkQlCTVqQ4pIrvUWJgcB5qXW3Wio7X4AzYGVHZaxr6U8FI7Xf77C/";

/// The folder of one server. Nothing of it is secret, and nothing outlives the test.
pub(crate) struct SshdFiles<'a> {
    pub(crate) folder: &'a Path,
}

impl SshdFiles<'_> {
    pub(crate) fn config(&self) -> PathBuf {
        self.folder.join("sshd_config")
    }

    pub(crate) fn host_key(&self) -> PathBuf {
        self.folder.join("host_key")
    }

    pub(crate) fn client_key(&self) -> PathBuf {
        self.folder.join("client_key")
    }

    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    pub(crate) fn home(&self) -> PathBuf {
        self.folder.join("home")
    }

    pub(crate) fn shadow(&self) -> PathBuf {
        self.folder.join("shadow")
    }

    /// Writes the machine's passwords with another one for `user`.
    pub(crate) fn write_shadow(&self, user: &str) {
        let real = fs::read_to_string("/etc/shadow").expect("a test with passwords runs as root");
        let others = real
            .lines()
            .filter(|line| line.split(':').next() != Some(user));
        let mut lines: Vec<String> = others.map(str::to_owned).collect();
        lines.push(format!("{user}:{HASH}:19000:0:99999:7:::"));
        lines.push(String::new());
        self.write("shadow", &lines.join("\n"));
        let private = fs::Permissions::from_mode(0o600);
        fs::set_permissions(self.shadow(), private).expect("it is ours");
    }

    /// Makes the keys, the home folder and the texts; not the configuration, which needs the port.
    pub(crate) fn make(&self, options: &SshdOptions) {
        fs::create_dir(self.home()).expect("the server's folder can be written to");
        self.make_key(&self.host_key());
        self.make_key(&self.client_key());
        let accepted = if options.refuse_key {
            String::new()
        } else {
            self.public_key(&self.client_key())
        };
        self.write("authorized_keys", &accepted);
        if let Some(banner) = &options.banner {
            self.write("banner", banner);
        }
        if let Some(noise) = &options.noise {
            self.write("noise", noise);
        }
    }

    /// Makes a new key pair, in place of an older one.
    pub(crate) fn make_key(&self, path: &Path) {
        // ssh-keygen asks before it overwrites.
        let _ = fs::remove_file(path);
        let tool = program::require("ssh-keygen", "openssh-client");
        program::run_tool(
            program::command(tool)
                .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
                .arg(path),
        );
    }

    /// Writes the line by which a client knows the server's present host key.
    pub(crate) fn write_known_hosts(&self, port: u16) {
        let line = format!("[127.0.0.1]:{port} {}", self.public_key(&self.host_key()));
        self.write("known_hosts", &line);
    }

    /// Writes the server's configuration.
    pub(crate) fn write_config(&self, port: u16, options: &SshdOptions) {
        let quoted = |name: &str| format!("\"{}\"", self.folder.join(name).display());
        let mut lines = vec![
            "ListenAddress 127.0.0.1".to_owned(),
            format!("Port {port}"),
            format!("HostKey {}", quoted("host_key")),
            format!("AuthorizedKeysFile {}", quoted("authorized_keys")),
            "PidFile none".to_owned(),
            "LogLevel VERBOSE".to_owned(),
            if options.takes_password {
                "PasswordAuthentication yes".to_owned()
            } else {
                "PasswordAuthentication no".to_owned()
            },
            "KbdInteractiveAuthentication no".to_owned(),
            format!(
                "PermitRootLogin {}",
                if options.permit_root_login {
                    "yes"
                } else {
                    "no"
                }
            ),
            "StrictModes no".to_owned(),
            "UsePAM no".to_owned(),
            "UseDNS no".to_owned(),
            "PrintMotd no".to_owned(),
            "PermitUserRC no".to_owned(),
            "Subsystem sftp internal-sftp".to_owned(),
            format!("SetEnv \"HOME={}\"", self.home().display()),
            format!("ForceCommand {}", self.start_command(options)),
        ];
        lines.extend(
            options
                .max_sessions
                .map(|most| format!("MaxSessions {most}")),
        );
        lines.extend(
            options
                .max_startups
                .as_ref()
                .map(|limits| format!("MaxStartups {limits}")),
        );
        lines.extend(
            options
                .banner
                .as_ref()
                .map(|_| format!("Banner {}", quoted("banner"))),
        );
        lines.extend(options.extra_config.iter().cloned());
        lines.push(String::new());
        self.write("sshd_config", &lines.join("\n"));
    }

    /// Returns what each session runs: the client's command, from the home that is ours.
    ///
    /// The server enters the home of the user database whatever `HOME` is, so the session has to move itself.
    fn start_command(&self, options: &SshdOptions) -> String {
        let noise = if options.noise.is_some() {
            format!("cat '{}'; ", self.folder.join("noise").display())
        } else {
            String::new()
        };
        format!(
            r#"cd "$HOME" && {{ {noise}exec "$SHELL" ${{SSH_ORIGINAL_COMMAND:+-c "$SSH_ORIGINAL_COMMAND"}}; }}"#
        )
    }

    fn public_key(&self, path: &Path) -> String {
        fs::read_to_string(path.with_extension("pub")).expect("ssh-keygen writes both halves")
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.join(name);
        fs::write(&path, text).expect("the server's folder can be written to");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("the file is ours");
    }
}
