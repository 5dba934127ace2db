//! What an ended command means for its task.

use rustle_module::{Failure, Object, Output};
use rustle_process::{Captured, Finished, Outcome, OutputStream, ProcessError, TimeLimit};
use serde_json::Value;

use crate::report::Report;
use crate::text::{NotUtf8, lossy, strict};

/// How much of unreadable output a warning shows, in characters.
const SHOWN_CHARACTERS: usize = 500;

/// The result of a command that was started. It counts as a change, whatever its return code is.
pub(crate) fn judge(finished: &Finished, cmd: &Value, strip: bool) -> Result<Output, Failure> {
    let warnings = cut_warnings(finished);
    let interrupted = interruption(finished);
    let texts = match &interrupted {
        // What there is of it is worth more than its encoding.
        Some(_) => Ok((lossy(&finished.stdout), lossy(&finished.stderr))),
        None => strict(&finished.stdout).and_then(|stdout| Ok((stdout, strict(&finished.stderr)?))),
    };
    let (stdout, stderr) = texts.map_err(|error| unreadable(finished, &error))?;
    let rc = finished.status.to_return_code();
    let report = Report {
        stdout: ends(stdout, strip),
        stderr: ends(stderr, strip),
        rc: Some(rc),
        cmd: cmd.clone(),
        span: Some((finished.started, finished.elapsed)),
    };
    let mut result = report.into_object();
    mark_cut(&mut result, finished);
    let msg = interrupted.or_else(|| (rc != 0).then(|| "non-zero return code".to_owned()));
    if let Some(msg) = msg {
        return Err(Failure {
            msg,
            result,
            changed: true,
            warnings,
        });
    }
    result.insert("msg".to_owned(), "".into());
    Ok(Output {
        result,
        changed: None,
        warnings,
    })
}

/// The result of a text that a shell was given: return code and output as they are.
pub(crate) fn judge_plainly(finished: &Finished) -> Result<Output, Failure> {
    let rc = finished.status.to_return_code();
    let keys: [(&str, Value); 3] = [
        ("rc", rc.into()),
        ("stdout", lossy(&finished.stdout).into()),
        ("stderr", lossy(&finished.stderr).into()),
    ];
    let mut result = Object::from_iter(keys.map(|(key, value)| (key.to_owned(), value)));
    mark_cut(&mut result, finished);
    let warnings = cut_warnings(finished);
    let failed = (rc != 0).then(|| "non-zero return code".to_owned());
    match interruption(finished).or(failed) {
        Some(msg) => Err(Failure {
            msg,
            result,
            changed: true,
            warnings,
        }),
        None => Ok(Output {
            result,
            changed: None,
            warnings,
        }),
    }
}

/// The code a shell has for what it could not start; nothing was changed.
pub(crate) fn not_run_plainly(error: &ProcessError) -> Failure {
    let rc = match error {
        ProcessError::ProgramNotFound { .. } => 127,
        ProcessError::CancelledBeforeStart { .. } => return Failure::new(error.to_string()),
        _ => 126,
    };
    Failure::new("non-zero return code")
        .with("rc", rc)
        .with("stdout", "")
        .with("stderr", format!("{error}\n"))
}

/// Why a command did not end by itself, if so.
fn interruption(finished: &Finished) -> Option<String> {
    let happened = match finished.outcome {
        Outcome::Exited => return None,
        Outcome::Cancelled => "was cancelled",
        Outcome::TimedOut {
            limit: TimeLimit::Total,
        } => "reached its time limit",
        Outcome::TimedOut {
            limit: TimeLimit::Idle,
        } => "reached its time limit without output",
    };
    let seconds = finished.elapsed.as_secs_f64();
    Some(format!(
        "the command {happened} and was stopped after {seconds:.1} s ({})",
        finished.status
    ))
}

/// Adds what tells that output was cut.
fn mark_cut(result: &mut Object, finished: &Finished) {
    for (stream, captured) in streams(finished).filter(|(_, captured)| captured.truncated) {
        result.insert(format!("{stream}_truncated"), true.into());
        result.insert(format!("{stream}_bytes"), captured.total_bytes.into());
    }
}

/// A warning for each stream that was cut.
fn cut_warnings(finished: &Finished) -> Vec<String> {
    let cut = streams(finished).filter(|(_, captured)| captured.truncated);
    cut.map(|(stream, captured)| {
        let (head, tail) = (captured.head.len(), captured.tail.len());
        format!(
            "the command wrote {} bytes to {stream}; only the first {head} and the last {tail} of them are in the result",
            captured.total_bytes
        )
    })
    .collect()
}

fn streams(finished: &Finished) -> impl Iterator<Item = (OutputStream, &Captured)> {
    [
        (OutputStream::Stdout, &finished.stdout),
        (OutputStream::Stderr, &finished.stderr),
    ]
    .into_iter()
}

/// Ansible fails a task whose output is no UTF-8 and shows nothing of it. What can be read is in a warning.
fn unreadable(finished: &Finished, error: &NotUtf8) -> Failure {
    let shown = |captured: &Captured| -> String {
        lossy(captured)
            .trim_end()
            .chars()
            .take(SHOWN_CHARACTERS)
            .collect()
    };
    let warning = format!(
        "the command ended with {}, but its output is not UTF-8; it begins with stdout `{}`, stderr `{}`",
        finished.status,
        shown(&finished.stdout),
        shown(&finished.stderr),
    );
    let msg = format!("Task failed: Refusing to deserialize an invalid UTF8 string value: {error}");
    Failure {
        warnings: vec![warning],
        ..Failure::new(msg)
    }
}

fn ends(mut text: String, strip: bool) -> String {
    if strip {
        text.truncate(text.trim_end_matches(['\r', '\n']).len());
    }
    text
}
