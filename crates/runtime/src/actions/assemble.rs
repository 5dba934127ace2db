//! The controller's half of `assemble`: puts its own fragments together, and sends what they make as `copy` does.

use std::io::{self, Read};
use std::sync::Arc;

use rustle_module::fragments::Fragments;
use rustle_module::{as_bool, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::Value;

use super::ActionContext;
use crate::files::{Blob, FilePlace};
use crate::result::TaskError;
use crate::unit::UnitError;
use crate::world::FileBytes;

/// What the fragments make has this name in a folder.
const NAME: &str = "src";

/// Options that end with the controller.
const CONTROLLERS: [&str; 6] = [
    "src",
    "remote_src",
    "regexp",
    "delimiter",
    "ignore_hidden",
    "decrypt",
];

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let flag = |name: &str| args.get(name).and_then(as_bool);
    if flag("remote_src").unwrap_or(true) {
        return context.invoke("assemble", args, Vec::new()).await;
    }
    let text = |name: &str| args.get(name).filter(|value| !value.is_null()).map(py_str);
    let (Some(src), Some(_)) = (text("src"), text("dest")) else {
        return Err(TaskError::new("src and dest are required").into());
    };
    let base = &context.unit.world.settings.base_dir;
    let folder = FilePlace::Files.find(&src, context.role_path(), base)?;
    if !folder.is_dir() {
        let msg = format!("Source ({src}) is not a directory");
        return Err(TaskError::new(msg).into());
    }
    let fragments = Fragments::find(
        &folder,
        text("regexp").as_deref(),
        flag("ignore_hidden").unwrap_or(false),
        text("delimiter").as_deref(),
    )
    .map_err(|failure| TaskError::new(failure.msg))?;
    let content = joined(context, &fragments, flag("decrypt").unwrap_or(true)).await?;
    let blob = Blob::of_bytes(content.into());
    args.retain(|name, _| !CONTROLLERS.contains(&name.as_str()));
    args.insert("_original_basename".into(), NAME.into());
    args.insert("_attachment".into(), blob.describe());
    let mut result = context.invoke("copy", args, vec![blob.outgoing()]).await?;
    if !result.failed {
        complete(&mut result.result, &blob);
    }
    Ok(result)
}

/// What the fragments make, each decrypted where it is encrypted.
async fn joined(
    context: &ActionContext<'_>,
    fragments: &Fragments,
    decrypts: bool,
) -> Result<Vec<u8>, TaskError> {
    let engine = decrypts.then_some(context.cx.engine);
    let mut blobs: Vec<Arc<Blob>> = Vec::new();
    for path in fragments.files() {
        blobs.push(context.unit.world.files.revealed(path, engine).await?);
    }
    let mut content = Vec::new();
    let mut open = |at: usize| -> io::Result<Box<dyn Read>> {
        Ok(match &blobs[at].source {
            FileBytes::Memory(bytes) | FileBytes::OnDemand(bytes) => {
                Box::new(io::Cursor::new(bytes.clone()))
            }
            FileBytes::Disk { path, .. } => Box::new(std::fs::File::open(path)?),
        })
    };
    let mut add = |part: &[u8]| {
        content.extend_from_slice(part);
        Ok(())
    };
    let put_together = fragments.each_part_from(&mut open, &mut add);
    put_together.map_err(|failure| TaskError::new(failure.msg))?;
    Ok(content)
}

/// Adds what results of `assemble` say also where nothing was written.
fn complete(result: &mut Object, blob: &Blob) {
    if let Some(path) = result.shift_remove("path") {
        result.entry("dest").or_insert(path);
    }
    result.insert("checksum".into(), Value::String(blob.sha1.clone()));
}
