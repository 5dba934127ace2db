//! The result of `command` and `shell`: always the same keys.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};
use rustle_module::Object;
use serde_json::Value;

/// The keys of a result, in Ansible's order. What did not happen is null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report {
    /// What the command wrote to stdout.
    pub(crate) stdout: String,
    /// What the command wrote to stderr.
    pub(crate) stderr: String,
    /// The return code.
    pub(crate) rc: Option<i32>,
    /// The command: its words, or its text for a shell.
    pub(crate) cmd: Value,
    /// When it started, and how long it took.
    pub(crate) span: Option<(SystemTime, Duration)>,
}

impl Report {
    /// The report of a command that did not run.
    pub(crate) fn of(cmd: &Value) -> Self {
        Self {
            cmd: cmd.clone(),
            ..Self::default()
        }
    }

    /// The keys of the result but `msg`.
    pub(crate) fn into_object(self) -> Object {
        let (start, end, delta) = match self.span {
            Some((start, elapsed)) => (
                Value::from(local_time(start)),
                Value::from(local_time(start + elapsed)),
                Value::from(delta(elapsed)),
            ),
            None => (Value::Null, Value::Null, Value::Null),
        };
        Object::from_iter(
            [
                ("stdout", self.stdout.into()),
                ("stderr", self.stderr.into()),
                ("rc", self.rc.into()),
                ("cmd", self.cmd),
                ("start", start),
                ("end", end),
                ("delta", delta),
            ]
            .map(|(key, value)| (key.to_owned(), value)),
        )
    }
}

/// A time as Python writes it, in the machine's time zone.
pub(crate) fn local_time(time: SystemTime) -> String {
    DateTime::<Local>::from(time)
        .format("%Y-%m-%d %H:%M:%S%.6f")
        .to_string()
}

/// A time span as Python writes it.
pub(crate) fn delta(elapsed: Duration) -> String {
    let seconds = elapsed.as_secs();
    let days = match seconds / 86_400 {
        0 => String::new(),
        1 => "1 day, ".to_owned(),
        days => format!("{days} days, "),
    };
    let (hours, minutes) = (seconds / 3600 % 24, seconds / 60 % 60);
    let micros = elapsed.subsec_micros();
    format!("{days}{hours}:{minutes:02}:{:02}.{micros:06}", seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans_read_as_python_writes_them() {
        for (micros, text) in [
            (12_345, "0:00:00.012345"),
            (3_723_000_001, "1:02:03.000001"),
            (36_000_000_000, "10:00:00.000000"),
            (86_400_000_000, "1 day, 0:00:00.000000"),
            (180_000_000_000, "2 days, 2:00:00.000000"),
        ] {
            assert_eq!(delta(Duration::from_micros(micros)), text);
        }
    }

    #[test]
    fn times_have_six_digits_of_a_second() {
        let time = local_time(SystemTime::UNIX_EPOCH + Duration::from_millis(1500));
        assert!(time.ends_with(".500000"), "{time}");
        assert_eq!(time.len(), "1970-01-01 00:00:01.500000".len());
    }

    #[test]
    fn keys_come_in_the_order_of_ansible() {
        let keys: Vec<String> = Report::default()
            .into_object()
            .into_iter()
            .map(|(key, _)| key)
            .collect();
        assert_eq!(
            keys,
            ["stdout", "stderr", "rc", "cmd", "start", "end", "delta"]
        );
    }
}
