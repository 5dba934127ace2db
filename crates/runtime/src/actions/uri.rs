//! The controller's half of `uri`: sends the files that are the controller's.

use rustle_module::{as_bool, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;
use crate::unit::UnitError;
use crate::world::OutgoingFile;

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let is_remote = args.get("remote_src").and_then(as_bool).unwrap_or(false);
    if is_remote || context.mode.check {
        return context.invoke("uri", args, Vec::new()).await;
    }
    let mut files = Vec::new();
    if let Some(src) = args.get("src").filter(|src| !src.is_null()).map(py_str) {
        args.insert(
            "_attachment".into(),
            attach(context, &src, &mut files).await?,
        );
    }
    if args
        .get("body_format")
        .is_some_and(|format| format == "form-multipart")
        && let Some(Value::Object(fields)) = args.get_mut("body")
    {
        for part in fields.values_mut().filter_map(Value::as_object_mut) {
            attach_part(context, part, &mut files).await?;
        }
    }
    context.invoke("uri", args, files).await
}

/// Sends the file of a form's part that has no content of its own.
async fn attach_part(
    context: &ActionContext<'_>,
    part: &mut Object,
    files: &mut Vec<OutgoingFile>,
) -> Result<(), UnitError> {
    let is_given = |name: &str| part.get(name).is_some_and(|value| !value.is_null());
    if is_given("content") || !is_given("filename") {
        return Ok(());
    }
    let name = part.get("filename").map(py_str).unwrap_or_default();
    let attached = attach(context, &name, files).await?;
    part.insert("_attachment".into(), attached);
    Ok(())
}

async fn attach(
    context: &ActionContext<'_>,
    name: &str,
    files: &mut Vec<OutgoingFile>,
) -> Result<Value, UnitError> {
    let blob = context
        .find_blob(name, true)
        .await?
        .map_err(TaskError::new)?;
    files.push(blob.outgoing());
    Ok(blob.describe())
}
