//! One item of a task: its attempts, and what counts as changed and failed.

use std::sync::Arc;
use std::time::Duration;

use rustle_events::EventKind;
use rustle_module::py_str;
use rustle_template::{Scope, Trust};
use rustle_types::{Expression, Object};
use serde_json::Value;

use crate::connection::is_connection_var;
use crate::evaluate::Evaluator;
use crate::outcome::{GAVE_UP, censored};
use crate::result::{TaskError, is};
use crate::unit::{Prepared, Unit, UnitError};

/// How often `until` tries where `retries` says nothing.
const UNTIL_RETRIES: f64 = 3.0;

/// Between two attempts where `delay` says nothing.
const DELAY: Duration = Duration::from_secs(5);

/// Runs an item until it does, or there are no attempts left.
pub(crate) async fn run(
    unit: &Unit<'_>,
    scope: &Scope,
    prepared: &Prepared,
    key: &str,
) -> Result<Object, UnitError> {
    let cx = Evaluator {
        engine: &unit.world.engine,
        scope,
    };
    let task = &unit.node.task;
    let retries = cx.number("retries", task.retries.as_ref())?;
    let attempts = match (retries, &task.until) {
        (None, None) => 1,
        (None, Some(_)) => attempts_of(UNTIL_RETRIES),
        (Some(retries), _) => attempts_of(retries),
    };
    let delay = cx
        .number("delay", task.delay.as_ref())?
        .map_or(DELAY, Duration::from_secs_f64);
    let mut attempt = 1;
    loop {
        let mut raw = unit
            .attempt(scope, prepared, format!("{key}/{attempt}"))
            .await?;
        if attempts > 1 {
            raw.insert("attempts".into(), attempt.into());
        }
        let mut raw = judge(unit, scope, raw);
        if attempts == 1 {
            return Ok(raw);
        }
        let missing = missing_condition(unit, scope, &raw)?;
        if missing.is_none() && (task.until.is_some() || !is(&raw, "failed")) {
            return Ok(raw);
        }
        if attempt == attempts {
            raw.insert("attempts".into(), (attempts - 1).into());
            raw.insert("failed".into(), Value::Bool(true));
            let told = match missing {
                Some(missing) => {
                    format!("`until` condition `{missing}` did not hold in {attempts} attempts")
                }
                None => format!("it failed in {attempts} attempts"),
            };
            raw.insert(GAVE_UP.into(), told.into());
            return Ok(raw);
        }
        let left = attempts - attempt;
        let shown = if prepared.no_log { censored(&raw) } else { raw };
        unit.tell(EventKind::TaskRetrying {
            unit: unit.id.clone(),
            attempt,
            left,
            result: shown,
        });
        unit.pause(delay).await?;
        attempt += 1;
    }
}

fn attempts_of(retries: f64) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped"
    )]
    let retries = retries.clamp(0.0, 1e9) as u32;
    if retries == 0 { 1 } else { retries + 1 }
}

/// The variables of conditions about a result: the facts in it, and itself under its registered name.
fn scope_with(unit: &Unit<'_>, scope: &Scope, raw: &Object) -> Scope {
    let mut vars = facts_in(raw);
    if let Some(name) = &unit.node.task.register {
        vars.insert(name.clone(), Value::Object(raw.clone()));
    }
    if vars.is_empty() {
        return scope.clone();
    }
    scope
        .extend()
        .push_layer(Arc::new(vars), Trust::Untrusted)
        .build()
}

/// The facts that a result brings, but those that say how a host is reached.
pub(crate) fn facts_in(raw: &Object) -> Object {
    let Some(Value::Object(facts)) = raw.get("ansible_facts") else {
        return Object::new();
    };
    let is_free = |(name, _): &(&String, &Value)| !is_connection_var(name);
    let facts = facts.iter().filter(is_free);
    facts
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Applies `changed_when` and `failed_when`. They say nothing of what was skipped.
fn judge(unit: &Unit<'_>, scope: &Scope, mut raw: Object) -> Object {
    if raw.contains_key("skipped") {
        return raw;
    }
    let task = &unit.node.task;
    if let Some(changed_when) = &task.changed_when {
        let scope = scope_with(unit, scope, &raw);
        match holds(unit, &scope, "changed_when", changed_when) {
            Ok(holds) => _ = raw.insert("changed".into(), Value::Bool(holds)),
            Err(error) => return failed_by(raw, error),
        }
    }
    if let Some(failed_when) = &task.failed_when {
        let scope = scope_with(unit, scope, &raw);
        match holds(unit, &scope, "failed_when", failed_when) {
            Ok(holds) => {
                raw.insert("failed".into(), Value::Bool(holds));
                raw.insert("failed_when_result".into(), Value::Bool(holds));
            }
            Err(error) => return failed_by(raw, error),
        }
    }
    raw
}

fn failed_by(mut raw: Object, error: TaskError) -> Object {
    raw.insert("failed".into(), Value::Bool(true));
    raw.insert("msg".into(), Value::String(error.message));
    raw
}

/// The condition of `until` that does not hold yet.
fn missing_condition(
    unit: &Unit<'_>,
    scope: &Scope,
    raw: &Object,
) -> Result<Option<String>, TaskError> {
    let Some(until) = &unit.node.task.until else {
        return Ok(None);
    };
    let scope = scope_with(unit, scope, raw);
    let missing = evaluator(unit, &scope).conditions("until", until)?;
    Ok(missing.map(|condition| py_str(&condition)))
}

fn holds(
    unit: &Unit<'_>,
    scope: &Scope,
    field: &str,
    conditions: &Expression,
) -> Result<bool, TaskError> {
    Ok(evaluator(unit, scope)
        .conditions(field, conditions)?
        .is_none())
}

fn evaluator<'a>(unit: &'a Unit<'_>, scope: &'a Scope) -> Evaluator<'a> {
    Evaluator {
        engine: &unit.world.engine,
        scope,
    }
}
