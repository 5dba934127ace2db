//! What a task on a host came to: its result as it may be shown, and what it leaves behind.

use chrono::Utc;
use rustle_template::Scope;
use rustle_types::{HostName, Object, TaskDiff, TaskResult, TaskStatus};
use serde_json::{Value, json};

use crate::effects::Effects;
use crate::evaluate::Evaluator;
use crate::looping::Ran;
use crate::program::TaskNode;
use crate::result::{is, object};
use crate::unit::Unit;
use crate::world::Unreachable;

/// The key by which an include says that what it names is not there; never seen by users.
pub(crate) const MISSING: &str = "_rustle_missing";

/// The key by which a task says why `until` gave up, for people; never seen in results.
pub(crate) const GAVE_UP: &str = "_rustle_gave_up";

/// Marks a result that is not shown, whatever `no_log` says.
pub(crate) const SECRET: &str = "_rustle_secret";

/// What a task on a host came to.
#[derive(Debug)]
pub struct UnitOutcome {
    /// The result as it may be shown.
    pub result: TaskResult,
    /// What it leaves behind.
    pub effects: Effects,
    /// Names of handlers that it notifies.
    pub notify: Vec<String>,
    /// Why the host could not be reached, if so.
    pub unreachable: Option<Unreachable>,
    /// Whether an unreachable host may stay in the play.
    pub ignores_unreachable: bool,
    /// Whether a failure here ends the play for all.
    pub is_fatal_for_all: bool,
    /// Whether it was to bring in tasks that are not there: that counts as a failure even where it is rescued.
    pub is_missing_include: bool,
    /// Whether its values must not be shown.
    pub is_secret: bool,
}

impl UnitOutcome {
    /// The outcome of a unit that ended by a mistake in this program.
    #[must_use]
    pub fn of_internal_error(node: &TaskNode, host: &HostName, error: &str) -> Self {
        let msg = format!("internal error, please report it: {error}");
        Self::of_failure(node, host, msg, Object::new())
    }

    /// The outcome of a unit that failed without having run, with these further fields of its result.
    pub(crate) fn of_failure(
        node: &TaskNode,
        host: &HostName,
        msg: String,
        fields: Object,
    ) -> Self {
        let now = Utc::now();
        let mut result = TaskResult::started(
            node.task.task_id.clone(),
            node.info.name.clone(),
            host.clone(),
            now,
        );
        let mut raw = object(json!({"failed": true, "changed": false, "msg": msg}));
        raw.extend(fields);
        result.status = TaskStatus::Failed;
        result.failed = true;
        result.end_time = Some(now);
        result.module = Some(node.call.module.clone());
        result.result = Some(Value::Object(raw));
        result.error = Some(msg);
        Self {
            result,
            effects: Effects::default(),
            notify: Vec::new(),
            unreachable: None,
            ignores_unreachable: false,
            is_fatal_for_all: false,
            is_missing_include: false,
            is_secret: false,
        }
    }
}

impl Unit<'_> {
    /// Makes the outcome of a raw result.
    pub(crate) fn conclude(
        &self,
        ran: Ran,
        scope: &Scope,
        started: chrono::DateTime<Utc>,
    ) -> UnitOutcome {
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        let keywords = &self.node.keywords;
        let Ran {
            mut raw,
            notify,
            is_secret,
            unreachable,
        } = ran;
        let is_secret = take(&mut raw, SECRET) || is_secret;
        let names_nothing = take(&mut raw, MISSING);
        let gave_up = take_text(&mut raw, GAVE_UP);
        let mut effects = Effects::of_result(&raw, self.node);
        effects.requests = self.requests.take();
        if let Some(name) = self.node.task.register.as_ref() {
            effects.register = Some((name.clone(), Value::Object(raw.clone())));
        }
        // A keyword that cannot be rendered here made the task fail before it came to this.
        let no_log = is_secret
            || cx
                .flag("no_log", keywords.no_log.as_ref())
                .map_or(true, |flag| flag == Some(true));
        let is_on = |field, flag| cx.flag(field, flag).ok().flatten().unwrap_or(false);
        let failed = is(&raw, "failed");
        let is_missing_include = names_nothing && failed;
        let ignores_errors =
            is_on("ignore_errors", keywords.ignore_errors.as_ref()) && !is_missing_include;
        if failed || unreachable.is_some() {
            effects = effects.of_failure();
        }
        let delegates_facts = is_on("delegate_facts", keywords.delegate_facts.as_ref());
        if delegates_facts && keywords.delegate_to.is_some() {
            effects = effects.without_facts();
        }
        let status = match unreachable {
            Some(_) => TaskStatus::Unreachable,
            None => status_of(&raw, ignores_errors),
        };
        let mut result = self.task_result(raw, status, no_log, started, &cx);
        if let Some(gave_up) = gave_up.filter(|_| failed) {
            add_reason(&mut result, gave_up, no_log);
        }
        UnitOutcome {
            result,
            effects,
            notify: if failed { Vec::new() } else { notify },
            unreachable,
            ignores_unreachable: is_on("ignore_unreachable", keywords.ignore_unreachable.as_ref()),
            is_fatal_for_all: is_on("any_errors_fatal", keywords.any_errors_fatal.as_ref()),
            is_missing_include,
            is_secret: no_log,
        }
    }

    fn task_result(
        &self,
        raw: Object,
        status: TaskStatus,
        no_log: bool,
        started: chrono::DateTime<Utc>,
        cx: &Evaluator<'_>,
    ) -> TaskResult {
        let ended = Utc::now();
        let name = cx
            .engine
            .render_text(&self.node.info.name, cx.scope)
            .unwrap_or_else(|_| self.node.info.name.clone());
        let text = |key: &str| {
            raw.get(key)
                .and_then(Value::as_str)
                .filter(|_| !no_log)
                .map(str::to_owned)
        };
        let mut result = TaskResult::started(
            self.node.task.task_id.clone(),
            name,
            self.host.clone(),
            started,
        );
        result.status = status;
        result.changed = is(&raw, "changed");
        result.failed = matches!(
            status,
            TaskStatus::Failed | TaskStatus::Ignored | TaskStatus::Unreachable
        );
        result.skipped = status == TaskStatus::Skipped;
        result.end_time = Some(ended);
        result.duration = (ended - started).to_std().ok();
        result.error = result.failed.then(|| failure_text(&raw, no_log));
        result.stdout = text("stdout");
        result.stderr = text("stderr");
        result.return_code = raw
            .get("rc")
            .and_then(Value::as_i64)
            .and_then(|rc| i32::try_from(rc).ok());
        result.diff = if no_log {
            None
        } else {
            raw.get("diff").and_then(task_diff)
        };
        let attempts = raw
            .get("attempts")
            .and_then(Value::as_u64)
            .unwrap_or(1)
            .saturating_sub(1);
        result.retry_count = u32::try_from(attempts).unwrap_or(u32::MAX);
        result.delegated_to = self
            .node
            .keywords
            .delegate_to
            .as_deref()
            .and_then(|to| cx.engine.render_text(to, cx.scope).ok())
            .map(HostName::from);
        result.module = Some(self.node.call.module.clone());
        result.play = Some(self.play.name.clone());
        result.play_index = Some(self.play.index);
        result.is_handler = self.node.info.is_handler;
        result.result = Some(Value::Object(if no_log { censored(&raw) } else { raw }));
        result
    }
}

fn status_of(raw: &Object, ignores_errors: bool) -> TaskStatus {
    match is(raw, "failed") {
        true if ignores_errors => TaskStatus::Ignored,
        true => TaskStatus::Failed,
        false if is(raw, "skipped") => TaskStatus::Skipped,
        false => TaskStatus::Completed,
    }
}

/// Says why a task was not tried once more. Its `attempts` do not count the last one, as in Ansible.
fn add_reason(result: &mut TaskResult, reason: String, no_log: bool) {
    result.retry_count += 1;
    if no_log {
        return;
    }
    result.error = Some(match result.error.take().as_deref() {
        None | Some("" | SAID_NOTHING) => reason,
        Some(error) => format!("{error}; {reason}"),
    });
}

pub(crate) fn unreachable_result(unreachable: &Unreachable) -> Object {
    object(json!({"changed": false, "unreachable": true, "msg": unreachable.reason}))
}

/// What stands in the place of a result that may not be shown.
pub(crate) fn censored(raw: &Object) -> Object {
    let mut shown = Object::new();
    shown.insert(
        "censored".into(),
        "the output is hidden because `no_log` is set for this task".into(),
    );
    for key in [
        "changed",
        "failed",
        "skipped",
        "unreachable",
        "attempts",
        "retries",
    ] {
        if let Some(value) = raw.get(key) {
            shown.insert(key.into(), value.clone());
        }
    }
    shown
}

const SAID_NOTHING: &str = "the module failed and said nothing";

fn failure_text(raw: &Object, no_log: bool) -> String {
    if no_log {
        return "the output is hidden because `no_log` is set for this task".into();
    }
    match raw.get("msg") {
        Some(Value::String(text)) if !text.is_empty() => text.clone(),
        Some(other) if !other.is_null() && *other != Value::String(String::new()) => {
            other.to_string()
        }
        _ if raw.get("failed_when_result") == Some(&Value::Bool(true)) => {
            "the condition of `failed_when` holds".into()
        }
        _ => SAID_NOTHING.into(),
    }
}

/// The first difference with text in it, as spec 070 has it.
fn task_diff(diff: &Value) -> Option<TaskDiff> {
    let entry = match diff {
        Value::Array(entries) => entries.iter().find(|entry| entry.get("before").is_some())?,
        entry => entry,
    };
    let text = |key: &str| {
        entry.get(key).map(|value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        })
    };
    let (before, after) = (text("before"), text("after"));
    if before.is_none() && after.is_none() {
        return None;
    }
    Some(TaskDiff {
        before,
        after,
        diff_lines: Vec::new(),
    })
}

/// Takes a text from a result and its items; the first that there is.
fn take_text(raw: &mut Object, key: &str) -> Option<String> {
    let mut found = raw.shift_remove(key);
    if let Some(Value::Array(items)) = raw.get_mut("results") {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            let own = item.shift_remove(key);
            found = found.or(own);
        }
    }
    found.and_then(|text| text.as_str().map(str::to_owned))
}

/// Takes a mark from a result and its items; whether it was on any.
fn take(raw: &mut Object, mark: &str) -> bool {
    let mut is_there = raw.shift_remove(mark).is_some();
    if let Some(Value::Array(items)) = raw.get_mut("results") {
        for item in items.iter_mut().filter_map(Value::as_object_mut) {
            is_there |= item.shift_remove(mark).is_some();
        }
    }
    is_there
}
