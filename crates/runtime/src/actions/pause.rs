//! `pause`: waits for a time, or for a person.

use std::time::{Duration, Instant};

use chrono::Local;
use rustle_module::{Default as Usual, Opt, Spec, Type, as_bool, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use crate::result::{TaskError, object};
use crate::unit::UnitError;

pub(crate) const SPEC: Spec = Spec::new(
    "pause",
    &[
        Opt::new("seconds", Type::Raw),
        Opt::new("minutes", Type::Raw),
        Opt::new("prompt", Type::Str),
        Opt::new("echo", Type::Bool).default(Usual::Bool(true)),
    ],
);

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    let minutes = number(&args, "minutes")?;
    let seconds = number(&args, "seconds")?;
    if minutes.is_some() && seconds.is_some() {
        return Err(TaskError::new("`minutes` and `seconds` are mutually exclusive").into());
    }
    let is_echoed = args.get("echo").and_then(as_bool).unwrap_or(true);
    let prompt = args.get("prompt").filter(|prompt| !prompt.is_null());
    let limit = minutes
        .map(|minutes| minutes * 60.0)
        .or(seconds)
        .map(|secs| Duration::from_secs_f64(secs.clamp(1.0, 1e9)));
    let (began, started) = (Local::now(), Instant::now());
    let question = prompt.map(py_str);
    let mut said = String::new();
    let mut warnings = Vec::new();
    match limit {
        Some(limit) => context.unit.pause(limit).await?,
        None => match ask(context, question.as_deref(), is_echoed).await? {
            Some(answer) => said = answer,
            None => warnings.push("nobody can be asked here, so the pause ends at once".into()),
        },
    }
    let elapsed = started.elapsed().as_secs_f64();
    let shown = if seconds.is_some() {
        format!("Paused for {} seconds", rounded(elapsed))
    } else {
        format!("Paused for {} minutes", rounded(elapsed / 60.0))
    };
    let time = |time: chrono::DateTime<Local>| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    #[expect(clippy::cast_possible_truncation, reason = "no pause is that long")]
    let delta = elapsed as i64;
    Ok(ModuleResult {
        warnings,
        result: object(json!({
            "rc": 0, "stderr": "", "stdout": shown, "start": time(began), "stop": time(Local::now()),
            "delta": delta, "echo": is_echoed, "user_input": said,
        })),
        ..ModuleResult::default()
    })
}

/// What a person answers; none where there is nobody.
async fn ask(
    context: &ActionContext<'_>,
    prompt: Option<&str>,
    is_echoed: bool,
) -> Result<Option<String>, UnitError> {
    let question = match prompt {
        Some(prompt) => format!("[{}]\n{prompt}:", context.unit.node.info.name),
        None => "press enter to go on".to_owned(),
    };
    let Some(person) = &context.unit.world.person else {
        return Ok(None);
    };
    tokio::select! {
        answer = person.ask(&question, is_echoed) => Ok(answer),
        _ = context.unit.cancel.raised_above(rustle_process::CancelLevel::Run) => {
            Err(TaskError::new("cancelled").into())
        }
    }
}

fn number(args: &Object, name: &str) -> Result<Option<f64>, TaskError> {
    let Some(value) = args.get(name).filter(|value| !value.is_null()) else {
        return Ok(None);
    };
    let number = match value {
        Value::String(text) => text.trim().parse().ok(),
        value => value.as_f64(),
    };
    number
        .filter(|number: &f64| number.is_finite())
        .map(Some)
        .ok_or_else(|| TaskError::new(format!("`{name}` has to be a number, found {value}")))
}

/// As Python shows a number with two digits at the most.
fn rounded(number: f64) -> String {
    let rounded = (number * 100.0).round() / 100.0;
    format!("{rounded:?}")
}
