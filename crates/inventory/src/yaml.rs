//! The one YAML reader: text to a [`serde_json::Value`], with PyYAML's reading of plain scalars.
//!
//! PyYAML speaks YAML 1.1, so `yes` is true, `0644` is 420 and `1:30` is 90. JSON is read as JSON, as Ansible
//! does. Of the tags, `!vault` and `!unsafe` become the objects by which Ansible writes them in JSON:
//! `{"__ansible_vault": "…"}` and `{"__ansible_unsafe": "…"}`.
//!
//! Where JSON is poorer than YAML: keys become text (`1` is `"1"`, `yes` is `"true"`), dates stay text, whole
//! numbers beyond 64 bits and infinities stay text, sets become lists. Nesting ends at 100 levels, and aliases may
//! not blow a document up beyond two million nodes.

mod build;
mod scalar;
mod tag;

use std::fmt;

use serde_json::Value;

use crate::error::Warning;

/// A YAML text that cannot be read: where, and why.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct YamlError {
    /// The file, or what else the text is from.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What may help.
    pub hint: Option<&'static str>,
}

impl fmt::Display for YamlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`, line {}, column {}: {}",
            self.file, self.line, self.column, self.message
        )
    }
}

/// Reads one YAML or JSON document; an empty text is `null`. `origin` is what errors call it.
///
/// # Errors
/// When the text is neither, holds several documents, has a tag that Ansible does not know, or is built to
/// exhaust memory.
pub fn parse(text: &str, origin: &str) -> Result<Value, YamlError> {
    parse_noting(text, origin, &mut Vec::new())
}

/// As [`parse`], and notes what is odd but allowed: keys that are given twice.
///
/// # Errors
/// As [`parse`].
pub fn parse_noting(
    text: &str,
    origin: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Value, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return build::document(text, origin, warnings);
    }
    let json_error = match serde_json::from_str(text) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    build::document(text, origin, warnings).map_err(|error| {
        if std::path::Path::new(origin)
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            from_json_error(&json_error, origin)
        } else {
            error
        }
    })
}

/// The line where the value at these keys (and indices) starts; for errors about values that parsed.
pub(crate) fn line_of(text: &str, path: &[String]) -> Option<usize> {
    build::line_of(text, path)
}

fn from_json_error(error: &serde_json::Error, origin: &str) -> YamlError {
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(&*text, |(message, _)| message);
    YamlError {
        file: origin.to_owned(),
        line: error.line(),
        column: error.column(),
        message: message.to_owned(),
        hint: None,
    }
}

#[cfg(test)]
mod tests;
