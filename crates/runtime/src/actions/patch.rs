//! The controller's half of `patch`: sends the patch where it is the controller's.

use rustle_module::{as_bool, py_str};
use rustle_types::ModuleResult;

use super::ActionContext;
use crate::result::TaskError;
use crate::unit::UnitError;

const MODULE: &str = "ansible.posix.patch";

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let is_remote = args.get("remote_src").and_then(as_bool).unwrap_or(false);
    let src = ["src", "patchfile"].iter().find_map(|name| args.get(*name));
    let src = src.filter(|src| !src.is_null()).map(py_str);
    let Some(src) = src.filter(|_| !is_remote) else {
        // The host says what is missing.
        return context.invoke(MODULE, args, Vec::new()).await;
    };
    let blob = context
        .find_blob(&src, true)
        .await?
        .map_err(TaskError::new)?;
    args.insert("_attachment".into(), blob.describe());
    context.invoke(MODULE, args, vec![blob.outgoing()]).await
}
