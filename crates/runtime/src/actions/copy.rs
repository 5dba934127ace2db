//! The controller's half of `copy`: finds the source, and sends its name, size and checksum with the call.
//!
//! The host asks for the bytes only where it needs them, so an unchanged file costs no transfer.

use std::path::Path;

use rustle_module::{as_bool, py_json, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use crate::files::{Blob, FilePlace};
use crate::result::TaskError;
use crate::unit::UnitError;
use crate::world::OutgoingFile;

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let is_on = |name: &str| args.get(name).and_then(as_bool).unwrap_or(false);
    let is_remote = is_on("remote_src");
    let content = args
        .shift_remove("content")
        .filter(|content| !content.is_null());
    if is_remote && content.is_none() {
        return context.invoke("copy", args, Vec::new()).await;
    }
    // A content is the controller's, whatever is said of the source.
    args.shift_remove("remote_src");
    let src = args.get("src").filter(|src| !src.is_null()).map(py_str);
    let decrypts = args
        .shift_remove("decrypt")
        .as_ref()
        .and_then(as_bool)
        .unwrap_or(true);
    match (content, src) {
        (Some(_), Some(_)) => Err(TaskError::new("src and content are mutually exclusive").into()),
        (None, None) => Err(TaskError::new("src (or content) is required").into()),
        (Some(content), None) => {
            let dest = args.get("dest").map(py_str).unwrap_or_default();
            if dest.ends_with('/') {
                let msg =
                    "`dest` has to be a file where `content` is given, and it ends with a slash";
                return Err(TaskError::new(msg).into());
            }
            let blob = Blob::of_bytes(content_text(&content).into_bytes().into());
            send(context, args, &blob, None).await
        }
        (None, Some(src)) => copy_from(context, args, &src, decrypts).await,
    }
}

/// Text as it is; other values as JSON.
fn content_text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Object(_) | Value::Array(_) => py_json(content),
        other => py_str(other),
    }
}

async fn copy_from(
    context: &ActionContext<'_>,
    mut args: Object,
    src: &str,
    decrypts: bool,
) -> Result<ModuleResult, UnitError> {
    let world = context.unit.world;
    let path = FilePlace::Files.find(src, context.role_path(), &world.settings.base_dir)?;
    let engine = decrypts.then_some(context.cx.engine);
    if path.is_dir() {
        let follow = args
            .shift_remove("local_follow")
            .as_ref()
            .and_then(as_bool)
            .unwrap_or(true);
        let tree = world
            .files
            .tree(&path, src.ends_with('/'), follow, engine)
            .await?;
        args.insert("_tree".into(), Value::Array(tree.entries));
        args.insert("_source".into(), Value::String(src.to_owned()));
        args.shift_remove("src");
        return context.invoke("copy", args, tree.files).await;
    }
    args.shift_remove("local_follow");
    let blob = world.files.revealed(&path, engine).await?;
    send(context, args, &blob, Some(&path)).await
}

/// Sends one file's call; none of a `content` has a path.
pub(super) async fn send(
    context: &ActionContext<'_>,
    mut args: Object,
    blob: &Blob,
    source: Option<&Path>,
) -> Result<ModuleResult, UnitError> {
    args.shift_remove("src");
    if let Some(source) = source {
        let name = source
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        args.insert("_original_basename".into(), Value::String(name));
        args.insert(
            "_source".into(),
            Value::String(source.display().to_string()),
        );
    }
    args.insert("_attachment".into(), blob.describe());
    context.invoke("copy", args, vec![blob.outgoing()]).await
}

impl Blob {
    /// The file as it goes with a call.
    pub(crate) fn outgoing(&self) -> OutgoingFile {
        OutgoingFile {
            id: self.id(),
            source: self.source.clone(),
        }
    }

    /// What the host is told of the file.
    pub(crate) fn describe(&self) -> Value {
        json!({"id": self.id().0, "size": self.source.len(), "checksum": self.sha1, "mode": self.mode})
    }
}
