//! `meta`: asks something of the run itself.

use rustle_module::{Opt, Spec, Type, py_str};
use rustle_types::Object;
use serde_json::json;

use super::ActionContext;
use crate::requests::Request;
use crate::result::{TaskError, object};

pub(crate) const SPEC: Spec = Spec::new("meta", &[Opt::new("_raw_params", Type::Raw)]).free_form();

/// What a `meta` task may ask for in this version.
pub const META_REQUESTS: &[&str] = &[
    "flush_handlers",
    "end_play",
    "end_host",
    "end_batch",
    "end_role",
    "clear_facts",
    "clear_host_errors",
    "refresh_inventory",
    "reset_connection",
    "noop",
];

/// The name of what a `meta` task asks for.
#[must_use]
pub fn meta_request(args: &Object) -> Option<String> {
    args.get("_raw_params")
        .map(|request| py_str(request).trim().to_owned())
}

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<Object, TaskError> {
    let request = meta_request(&context.args()?).unwrap_or_default();
    if !META_REQUESTS.contains(&request.as_str()) {
        return Err(TaskError::new(format!(
            "`meta: {request}` is not available; there are {}",
            META_REQUESTS.join(", ")
        )));
    }
    if request == "reset_connection" {
        let invoker = &context.unit.world.invoker;
        invoker.reset(context.place, &context.connection).await;
    }
    let result = object(json!({"changed": false, "failed": false, "msg": request}));
    context.unit.requests.push(Request::Meta(request));
    Ok(result)
}
