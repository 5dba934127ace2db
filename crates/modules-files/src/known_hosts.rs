//! The module `known_hosts`: the keys that hosts are known by.
//!
//! The file is read here, without `ssh-keygen`: names with patterns, hashed names and markers as OpenSSH has them.

use std::fs;
use std::io;
use std::path::Path;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha1::Sha1;

use crate::attributes::add_path_info;
use crate::fnmatch::matches;
use crate::staged::Staged;
use rustle_module::os_error::describe_bare;

/// The module `known_hosts`.
pub(crate) struct KnownHosts;

/// The arguments of `known_hosts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    key: Option<String>,
    path: String,
    state: String,
    hash_host: bool,
}

/// What [`KnownHosts`] found.
pub(crate) struct State {
    /// The file's text; none where there is no file.
    text: Option<String>,
    /// The line to be written, with its end.
    key: Option<String>,
    found: Found,
    info: Object,
}

/// What the file has of the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Found {
    is_there: bool,
    /// Whether the key is another one, or there is none of its type.
    replaces: bool,
    /// The line with the same type of key, counted from 0.
    line: Option<usize>,
}

#[async_trait]
impl Module for KnownHosts {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "known_hosts",
        &[
            Opt::new("name", Type::Str).required().aliases(&["host"]),
            Opt::new("key", Type::Str),
            Opt::new("path", Type::Path).default(Default::Str("~/.ssh/known_hosts")),
            Opt::new("hash_host", Type::Bool).default(Default::Bool(false)),
            Opt::new("state", Type::Str)
                .default(Default::Str("present"))
                .choices(&["absent", "present"]),
        ],
    );

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let host = args.name.to_lowercase();
        let key = args.line(&host)?;
        let text = match fs::read_to_string(&args.path) {
            Ok(text) => Some(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let text = describe_bare(&error);
                return Err(Failure::new(format!(
                    "Failed to read '{}': {text}",
                    args.path
                )));
            }
        };
        let found = find(text.as_deref().unwrap_or_default(), &host, key.as_deref());
        let mut info = Object::new();
        add_path_info(target, &mut info, &args.path).await;
        Ok(State {
            text,
            key,
            found,
            info,
        })
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let Found {
            is_there,
            replaces,
            line,
        } = state.found;
        let is_other = args.is_absent() && line.is_none() && state.key.is_some();
        let changes = !is_other && (replaces || is_there == args.is_absent());
        let mut result = Object::new();
        if !mode.check {
            result = args.result(&state.info);
        }
        result.insert("diff".into(), args.difference(state));
        let output = Output::new(result);
        match changes {
            true => Verdict::Change(Change {
                predicted: output,
                ..Change::default()
            }),
            false => Verdict::unchanged(output),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        change: Change,
    ) -> Result<Output, Failure> {
        let before = state.text.clone().unwrap_or_default();
        let after = if args.is_absent() && state.key.is_none() {
            // What was there stays beside it, as `ssh-keygen -R` has it.
            let old = format!("{}.old", args.path);
            fs::copy(&args.path, &old).map_err(|error| {
                Failure::new(format!("cannot keep `{old}`: {}", describe_bare(&error)))
            })?;
            without_host(&before, &args.name.to_lowercase())
        } else {
            args.edited(&before, &state)
        };
        let path = Path::new(&args.path);
        let like = fs::metadata(path).ok();
        let mut staged = Staged::for_dest(target, path, false)?;
        staged.write(after.as_bytes())?;
        staged.take_attributes(like.as_ref());
        staged.commit()?;
        let mut info = Object::new();
        add_path_info(target, &mut info, &args.path).await;
        let mut result = args.result(&info);
        let diff = change.predicted.result.get("diff").cloned();
        result.insert("diff".into(), diff.unwrap_or_default());
        Ok(Output::new(result))
    }
}

impl Args {
    fn is_absent(&self) -> bool {
        self.state == "absent"
    }

    /// The line for the host, checked and with its end.
    fn line(&self, host: &str) -> Result<Option<String>, Failure> {
        let Some(key) = self.key.as_deref().filter(|key| !key.is_empty()) else {
            return match self.is_absent() {
                true => Ok(None),
                false => Err(Failure::new("No key specified when adding a host")),
            };
        };
        let name = host.split_once(',').map(|(name, _)| name.trim());
        if name.is_some_and(|name| !name.is_empty()) {
            return Err(Failure::new(
                "Comma separated list of names is not supported. Please pass a single name to lookup in the known_hosts file.",
            ));
        }
        let mut line = key.to_owned();
        if self.hash_host {
            line = hashed(host, key)?;
        }
        if !line.ends_with('\n') {
            line.push('\n');
        }
        let is_of_host = Entry::parse(&line).is_some_and(|entry| entry.is_of(host));
        match is_of_host {
            true => Ok(Some(line)),
            false => Err(Failure::new(
                "Host parameter does not match hashed host field in supplied key",
            )),
        }
    }

    fn result(&self, info: &Object) -> Object {
        let mut result = Object::new();
        result.insert("key".into(), self.key.clone().into());
        result.insert("name".into(), self.name.as_str().into());
        result.insert("path".into(), self.path.as_str().into());
        result.insert("hash_host".into(), self.hash_host.into());
        result.insert("state".into(), self.state.as_str().into());
        result.extend(info.clone());
        result
    }

    /// The text with the line of the same type taken out, and the new one at the end.
    fn edited(&self, before: &str, state: &State) -> String {
        let mut lines: Vec<&str> = before.split_inclusive('\n').collect();
        let takes_out = state.found.replaces || self.is_absent();
        if let Some(line) = state
            .found
            .line
            .filter(|line| takes_out && *line < lines.len())
        {
            lines.remove(line);
        }
        let adds = !self.is_absent() && (state.found.replaces || state.found.line.is_none());
        let key = state.key.as_deref().filter(|_| adds);
        lines.into_iter().chain(key).collect()
    }

    fn difference(&self, state: &State) -> Value {
        let header = match state.text {
            Some(_) => self.path.as_str(),
            None => "/dev/null",
        };
        let before = state.text.as_deref().unwrap_or_default();
        json!({
            "before_header": header,
            "after_header": self.path,
            "before": before,
            "after": self.edited(before, state),
        })
    }
}

/// A line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<'a> {
    marker: Option<&'a str>,
    hosts: &'a str,
    kind: &'a str,
    key: &'a str,
}

impl<'a> Entry<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace().peekable();
        if words.peek()?.starts_with('#') {
            return None;
        }
        let marker = words.next_if(|word| word.starts_with('@'));
        Some(Self {
            marker,
            hosts: words.next()?,
            kind: words.next()?,
            key: words.next()?,
        })
    }

    fn is_hashed(&self) -> bool {
        self.hosts.starts_with("|1|")
    }

    /// Whether it is about a host.
    fn is_of(&self, host: &str) -> bool {
        if let Some(rest) = self.hosts.strip_prefix("|1|") {
            let Some((salt, sum)) = rest.split_once('|') else {
                return false;
            };
            let sum = STANDARD.decode(sum).unwrap_or_default();
            let salt = STANDARD.decode(salt).unwrap_or_default();
            return digest(&salt, host).is_some_and(|own| own == sum);
        }
        let mut is_named = false;
        for pattern in self.hosts.split(',') {
            match pattern.strip_prefix('!') {
                Some(pattern) if matches(&pattern.to_lowercase(), host) => return false,
                Some(_) => {}
                None => is_named |= matches(&pattern.to_lowercase(), host),
            }
        }
        is_named
    }

    /// Whether both say the same. A hashed name is not compared: each has a salt of its own.
    fn says_the_same(&self, other: &Self) -> bool {
        let are_hashed = self.is_hashed() && other.is_hashed() && other.marker.is_none();
        let hosts = are_hashed || self.hosts == other.hosts;
        hosts && (self.marker, self.kind, self.key) == (other.marker, other.kind, other.key)
    }
}

/// Looks for a host, and for a key that it may be known by.
fn find(text: &str, host: &str, key: Option<&str>) -> Found {
    let entries = text.lines().enumerate().filter_map(|(at, line)| {
        let entry = Entry::parse(line)?;
        entry.is_of(host).then_some((at, entry))
    });
    let wanted = key.and_then(Entry::parse);
    let mut found = Found::default();
    for (at, entry) in entries {
        found.is_there = true;
        let Some(wanted) = &wanted else {
            return found;
        };
        if wanted.says_the_same(&entry) {
            return Found {
                replaces: false,
                line: Some(at),
                ..found
            };
        }
        if entry.marker.is_none() && wanted.kind == entry.kind {
            return Found {
                replaces: true,
                line: Some(at),
                ..found
            };
        }
    }
    Found {
        replaces: found.is_there && wanted.is_some(),
        ..found
    }
}

/// The text without all lines about a host.
fn without_host(text: &str, host: &str) -> String {
    let stays = |line: &&str| !Entry::parse(line).is_some_and(|entry| entry.is_of(host));
    text.split_inclusive('\n').filter(stays).collect()
}

fn digest(salt: &[u8], host: &str) -> Option<Vec<u8>> {
    let mut mac = Hmac::<Sha1>::new_from_slice(salt).ok()?;
    mac.update(host.as_bytes());
    Some(mac.finalize().into_bytes().to_vec())
}

/// The line with its name hashed, by a salt that nobody can guess.
fn hashed(host: &str, line: &str) -> Result<String, Failure> {
    let mut salt = [0; 20];
    let random = fs::File::open("/dev/urandom")
        .and_then(|mut random| io::Read::read_exact(&mut random, &mut salt));
    random.map_err(|error| Failure::new(describe_bare(&error)))?;
    let sum = digest(&salt, host).unwrap_or_default();
    let name = format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(sum));
    let mut words: Vec<&str> = line.split_whitespace().collect();
    let at = usize::from(line.trim_start().starts_with('@'));
    if let Some(word) = words.get_mut(at) {
        *word = &name;
    }
    Ok(words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "h ssh-ed25519 AAAA";

    #[test]
    fn hosts_are_found_by_name_pattern_and_hash() {
        let hash = hashed("h", KEY).expect("a line");
        for (line, is_of_host) in [
            (KEY, true),
            ("a,h ssh-ed25519 AAAA", true),
            ("* ssh-ed25519 AAAA", true),
            ("*,!h ssh-ed25519 AAAA", false),
            ("hh ssh-ed25519 AAAA", false),
            ("@revoked h ssh-ed25519 AAAA", true),
            ("# h ssh-ed25519 AAAA", false),
            (hash.as_str(), true),
            ("|1|x|y ssh-ed25519 AAAA", false),
        ] {
            assert_eq!(find(line, "h", None).is_there, is_of_host, "{line}");
        }
    }

    #[test]
    fn a_key_is_the_same_another_one_or_new() {
        let text = "x ssh-rsa B\nh ssh-ed25519 AAAA comment\n";
        let found = |key| {
            let found = find(text, "h", Some(key));
            (found.replaces, found.line)
        };
        assert_eq!(found(KEY), (false, Some(1)));
        assert_eq!(found("h ssh-ed25519 CCCC"), (true, Some(1)));
        assert_eq!(found("h ssh-rsa CCCC"), (true, None));
        assert_eq!(find(text, "y", Some("y ssh-rsa B")), Found::default());
    }

    #[test]
    fn a_host_goes_with_all_its_lines() {
        let hash = hashed("h", KEY).expect("a line");
        let text = format!("a ssh-rsa B\n{KEY}\n{hash}\n# h\n");
        assert_eq!(without_host(&text, "h"), "a ssh-rsa B\n# h\n");
    }
}
