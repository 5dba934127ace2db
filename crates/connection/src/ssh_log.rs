//! What ssh's own words mean.

use rustle_process::Outcome;

use crate::destination::Destination;
use crate::error::ConnectErrorKind::{Denied, HostKey, Transient, Wrong};
use crate::error::{ConnectError, Phase};

/// Turns what ssh wrote before it gave up into an error with a hint.
///
/// ssh has one exit status for every failure, so its words are all there is; what is not known here is shown as it is.
pub(crate) fn explain(to: &Destination, log: &str, outcome: Outcome) -> ConnectError {
    let said: Vec<&str> = log
        .lines()
        .map(str::trim)
        .filter(|line| {
            !line.is_empty()
                && !line.starts_with('@')
                && !line.starts_with("Warning: Permanently added")
        })
        .collect();
    let has = |text: &str| log.contains(text);
    let last = said.last().map_or_else(
        || "ssh failed and said nothing".to_owned(),
        |line| (*line).to_owned(),
    );
    let (phase, kind, message, hint) = if matches!(outcome, Outcome::TimedOut { .. }) {
        let message = "the host did not let us in in time".into();
        (Phase::Authenticate, Transient, message, None)
    } else if has("REMOTE HOST IDENTIFICATION HAS CHANGED") {
        let hint = changed_key_hint(to, log);
        (
            Phase::Authenticate,
            HostKey,
            changed_key(to, &said),
            Some(hint),
        )
    } else if has("Host key verification failed") || has("host key is known for") {
        let hint = "log in once by hand to compare and keep its key, or accept new keys with --accept-new-host-keys";
        (
            Phase::Authenticate,
            HostKey,
            unknown_key(&said),
            Some(hint.into()),
        )
    } else if has("Permission denied") || has("Too many authentication failures") {
        let (message, hint) = denied(to, last);
        (Phase::Authenticate, Denied, message, Some(hint))
    } else if has("Could not resolve hostname") {
        let hint = "check the name, or set ansible_host to its address".into();
        (Phase::Connect, Wrong, last, Some(hint))
    } else if ARGUMENTS.iter().any(|words| has(words)) {
        let hint = "check ansible_ssh_common_args".into();
        (Phase::Configure, Wrong, said.join("; "), Some(hint))
    } else {
        (Phase::Connect, Transient, last, None)
    };
    ConnectError {
        host: to.host.clone(),
        phase,
        kind,
        message,
        hint,
    }
}

/// How ssh complains about its own arguments.
const ARGUMENTS: [&str; 4] = [
    "Bad configuration option",
    "command-line line",
    "usage: ssh",
    "unknown option",
];

fn changed_key(to: &Destination, said: &[&str]) -> String {
    let fingerprint = said
        .iter()
        .find(|line| line.contains("SHA256:"))
        .map_or("", |line| line.trim_end_matches('.'));
    format!(
        "the key of {} is not the one that is known for it {fingerprint}",
        to.address
    )
    .trim_end()
    .to_owned()
}

fn changed_key_hint(to: &Destination, log: &str) -> String {
    let after = |words| log.lines().find_map(|line| line.trim().strip_prefix(words));
    // ssh knows hosts by their names with the port, where it is not the usual one.
    let host = after("Host key for ").and_then(|rest| rest.split_once(" has changed"));
    let host = host.map_or(to.address.as_str(), |(host, _)| host);
    let place = after("Offending ").and_then(|rest| rest.split_once(" in "));
    let file = place.and_then(|(_, place)| place.rsplit_once(':'));
    let file = file.map_or_else(String::new, |(file, _)| format!("-f '{file}' "));
    format!(
        "if the host was installed anew remove its old key with `ssh-keygen {file}-R '{host}'`; if not, somebody may be in between"
    )
}

fn unknown_key(said: &[&str]) -> String {
    let known = said
        .iter()
        .find(|line| line.contains("host key is known for"));
    known.map_or_else(
        || "the host's key is not known".into(),
        |line| (*line).to_owned(),
    )
}

/// What is told where we are not let in, and what to do.
fn denied(to: &Destination, said: String) -> (String, String) {
    let user = to
        .user
        .as_ref()
        .map_or_else(|| "the user".into(), |user| format!("user `{user}`"));
    if to.password.is_none() {
        let hint = format!(
            "check that {user} exists there and that one of your keys is allowed (ansible_user, ansible_ssh_private_key_file)"
        );
        return (said, hint);
    }
    if PASSWORD_METHODS.iter().any(|method| said.contains(method)) {
        let hint = format!("check the password of {user} (ansible_password, --ask-pass)");
        (format!("the password was not accepted: {said}"), hint)
    } else {
        let hint = "log in by a key, or set `PasswordAuthentication yes` in the host's sshd_config";
        (format!("the host takes no passwords: {said}"), hint.into())
    }
}

/// Ways to log in that take a password, as a host names them.
const PASSWORD_METHODS: [&str; 2] = ["password", "keyboard-interactive"];
