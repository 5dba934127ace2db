//! Differences as people read them.

use std::fmt::Write as _;
use std::time::Duration;

use rustle_types::{JsonValue, Object, TaskDiff, TaskResult};
use similar::TextDiff;

use super::text::value_text;
use crate::escape::escape_for_terminal;
use crate::paint::{Paint, Tone};

/// Where differences begin.
const INDENT: &str = "    ";
/// How long two texts are compared before the rest counts as replaced: the run waits for this.
const PATIENCE: Duration = Duration::from_millis(100);

/// The differences of a result as indented text, empty where there are none or where they are censored.
///
/// A result carries them in Ansible's shape: an object or a list of objects, each with `before` and `after` (text, or any
/// value) and headers, or with `prepared` text, or with a reason why there is nothing to compare. A loop has them in its items.
pub(crate) fn diff_text(result: &TaskResult, paint: Paint) -> String {
    let mut plain = String::new();
    match result.result.as_ref().and_then(JsonValue::as_object) {
        Some(object) if object.contains_key("censored") => {}
        Some(object) => add_object(&mut plain, object),
        None => add_typed(&mut plain, result.diff.as_ref()),
    }
    let mut shown = String::new();
    for line in plain.lines() {
        let tone = match line.as_bytes().first() {
            Some(b'+') => Some(Tone::Good),
            Some(b'-') => Some(Tone::Bad),
            Some(b'@') => Some(Tone::Skipped),
            _ => None,
        };
        let safe = escape_for_terminal(line);
        shown.push_str(INDENT);
        shown.push_str(&tone.map_or_else(|| safe.to_string(), |tone| paint.paint(tone, &safe)));
        shown.push('\n');
    }
    shown
}

fn add_typed(text: &mut String, diff: Option<&TaskDiff>) {
    let Some(diff) = diff else { return };
    if diff.diff_lines.is_empty() {
        let (before, after) = (diff.before.as_deref(), diff.after.as_deref());
        let names = ("before".to_owned(), "after".to_owned());
        text.push_str(&unified(
            before.unwrap_or_default(),
            after.unwrap_or_default(),
            &names,
        ));
    }
    for line in &diff.diff_lines {
        text.push_str(line.trim_end_matches('\n'));
        text.push('\n');
    }
}

fn add_object(text: &mut String, result: &Object) {
    match result.get("diff") {
        Some(JsonValue::Array(parts)) => {
            parts
                .iter()
                .filter_map(JsonValue::as_object)
                .for_each(|part| add_part(text, part));
        }
        Some(JsonValue::Object(part)) => add_part(text, part),
        _ => {}
    }
    if let Some(JsonValue::Array(items)) = result.get("results") {
        let items = items.iter().filter_map(JsonValue::as_object);
        items
            .filter(|item| !item.contains_key("censored"))
            .for_each(|item| add_object(text, item));
    }
}

fn add_part(text: &mut String, part: &Object) {
    for (key, what) in [("src", "new"), ("dst", "present")] {
        if part.contains_key(&format!("{key}_binary")) {
            let _ = writeln!(text, "(the {what} content is binary and is not compared)");
        }
        if let Some(limit) = part.get(&format!("{key}_larger")) {
            let _ = writeln!(
                text,
                "(the {what} content is over {limit} bytes and is not compared)"
            );
        }
    }
    if part.contains_key("before") || part.contains_key("after") {
        let (before, after) = (side(part.get("before")), side(part.get("after")));
        let header = |key: &str, side: &str| match part.get(key).map(value_text) {
            Some(header) if !header.is_empty() => format!("{side}: {}", header.replace('\n', " ")),
            _ => side.to_owned(),
        };
        let names = (
            header("before_header", "before"),
            header("after_header", "after"),
        );
        text.push_str(&unified(&before, &after, &names));
    }
    if let Some(prepared) = part.get("prepared") {
        text.push_str(value_text(prepared).trim_end_matches('\n'));
        text.push('\n');
    }
}

fn side(value: Option<&JsonValue>) -> String {
    match value {
        None | Some(JsonValue::Null) => String::new(),
        Some(JsonValue::String(content)) => content.clone(),
        Some(other) => format!("{}\n", value_text(other)),
    }
}

fn unified(before: &str, after: &str, names: &(String, String)) -> String {
    if before == after {
        return String::new();
    }
    let diff = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(before, after);
    diff.unified_diff()
        .context_radius(3)
        .header(&names.0, &names.1)
        .to_string()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::json;

    use super::*;

    fn shown(diff: &JsonValue) -> String {
        let result = TaskResult {
            result: Some(json!({ "diff": diff })),
            ..TaskResult::started("1", "a", "web1".into(), DateTime::UNIX_EPOCH)
        };
        diff_text(&result, Paint { is_on: false })
    }

    #[test]
    fn texts_are_compared_line_by_line() {
        insta::assert_snapshot!(shown(&json!([
            {"before": "a\nb\nc\n", "after": "a\nB\nc\n", "before_header": "/etc/x", "after_header": "/etc/x"},
            {"before": "", "after": ""},
        ])));
    }

    #[test]
    fn objects_are_compared_as_json() {
        insta::assert_snapshot!(shown(&json!({
            "before": {"mode": "0644", "path": "/etc/x"}, "after": {"mode": "0600", "path": "/etc/x"},
        })));
    }

    #[test]
    fn content_that_cannot_be_compared_says_why() {
        insta::assert_snapshot!(shown(&json!([{"src_binary": 1}, {"dst_larger": 104_448}, {"prepared": "+ nginx\n"}])), @r"
        (the new content is binary and is not compared)
        (the present content is over 104448 bytes and is not compared)
        + nginx
        ");
    }

    #[test]
    fn missing_line_end_is_told() {
        insta::assert_snapshot!(shown(&json!({"before": "a", "after": "a\n"})));
    }
}
