//! The time that a call may take.

use std::time::Duration;

use rustle_process::{CancelLevel, CancelToken};
use rustle_types::ModuleResult;
use serde_json::{Value, json};

/// Waits for a module, and stops it when its time is over; none is for ever.
pub async fn within(
    limit: Option<Duration>,
    cancel: &CancelToken,
    module: impl Future<Output = ModuleResult>,
) -> ModuleResult {
    let Some(limit) = limit else {
        return module.await;
    };
    let mut module = std::pin::pin!(module);
    match tokio::time::timeout(limit, &mut module).await {
        Ok(result) => result,
        Err(_) => {
            cancel.raise(CancelLevel::Stop);
            let stopped = module.await;
            let period = json!({"period": limit.as_secs_f64()});
            ModuleResult {
                changed: false,
                failed: true,
                msg: Some(Value::String(format!(
                    "Timed out after {} second(s).",
                    limit.as_secs_f64()
                ))),
                result: [("timedout".to_owned(), period)]
                    .into_iter()
                    .chain(stopped.result)
                    .collect(),
                ..stopped
            }
        }
    }
}
