//! Where a host is and how to get there, from its variables.

use std::time::Duration;

use rustle_types::{HostName, Object, Secret};
use serde_json::Value;

use crate::error::{ConnectError, ConnectErrorKind, Phase};

/// What the user set for all hosts. Variables of a host win.
#[derive(Clone, Debug)]
pub struct ConnectionSettings {
    /// The user to log in as; none for what the ssh configuration says.
    pub user: Option<String>,
    /// The key to log in with; none for what the ssh configuration says.
    pub private_key: Option<String>,
    /// The password to log in with, where keys do not do; none where no password is tried.
    pub password: Option<Secret>,
    /// The transport of hosts that name none.
    pub transport: TransportKind,
    /// How long a host may take to answer.
    pub connect_timeout: Duration,
    /// Between two signs of life on a quiet connection.
    pub keep_alive: Duration,
    /// Whether keys of hosts that are not known yet are accepted and kept.
    pub accept_new_host_keys: bool,
    /// Key exchange methods in order of preference, as ssh's `KexAlgorithms`.
    pub kex: Option<String>,
    /// Further arguments for ssh.
    pub ssh_args: Vec<String>,
    /// How often a connection that failed for a passing reason is tried again.
    pub retries: u32,
    /// The longest wait between two tries.
    pub retry_delay: Duration,
    /// How many connections may be in the making at once.
    pub connecting: usize,
    /// How many of them may go to the same address, whose `MaxStartups` they share.
    pub connecting_per_address: usize,
}

impl Default for ConnectionSettings {
    fn default() -> Self {
        Self {
            user: None,
            private_key: None,
            password: None,
            transport: TransportKind::Ssh,
            connect_timeout: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            accept_new_host_keys: false,
            kex: None,
            ssh_args: Vec::new(),
            retries: 3,
            retry_delay: Duration::from_secs(5),
            connecting: 32,
            connecting_per_address: 8,
        }
    }
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TransportKind {
    /// OpenSSH's client.
    Ssh,
    /// This machine itself.
    Local,
}

impl TransportKind {
    /// Its name, as `ansible_connection` has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ssh => "ssh",
            Self::Local => "local",
        }
    }

    /// The transport called `name`, by Ansible's name of it.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name.strip_prefix("ansible.builtin.").unwrap_or(name) {
            "ssh" | "smart" | "openssh" => Some(Self::Ssh),
            "local" => Some(Self::Local),
            _ => None,
        }
    }
}

/// Where a host is and how to get there. Equal destinations share a connection.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Destination {
    /// The host, for messages.
    pub host: HostName,
    /// How it is reached.
    pub transport: TransportKind,
    /// Its address or ssh name.
    pub address: String,
    /// Its port, if it is not the usual one.
    pub port: Option<u16>,
    /// The user to log in as.
    pub user: Option<String>,
    /// The key to log in with.
    pub private_key: Option<String>,
    /// The password to log in with.
    pub password: Option<Secret>,
    /// Arguments for ssh, the user's own first.
    pub ssh_args: Vec<String>,
    /// The folder on the host to try first for the agent.
    pub remote_tmp: Option<String>,
}

impl Destination {
    /// Reads a host's connection variables, already rendered.
    ///
    /// # Errors
    /// When a variable has a value that makes no sense, or asks for what this program cannot do.
    pub fn from_vars(
        host: &HostName,
        vars: &Object,
        settings: &ConnectionSettings,
    ) -> Result<Self, ConnectError> {
        let host_vars = HostVars { host, vars };
        let text = |name: &str| host_vars.text(name);
        let transport = host_vars.transport()?.unwrap_or(settings.transport);
        Ok(Self {
            host: host.clone(),
            transport,
            address: text("ansible_host")
                .or_else(|| text("ansible_ssh_host"))
                .unwrap_or_else(|| host.to_string()),
            port: host_vars.port()?,
            user: text("ansible_user")
                .or_else(|| text("ansible_ssh_user"))
                .or_else(|| settings.user.clone()),
            private_key: text("ansible_ssh_private_key_file")
                .or_else(|| text("ansible_private_key_file"))
                .or_else(|| settings.private_key.clone()),
            password: PASSWORDS
                .iter()
                .find_map(|name| text(name))
                .map(Secret::new)
                .or_else(|| settings.password.clone())
                .filter(|_| transport == TransportKind::Ssh),
            ssh_args: host_vars.ssh_args(&settings.ssh_args)?,
            remote_tmp: text("ansible_remote_tmp"),
        })
    }
}

/// Variables that hold the password of the login; the first that is set counts.
const PASSWORDS: [&str; 3] = [
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_password",
];

/// The connection variables of a host.
struct HostVars<'a> {
    host: &'a HostName,
    vars: &'a Object,
}

impl HostVars<'_> {
    /// A variable as text; an empty one is none.
    fn text(&self, name: &str) -> Option<String> {
        match self.vars.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            Some(other) => Some(other.to_string()),
        }
    }

    fn wrong(&self, name: &str, why: &str) -> ConnectError {
        ConnectError {
            host: self.host.clone(),
            phase: Phase::Configure,
            kind: ConnectErrorKind::Wrong,
            message: format!("`{name}` {why}"),
            hint: None,
        }
    }

    fn transport(&self) -> Result<Option<TransportKind>, ConnectError> {
        let Some(name) = self.text("ansible_connection") else {
            return Ok(None);
        };
        let why = format!("is `{name}`; the connections are ssh and local");
        let found = TransportKind::from_name(&name);
        found
            .map(Some)
            .ok_or_else(|| self.wrong("ansible_connection", &why))
    }

    fn port(&self) -> Result<Option<u16>, ConnectError> {
        let port = self
            .text("ansible_port")
            .or_else(|| self.text("ansible_ssh_port"));
        let Some(port) = port else { return Ok(None) };
        let why = format!("is `{port}`; expected a number from 1 to 65535");
        let number = port.trim().parse().ok().filter(|number| *number > 0);
        number
            .map(Some)
            .ok_or_else(|| self.wrong("ansible_port", &why))
    }

    /// The arguments for ssh: those of the settings, then the host's.
    fn ssh_args(&self, first: &[String]) -> Result<Vec<String>, ConnectError> {
        let mut ssh_args = first.to_vec();
        for name in [
            "ansible_ssh_args",
            "ansible_ssh_common_args",
            "ansible_ssh_extra_args",
        ] {
            let Some(args) = self.text(name) else {
                continue;
            };
            let why = "has a quote that is not closed";
            ssh_args.extend(shlex::split(&args).ok_or_else(|| self.wrong(name, why))?);
        }
        let is_unchecked = |name| is_off(self.vars.get(name));
        if is_unchecked("ansible_host_key_checking")
            || is_unchecked("ansible_ssh_host_key_checking")
        {
            ssh_args.extend(["-o", "StrictHostKeyChecking=no"].map(String::from));
        }
        Ok(ssh_args)
    }
}

fn is_off(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(on)) => !on,
        Some(Value::String(word)) => matches!(
            word.to_ascii_lowercase().as_str(),
            "false" | "no" | "off" | "0"
        ),
        _ => false,
    }
}
