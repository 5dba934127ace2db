//! The run: one loop that owns its state.
//!
//! The loop waits for one thing at a time (a unit that ended, an event from inside a unit, a request to end, a tick),
//! turns it into events, appends them to the journal, tells the reporters, and then starts what may start. Nobody else
//! changes the run's state.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use crate::cursor::Step;
use crate::outcome::UnitOutcome;
use crate::play::PlayContext;
use crate::requests::Requests;
use crate::unit::Unit;
use crate::world::{EventSink, World};
use chrono::Utc;
use rustle_events::{
    EVENT_VERSION, Event, EventKind, ReportFold, Reporter, Tally, TaskPath, UnitId,
};
use rustle_process::{CancelLevel, CancelToken};
use rustle_types::{ExecutionOptions, ExecutionPlan, ExitStatus, HostName, ModuleCall, RunId};
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio::time::Instant;

use crate::execution::error::ExecutionError;
use crate::execution::executor::InventoryReader;
use crate::execution::hosts::HostBook;
use crate::execution::journal::Journal;
use crate::execution::replay::{self, Begin, Replay};
use crate::execution::roster::Roster;
use crate::execution::round::{Ended, Round, UnitRules};
use crate::execution::step::{Answer, Confirm};

/// How often reporters are told that time passes.
const TICK: Duration = Duration::from_millis(100);

/// Takes events from inside units to the loop. Never full: units are few, and their events small.
pub(crate) struct Sink(pub(crate) mpsc::UnboundedSender<EventKind>);

impl EventSink for Sink {
    fn note(&self, event: EventKind) {
        // The loop outlives the units; where it is gone, nobody wants to know.
        let _ = self.0.send(event);
    }
}

/// A unit that ended.
pub(crate) struct UnitEnd {
    pub(crate) id: UnitId,
    pub(crate) step: Step,
    pub(crate) ran_once: bool,
    pub(crate) outcome: UnitOutcome,
}

/// When the time of a run is over.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    limit: Duration,
    at: Instant,
}

impl Deadline {
    /// That long from now.
    pub(crate) fn after(limit: Duration) -> Self {
        Self {
            limit,
            at: Instant::now() + limit,
        }
    }

    /// Comes back when the time of a run is over, with how long it was; never where it has none.
    async fn passed(deadline: Option<Self>) -> Duration {
        match deadline {
            None => std::future::pending().await,
            Some(Self { limit, at }) => {
                tokio::time::sleep_until(at).await;
                limit
            }
        }
    }
}

/// A run that is under way.
pub(crate) struct Run<'a> {
    pub(crate) id: RunId,
    pub(crate) world: World,
    pub(crate) book: Arc<HostBook>,
    pub(crate) options: &'a ExecutionOptions,
    pub(crate) cancel: CancelToken,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) events: mpsc::UnboundedReceiver<EventKind>,
    pub(crate) journal: Option<Journal>,
    /// The first event of a run that is continued, and the number of the next.
    pub(crate) resumed: Option<(Event, u64)>,
    /// What was done before, where the run is continued.
    pub(crate) replay: Replay,
    /// Whether what happens now is in the journal already.
    pub(crate) is_replaying: bool,
    pub(crate) reruns_unknown: bool,
    pub(crate) reporters: &'a mut Vec<Box<dyn Reporter>>,
    pub(crate) confirm: Option<&'a mut Box<dyn Confirm>>,
    pub(crate) fold: ReportFold,
    pub(crate) tally: Tally,
    pub(crate) seq: u64,
    /// Hosts that failed or were unreachable, and take no part in later plays.
    pub(crate) lost: BTreeSet<HostName>,
    /// Reads the inventory again.
    pub(crate) reread: Option<InventoryReader>,
    pub(crate) has_failed: bool,
    pub(crate) has_unreachable: bool,
    pub(crate) is_over: bool,
    pub(crate) journal_error: Option<std::io::Error>,
    pub(crate) units: JoinSet<(UnitOutcome, bool)>,
    pub(crate) running: HashMap<tokio::task::Id, (UnitId, Step)>,
    pub(crate) confirmed: BTreeSet<TaskPath>,
}

/// How the play goes on after a slice.
pub(crate) enum AfterRound {
    NextSlice,
    EndPlay,
}

impl Run<'_> {
    /// Tells that the run begins, or goes on.
    pub(crate) fn begin(&mut self, plan: &ExecutionPlan, expected_units: u64) {
        if let Some(begin) = self.resumed.take() {
            return self.resume(begin);
        }
        self.emit(EventKind::RunStarted {
            event_version: EVENT_VERSION,
            run: self.id,
            rustle_version: env!("CARGO_PKG_VERSION").into(),
            plan: plan.metadata.all.clone(),
            plays: plan.plays.len(),
            expected_units,
            check: self.options.check,
            diff: self.options.diff,
        });
    }

    /// Tells that the run goes on, whose first event is given.
    fn resume(&mut self, (first, next): (Event, u64)) {
        self.tell(&first, true);
        self.seq = next;
        let done = self.replay.left();
        self.emit(EventKind::RunResumed { done });
    }

    /// Stamps an event, appends it to the journal and tells the reporters. What an earlier part of the run did is in the journal already.
    pub(crate) fn emit(&mut self, kind: EventKind) {
        let event = Event {
            seq: self.seq,
            at: Utc::now(),
            kind,
        };
        if self.is_replaying {
            return self.tell(&event, true);
        }
        if self.replay.left() > 0 && is_frame(&event.kind) {
            return self.tell(&event, false);
        }
        self.seq += 1;
        self.in_journal(|journal| journal.append(&event));
        self.tell(&event, false);
    }

    fn tell(&mut self, event: &Event, again: bool) {
        self.tally.note(&event.kind);
        self.fold.note(event);
        for reporter in self.reporters.iter_mut() {
            if again {
                reporter.replay(event);
            } else {
                reporter.note(event);
            }
        }
    }

    /// Takes a slice of hosts through its tasks.
    pub(crate) async fn round(
        &mut self,
        mut round: Round,
        play: &mut PlayContext,
        roster: &mut Roster,
    ) -> AfterRound {
        let mut ticks = tokio::time::interval(TICK);
        let mut end_play = false;
        self.refresh(play, roster, &round);
        self.warn_of_facts();
        loop {
            self.start(&mut round, play).await;
            if let Some(end) = self.replay.next() {
                self.is_replaying = true;
                end_play |= self.finish(end, &mut round, play, roster);
                self.is_replaying = false;
                continue;
            }
            if self.running.is_empty() {
                if round.spread_fatal() {
                    continue;
                }
                break;
            }
            self.in_journal(Journal::settle);
            tokio::select! {
                Some(ended) = self.units.join_next_with_id() => {
                    if let Some(end) = self.take_end(ended).and_then(|end| self.replay.hold(end)) {
                        end_play |= self.finish(end, &mut round, play, roster);
                    }
                }
                Some(kind) = self.events.recv() => self.emit(kind),
                _ = ticks.tick() => self.reporters.iter_mut().for_each(|reporter| reporter.tick()),
                _ = self.cancel.raised_above(CancelLevel::Run), if !round.is_closed() => {
                    round.close();
                    self.emit(EventKind::CancelRequested { reason: "the user asked for it".into() });
                }
                limit = Deadline::passed(self.deadline), if !round.is_closed() => {
                    self.cancel.raise(CancelLevel::Stop);
                    round.close();
                    let reason = format!("its time of {} s was over", limit.as_secs_f64());
                    self.emit(EventKind::CancelRequested { reason });
                }
            }
        }
        self.warn_of_facts();
        self.after_round(&round, play, end_play)
    }

    /// Tells what went wrong with the facts that are kept between runs.
    fn warn_of_facts(&mut self) {
        for message in self.book.take_warnings() {
            self.emit(EventKind::Warned { message });
        }
    }

    /// Starts what may start.
    async fn start(&mut self, round: &mut Round, play: &PlayContext) {
        if self.cancel.level() > CancelLevel::Run {
            return;
        }
        let world = self.world.clone();
        let in_step = round.is_in_step();
        let rules_of = |step: &Step, host: &HostName| {
            let unit = unit(&world, play, step, host, &CancelToken::new());
            UnitRules {
                runs_once: unit.is_run_once(in_step),
                throttle: unit.throttle(),
            }
        };
        loop {
            let free = (self.options.forks.max(1) as usize).saturating_sub(self.running.len());
            let mut has_passed = false;
            for (host, step) in round.startable(free, &rules_of) {
                if self.is_confirmed(&step).await {
                    self.launch(host, step, (play, in_step));
                } else {
                    let unit = UnitId {
                        path: step.place,
                        host,
                    };
                    round.note(&unit, Ended::Passed, false, Vec::new());
                    has_passed = true;
                }
            }
            if !has_passed {
                return;
            }
        }
    }

    /// Starts one unit, unless an earlier part of the run did it.
    fn launch(&mut self, host: HostName, step: Step, (play, in_step): (&PlayContext, bool)) {
        let id = UnitId {
            path: step.place.clone(),
            host: host.clone(),
        };
        let (world, play, cancel) = (self.world.clone(), play.clone(), self.cancel.clone());
        let ran_once = unit(&world, &play, &step, &host, &cancel).is_run_once(in_step);
        let is_safe = may_run_twice(&step.node.call);
        let begin = self
            .replay
            .begin(&id, ran_once, is_safe || self.reruns_unknown);
        self.is_replaying = matches!(begin, Begin::Again | Begin::Done(..));
        self.emit(EventKind::TaskStarted {
            unit: id.clone(),
            task: Arc::clone(&step.node.info),
        });
        self.is_replaying = false;
        if !is_safe {
            // Before it can have begun the system has it that it may have.
            self.in_journal(Journal::hand_over);
        }
        let outcome = match begin {
            Begin::Done(seq, outcome) => {
                let end = UnitEnd {
                    id,
                    step,
                    ran_once,
                    outcome: *outcome,
                };
                return self.replay.note(seq, end);
            }
            Begin::Unknown => Some(replay::unknown(&step.node, &host)),
            Begin::Hidden => Some(replay::hidden(&step.node, &host)),
            Begin::Fresh | Begin::Again => None,
        };
        let unit_step = step.clone();
        let task = self.units.spawn(async move {
            match outcome {
                Some(outcome) => (outcome, ran_once),
                None => {
                    let unit = unit(&world, &play, &unit_step, &host, &cancel);
                    (unit.run().await, ran_once)
                }
            }
        });
        self.running.insert(task.id(), (id, step));
    }

    /// The end of a unit; one that panicked ends as a failure of the program.
    fn take_end(
        &mut self,
        ended: Result<(tokio::task::Id, (UnitOutcome, bool)), JoinError>,
    ) -> Option<UnitEnd> {
        match ended {
            Ok((task, (outcome, ran_once))) => {
                let (id, step) = self.running.remove(&task)?;
                Some(UnitEnd {
                    id,
                    step,
                    ran_once,
                    outcome,
                })
            }
            Err(error) => {
                let (id, step) = self.running.remove(&error.id())?;
                let outcome =
                    UnitOutcome::of_internal_error(&step.node, &id.host, &error.to_string());
                Some(UnitEnd {
                    id,
                    step,
                    ran_once: false,
                    outcome,
                })
            }
        }
    }

    async fn is_confirmed(&mut self, step: &Step) -> bool {
        let Some(confirm) = self.confirm.as_mut() else {
            return true;
        };
        if step.node.info.is_implicit || self.confirmed.contains(&step.place) {
            return true;
        }
        match confirm.ask(&step.node.info.name).await {
            Answer::Yes => {
                self.confirmed.insert(step.place.clone());
                true
            }
            Answer::No => false,
            Answer::Continue => {
                self.confirm = None;
                true
            }
        }
    }

    /// Does something with the journal; where that fails the run goes on without one.
    fn in_journal(&mut self, act: impl FnOnce(&mut Journal) -> std::io::Result<()>) {
        if let Some(journal) = &mut self.journal
            && let Err(error) = act(journal)
        {
            self.journal_error.get_or_insert(error);
            self.journal = None;
        }
    }

    /// Tells that the run has ended, and how; `error` is why it could not go on.
    pub(crate) fn end(&mut self, error: Option<&ExecutionError>) -> ExitStatus {
        let connections = self.world.invoker.connections();
        while let Ok(kind) = self.events.try_recv() {
            self.emit(kind);
        }
        let exit = if self.cancel.level() > CancelLevel::Run {
            ExitStatus::Cancelled
        } else if self.journal_error.is_some() {
            ExitStatus::NotRecorded
        } else if let Some(error) = error {
            error.exit_status()
        } else {
            ExitStatus::of_run(self.has_failed, self.has_unreachable)
        };
        self.emit(EventKind::RunFinished {
            exit,
            connect_ms: connections.connect_ms,
            reconnects: connections.reconnects,
            agents_uploaded: connections.agents_uploaded,
        });
        self.in_journal(Journal::sync);
        self.reporters
            .iter_mut()
            .for_each(|reporter| reporter.finish());
        exit
    }
}

/// Whether an event belongs to the frame of a run, and not to what is done on hosts.
const fn is_frame(event: &EventKind) -> bool {
    matches!(
        event,
        EventKind::PlayStarted { .. }
            | EventKind::PlaySkipped { .. }
            | EventKind::BatchStarted { .. }
            | EventKind::PlayFinished { .. }
    )
}

/// Whether a task may be done twice. Modules look before they act, but for those that run what the user wrote.
fn may_run_twice(call: &ModuleCall) -> bool {
    let is_given = |name: &str| call.args.get(name).is_some_and(|path| !path.is_null());
    match call.short_name() {
        "reboot" => false,
        "command" | "shell" | "raw" | "script" | "expect" => {
            is_given("creates") || is_given("removes")
        }
        _ => true,
    }
}

fn unit<'a>(
    world: &'a World,
    play: &'a PlayContext,
    step: &'a Step,
    host: &'a HostName,
    cancel: &CancelToken,
) -> Unit<'a> {
    let id = UnitId {
        path: step.place.clone(),
        host: host.clone(),
    };
    Unit {
        world,
        play,
        node: &step.node,
        host,
        id,
        cancel: cancel.clone(),
        requests: Requests::default(),
    }
}
