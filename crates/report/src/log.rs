//! A run as log records.

use rustle_events::{Event, EventKind, Reporter, TaskPath, error_text};
use rustle_types::{TaskResult, TaskStatus};
use tracing::{debug, error, info, warn};

use crate::escape::escape_line;

/// Tells a run through `tracing`, target `rustle::run`: failures as errors, lost hosts as warnings, changes as information,
/// the rest for debugging. Control characters are escaped, for logs are read on terminals.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogReporter;

impl Reporter for LogReporter {
    fn replay(&mut self, _event: &Event) {}

    fn note(&mut self, event: &Event) {
        match &event.kind {
            EventKind::TaskFinished {
                unit,
                result,
                is_rescued,
                is_ignored,
                ..
            } => {
                log_result(&unit.path, result, *is_rescued || *is_ignored);
            }
            EventKind::HostUnreachable { host, reason, hint } => {
                let (host, reason) = (escape_line(host.as_str()), escape_line(reason));
                let hint = hint.as_deref().map(escape_line);
                warn!(target: "rustle::run", %host, %reason, hint = hint.as_deref(), "host unreachable");
            }
            EventKind::Warned { message } => {
                warn!(target: "rustle::run", "{}", escape_line(message));
            }
            EventKind::CancelRequested { reason } => {
                warn!(target: "rustle::run", reason = %escape_line(reason), "cancel requested");
            }
            EventKind::PlayStopped { stop } => {
                let host = stop
                    .host
                    .as_ref()
                    .map(|host| escape_line(host.as_str()).into_owned());
                warn!(target: "rustle::run", host, reason = %escape_line(&stop.reason), "play stopped");
            }
            other => log_course(other),
        }
    }
}

fn log_course(event: &EventKind) {
    match event {
        EventKind::RunStarted {
            run,
            rustle_version,
            check,
            ..
        } => {
            info!(target: "rustle::run", %run, version = %rustle_version, check, "run started");
        }
        EventKind::RunResumed { done } => {
            info!(target: "rustle::run", done, "run resumed");
        }
        EventKind::PlayStarted {
            name,
            hosts,
            strategy,
            ..
        } => {
            let (play, hosts) = (escape_line(name), hosts.len());
            info!(target: "rustle::run", %play, hosts, %strategy, "play started");
        }
        EventKind::PlaySkipped { name, reason, .. } => {
            let (play, reason) = (escape_line(name), escape_line(reason));
            info!(target: "rustle::run", %play, %reason, "play skipped");
        }
        EventKind::HostConnected { host, connection } => {
            let (host, kind) = (escape_line(host.as_str()), &connection.connection);
            debug!(target: "rustle::run", %host, %kind, connect_ms = connection.connect_ms, "host connected");
        }
        EventKind::TaskStarted { unit, task } => {
            let (host, task) = (escape_line(unit.host.as_str()), escape_line(&task.name));
            debug!(target: "rustle::run", %host, %task, path = %unit.path, "task started");
        }
        EventKind::TaskRetrying {
            unit,
            attempt,
            left,
            ..
        } => {
            let host = escape_line(unit.host.as_str());
            info!(target: "rustle::run", %host, path = %unit.path, attempt, left, "task retrying");
        }
        EventKind::HandlersNotRun { handlers } => {
            for handler in handlers {
                let (host, name) = (
                    escape_line(handler.host.as_str()),
                    escape_line(&handler.handler),
                );
                let reason = escape_line(&handler.reason);
                warn!(target: "rustle::run", %host, handler = %name, %reason, "handler not run");
            }
        }
        EventKind::RunFinished { exit, .. } => {
            info!(target: "rustle::run", exit = exit.code(), "run finished: {}", exit.meaning());
        }
        _ => {}
    }
}

fn log_result(path: &TaskPath, result: &TaskResult, is_settled: bool) {
    let (host, task) = (
        escape_line(result.host.as_str()),
        escape_line(&result.task_name),
    );
    let elapsed_ms = result
        .duration
        .map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
    match result.status {
        TaskStatus::Failed if !is_settled => {
            let (reason, status) = (error_text(result), result.return_code);
            let reason = escape_line(&reason);
            error!(target: "rustle::run", %host, %task, %path, elapsed_ms, status, %reason, "failed");
        }
        TaskStatus::Unreachable if !is_settled => {
            let reason = error_text(result);
            warn!(target: "rustle::run", %host, %task, %path, reason = %escape_line(&reason), "unreachable");
        }
        TaskStatus::Failed
        | TaskStatus::Rescued
        | TaskStatus::Ignored
        | TaskStatus::Unreachable => {
            let (reason, word) = (
                error_text(result),
                if result.status == TaskStatus::Failed {
                    "rescued"
                } else {
                    "host goes on"
                },
            );
            info!(target: "rustle::run", %host, %task, %path, elapsed_ms, reason = %escape_line(&reason), "failed, {word}");
        }
        TaskStatus::Completed if result.changed => {
            info!(target: "rustle::run", %host, %task, %path, elapsed_ms, "changed");
        }
        TaskStatus::Skipped => debug!(target: "rustle::run", %host, %task, %path, "skipped"),
        _ => debug!(target: "rustle::run", %host, %task, %path, elapsed_ms, "ok"),
    }
}

#[cfg(test)]
mod tests {
    use rustle_types::ExitStatus;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::story::{Shared, Story, changed, failed, ok};

    #[test]
    fn levels_follow_what_happened() {
        let shared = Shared::default();
        let writer = shared.clone();
        let layer = tracing_subscriber::fmt::layer()
            .without_time()
            .with_ansi(false);
        let layer = layer.with_writer(move || writer.clone());
        let mut story = Story::begin("web", &["web1", "web2", "web3"]);
        let ends = [
            ("web1", ok()),
            ("web2", changed()),
            ("web3", failed("no\x1b[2J\nspace")),
        ];
        story.task(0, "Ping", "ping", &ends);
        let (host, reason) = ("web1".into(), "refused".into());
        story.tell(EventKind::HostUnreachable {
            host,
            reason,
            hint: Some("is sshd up?".into()),
        });
        story.finish(ExitStatus::TaskFailedAndHostUnreachable);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            story.play_to(&mut LogReporter);
        });
        insta::assert_snapshot!(shared.text());
    }
}
