//! The scratch folder of a case: set up by shell lines, compared before and after.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use sha1::{Digest, Sha1};

use super::normal::{Normal, VOLATILE, shown_id};
use super::server::Server;
use crate::program::command;

/// Files up to this size are compared by their text.
const MAX_SHOWN: usize = 600;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A scratch folder, removed on drop.
pub(super) struct Scratch {
    parent: PathBuf,
    folder: PathBuf,
    /// What cases about the web ask.
    server: Option<Server>,
}

impl Scratch {
    /// A folder of its own, whose path is as long as that of the recordings: sizes of links depend on it.
    pub(super) fn new(server: Option<Server>) -> Self {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let parent = PathBuf::from(format!("/tmp/g{:08x}{count:04x}", std::process::id()));
        let folder = parent.join("w");
        assert_eq!(
            folder.as_os_str().len(),
            "/tmp/golds/scratch/w".len(),
            "the length of the path counts"
        );
        fs::create_dir(&parent).expect("a scratch folder");
        Self {
            parent,
            folder,
            server,
        }
    }

    /// The folder that cases call `@S@`.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The port of the server that cases about the web ask.
    pub(super) fn port(&self) -> Option<u16> {
        self.server.as_ref().map(|server| server.port)
    }

    /// What the server was asked since the last call.
    pub(super) fn asked(&self) -> Vec<Value> {
        self.server.as_ref().map(Server::asked).unwrap_or_default()
    }

    /// Empties the folder and sets a case up.
    pub(super) fn renew(&self, case: &Value) {
        if self.folder.exists() {
            self.clean(case);
            fs::remove_dir_all(&self.folder).expect("the scratch folder can be removed");
        }
        fs::create_dir(&self.folder).expect("a scratch folder");
        fs::set_permissions(&self.folder, fs::Permissions::from_mode(0o755)).expect("its mode");
        let output = self.shell(&case["setup"]);
        assert!(
            !output.contains("[setup rc"),
            "the set-up of {} failed: {output}",
            case["id"]
        );
    }

    /// Runs a case's own cleaning.
    pub(super) fn clean(&self, case: &Value) {
        if self.folder.exists() {
            self.shell(&case["cleanup"]);
        }
    }

    /// Runs shell lines in the folder and returns what they print, with a note where they fail.
    pub(super) fn shell(&self, lines: &Value) -> String {
        let lines = self.fill(lines);
        let lines: Vec<&str> = lines
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if lines.is_empty() {
            return String::new();
        }
        let script = format!(
            "umask 022\ncd {}\n{}",
            self.folder.display(),
            lines.join("\n")
        );
        let output = command("/bin/sh")
            .args(["-c", &script])
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC")
            .stdin(Stdio::null())
            .output()
            .expect("a shell");
        let printed = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return printed.into_owned();
        }
        let errors = String::from_utf8_lossy(&output.stderr);
        format!(
            "{printed}[setup rc {}] {errors}",
            output.status.code().unwrap_or(-1)
        )
    }

    /// Puts the folder's path in place of `@S@`, and the server's port in that of `@PORT@`.
    pub(super) fn fill(&self, value: &Value) -> Value {
        let folder = self.folder.to_string_lossy();
        match value {
            Value::String(text) => {
                let text = text.replace("@S@", &folder);
                match self.port() {
                    Some(port) => text.replace("@PORT@", &port.to_string()).into(),
                    None => text.into(),
                }
            }
            Value::Array(items) => items.iter().map(|item| self.fill(item)).collect(),
            Value::Object(fields) => {
                let fill = |(name, value): (&String, &Value)| {
                    (name.replace("@S@", &folder), self.fill(value))
                };
                fields.iter().map(fill).collect()
            }
            other => other.clone(),
        }
    }

    /// All that is in the folder, by its path there.
    pub(super) fn snapshot(&self) -> BTreeMap<String, Value> {
        let normal = Normal::of(&Value::Null, &self.folder, self.port());
        let mut found = BTreeMap::new();
        let mut todo = vec![self.folder.clone()];
        while let Some(folder) = todo.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                let relative = path.strip_prefix(&self.folder).expect("it is below");
                let metadata = fs::symlink_metadata(&path).expect("it is there");
                let name = normal.text(&relative.to_string_lossy());
                found.insert(name, describe(&path, &metadata, &normal));
                if metadata.is_dir() {
                    todo.push(path);
                }
            }
        }
        found
    }

    /// What changed since a snapshot; null for what is gone.
    pub(super) fn delta(&self, before: &BTreeMap<String, Value>, case: &Value) -> Value {
        let after = self.snapshot();
        let is_volatile = |path: &str| {
            case["volatile_after"]
                .as_array()
                .is_some_and(|paths| paths.iter().any(|p| p == path))
        };
        let mut delta = Map::new();
        let gone = before.keys().filter(|path| !after.contains_key(*path));
        delta.extend(gone.map(|path| (path.clone(), Value::Null)));
        for (path, entry) in after {
            let old = before.get(&path);
            if old == Some(&entry) {
                continue;
            }
            if !is_volatile(&path) {
                delta.insert(path, entry);
            } else if old.is_none_or(|old| old["mode"] != entry["mode"]) {
                let mask = |(key, value): (&String, &Value)| {
                    let kept = matches!(key.as_str(), "type" | "mode");
                    (
                        key.clone(),
                        if kept { value.clone() } else { VOLATILE.into() },
                    )
                };
                let entry = entry.as_object().into_iter().flatten().map(mask).collect();
                delta.insert(path, entry);
            }
        }
        delta.into()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // A panic is on its way where this fails, or the folder is in use; both are told elsewhere.
        let _ignored = fs::remove_dir_all(&self.parent);
    }
}

fn describe(path: &Path, metadata: &fs::Metadata, normal: &Normal) -> Value {
    let mut entry = Map::new();
    let kind = metadata.file_type();
    if kind.is_symlink() {
        let target = fs::read_link(path).expect("a link");
        entry.insert("type".into(), "link".into());
        entry.insert(
            "target".into(),
            normal.text(&target.to_string_lossy()).into(),
        );
    } else {
        entry.insert(
            "mode".into(),
            format!("{:04o}", metadata.mode() & 0o7777).into(),
        );
        let word = if kind.is_dir() {
            "directory"
        } else if kind.is_file() {
            "file"
        } else {
            "other"
        };
        entry.insert("type".into(), word.into());
    }
    if kind.is_file() {
        describe_content(path, metadata, normal, &mut entry);
    }
    if metadata.uid() != 0 || metadata.gid() != 0 {
        entry.insert(
            "owner".into(),
            json!([shown_id(metadata.uid()), shown_id(metadata.gid())]),
        );
    }
    entry.into()
}

fn describe_content(
    path: &Path,
    metadata: &fs::Metadata,
    normal: &Normal,
    entry: &mut Map<String, Value>,
) {
    let bytes = fs::read(path).expect("root can read it");
    let digest: String = Sha1::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    entry.insert("sha1".into(), digest.into());
    if metadata.nlink() > 1 {
        entry.insert("nlink".into(), metadata.nlink().into());
    }
    if bytes.len() > MAX_SHOWN {
        return;
    }
    match std::str::from_utf8(&bytes) {
        Ok(text) => {
            let text = normal.text(text);
            if text.contains("@S@") || text.contains(VOLATILE) {
                entry.remove("sha1");
            }
            entry.insert("text".into(), text.into());
        }
        Err(_) => {
            entry.insert("base64".into(), STANDARD.encode(&bytes).into());
        }
    }
}
