//! Files that say where packages come from: written as a whole, and then given the owner and mode that were asked for.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Attachment, AttachmentId, Catalogue, Expand, Failure, Mode, Object, Target, random_name,
};
use rustle_process::{Command, Finished, ProcessError};
use serde_json::Value;

/// The options of every module that writes a file, as far as they were given.
pub(crate) fn attributes(given: &Object) -> Object {
    let names = [
        "mode",
        "owner",
        "group",
        "seuser",
        "serole",
        "selevel",
        "setype",
        "attributes",
    ];
    let given = names
        .iter()
        .filter_map(|name| Some((*name, given.get(*name)?)));
    let given = given.filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| (name.to_owned(), value.clone()))
        .collect()
}

/// Gives a file its attributes by the module `file`; tells whether one differed. Without a file nothing does.
///
/// # Errors
/// When one cannot be set.
pub(crate) async fn settle(
    target: &dyn Target,
    path: &str,
    attributes: &Object,
) -> Result<bool, Failure> {
    if attributes.is_empty() || !Path::new(path).exists() {
        return Ok(false);
    }
    let catalogue = Catalogue::new(&[rustle_modules_files::FAMILY]);
    let Some(module) = catalogue.find("file") else {
        return Ok(false);
    };
    let mut args = attributes.clone();
    args.insert("path".into(), path.into());
    args.insert("state".into(), "file".into());
    let result = module.call(target, args).await;
    if !result.failed {
        return Ok(result.changed);
    }
    let msg = result
        .msg
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or_default();
    Err(Failure::new(msg))
}

/// Whether an attribute of a file differs; nothing is changed.
///
/// # Errors
/// When one cannot be read.
pub(crate) async fn differ(
    target: &dyn Target,
    path: &str,
    attributes: &Object,
) -> Result<bool, Failure> {
    settle(&Looking(target), path, attributes).await
}

/// A target on which nothing is changed.
struct Looking<'a>(&'a dyn Target);

impl Expand for Looking<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        self.0.variable(name)
    }

    fn home(&self, user: Option<&str>) -> Option<String> {
        self.0.home(user)
    }
}

#[async_trait]
impl Target for Looking<'_> {
    fn mode(&self) -> Mode {
        Mode {
            check: true,
            ..self.0.mode()
        }
    }

    async fn run(&self, command: Command) -> Result<Finished, ProcessError> {
        self.0.run(command).await
    }

    async fn attachment(&self, id: &AttachmentId) -> Result<Attachment, Failure> {
        self.0.attachment(id).await
    }

    fn temp_dir(&self) -> &Path {
        self.0.temp_dir()
    }

    async fn cancelled(&self) {
        self.0.cancelled().await;
    }
}

/// Puts a file in place as a whole. One that is there keeps its owner and mode, a new one has mode 0644.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write(path: &str, content: &str) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(format!("Problems writing to {path}: {error}"));
    let staged = format!("{path}.{}", random_name().map_err(failed)?);
    let written = write_staged(path, &staged, content);
    if written.is_err() {
        // What is left of it is of no use, and the first error is the one to be told.
        let _ignored = fs::remove_file(&staged);
    }
    written.map_err(failed)
}

fn write_staged(path: &str, staged: &str, content: &str) -> io::Result<()> {
    let mut file = fs::File::create_new(staged)?;
    let like = fs::metadata(path).ok();
    let mode = like.as_ref().map_or(0o644, MetadataExt::mode);
    file.set_permissions(fs::Permissions::from_mode(mode & 0o7777))?;
    if let Some(like) = like {
        chown(staged, Some(like.uid()), Some(like.gid()))?;
    }
    file.write_all(content.as_bytes())?;
    file.sync_all()?;
    fs::rename(staged, path)
}

/// Removes a file.
///
/// # Errors
/// When it is there and stays.
pub(crate) fn remove(path: &str) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Failure::new(format!("Cannot remove {path}: {error}")))
        }
        _ => Ok(()),
    }
}

/// The content of a file; empty where there is none.
///
/// # Errors
/// When it is there and cannot be read.
pub(crate) fn read(path: &str) -> Result<String, Failure> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Failure::new(format!("Cannot read {path}: {error}"))),
    }
}
