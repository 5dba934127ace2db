//! Files of the controller that tasks send: where they are looked for, and what is known of them.

use std::collections::HashMap;
use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use bytes::Bytes;
use rustle_module::hex;
use rustle_template::Engine;
use rustle_types::AttachmentId;
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

use crate::lookups::places;
use crate::result::TaskError;
use crate::world::{FileBytes, OutgoingFile};

/// Files up to this size are kept in memory for the whole run, in bytes.
const KEPT: u64 = 1 << 20;

/// Kinds of files, by the folder they are looked for in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FilePlace {
    /// `files/`.
    Files,
    /// `templates/`.
    Templates,
    /// `vars/`.
    Vars,
}

impl FilePlace {
    /// Finds a file: in the role, then where the plan is; each first in the folder of its kind.
    ///
    /// # Errors
    /// When it is nowhere; the text says where it was looked for.
    pub(crate) fn find(
        self,
        name: &str,
        role_path: Option<&str>,
        base_dir: &Path,
    ) -> Result<PathBuf, TaskError> {
        let folder = match self {
            Self::Files => "files",
            Self::Templates => "templates",
            Self::Vars => "vars",
        };
        let roots = role_path.map(|role| base_dir.join(role)).into_iter();
        let roots: Vec<PathBuf> = roots.chain([base_dir.to_owned()]).collect();
        let candidates = places(&roots, Some(folder), name);
        if let Some(found) = candidates.iter().find(|candidate| candidate.exists()) {
            return Ok(found.clone());
        }
        let looked: Vec<String> = candidates
            .iter()
            .map(|candidate| candidate.display().to_string())
            .collect();
        Err(TaskError::new(format!(
            "`{name}` was not found on the controller; looked for {}",
            looked.join(", ")
        )))
    }
}

/// Bytes that travel to hosts, and what is told of them.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    /// The bytes.
    pub(crate) source: FileBytes,
    /// Their SHA-1 in hex: what Ansible calls the checksum.
    pub(crate) sha1: String,
    /// The mode of the file they are from, as `0644`; none where they are from no file.
    pub(crate) mode: Option<String>,
}

impl Blob {
    /// Bytes in memory.
    #[must_use]
    pub(crate) fn of_bytes(bytes: Bytes) -> Self {
        let sha1 = hex(&Sha1::digest(&bytes));
        Self {
            source: FileBytes::Memory(bytes),
            sha1,
            mode: None,
        }
    }

    /// The name by which the host asks for them.
    #[must_use]
    pub(crate) fn id(&self) -> AttachmentId {
        AttachmentId(format!("sha1:{}", self.sha1))
    }
}

/// What is known of files, for the whole run: a file that goes to many hosts is read once.
#[derive(Debug, Default)]
pub struct Files {
    known: Mutex<HashMap<(PathBuf, u64, SystemTime), Arc<Blob>>>,
}

/// A folder's content on its way to a host.
#[derive(Debug)]
pub(crate) struct Tree {
    /// Its entries as the host's `copy` takes them.
    pub(crate) entries: Vec<Value>,
    /// The bytes of its files.
    pub(crate) files: Vec<OutgoingFile>,
}

impl Files {
    /// A file's bytes and checksum.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) async fn blob(&self, path: &Path) -> Result<Arc<Blob>, TaskError> {
        let metadata = std::fs::metadata(path).map_err(|error| cannot_read(path, &error))?;
        let modified = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        let key = (path.to_owned(), metadata.len(), modified);
        if let Some(blob) = self
            .known
            .lock()
            .ok()
            .and_then(|known| known.get(&key).cloned())
        {
            return Ok(blob);
        }
        let owned = path.to_owned();
        let read = tokio::task::spawn_blocking(move || read_blob(&owned)).await;
        let blob = match read {
            Ok(read) => Arc::new(read.map_err(|error| cannot_read(path, &error))?),
            Err(_) => {
                return Err(TaskError::new(format!(
                    "reading `{}` was given up",
                    path.display()
                )));
            }
        };
        if let Ok(mut known) = self.known.lock() {
            known.insert(key, Arc::clone(&blob));
        }
        Ok(blob)
    }

    /// As [`Self::blob`], decrypted where the file is encrypted and there is an engine to do it.
    ///
    /// # Errors
    /// When it cannot be read or decrypted.
    pub(crate) async fn revealed(
        &self,
        path: &Path,
        engine: Option<&Engine>,
    ) -> Result<Arc<Blob>, TaskError> {
        let blob = self.blob(path).await?;
        // Encrypted files begin with their mark, so no large file is read a second time for nothing.
        let is_encrypted = match &blob.source {
            FileBytes::Memory(bytes) | FileBytes::OnDemand(bytes) => {
                rustle_vault::is_encrypted(bytes)
            }
            FileBytes::Disk { path, .. } => begins_encrypted(path),
        };
        let Some(engine) = engine.filter(|_| is_encrypted) else {
            return Ok(blob);
        };
        let text = self.text(path).await?;
        let plain = engine.decrypt_bytes(&text).map_err(|error| {
            TaskError::new(format!("cannot decrypt `{}`: {error}", path.display()))
        })?;
        Ok(Arc::new(Blob {
            mode: blob.mode.clone(),
            ..Blob::of_bytes(plain.into())
        }))
    }

    /// A file's text.
    ///
    /// # Errors
    /// When it cannot be read, or is no UTF-8.
    pub(crate) async fn text(&self, path: &Path) -> Result<String, TaskError> {
        let blob = self.blob(path).await?;
        let bytes = match &blob.source {
            FileBytes::Memory(bytes) | FileBytes::OnDemand(bytes) => bytes.clone(),
            FileBytes::Disk { path, .. } => std::fs::read(path)
                .map_err(|error| cannot_read(path, &error))?
                .into(),
        };
        String::from_utf8(bytes.to_vec())
            .map_err(|_| TaskError::new(format!("`{}` is not UTF-8 text", path.display())))
    }

    /// A folder's content, with encrypted files decrypted by the engine if there is one. With `inside` the entries lie directly in the destination, else in a folder of the same name.
    ///
    /// # Errors
    /// When something in it cannot be read.
    pub(crate) async fn tree(
        &self,
        root: &Path,
        inside: bool,
        follow: bool,
        engine: Option<&Engine>,
    ) -> Result<Tree, TaskError> {
        let mut tree = Tree {
            entries: Vec::new(),
            files: Vec::new(),
        };
        let name = root
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let prefix = if inside { String::new() } else { name };
        let mut folders = vec![(root.to_owned(), prefix)];
        while let Some((folder, prefix)) = folders.pop() {
            let mut names: Vec<_> = std::fs::read_dir(&folder)
                .and_then(|entries| {
                    entries
                        .map(|entry| entry.map(|entry| entry.file_name()))
                        .collect()
                })
                .map_err(|error| cannot_read(&folder, &error))?;
            names.sort();
            // An empty folder is no reason to make one, as with Ansible; one inside it is.
            if !prefix.is_empty() && (folder != root || !names.is_empty()) {
                tree.entries.push(json!({"path": prefix, "kind": "dir"}));
            }
            for name in names {
                let path = folder.join(&name);
                let name = name.to_string_lossy();
                let rel = if prefix.is_empty() {
                    name.into_owned()
                } else {
                    format!("{prefix}/{name}")
                };
                if path.is_symlink() && !follow {
                    let target =
                        std::fs::read_link(&path).map_err(|error| cannot_read(&path, &error))?;
                    tree.entries.push(json!({"path": rel, "kind": "link", "target": target.display().to_string()}));
                } else if path.is_dir() {
                    folders.push((path, rel));
                } else {
                    let blob = self.revealed(&path, engine).await?;
                    tree.entries.push(json!({"path": rel, "kind": "file", "source": path.display().to_string(), "attachment": blob.describe()}));
                    tree.files.push(blob.outgoing());
                }
            }
        }
        Ok(tree)
    }
}

fn begins_encrypted(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(32).read_to_end(&mut start));
    read.is_ok() && rustle_vault::is_encrypted(&start)
}

fn read_blob(path: &Path) -> std::io::Result<Blob> {
    let mut file = std::fs::File::open(path)?;
    let size = file.metadata()?.len();
    let mode = mode_of(path);
    if size <= KEPT {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        return Ok(Blob {
            mode,
            ..Blob::of_bytes(bytes.into())
        });
    }
    let (mut hash, mut buffer) = (Sha1::new(), vec![0; 256 << 10]);
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hash.update(&buffer[..count]);
    }
    Ok(Blob {
        source: FileBytes::Disk {
            path: path.to_owned(),
            size,
        },
        sha1: hex(&hash.finalize()),
        mode,
    })
}

/// A file's mode as `0644`.
pub(crate) fn mode_of(path: &Path) -> Option<String> {
    std::fs::metadata(path)
        .ok()
        .map(|metadata| format!("{:04o}", metadata.permissions().mode() & 0o7777))
}

/// The name of a file's owner, or the number where it has no name.
pub(crate) fn owner_of(path: &Path) -> String {
    let Ok(metadata) = std::fs::metadata(path) else {
        return String::new();
    };
    let uid = metadata.uid();
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let owner = passwd
        .lines()
        .filter_map(rustle_module::accounts::parse_user)
        .find(|user| user.uid == uid);
    owner.map_or_else(|| uid.to_string(), |user| user.name)
}

fn cannot_read(path: &Path, error: &std::io::Error) -> TaskError {
    TaskError::new(format!(
        "cannot read `{}` on the controller: {error}",
        path.display()
    ))
}
