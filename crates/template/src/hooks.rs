//! What templates may ask of the world. This crate does no I/O, so the caller supplies these.

use std::fmt::Debug;
use std::path::PathBuf;

use rustle_types::Object;
use rustle_vault::VaultSecrets;
use serde_json::Value as Json;

use crate::{Engine, Scope};

/// One call of `lookup()` or `query()`, with everything it was given.
#[derive(Debug)]
pub struct LookupCall<'a> {
    /// The name, without `ansible.builtin.`.
    pub name: &'a str,
    /// The positional arguments after the name.
    pub terms: Vec<Json>,
    /// The keyword arguments, without `wantlist` and `errors`.
    pub options: Object,
    /// True where the caller wants a list (`query`, `wantlist=true`).
    pub wantlist: bool,
    /// The module of the task whose `with_…` this is; none for a call in a template.
    pub with_of: Option<&'a str>,
    /// The variables that the template sees.
    pub scope: &'a Scope,
    /// The engine, for lookups that render text.
    pub engine: &'a Engine,
}

/// Answers `lookup()` and `query()`.
pub trait Lookups: Debug + Send + Sync {
    /// The values that the lookup found, one an element, before they are joined or unwrapped.
    ///
    /// # Errors
    ///
    /// A message for people. `None` means that there is no such lookup.
    fn lookup(&self, call: &LookupCall<'_>) -> Option<Result<Vec<Json>, String>>;
}

/// Decrypts `{"__ansible_vault": …}` values.
pub trait Vault: Debug + Send + Sync {
    /// The plain text of an encrypted one.
    ///
    /// # Errors
    ///
    /// A message for people.
    fn decrypt(&self, encrypted: &str) -> Result<String, String>;

    /// The bytes of an encrypted file, which need not be text.
    ///
    /// # Errors
    ///
    /// A message for people.
    fn decrypt_bytes(&self, encrypted: &str) -> Result<Vec<u8>, String> {
        self.decrypt(encrypted).map(String::into_bytes)
    }
}

impl Vault for VaultSecrets {
    fn decrypt(&self, encrypted: &str) -> Result<String, String> {
        Self::decrypt(self, encrypted).map_err(|error| error.to_string())
    }

    fn decrypt_bytes(&self, encrypted: &str) -> Result<Vec<u8>, String> {
        self.reveal(encrypted.as_bytes().to_vec())
            .map_err(|error| error.to_string())
    }
}

/// Answers what filters and tests ask of the controller's disk and environment.
pub trait Controller: Debug + Send + Sync {
    /// The path with a leading `~` or `~user` replaced; an unknown user's stays.
    fn expand_user(&self, path: &str) -> String;
    /// The text with `$NAME` and `${NAME}` replaced; unknown ones stay.
    fn expand_variables(&self, text: &str) -> String;
    /// The path without links, `.` and `..`; what is not there stays as it is written.
    fn real_path(&self, path: &str) -> String;
    /// What is at a path, links followed.
    fn kind(&self, path: &str) -> Option<PathKind>;
    /// Whether the path is a link, to something or to nothing.
    fn is_link(&self, path: &str) -> bool;
    /// Whether another file system begins at the path.
    fn is_mount(&self, path: &str) -> bool;
    /// Whether two paths are one file.
    ///
    /// # Errors
    ///
    /// When one of them is not there.
    fn is_same_file(&self, one: &str, other: &str) -> Result<bool, String>;
    /// The files that a pattern with `*`, `?` and `[…]` means.
    fn files_like(&self, pattern: &str) -> Vec<String>;
    /// The beginning of a file, up to `length` bytes.
    ///
    /// # Errors
    ///
    /// When it cannot be read.
    fn beginning(&self, path: &str, length: usize) -> Result<Vec<u8>, String>;
}

/// What is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathKind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A device, a socket or a pipe.
    Other,
}

/// Supplies the text of templates that `{% include %}` and `{% import %}` name.
pub trait Includes: Debug + Send + Sync {
    /// The text of a template in one of the folders, else where templates are in general; `None` where there is none of that name.
    fn source(&self, name: &str, folders: &[PathBuf]) -> Option<String>;
}
