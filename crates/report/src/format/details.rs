//! What a failure says, in full.

use rustle_events::error_text;
use rustle_types::{JsonValue, Object, TaskResult};

use super::text::{tail, value_text};
use crate::escape::{escape_for_terminal, escape_line};
use crate::paint::{Paint, Tone};
use crate::verbosity::Verbosity;

/// Where the text of a block begins.
const INDENT: usize = 14;
/// How much of an output is shown unless more is asked for.
const ERROR_LINES: usize = 40;
const OUTPUT_LINES: usize = 20;
/// How many failed items of a loop are shown in full.
const ITEMS: usize = 5;

/// Labelled pieces of text about a failure, in the order in which they are read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Details {
    fields: Vec<(&'static str, String)>,
}

impl Details {
    /// What a failed result tells. Of one that is censored only that it is.
    pub(crate) fn of_result(result: &TaskResult, module: &str, verbosity: Verbosity) -> Self {
        let mut details = Self::default();
        let nothing = Object::new();
        let object = result
            .result
            .as_ref()
            .and_then(JsonValue::as_object)
            .unwrap_or(&nothing);
        details.add("module", module);
        if let Some(target) = &result.delegated_to {
            details.add("ran on", target.as_str());
        }
        details.add("message", &error_text(result));
        if object.contains_key("censored") {
            return details;
        }
        let assertion = object.get("assertion").map(value_text);
        details.add("condition", &assertion.unwrap_or_default());
        if result.retry_count > 0 {
            details.add("tries", &(result.retry_count + 1).to_string());
        }
        details.add_command(object, result, verbosity);
        details.add_items(object, verbosity);
        details.add(
            "hint",
            object
                .get("hint")
                .and_then(JsonValue::as_str)
                .unwrap_or_default(),
        );
        details
    }

    /// What is told of a host that is lost.
    pub(crate) fn of_loss(reason: &str, hint: Option<&str>) -> Self {
        let mut details = Self::default();
        details.add("message", reason);
        details.add("hint", hint.unwrap_or_default());
        details
    }

    /// Adds a piece, unless it is empty.
    pub(crate) fn add(&mut self, label: &'static str, text: &str) {
        if !text.trim().is_empty() {
            self.fields.push((label, text.to_owned()));
        }
    }

    fn add_command(&mut self, object: &Object, result: &TaskResult, verbosity: Verbosity) {
        let text = |key: &str| object.get(key).map(value_text).unwrap_or_default();
        let (errors, output) = if verbosity.is_at_least(1) {
            self.add("trace", &text("exception"));
            (usize::MAX, usize::MAX)
        } else {
            (ERROR_LINES, OUTPUT_LINES)
        };
        self.add("command", &command_line(object));
        if let Some(code) = result.return_code.filter(|code| *code != 0) {
            self.add("status", &code.to_string());
        }
        self.add(
            "stderr",
            &tail(
                &result.stderr.clone().unwrap_or_else(|| text("stderr")),
                errors,
            ),
        );
        self.add(
            "stdout",
            &tail(
                &result.stdout.clone().unwrap_or_else(|| text("stdout")),
                output,
            ),
        );
        self.add("stderr", &tail(&text("module_stderr"), errors));
        self.add("stdout", &tail(&text("module_stdout"), output));
    }

    fn add_items(&mut self, object: &Object, verbosity: Verbosity) {
        let is_failed =
            |item: &&Object| item.get("failed").and_then(JsonValue::as_bool) == Some(true);
        let failed: Vec<&Object> = items(object).filter(is_failed).collect();
        let most = if verbosity.is_at_least(1) {
            failed.len()
        } else {
            ITEMS
        };
        for item in failed.iter().take(most) {
            self.add_item(item, verbosity);
        }
        if failed.len() > most {
            self.add("item", &format!("… {} more failed", failed.len() - most));
        }
    }

    fn add_item(&mut self, item: &Object, verbosity: Verbosity) {
        self.add("item", &item_label(item));
        let said = item.get("censored").or_else(|| item.get("msg"));
        self.add("message", &said.map(value_text).unwrap_or_default());
        if item.contains_key("censored") {
            return;
        }
        let most = if verbosity.is_at_least(1) {
            usize::MAX
        } else {
            OUTPUT_LINES
        };
        let code = item
            .get("rc")
            .and_then(JsonValue::as_i64)
            .filter(|code| *code != 0);
        self.add(
            "status",
            &code.map(|code| code.to_string()).unwrap_or_default(),
        );
        for key in ["stderr", "stdout"] {
            let text = item.get(key).map(value_text).unwrap_or_default();
            self.add(key, &tail(&text, most));
        }
    }

    /// The block: a column of labels, a column of text.
    pub(crate) fn text(&self, paint: Paint) -> String {
        let width = self
            .fields
            .iter()
            .map(|(label, _)| label.len())
            .max()
            .unwrap_or(0);
        let continued = " ".repeat(INDENT + width + 2);
        let mut block = String::new();
        for (label, text) in &self.fields {
            block.push_str(&" ".repeat(INDENT));
            block.push_str(&paint.paint(Tone::Quiet, &format!("{label:width$}")));
            let safe = escape_for_terminal(text);
            for (number, line) in safe.trim_end_matches('\n').split('\n').enumerate() {
                if !line.is_empty() {
                    block.push_str(if number == 0 { "  " } else { &continued });
                    block.push_str(line);
                }
                block.push('\n');
            }
        }
        block
    }
}

/// What a `debug` task has to say: its message, or the variables that it shows.
pub(crate) fn debug_text(result: &TaskResult) -> Option<String> {
    let object = result.result.as_ref()?.as_object()?;
    let results: Vec<&Object> = items(object).collect();
    let said: Vec<String> = if results.is_empty() {
        vec![said_by_debug(object)]
    } else {
        results.into_iter().map(said_by_debug).collect()
    };
    Some(said.join("\n")).filter(|text| !text.trim().is_empty())
}

fn said_by_debug(object: &Object) -> String {
    if let Some(said) = object.get("censored").or_else(|| object.get("msg")) {
        return value_text(said);
    }
    let is_shown = |key: &&String| {
        let own = [
            "changed",
            "failed",
            "skipped",
            "item",
            "invocation",
            "ansible_loop_var",
            "ansible_index_var",
        ];
        !key.starts_with('_') && !own.contains(&key.as_str())
    };
    let shown = object
        .keys()
        .filter(is_shown)
        .filter_map(|key| Some((key, object.get(key)?)));
    shown
        .map(|(key, value)| format!("{key}: {}", value_text(value)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// The short name of a module: `ansible.builtin.copy` is `copy`.
pub(crate) fn module_name(module: &str) -> &str {
    module.rsplit('.').next().unwrap_or(module)
}

fn items(object: &Object) -> impl Iterator<Item = &Object> {
    let results = object.get("results").and_then(JsonValue::as_array);
    results
        .into_iter()
        .flatten()
        .filter_map(JsonValue::as_object)
        .filter(|item| item.contains_key("ansible_loop_var"))
}

fn item_label(item: &Object) -> String {
    let variable = item
        .get("ansible_loop_var")
        .and_then(JsonValue::as_str)
        .unwrap_or("item");
    let label = item
        .get("_ansible_item_label")
        .or_else(|| item.get(variable));
    label
        .map(|label| {
            label
                .as_str()
                .map_or_else(|| label.to_string(), str::to_owned)
        })
        .unwrap_or_default()
}

fn command_line(object: &Object) -> String {
    match object.get("cmd") {
        Some(JsonValue::Array(words)) => {
            let words: Vec<String> = words.iter().map(value_text).collect();
            escape_line(&words.join(" ")).into_owned()
        }
        Some(JsonValue::String(line)) => line.clone(),
        _ => String::new(),
    }
}
