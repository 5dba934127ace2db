//! Takes values out of a TOML text key by key: what is wrong is noted, and what nobody took is unknown.

use std::ops::Range;
use std::time::Duration;

use rustle_types::closest;
use toml::de::DeTable;
use toml::{Table, Value};

use super::error::{ConfigErrorKind, ConfigProblem};

/// A configuration text that is being read.
pub(super) struct Reader<'t> {
    text: &'t str,
    spans: DeTable<'t>,
    values: Table,
    sections: Vec<&'static str>,
    problems: Vec<ConfigProblem>,
}

impl<'t> Reader<'t> {
    /// Parses the text.
    pub(super) fn parse(text: &'t str) -> Result<Self, ConfigErrorKind> {
        let not_toml = |error: toml::de::Error| {
            ConfigErrorKind::Invalid(vec![ConfigProblem {
                line: line_at(text, error.span().unwrap_or_default().start),
                message: error.message().lines().collect::<Vec<_>>().join(", "),
                hint: None,
            }])
        };
        Ok(Self {
            text,
            spans: DeTable::parse(text).map_err(not_toml)?.into_inner(),
            values: text.parse().map_err(not_toml)?,
            sections: Vec::new(),
            problems: Vec::new(),
        })
    }

    /// Reads a section by `take`, which gets it even where it is not there; keys that are not taken are mistakes.
    pub(super) fn section<T>(
        &mut self,
        name: &'static str,
        take: impl FnOnce(&mut Section<'_>) -> T,
    ) -> T {
        self.sections.push(name);
        let values = match self.values.remove(name) {
            None => Table::new(),
            Some(Value::Table(values)) => values,
            Some(other) => {
                let message = format!(
                    "`{name}`: expected a section `[{name}]`, found {}",
                    shown(&other)
                );
                self.problem(&[name], message, None);
                Table::new()
            }
        };
        let mut section = Section {
            reader: self,
            name,
            values,
            known: Vec::new(),
        };
        let taken = take(&mut section);
        section.close();
        taken
    }

    /// Ends the reading with all that was found wrong.
    pub(super) fn finish(mut self) -> Result<(), ConfigErrorKind> {
        for (name, value) in std::mem::take(&mut self.values) {
            let noun = if value.is_table() { "section" } else { "key" };
            let hint = match closest(&name, self.sections.iter().copied()) {
                Some(near) => format!("did you mean `[{near}]`?"),
                None => format!("the sections are {}", self.sections.join(", ")),
            };
            self.problem(&[&name], format!("unknown {noun} `{name}`"), Some(hint));
        }
        if self.problems.is_empty() {
            return Ok(());
        }
        self.problems.sort_by_key(|problem| problem.line);
        Err(ConfigErrorKind::Invalid(self.problems))
    }

    fn problem(&mut self, path: &[&str], message: String, hint: Option<String>) {
        let line = self
            .span(path)
            .map_or(1, |span| line_at(self.text, span.start));
        self.problems.push(ConfigProblem {
            line,
            message,
            hint,
        });
    }

    /// Where a key is written.
    fn span(&self, path: &[&str]) -> Option<Range<usize>> {
        let (last, sections) = path.split_last()?;
        let mut table = &self.spans;
        for section in sections {
            table = table
                .iter()
                .find(|(key, _)| key.get_ref() == section)?
                .1
                .get_ref()
                .as_table()?;
        }
        table
            .keys()
            .find(|key| key.get_ref() == last)
            .map(toml::Spanned::span)
    }
}

fn line_at(text: &str, byte: usize) -> usize {
    1 + text
        .bytes()
        .take(byte)
        .filter(|byte| *byte == b'\n')
        .count()
}

/// A section whose keys are being taken.
pub(super) struct Section<'r> {
    reader: &'r mut dyn Notes,
    name: &'static str,
    values: Table,
    known: Vec<&'static str>,
}

/// Where mistakes go; hides the lifetime of the text.
trait Notes {
    fn note(&mut self, path: &[&str], message: String, hint: Option<String>);
}

impl Notes for Reader<'_> {
    fn note(&mut self, path: &[&str], message: String, hint: Option<String>) {
        self.problem(path, message, hint);
    }
}

impl Section<'_> {
    /// A truth value.
    pub(super) fn bool(&mut self, key: &'static str) -> Option<bool> {
        self.take(key, "true or false", Value::as_bool)
    }

    /// A whole number, `least` or more.
    pub(super) fn count(&mut self, key: &'static str, least: u32) -> Option<u32> {
        let expected = format!("a whole number ≥ {least}");
        self.take(key, &expected, |value| {
            u32::try_from(value.as_integer()?)
                .ok()
                .filter(|count| *count >= least)
        })
    }

    /// A number of seconds, whole or not.
    pub(super) fn seconds(&mut self, key: &'static str) -> Option<Duration> {
        self.take(key, "a number of seconds", |value| match value {
            Value::Integer(seconds) => u64::try_from(*seconds).ok().map(Duration::from_secs),
            Value::Float(seconds) => Duration::try_from_secs_f64(*seconds).ok(),
            _ => None,
        })
    }

    /// Text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<String> {
        self.take(key, "text", |value| value.as_str().map(str::to_owned))
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.take(key, "a list of texts", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
    }

    /// One of a few words, which `expected` names.
    pub(super) fn word<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        self.take(key, expected, |value| parse(value.as_str()?))
    }

    /// A key that a later version gives a meaning: only its default may be set.
    pub(super) fn later(&mut self, key: &'static str, default: impl Into<Value>) {
        self.known.push(key);
        let default = default.into();
        if self
            .values
            .remove(key)
            .is_some_and(|value| value != default)
        {
            let message = format!("`{}.{key}` is not available in this version", self.name);
            let hint = format!("`{key}` may be left out, or be {default}");
            self.reader.note(&[self.name, key], message, Some(hint));
        }
    }

    fn take<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        self.known.push(key);
        let value = self.values.remove(key)?;
        let taken = read(&value);
        if taken.is_none() {
            let message = format!(
                "`{}.{key}`: expected {expected}, found {}",
                self.name,
                shown(&value)
            );
            self.reader.note(&[self.name, key], message, None);
        }
        taken
    }

    fn close(self) {
        for key in self.values.keys() {
            let hint = match closest(key, self.known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("`[{}]` has {}", self.name, self.known.join(", ")),
            };
            self.reader.note(
                &[self.name, key],
                format!("unknown key `{}.{key}`", self.name),
                Some(hint),
            );
        }
    }
}

/// A value as a message shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(_) => "a list".into(),
        Value::Table(_) => "a table".into(),
        other => other.to_string(),
    }
}
