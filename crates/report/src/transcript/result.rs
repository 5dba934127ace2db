//! Results as text.

use rustle_events::{UnitId, error_text};
use rustle_types::{HostName, JsonValue, TaskResult, TaskStatus};

use super::{Detail, Transcript};
use crate::escape::escape_line;
use crate::format::{
    Details, Failed, TaskLine, Word, debug_text, diff_text, indented, module_name,
};

/// Where text below a line begins.
const INDENT: &str = "              ";

/// A result, with what is known around it.
struct Ended<'a> {
    result: &'a TaskResult,
    word: Word,
    title: String,
    module: String,
    /// Whether the host goes on all the same.
    is_settled: bool,
}

impl Transcript {
    pub(super) fn finish_task(
        &mut self,
        unit: &UnitId,
        result: &TaskResult,
        is_settled: bool,
        is_counted: bool,
    ) {
        let info = self.fold.running().get(unit).map(|running| &running.task);
        let module = result
            .module
            .clone()
            .or_else(|| info.map(|info| info.module.clone()))
            .unwrap_or_default();
        let name = [&result.task_name, &module]
            .into_iter()
            .find(|name| !name.is_empty());
        let mut title = name.cloned().unwrap_or_default();
        if result.is_handler || info.is_some_and(|info| info.is_handler) {
            title.push_str(" (handler)");
        }
        let is_shown = is_counted && !info.is_some_and(|info| info.is_implicit);
        let word = Word::of(result, is_settled, self.is_check);
        let ended = Ended {
            result,
            word,
            title,
            module,
            is_settled,
        };
        let left = self.live.finish(unit);
        self.text.push_str(&left);
        match result.status {
            TaskStatus::Failed | TaskStatus::Ignored | TaskStatus::Rescued => {
                self.tell_failure(&ended)
            }
            TaskStatus::Unreachable => self.note_lost_task(&ended),
            _ if is_shown => self.tell_success(unit, &ended),
            _ => {}
        }
        self.warn_of(result);
        let folded = self.unchanged.end_task(&unit.path, &unit.host);
        self.tell_folded(folded);
    }

    fn tell_success(&mut self, unit: &UnitId, ended: &Ended<'_>) {
        let result = ended.result;
        let says = if module_name(&ended.module) == "debug" && !result.skipped {
            debug_text(result)
        } else {
            None
        };
        let is_named = result.changed || says.is_some() || self.verbosity.is_at_least(1);
        let least = if result.changed || says.is_some() {
            Detail::Changes
        } else {
            Detail::Everything
        };
        if self.detail < least {
            return;
        }
        if !is_named {
            self.unchanged
                .hold(&unit.path, ended.word, &ended.title, &result.host);
            return;
        }
        self.tell_line(ended, self.skip_reason(result));
        if let Some(says) = says {
            self.text.push_str(&indented(&says, INDENT));
        }
        self.tell_diff_and_object(result);
    }

    fn tell_failure(&mut self, ended: &Ended<'_>) {
        let result = ended.result;
        let counts = ended.word == Word::FAILED;
        if counts {
            self.unchanged.lose_host(&result.host);
        } else if self.detail < Detail::Changes {
            return;
        }
        let details = Details::of_result(result, &ended.module, self.verbosity);
        self.tell_line(ended, String::new());
        self.text.push_str(&details.text(self.paint));
        self.tell_diff_and_object(result);
        if counts {
            self.remember(ended.word, &ended.title, details, &result.host);
        }
    }

    fn tell_diff_and_object(&mut self, result: &TaskResult) {
        if self.detail < Detail::Changes {
            return;
        }
        if result.changed {
            self.text.push_str(&diff_text(result, self.paint));
        }
        if self.verbosity.is_at_least(2)
            && let Some(object) = &result.result
            && object.get("censored").is_none()
        {
            let json = serde_json::to_string_pretty(object).unwrap_or_default();
            self.text.push_str(&indented(&json, INDENT));
        }
    }

    fn tell_line(&mut self, ended: &Ended<'_>, note: String) {
        let result = ended.result;
        let mut hosts = escape_line(result.host.as_str()).into_owned();
        if let Some(target) = &result.delegated_to {
            hosts = format!("{hosts} on {}", escape_line(target.as_str()));
        }
        self.tell(&TaskLine {
            word: ended.word,
            title: &ended.title,
            hosts,
            note,
            took: result.duration,
        });
    }

    fn skip_reason(&self, result: &TaskResult) -> String {
        let reason = result
            .result
            .as_ref()
            .and_then(|object| object.get("skip_reason"));
        match reason.and_then(JsonValue::as_str) {
            Some(reason) if self.verbosity.is_at_least(1) && result.skipped => reason.to_owned(),
            _ => String::new(),
        }
    }

    fn warn_of(&mut self, result: &TaskResult) {
        let object = result.result.as_ref().and_then(JsonValue::as_object);
        let warnings = object
            .and_then(|object| object.get("warnings"))
            .and_then(JsonValue::as_array);
        for warning in warnings.into_iter().flatten().filter_map(JsonValue::as_str) {
            self.warn(warning, escape_line(result.host.as_str()).into_owned());
        }
    }

    /// Waits for the reason and the hint, unless the host goes on or they were told before.
    fn note_lost_task(&mut self, ended: &Ended<'_>) {
        let result = ended.result;
        if ended.is_settled {
            let details = Details::of_loss(&error_text(result), None);
            if self.detail >= Detail::Changes {
                self.tell_line(ended, "ignored".to_owned());
                self.text.push_str(&details.text(self.paint));
            }
        } else if self.unchanged.lose_host(&result.host) {
            let mut result = result.clone();
            result.task_name.clone_from(&ended.title);
            self.lost = Some(Box::new(result));
        }
    }

    /// Tells of a loss that nothing more is said about.
    pub(super) fn settle_loss(&mut self) {
        if let Some(result) = self.lost.take() {
            let error = error_text(&result);
            self.tell_loss(&result.host, &result.task_name, &error, None);
        }
    }

    pub(super) fn note_lost_host(&mut self, host: &HostName, reason: &str, hint: Option<&str>) {
        match self.lost.take_if(|result| result.host == *host) {
            Some(result) => self.tell_loss(host, &result.task_name, reason, hint),
            None => {
                self.settle_loss();
                self.tell_loss(host, "", reason, hint);
            }
        }
    }

    fn tell_loss(&mut self, host: &HostName, title: &str, reason: &str, hint: Option<&str>) {
        self.unchanged.lose_host(host);
        let details = Details::of_loss(reason, hint);
        let hosts = escape_line(host.as_str()).into_owned();
        let word = Word::UNREACHABLE;
        self.tell(&TaskLine {
            word,
            title,
            hosts,
            note: String::new(),
            took: None,
        });
        self.text.push_str(&details.text(self.paint));
        self.remember(word, title, details, host);
    }

    fn remember(&mut self, word: Word, title: &str, details: Details, host: &HostName) {
        let failed = Failed {
            word,
            play: self.play.clone(),
            title: title.to_owned(),
            details,
        };
        self.failed.entry(failed).or_default().push(host.clone());
    }
}
