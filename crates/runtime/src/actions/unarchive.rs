//! The controller's half of `unarchive`: sends the archive where it is the controller's.

use rustle_module::{as_bool, py_str};
use rustle_types::ModuleResult;
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;
use crate::unit::UnitError;

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    if let Some(copy) = args.shift_remove("copy") {
        if args.contains_key("remote_src") {
            let msg = "parameters are mutually exclusive: ('copy', 'remote_src')";
            return Err(TaskError::new(msg).into());
        }
        args.insert("remote_src".into(), (as_bool(&copy) == Some(false)).into());
    }
    let is_remote = args.get("remote_src").and_then(as_bool).unwrap_or(false);
    let src = args.get("src").filter(|src| !src.is_null()).map(py_str);
    let Some(src) = src.filter(|_| !is_remote) else {
        // The host says what is missing.
        return context.invoke("unarchive", args, Vec::new()).await;
    };
    if src.contains("://") {
        let msg = format!(
            "Unsupported option, an URI src ({src}) is only supported when remote_src is True"
        );
        return Err(TaskError::new(msg).into());
    }
    let decrypts = args.get("decrypt").and_then(as_bool).unwrap_or(true);
    let files = match context.find_blob(&src, decrypts).await? {
        Ok(blob) => {
            args.insert("_attachment".into(), blob.describe());
            vec![blob.outgoing()]
        }
        Err(missing) => {
            // It matters only where the archive would be unpacked, which the host finds out.
            args.insert("_missing".into(), Value::String(missing));
            Vec::new()
        }
    };
    context.invoke("unarchive", args, files).await
}
