//! `wait_for_connection`: tries until the host answers.

use std::time::{Duration, Instant};

use rustle_module::{Default, Opt, Spec, Type};
use rustle_types::{ModuleResult, Object};
use serde_json::Value;

use super::ActionContext;
use crate::unit::UnitError;

pub(crate) const SPEC: Spec = Spec::new(
    "wait_for_connection",
    &[
        Opt::new("connect_timeout", Type::Int).default(Default::Int(5)),
        Opt::new("delay", Type::Int).default(Default::Int(0)),
        Opt::new("sleep", Type::Int).default(Default::Int(1)),
        Opt::new("timeout", Type::Int).default(Default::Int(600)),
    ],
);

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    if context.mode.check {
        return Ok(ModuleResult {
            skipped: true,
            ..ModuleResult::default()
        });
    }
    let time = |name: &str| {
        let seconds = args.get(name).and_then(Value::as_u64);
        Duration::from_secs(seconds.unwrap_or(0))
    };
    let (limit, pause) = (time("timeout"), time("sleep"));
    let began = Instant::now();
    if !time("delay").is_zero() {
        context.unit.pause(time("delay")).await?;
    }
    let unit = context.unit;
    let mut reason = String::new();
    let reached = loop {
        let try_it = context.invoke("ping", Object::new(), Vec::new());
        let patience = time("connect_timeout").max(limit.saturating_sub(began.elapsed()));
        match tokio::time::timeout(patience, try_it).await {
            Ok(Ok(result)) if !result.failed => break true,
            Ok(Ok(result)) => reason = format!("{:?}", result.msg),
            Ok(Err(UnitError::Unreachable(unreachable))) => reason = unreachable.reason,
            Ok(Err(error)) => return Err(error),
            Err(_) => reason = "no answer".into(),
        }
        if began.elapsed() + pause >= limit {
            break false;
        }
        unit.world
            .invoker
            .reset(context.place, &context.connection)
            .await;
        unit.pause(pause).await?;
    };
    let mut result = if reached {
        ModuleResult::default()
    } else {
        ModuleResult::failure(format!("timed out waiting for ping module test: {reason}"))
    };
    let elapsed = began.elapsed().as_secs();
    result.result.insert("elapsed".into(), elapsed.into());
    Ok(result)
}
