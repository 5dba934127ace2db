//! `fail`: fails with a message.

use rustle_module::{Opt, Spec, Type};
use rustle_types::ModuleResult;

use super::ActionContext;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "fail",
    // Messages keep their type.
    &[Opt::new("msg", Type::Raw)],
);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.args()?;
    let msg = args.get("msg").cloned();
    context.check(&SPEC, args)?;
    Ok(ModuleResult {
        failed: true,
        msg: Some(msg.unwrap_or_else(|| "Failed as requested from task".into())),
        ..ModuleResult::default()
    })
}
