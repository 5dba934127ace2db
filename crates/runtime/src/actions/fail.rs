//! `fail`: fails with a message.

use rustle_module::{Default, Opt, Spec, Type, py_str};
use rustle_types::ModuleResult;
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "fail",
    &[Opt::new("msg", Type::Str).default(Default::Str("Failed as requested from task"))],
);

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    Ok(ModuleResult::failure(py_str(
        args.get("msg").unwrap_or(&Value::Null),
    )))
}
