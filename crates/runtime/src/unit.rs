//! One task on one host, from its keywords to its result.
//!
//! The order is Ansible's: the loop's items, then for each item its condition, its arguments, its attempts, what counts as
//! changed and failed; at the end one result, and what it leaves behind for the rest of the run.

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use rustle_events::{EventKind, UnitId};
use rustle_module::py_str;
use rustle_process::{CancelLevel, CancelToken};
use rustle_template::{Scope, Trust};
use rustle_types::{HostName, Keywords, Mode, Object, Tmpl};
use serde_json::Value;

use crate::actions::{self, ActionContext, Background};
use crate::attempt;
use crate::connection::{as_user, connection_vars};
use crate::effects::Effects;
use crate::evaluate::Evaluator;
use crate::looping::{self, Ran};
use crate::outcome::{UnitOutcome, unreachable_result};
use crate::play::PlayContext;
use crate::program::TaskNode;
use crate::requests::{Request, Requests};
use crate::result::{TaskError, is};
use crate::world::{Unreachable, World};

/// One task on one host.
pub struct Unit<'a> {
    /// The run.
    pub world: &'a World,
    /// The play.
    pub play: &'a PlayContext,
    /// The task.
    pub node: &'a TaskNode,
    /// The host that it is for.
    pub host: &'a HostName,
    /// Names it in events.
    pub id: UnitId,
    /// Stops it.
    pub cancel: CancelToken,
    /// What its actions ask of the engine.
    pub requests: Requests,
}

/// The part of a task that is resolved once, before its loop.
pub(crate) struct Prepared {
    pub(crate) no_log: bool,
    pub(crate) mode: Mode,
    pub(crate) delegate: Option<HostName>,
    pub(crate) delegates_facts: bool,
    /// The variables of the loop's item, where the task may bring in others with it.
    pub(crate) item: Object,
}

impl Unit<'_> {
    /// Runs the task to its end. Whatever goes wrong is in the outcome.
    pub async fn run(&self) -> UnitOutcome {
        let scope = self.play.scope(self.world, Some(self.node), self.host);
        let (scope, told) = crate::told::watch(&scope, self.play);
        let started = Utc::now();
        let mut ran = match looping::run(self, &scope).await {
            Ok(ran) => ran,
            Err(UnitError::Task(error)) => Ran::of(error.into_result()),
            Err(UnitError::Unreachable(why)) => Ran {
                unreachable: Some(why.clone()),
                ..Ran::of(unreachable_result(&why))
            },
        };
        ran.raw = told.note(ran.raw);
        self.conclude(ran, &scope, started)
    }

    /// How many hosts may run the task at once; 0 is no limit.
    ///
    /// A keyword that cannot be rendered counts as not set.
    #[must_use]
    pub fn throttle(&self) -> u32 {
        match &self.node.keywords.throttle {
            None => 0,
            Some(Tmpl::Value(limit)) => *limit,
            Some(Tmpl::Template(text)) => {
                let scope = self.play.scope(self.world, Some(self.node), self.host);
                let cx = Evaluator {
                    engine: &self.world.engine,
                    scope: &scope,
                };
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "clamped"
                )]
                cx.number_of("throttle", text)
                    .ok()
                    .flatten()
                    .map_or(0, |limit| limit.clamp(0.0, 1e9) as u32)
            }
        }
    }

    /// Whether the task is run on one host for all; `in_step` tells whether the hosts go through the tasks together.
    ///
    /// A keyword that cannot be rendered counts as not set; the task then fails with the reason.
    #[must_use]
    pub fn is_run_once(&self, in_step: bool) -> bool {
        match self.node.call.short_name() {
            // They are done once for all.
            "add_host" | "pause" => return true,
            "meta" => {
                let request = actions::meta_request(&self.node.call.args);
                return match request.as_deref() {
                    Some("refresh_inventory") => true,
                    // What they do they do to all hosts, and the first decides.
                    Some("clear_facts" | "clear_host_errors" | "end_batch" | "end_play") => in_step,
                    _ => false,
                };
            }
            _ => {}
        }
        let flag = self.node.keywords.run_once.as_ref();
        if let Some(Tmpl::Template(_)) = flag {
            let scope = self.play.scope(self.world, Some(self.node), self.host);
            let cx = Evaluator {
                engine: &self.world.engine,
                scope: &scope,
            };
            return cx.flag("run_once", flag).ok().flatten().unwrap_or(false);
        }
        flag.and_then(Tmpl::as_value).copied().unwrap_or(false)
    }

    /// The handlers that a result of this task notifies: none unless something changed.
    pub(crate) fn notified(&self, result: &Object, scope: &Scope) -> Vec<String> {
        if !is(result, "changed") || is(result, "failed") {
            return Vec::new();
        }
        let mut names = Vec::new();
        for name in &self.node.keywords.notify.0 {
            let written = Value::String(name.clone());
            match self.world.engine.render_value(&written, scope) {
                // One template may give several names.
                Ok(Value::Array(several)) => names.extend(several.iter().map(py_str)),
                Ok(single) => names.push(py_str(&single)),
                Err(_) => names.push(name.clone()),
            }
        }
        names
    }

    /// Names a call of this task: run, host, place and item.
    pub(crate) fn key(&self, item: &str) -> String {
        format!(
            "{}/{}/{}/{item}",
            self.world.settings.run, self.host, self.id.path
        )
    }

    /// Resolves what the whole task needs to know before its first item.
    pub(crate) fn prepare(&self, scope: &Scope) -> Result<Prepared, TaskError> {
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        let keywords = &self.node.keywords;
        let mode = self.world.settings.mode;
        let delegate = cx.text_keyword("delegate_to", keywords.delegate_to.as_deref())?;
        check_keywords(&cx, keywords)?;
        Ok(Prepared {
            no_log: cx
                .flag("no_log", keywords.no_log.as_ref())?
                .unwrap_or(false),
            mode: Mode {
                check: cx
                    .flag("check_mode", keywords.check_mode.as_ref())?
                    .unwrap_or(mode.check),
                diff: cx
                    .flag("diff", keywords.diff.as_ref())?
                    .unwrap_or(mode.diff),
            },
            delegate: delegate.filter(|name| !name.is_empty()).map(HostName::from),
            delegates_facts: cx
                .flag("delegate_facts", keywords.delegate_facts.as_ref())?
                .unwrap_or(false),
            item: Object::new(),
        })
    }

    /// The variables of a task that another host runs: how that one is reached, where its own host does not say it.
    fn as_delegated(&self, scope: &Scope) -> Result<Scope, TaskError> {
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        let delegate = self.node.keywords.delegate_to.as_deref();
        let delegate = cx.text_keyword("delegate_to", delegate)?;
        let Some(delegate) = delegate.filter(|name| !name.is_empty()).map(HostName::from) else {
            return Ok(scope.clone());
        };
        let there = self.scope_of_delegate(&delegate);
        let reached = |name: &str| {
            let value = there
                .contains(name)
                .then(|| cx.engine.evaluate(name, &there));
            value.and_then(Result::ok).unwrap_or(Value::Null)
        };
        let mut about = Object::new();
        for name in ["ansible_host", "ansible_port", "ansible_user"] {
            about.insert(name.into(), reached(name));
        }
        let mut vars = Object::new();
        let record = self.world.hosts.record(self.host.as_str());
        if record.is_none_or(|record| !record.inventory.vars().contains_key("ansible_host")) {
            vars.extend(
                about
                    .get("ansible_host")
                    .map(|host| ("ansible_host".into(), host.clone())),
            );
        }
        let by_host = Object::from_iter([(delegate.to_string(), Value::Object(about))]);
        vars.insert("ansible_delegated_vars".into(), Value::Object(by_host));
        let scope = scope.extend().push_layer(Arc::new(vars), Trust::Untrusted);
        Ok(scope.build())
    }

    /// What is known of a host that the task is delegated to. The host in `inventory_hostname` is the task's own there too.
    fn scope_of_delegate(&self, delegate: &HostName) -> Scope {
        let there = self.play.scope(self.world, Some(self.node), delegate);
        let own = Value::String(self.host.to_string());
        let vars = Object::from_iter([("inventory_hostname".to_owned(), own)]);
        let there = there.extend().push_layer(Arc::new(vars), Trust::Untrusted);
        there.build()
    }

    /// Runs one item (or the task itself, without a loop) to the end of its attempts.
    pub(crate) async fn run_item(
        &self,
        scope: &Scope,
        key: &str,
        item: Option<&Object>,
    ) -> Result<Object, UnitError> {
        let scope = &self.as_delegated(scope)?;
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        if let Some(when) = &self.node.keywords.when
            && let Some(condition) = cx.conditions("when", when)?
        {
            return Ok(crate::result::skipped(&condition));
        }
        let mut prepared = self.prepare(scope)?;
        if let Some(item) = item.filter(|_| self.node.around.is_some()) {
            prepared.item.clone_from(item);
        }
        let result = attempt::run(self, scope, &prepared, key).await?;
        if let Some(host) = prepared.delegate.filter(|_| prepared.delegates_facts) {
            let mut effects = Effects::default();
            effects.add_facts(&result, self.node.call.short_name());
            let effects = Box::new(effects);
            self.requests.push(Request::Facts { host, effects });
        }
        Ok(result)
    }

    /// What an item comes to whose host could not be reached for an earlier one.
    pub(crate) fn run_item_of_lost_host(
        &self,
        scope: &Scope,
        why: &Unreachable,
    ) -> Result<Object, UnitError> {
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        match self
            .node
            .keywords
            .when
            .as_ref()
            .map(|when| cx.conditions("when", when))
        {
            Some(Ok(Some(condition))) => Ok(crate::result::skipped(&condition)),
            Some(Err(error)) => Err(error.into()),
            Some(Ok(None)) | None => Err(UnitError::Unreachable(why.clone())),
        }
    }

    /// Makes one attempt.
    pub(crate) async fn attempt(
        &self,
        scope: &Scope,
        prepared: &Prepared,
        key: String,
    ) -> Result<Object, UnitError> {
        let cx = Evaluator {
            engine: &self.world.engine,
            scope,
        };
        let keywords = &self.node.keywords;
        let place = prepared.delegate.as_ref().unwrap_or(self.host);
        let host_scope = match &prepared.delegate {
            Some(delegate) if delegate != self.host => self.scope_of_delegate(delegate),
            _ => scope.clone(),
        };
        let own = match &prepared.delegate {
            Some(delegate) if delegate != self.host => Keywords::default(),
            _ => keywords.clone(),
        };
        let timeout = cx.number("timeout", keywords.timeout.as_ref().map(as_f64).as_ref())?;
        let context = ActionContext {
            unit: self,
            cx,
            place,
            key,
            mode: prepared.mode,
            no_log: prepared.no_log,
            item: &prepared.item,
            connection: connection_vars(&cx, &host_scope, &own)?,
            host_scope: &host_scope,
            as_user: as_user(&cx, &host_scope, keywords, &self.world.settings)?,
            environment: cx.environment(keywords.environment.as_ref())?,
            background: Background::of(&cx, &self.node.task)?,
            timeout: timeout
                .filter(|secs| *secs > 0.0)
                .map(Duration::from_secs_f64)
                .or(self.world.settings.timeout),
        };
        actions::run(&context).await
    }

    /// Waits, unless the task is cancelled first.
    pub(crate) async fn pause(&self, time: Duration) -> Result<(), UnitError> {
        tokio::select! {
            () = tokio::time::sleep(time) => Ok(()),
            _ = self.cancel.raised_above(CancelLevel::Run) => Err(TaskError::new("cancelled").into()),
        }
    }

    pub(crate) fn tell(&self, event: EventKind) {
        self.world.events.note(event);
    }
}

/// Keywords that count only when the task has ended, or before it began: a wrong one fails the task before it does anything.
fn check_keywords(cx: &Evaluator<'_>, keywords: &Keywords) -> Result<(), TaskError> {
    for (field, flag) in [
        ("ignore_errors", &keywords.ignore_errors),
        ("ignore_unreachable", &keywords.ignore_unreachable),
        ("any_errors_fatal", &keywords.any_errors_fatal),
        ("run_once", &keywords.run_once),
    ] {
        cx.flag(field, flag.as_ref())?;
    }
    if let Some(Tmpl::Template(text)) = &keywords.throttle {
        cx.number_of("throttle", text)?;
    }
    Ok(())
}

pub(crate) fn as_f64(timeout: &Tmpl<u64>) -> Tmpl<f64> {
    match timeout {
        #[expect(clippy::cast_precision_loss, reason = "no timeout is that long")]
        Tmpl::Value(secs) => Tmpl::Value(*secs as f64),
        Tmpl::Template(text) => Tmpl::Template(text.clone()),
    }
}

/// Why a task has no result of its own.
#[derive(Debug)]
pub(crate) enum UnitError {
    Task(TaskError),
    Unreachable(Unreachable),
}

impl From<TaskError> for UnitError {
    fn from(error: TaskError) -> Self {
        Self::Task(error)
    }
}

impl From<Unreachable> for UnitError {
    fn from(unreachable: Unreachable) -> Self {
        Self::Unreachable(unreachable)
    }
}
