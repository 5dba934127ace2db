//! The failures of a run that count.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use rustle_types::{ExecutionFailure, FailureKind, HostName, JsonValue, TaskResult, TaskStatus};

use crate::event::TaskInfo;

/// Collects failures that were neither ignored nor rescued.
#[derive(Clone, Debug, Default)]
pub(super) struct Failures {
    pub(super) list: Vec<ExecutionFailure>,
    /// Where the failure stands that tells a host's loss in this play: a loss is told by the task that found it, by the
    /// host's leaving, or by both, in either order.
    losses: HashMap<HostName, usize>,
}

/// What a result does not know of itself.
pub(super) struct Around<'a> {
    pub(super) play: Option<&'a String>,
    pub(super) task: Option<&'a TaskInfo>,
    pub(super) at: DateTime<Utc>,
}

impl Failures {
    pub(super) fn start_play(&mut self) {
        self.losses.clear();
    }

    /// Notes a result that ended a task. It is settled where a `rescue` takes over or the host goes on all the same.
    pub(super) fn note_result(
        &mut self,
        result: &TaskResult,
        is_settled: bool,
        around: &Around<'_>,
    ) {
        if is_settled || !matches!(result.status, TaskStatus::Failed | TaskStatus::Unreachable) {
            return;
        }
        let module = around.task.map(|task| &task.module);
        let failure = ExecutionFailure {
            host: result.host.clone(),
            kind: failure_kind(result),
            play: result.play.as_ref().or(around.play).cloned(),
            task_id: Some(result.task_id.clone()),
            task_name: Some(result.task_name.clone()),
            module: result.module.as_ref().or(module).cloned(),
            error: error_text(result),
            hint: field(result, "hint")
                .and_then(JsonValue::as_str)
                .map(str::to_owned),
            time: result.end_time.unwrap_or(around.at),
        };
        if failure.kind != FailureKind::Unreachable {
            self.list.push(failure);
        } else if let Some(told) = self.told_loss(&result.host) {
            let (error, hint) = (told.error.clone(), told.hint.take().or(failure.hint));
            *told = ExecutionFailure {
                error,
                hint,
                ..failure
            };
        } else {
            self.lose(failure);
        }
    }

    pub(super) fn note_loss(
        &mut self,
        host: &HostName,
        reason: &str,
        hint: Option<&String>,
        around: &Around<'_>,
    ) {
        if let Some(told) = self.told_loss(host) {
            reason.clone_into(&mut told.error);
            told.hint = hint.cloned().or(told.hint.take());
            return;
        }
        self.lose(ExecutionFailure {
            host: host.clone(),
            kind: FailureKind::Unreachable,
            play: around.play.cloned(),
            task_id: None,
            task_name: None,
            module: None,
            error: reason.to_owned(),
            hint: hint.cloned(),
            time: around.at,
        });
    }

    fn told_loss(&mut self, host: &HostName) -> Option<&mut ExecutionFailure> {
        self.list.get_mut(*self.losses.get(host)?)
    }

    fn lose(&mut self, failure: ExecutionFailure) {
        self.losses.insert(failure.host.clone(), self.list.len());
        self.list.push(failure);
    }
}

/// Why a result failed, in words: its error, else its `msg`; what `no_log` put in their place where there is such.
#[must_use]
pub fn error_text(result: &TaskResult) -> String {
    if let Some(censored) = field(result, "censored") {
        return text_of(censored);
    }
    let said = result
        .error
        .clone()
        .or_else(|| field(result, "msg").map(text_of));
    said.filter(|text| !text.is_empty())
        .unwrap_or_else(|| match result.return_code {
            Some(code) if code != 0 => format!("ended with status {code}"),
            _ => "failed without saying why".to_owned(),
        })
}

/// Tells kinds apart by the keys that a result has besides: `timedout` as Ansible writes it, `cancelled` and
/// `outcome_unknown` as the engine does.
fn failure_kind(result: &TaskResult) -> FailureKind {
    let has = |key: &str| match field(result, key) {
        None | Some(JsonValue::Null | JsonValue::Bool(false)) => false,
        Some(_) => true,
    };
    match result.status {
        TaskStatus::Unreachable => FailureKind::Unreachable,
        _ if has("timedout") => FailureKind::TimedOut,
        _ if has("cancelled") => FailureKind::Cancelled,
        _ if has("outcome_unknown") => FailureKind::Unknown,
        _ => FailureKind::Failed,
    }
}

fn field<'a>(result: &'a TaskResult, key: &str) -> Option<&'a JsonValue> {
    result.result.as_ref().and_then(|object| object.get(key))
}

fn text_of(value: &JsonValue) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn result(value: JsonValue) -> TaskResult {
        let at = DateTime::UNIX_EPOCH;
        TaskResult {
            result: Some(value),
            ..TaskResult::started("1", "Ping", "web1".into(), at)
        }
    }

    #[test]
    fn kind_of_a_failure_is_read_from_its_result() {
        for (value, kind) in [
            (json!({"timedout": {"period": 3}}), FailureKind::TimedOut),
            (json!({"cancelled": true}), FailureKind::Cancelled),
            (json!({"outcome_unknown": true}), FailureKind::Unknown),
            (json!({"cancelled": false}), FailureKind::Failed),
        ] {
            assert_eq!(failure_kind(&result(value.clone())), kind, "{value}");
        }
    }

    #[test]
    fn censored_result_tells_nothing_else() {
        let mut result = result(json!({"censored": "hidden by no_log", "msg": "password 123"}));
        result.error = Some("password 123".into());
        assert_eq!(error_text(&result), "hidden by no_log");
    }

    #[test]
    fn loss_of_a_host_is_one_failure_with_task_and_hint() {
        let found = TaskResult {
            status: TaskStatus::Unreachable,
            error: Some("lost".into()),
            ..TaskResult::started("1", "Ping", "web1".into(), DateTime::UNIX_EPOCH)
        };
        let hint = "is sshd running?".to_owned();
        for result_comes_first in [true, false] {
            let around = Around {
                play: None,
                task: None,
                at: DateTime::UNIX_EPOCH,
            };
            let mut failures = Failures::default();
            if result_comes_first {
                failures.note_result(&found, false, &around);
            }
            failures.note_loss(&found.host, "connection refused", Some(&hint), &around);
            if !result_comes_first {
                failures.note_result(&found, false, &around);
            }
            assert_eq!(failures.list.len(), 1);
            let failure = &failures.list[0];
            assert_eq!(failure.kind, FailureKind::Unreachable);
            assert_eq!(failure.task_name.as_deref(), Some("Ping"));
            assert_eq!(
                (&*failure.error, &failure.hint),
                ("connection refused", &Some(hint.clone()))
            );
        }
    }
}
