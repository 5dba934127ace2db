//! Small pieces of text.

use std::time::Duration;

use rustle_types::{HostName, JsonValue};

use crate::escape::{escape_for_terminal, escape_line};

/// How many hosts are named before they become a number.
const NAMED_HOSTS: usize = 3;
/// The most characters of a line of output that are shown.
const LONGEST_LINE: usize = 2000;

/// A time as `340ms`, `4.2s`, `2m 05s` or `1h 02m`.
pub(crate) fn elapsed(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{}ms", time.as_millis()),
        1..60 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A number of things: `1 host`, `2 hosts`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A few hosts by name, many by their number.
pub(crate) fn host_list(hosts: &[HostName]) -> String {
    if hosts.len() > NAMED_HOSTS {
        return count(hosts.len(), "host");
    }
    let names: Vec<_> = hosts
        .iter()
        .map(|host| escape_line(host.as_str()))
        .collect();
    names.join(", ")
}

/// A value as people read it: text as it is, anything else as indented JSON.
pub(crate) fn value_text(value: &JsonValue) -> String {
    match value {
        JsonValue::String(text) => text.clone(),
        JsonValue::Null => String::new(),
        other => serde_json::to_string_pretty(other).unwrap_or_else(|_| other.to_string()),
    }
}

/// Text made safe to show, each line with `indent` in front, an end of line after each.
pub(crate) fn indented(text: &str, indent: &str) -> String {
    let safe = escape_for_terminal(text);
    let mut lines = String::with_capacity(safe.len() + indent.len() + 1);
    for line in safe.trim_end_matches('\n').split('\n') {
        if !line.is_empty() {
            lines.push_str(indent);
            lines.push_str(line);
        }
        lines.push('\n');
    }
    lines
}

/// The last lines of an output, long ones cut, with a note on what is left out.
pub(crate) fn tail(text: &str, most: usize) -> String {
    let lines: Vec<&str> = text.trim_end().split('\n').collect();
    let above = lines.len().saturating_sub(most);
    let mut shown: Vec<String> = lines[above..].iter().map(|line| clip(line)).collect();
    if above > 0 {
        shown.insert(0, format!("… {} above", count(above, "line")));
    }
    shown.join("\n")
}

fn clip(line: &str) -> String {
    match line.char_indices().nth(LONGEST_LINE) {
        Some((end, _)) => format!(
            "{} … {} more",
            &line[..end],
            count(line.len() - end, "byte")
        ),
        None => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_exact_as_they_are_short() {
        let shown: Vec<String> = [0, 340, 4_260, 125_000, 3_725_000]
            .map(|ms| elapsed(Duration::from_millis(ms)))
            .into();
        assert_eq!(shown, ["0ms", "340ms", "4.2s", "2m 05s", "1h 02m"]);
    }

    #[test]
    fn long_output_keeps_its_end() {
        assert_eq!(tail("1\n2\n3\n4\n", 2), "… 2 lines above\n3\n4");
        assert_eq!(tail("1\n2\n", 2), "1\n2");
        assert_eq!(
            clip(&"ä".repeat(2001)),
            format!("{} … 2 bytes more", "ä".repeat(2000))
        );
    }
}
