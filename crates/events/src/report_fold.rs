//! The report of a run, folded from its events.

mod custom_stats;
mod failures;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use indexmap::IndexMap;
use rustle_types::{
    ExecutionReport, HostConnection, HostName, NotRunHandler, Object, PerformanceMetrics, RunId,
    SlowTask, StopReason, TaskResult, TaskStatus,
};

pub use self::failures::error_text;
use self::failures::{Around, Failures};
use crate::event::{Event, EventKind, TaskInfo, UnitId};
use crate::tally::Tally;

/// How many of the slowest tasks a report names.
const SLOWEST: usize = 10;

/// A task at work on a host.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningTask {
    /// About the task.
    pub task: Arc<TaskInfo>,
    /// When it began.
    pub since: DateTime<Utc>,
}

/// Folds the events of a run into its [`ExecutionReport`].
///
/// Any prefix of a run folds: a report of a run that was cut off ends with the last event that is known. What grows with
/// the run are the results alone, and those only where they are asked for.
#[derive(Clone, Debug, Default)]
pub struct ReportFold {
    drops_results: bool,
    begin: Option<Begin>,
    last_at: Option<DateTime<Utc>>,
    tally: Tally,
    plays: HashMap<usize, String>,
    play: Option<String>,
    running: IndexMap<UnitId, RunningTask>,
    results: Vec<TaskResult>,
    failures: Failures,
    metrics: PerformanceMetrics,
    not_run_handlers: Vec<NotRunHandler>,
    stop_reasons: Vec<StopReason>,
    connections: IndexMap<HostName, HostConnection>,
    custom_stats: Object,
}

#[derive(Clone, Debug)]
struct Begin {
    run: RunId,
    rustle_version: String,
    plan: Object,
    at: DateTime<Utc>,
}

impl ReportFold {
    /// Makes a fold that keeps every result.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a fold whose report has no `task_results`, and whose size does not grow with the tasks that went well.
    #[must_use]
    pub fn without_results() -> Self {
        Self {
            drops_results: true,
            ..Self::default()
        }
    }

    /// The numbers so far.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The tasks at work, the one that began first in front.
    #[must_use]
    pub fn running(&self) -> &IndexMap<UnitId, RunningTask> {
        &self.running
    }

    /// Takes the next event into account.
    pub fn note(&mut self, event: &Event) {
        self.last_at = Some(event.at);
        self.tally.note(&event.kind);
        match &event.kind {
            EventKind::RunStarted {
                run,
                rustle_version,
                plan,
                ..
            } => {
                let (rustle_version, plan) = (rustle_version.clone(), plan.clone());
                self.begin = Some(Begin {
                    run: *run,
                    rustle_version,
                    plan,
                    at: event.at,
                });
            }
            EventKind::PlayStarted { play, name, .. } => self.start_play(*play, name),
            EventKind::TaskStarted { unit, task } => self.start_task(unit, task, event.at),
            EventKind::TaskRetrying { .. } => self.metrics.retries += 1,
            EventKind::TaskFinished { .. } => self.end_task(event),
            EventKind::HostConnected { host, connection } => {
                self.metrics.connect_ms += connection.connect_ms;
                self.connections.insert(host.clone(), connection.clone());
            }
            EventKind::HostUnreachable { host, reason, hint } => {
                let around = Around {
                    play: self.play.as_ref(),
                    task: None,
                    at: event.at,
                };
                self.failures
                    .note_loss(host, reason, hint.as_ref(), &around);
            }
            EventKind::StatsSet {
                host,
                data,
                aggregate,
            } => {
                let whose = host.as_ref().map_or("_run", HostName::as_str);
                custom_stats::add(&mut self.custom_stats, whose, data, *aggregate);
            }
            EventKind::PlayStopped { stop } => self.stop_reasons.push(stop.clone()),
            EventKind::HandlersNotRun { handlers } => {
                self.not_run_handlers.extend_from_slice(handlers)
            }
            EventKind::RunFinished {
                connect_ms,
                reconnects,
                agents_uploaded,
                ..
            } => {
                self.metrics.connect_ms = *connect_ms;
                self.metrics.reconnects = *reconnects;
                self.metrics.agents_uploaded = *agents_uploaded;
            }
            _ => {}
        }
    }

    /// The report of all that was noted; nothing where the run did not begin.
    #[must_use]
    pub fn finish(self) -> Option<ExecutionReport> {
        let begin = self.begin?;
        let end = self.last_at.unwrap_or(begin.at);
        let duration = (end - begin.at).to_std().unwrap_or_default();
        let metrics = PerformanceMetrics {
            wall_ms: millis(duration),
            tasks_per_second: if duration.is_zero() {
                0.0
            } else {
                f64::from(self.tally.total) / duration.as_secs_f64()
            },
            ..self.metrics
        };
        Some(ExecutionReport {
            execution_id: begin.run,
            rustle_version: begin.rustle_version,
            plan: begin.plan,
            start_time: begin.at,
            end_time: end,
            duration,
            summary: self.tally.summary(),
            host_results: self.tally.hosts.clone(),
            stats: self.tally.hosts,
            task_results: self.results,
            failures: self.failures.list,
            performance_metrics: metrics,
            not_run_handlers: self.not_run_handlers,
            stop_reasons: self.stop_reasons,
            custom_stats: self.custom_stats,
            host_connections: self.connections,
        })
    }

    fn start_play(&mut self, play: usize, name: &str) {
        self.plays.insert(play, name.to_owned());
        self.play = Some(name.to_owned());
        self.failures.start_play();
    }

    fn start_task(&mut self, unit: &UnitId, task: &Arc<TaskInfo>, at: DateTime<Utc>) {
        self.running.insert(
            unit.clone(),
            RunningTask {
                task: Arc::clone(task),
                since: at,
            },
        );
        let at_work = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        self.metrics.peak_parallelism = self.metrics.peak_parallelism.max(at_work);
    }

    fn end_task(&mut self, event: &Event) {
        let EventKind::TaskFinished {
            unit,
            result,
            is_rescued,
            is_ignored,
            is_counted,
            ..
        } = &event.kind
        else {
            return;
        };
        let is_settled = *is_rescued || *is_ignored;
        let started = self.running.shift_remove(unit);
        let is_shown = *is_counted && !started.as_ref().is_some_and(|run| run.task.is_implicit);
        self.count_task(result, started.as_ref(), is_settled, event.at);
        let is_kept = is_shown || result.failed || result.status == TaskStatus::Unreachable;
        if is_kept && !self.drops_results {
            self.results.push(TaskResult::clone(result));
        }
    }

    fn count_task(
        &mut self,
        result: &TaskResult,
        started: Option<&RunningTask>,
        is_settled: bool,
        at: DateTime<Utc>,
    ) {
        let task = started.map(|run| &*run.task);
        let since_start = || started.and_then(|run| (at - run.since).to_std().ok());
        let elapsed = result.duration.or_else(since_start).unwrap_or_default();
        self.measure(result, task, elapsed);
        let named = result.play_index.and_then(|play| self.plays.get(&play));
        let play = named.or(self.play.as_ref());
        self.failures
            .note_result(result, is_settled, &Around { play, task, at });
    }

    fn measure(&mut self, result: &TaskResult, info: Option<&TaskInfo>, elapsed: Duration) {
        let elapsed_ms = millis(elapsed);
        self.metrics.task_ms += elapsed_ms;
        let module = result
            .module
            .as_deref()
            .or(info.map(|info| info.module.as_str()))
            .unwrap_or_default();
        if matches!(module.rsplit('.').next(), Some("setup" | "gather_facts")) {
            self.metrics.facts_ms += elapsed_ms;
        }
        let slowest = &mut self.metrics.slowest_tasks;
        let place = slowest.partition_point(|slow| slow.elapsed_ms >= elapsed_ms);
        if elapsed_ms > 0 && place < SLOWEST {
            let (task_name, host) = (result.task_name.clone(), result.host.clone());
            slowest.insert(
                place,
                SlowTask {
                    task_name,
                    host,
                    elapsed_ms,
                },
            );
            slowest.truncate(SLOWEST);
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::TaskPath;
    use rustle_types::{ExitStatus, FailureKind, HostSummary};

    const RUN: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_760_000_000_000 + ms).unwrap()
    }

    fn unit(step: u32, host: &str) -> UnitId {
        UnitId {
            path: TaskPath(vec![0, step]),
            host: host.into(),
        }
    }

    fn started(step: u32, host: &str, module: &str, is_implicit: bool) -> EventKind {
        let task = TaskInfo {
            name: format!("Task {step}"),
            module: module.into(),
            is_handler: false,
            is_implicit,
        };
        EventKind::TaskStarted {
            unit: unit(step, host),
            task: Arc::new(task),
        }
    }

    fn ended(step: u32, host: &str, status: TaskStatus, ms: u64) -> EventKind {
        let result = TaskResult {
            status,
            failed: matches!(status, TaskStatus::Failed),
            error: matches!(status, TaskStatus::Failed | TaskStatus::Unreachable)
                .then(|| "it broke".into()),
            duration: Some(Duration::from_millis(ms)),
            ..TaskResult::started(
                format!("t{step}"),
                format!("Task {step}"),
                host.into(),
                at(0),
            )
        };
        let (unit, effects) = (unit(step, host), Object::new());
        EventKind::TaskFinished {
            unit,
            result: Box::new(result),
            effects,
            is_rescued: false,
            is_ignored: false,
            is_counted: true,
        }
    }

    fn begin() -> Vec<EventKind> {
        let run = EventKind::RunStarted {
            event_version: 1,
            run: RUN.parse().unwrap(),
            rustle_version: "0.1.0".into(),
            plan: Object::new(),
            plays: 1,
            expected_units: 4,
            check: false,
            diff: false,
        };
        let hosts = vec!["web1".into(), "web2".into()];
        vec![
            run,
            EventKind::PlayStarted {
                play: 0,
                name: "web".into(),
                hosts,
                strategy: "linear".into(),
            },
        ]
    }

    fn fold(events: Vec<EventKind>) -> ExecutionReport {
        let mut fold = ReportFold::new();
        for (seq, kind) in (0..).zip(begin().into_iter().chain(events)) {
            fold.note(&Event {
                seq,
                at: at(i64::try_from(seq).unwrap() * 100),
                kind,
            });
        }
        fold.finish().unwrap()
    }

    #[test]
    fn report_counts_times_and_names_what_failed() {
        let report = fold(vec![
            started(0, "web1", "ansible.builtin.setup", false),
            started(0, "web2", "ansible.builtin.setup", false),
            ended(0, "web1", TaskStatus::Completed, 40),
            ended(0, "web2", TaskStatus::Completed, 50),
            started(1, "web1", "command", false),
            ended(1, "web1", TaskStatus::Failed, 70),
            EventKind::RunFinished {
                exit: ExitStatus::TaskFailed,
                connect_ms: 12,
                reconnects: 1,
                agents_uploaded: 0,
            },
        ]);
        let metrics = &report.performance_metrics;
        assert_eq!(
            (
                metrics.task_ms,
                metrics.facts_ms,
                metrics.connect_ms,
                metrics.reconnects
            ),
            (160, 90, 12, 1)
        );
        assert_eq!((metrics.peak_parallelism, metrics.wall_ms), (2, 800));
        assert!((metrics.tasks_per_second - 3.75).abs() < 1e-9);
        let slowest: Vec<u64> = metrics
            .slowest_tasks
            .iter()
            .map(|slow| slow.elapsed_ms)
            .collect();
        assert_eq!(slowest, [70, 50, 40]);
        assert_eq!(
            report.stats["web1"],
            HostSummary {
                ok: 1,
                failures: 1,
                ..HostSummary::default()
            }
        );
        assert_eq!((report.task_results.len(), report.failures.len()), (3, 1));
        let failure = &report.failures[0];
        assert_eq!(
            (failure.play.as_deref(), failure.module.as_deref()),
            (Some("web"), Some("command"))
        );
        assert_eq!(
            (failure.kind, &*failure.error),
            (FailureKind::Failed, "it broke")
        );
    }

    #[test]
    fn implicit_tasks_are_results_only_when_they_fail() {
        let report = fold(vec![
            started(0, "web1", "meta", true),
            ended(0, "web1", TaskStatus::Completed, 0),
            started(1, "web1", "meta", true),
            ended(1, "web1", TaskStatus::Failed, 0),
        ]);
        let shown: Vec<&str> = report
            .task_results
            .iter()
            .map(|result| &*result.task_name)
            .collect();
        assert_eq!(shown, ["Task 1"]);
    }

    #[test]
    fn run_that_never_began_has_no_report() {
        assert_eq!(ReportFold::new().finish(), None);
    }
}
