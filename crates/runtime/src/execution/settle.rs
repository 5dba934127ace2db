//! What follows from the end of a unit, and from the end of a slice.

use std::collections::HashSet;

use crate::cursor::{Fate, Step};
use crate::include::is_include;
use crate::outcome::UnitOutcome;
use crate::play::PlayContext;
use crate::requests::Request;
use crate::world::Unreachable;
use rustle_events::{EventKind, UnitId};
use rustle_process::CancelLevel;
use rustle_types::{HostName, NotRunHandler, Object, StopReason, TaskStatus, Tmpl};
use serde_json::{Value, json};

use crate::execution::replay::NOTIFY;
use crate::execution::roster::Roster;
use crate::execution::round::{Ended, Round};
use crate::execution::run::{AfterRound, Run, UnitEnd};
use crate::execution::slot::HostState;
use crate::execution::stop::Stop;

impl Run<'_> {
    /// Takes the end of a unit into account; tells whether the play ends with it.
    pub(crate) fn finish(
        &mut self,
        end: UnitEnd,
        round: &mut Round,
        play: &mut PlayContext,
        roster: &mut Roster,
    ) -> bool {
        while let Ok(kind) = self.events.try_recv() {
            self.emit(kind);
        }
        let UnitEnd {
            id,
            step,
            ran_once,
            outcome,
        } = end;
        let ended = match outcome.result.status {
            TaskStatus::Unreachable if !outcome.ignores_unreachable => Ended::Unreachable,
            TaskStatus::Failed => Ended::Failed,
            _ => Ended::Passed,
        };
        self.apply(&outcome, &step, &id.host, ran_once, round);
        // A handler may notify one that follows it at once, so this comes before the host goes on.
        let unknown = round.notify(&id.host, &outcome.notify);
        let requests = outcome.effects.requests.clone();
        let asks = |wanted: &str| {
            requests
                .iter()
                .any(|request| matches!(request, Request::Meta(meta) if meta == wanted))
        };
        let fate = if asks("flush_handlers") {
            round.flush(&id);
            None
        } else if asks("end_role") {
            round.end_role(&id);
            None
        } else {
            let lists = match ended {
                Ended::Passed => self.bring_in(&requests, &id.host, &step, round, play),
                Ended::Failed | Ended::Unreachable => Vec::new(),
            };
            round.note(&id, ended, ran_once, lists)
        };
        // A `rescue` is told nothing of an include that is not there.
        if fate == Some(Fate::Rescued) && !outcome.is_missing_include {
            self.book.set(&id.host, rescue_vars(&step, &outcome));
        }
        if fate.is_some() {
            if outcome.is_fatal_for_all {
                round.note_fatal(&id.host, &step.place);
            }
            round.hold_if_lost(&step.place);
            self.refresh(play, roster, round);
        }
        let host = id.host.clone();
        let (notify, unreachable) = self.tell_end(id, &step, outcome, ended, fate);
        self.tell_unreachable(&host, ended, unreachable);
        self.tell_notified(&host, notify, unknown);
        if requests.is_empty() {
            return false;
        }
        let ends_play = self.grant(requests, &host, round);
        self.refresh(play, roster, round);
        ends_play
    }

    /// Tells how a unit ended.
    fn tell_end(
        &mut self,
        id: UnitId,
        step: &Step,
        outcome: UnitOutcome,
        ended: Ended,
        fate: Option<Fate>,
    ) -> (Vec<String>, Option<Unreachable>) {
        let UnitOutcome {
            result,
            effects,
            notify,
            unreachable,
            is_secret,
            is_missing_include,
            ..
        } = outcome;
        let has_no_tasks = result.skipped || result.failed;
        let mut effects = if is_secret {
            effects.to_secret_object()
        } else {
            effects.to_object()
        };
        // In one record with the end of the task, so that no crash comes between.
        if !notify.is_empty() {
            effects.insert(NOTIFY.into(), json!(notify));
        }
        self.emit(EventKind::TaskFinished {
            unit: id,
            result: Box::new(result),
            effects,
            is_rescued: fate == Some(Fate::Rescued) && !is_missing_include,
            is_ignored: ended == Ended::Passed && unreachable.is_some(),
            is_counted: is_counted(step, has_no_tasks) || ended != Ended::Passed,
        });
        (notify, unreachable)
    }

    /// Applies what a unit left behind: for its host, for the one it was delegated to, or for all.
    fn apply(
        &self,
        outcome: &UnitOutcome,
        step: &Step,
        host: &HostName,
        ran_once: bool,
        round: &Round,
    ) {
        let effects = &outcome.effects;
        // A module that is run once by its nature leaves its result with its own host alone.
        let is_asked_for = !matches!(step.node.keywords.run_once, None | Some(Tmpl::Value(false)));
        if ran_once && is_asked_for {
            round
                .hosts()
                .for_each(|(host, _)| self.book.apply(host, effects));
        } else {
            self.book.apply(host, effects);
        }
    }

    fn tell_unreachable(
        &mut self,
        host: &HostName,
        ended: Ended,
        unreachable: Option<Unreachable>,
    ) {
        let Some(why) = unreachable else { return };
        if ended == Ended::Unreachable {
            self.emit(EventKind::HostUnreachable {
                host: host.clone(),
                reason: why.reason,
                hint: why.hint,
            });
        } else {
            self.emit(EventKind::Warned {
                message: format!("{host} could not be reached, and goes on: {}", why.reason),
            });
        }
    }

    fn tell_notified(&mut self, host: &HostName, names: Vec<String>, unknown: Vec<String>) {
        if names.is_empty() {
            return;
        }
        for unknown in unknown {
            self.emit(EventKind::Warned {
                message: format!("{host} notified `{unknown}`, and no handler has that name"),
            });
        }
        self.emit(EventKind::HandlersNotified {
            host: host.clone(),
            handlers: names,
        });
    }

    /// Does what a `meta` task asks for; tells whether the play ends.
    pub(crate) fn meta(&mut self, request: &str, round: &mut Round, host: &HostName) -> bool {
        match request {
            "end_host" => round.end_host(host),
            "end_batch" => round.end_all(),
            "end_play" => {
                round.end_all();
                return true;
            }
            "refresh_inventory" => self.refresh_inventory(),
            "clear_facts" if round.is_in_step() => {
                round
                    .hosts()
                    .for_each(|(host, _)| self.book.clear_facts(host));
            }
            "clear_facts" => self.book.clear_facts(host),
            "clear_host_errors" => {
                round.forgive();
                self.lost.clear();
                self.has_failed = false;
                self.has_unreachable = false;
            }
            _ => {}
        }
        false
    }

    /// Tells tasks which hosts are still in the play.
    pub(crate) fn refresh(&self, play: &mut PlayContext, roster: &mut Roster, round: &Round) {
        let gone: HashSet<&HostName> = round.removed().collect();
        let is_in = |host: &&HostName| !self.lost.contains(*host) && !gone.contains(*host);
        let all = roster.hosts(&self.book, self.options);
        let active: Vec<HostName> = all.iter().filter(is_in).cloned().collect();
        let batch: Vec<HostName> = round
            .hosts()
            .map(|(host, _)| host)
            .filter(is_in)
            .cloned()
            .collect();
        play.hosts = PlayContext::host_vars(all, &active, &batch);
    }

    /// What follows from how a slice ended.
    pub(crate) fn after_round(
        &mut self,
        round: &Round,
        play: &PlayContext,
        end_play: bool,
    ) -> AfterRound {
        let is_cancelled = self.cancel.level() > CancelLevel::Run;
        for (host, state) in round.hosts().filter(|(_, state)| state.is_lost()) {
            self.lost.insert(host.clone());
            self.has_failed |= state == HostState::Failed;
            self.has_unreachable |= state == HostState::Unreachable;
        }
        let left: Vec<NotRunHandler> = round
            .not_run()
            .into_iter()
            .map(|(host, handler, state)| {
                let reason = match state {
                    HostState::Active if is_cancelled => "the run was cancelled",
                    HostState::Active | HostState::Left => "the play ended early",
                    HostState::Failed => "a task failed on the host",
                    HostState::Unreachable => "the host could not be reached",
                };
                NotRunHandler {
                    host,
                    handler,
                    reason: reason.into(),
                }
            })
            .collect();
        if !left.is_empty() {
            self.emit(EventKind::HandlersNotRun { handlers: left });
        }
        let losses = round.losses();
        let stop = if is_cancelled {
            Stop::Everything("the run was cancelled")
        } else {
            losses.after_slice()
        };
        let (reason, after) = match stop {
            Stop::Nothing if end_play => return AfterRound::EndPlay,
            Stop::Nothing => return AfterRound::NextSlice,
            Stop::LaterSlices(reason) => (reason, AfterRound::EndPlay),
            Stop::Everything(reason) => {
                self.is_over = true;
                (reason, AfterRound::EndPlay)
            }
        };
        let stop = StopReason {
            play: Some(play.name.clone()),
            host: None,
            reason: reason.into(),
        };
        self.emit(EventKind::PlayStopped { stop });
        after
    }
}

/// What a `rescue` knows of the failure.
fn rescue_vars(step: &Step, outcome: &UnitOutcome) -> Object {
    let name = match &step.node.task.name {
        Some(name) if !name.is_empty() => &*outcome.result.task_name,
        _ => "",
    };
    let call = &step.node.call;
    let task = json!({"name": name, "action": call.module, "args": call.args});
    let result = outcome.result.result.clone().unwrap_or(Value::Null);
    [
        ("ansible_failed_task".to_owned(), task),
        ("ansible_failed_result".to_owned(), result),
    ]
    .into_iter()
    .collect()
}

/// Whether a task counts by itself: a `meta` never does, and an include counts by what it brought in.
fn is_counted(step: &Step, has_no_tasks: bool) -> bool {
    let module = step.node.call.short_name();
    module != "meta" && (has_no_tasks || !is_include(module))
}
