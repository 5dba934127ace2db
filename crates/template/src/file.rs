//! Rendering of whole files, as the `template` module does.

use std::path::PathBuf;

use minijinja::Error;
use minijinja::syntax::SyntaxConfig;

use crate::error::{TemplateError, TemplateErrorKind};

/// How a template file is written. The defaults are those of the `template` module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// Drops the newline after a block tag.
    pub trim_blocks: bool,
    /// Drops white space before a block tag at the start of a line.
    pub lstrip_blocks: bool,
    /// What each newline of the result is written as.
    pub newline_sequence: String,
    /// Opens a statement.
    pub block_start_string: String,
    /// Closes a statement.
    pub block_end_string: String,
    /// Opens an expression.
    pub variable_start_string: String,
    /// Closes an expression.
    pub variable_end_string: String,
    /// Opens a comment.
    pub comment_start_string: String,
    /// Closes a comment.
    pub comment_end_string: String,
    /// Makes lines that start with it statements.
    pub line_statement_prefix: Option<String>,
    /// Makes the rest of a line a comment.
    pub line_comment_prefix: Option<String>,
    /// Where templates that this one includes are looked for first.
    pub folders: Vec<PathBuf>,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self {
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n".to_owned(),
            block_start_string: "{%".to_owned(),
            block_end_string: "%}".to_owned(),
            variable_start_string: "{{".to_owned(),
            variable_end_string: "}}".to_owned(),
            comment_start_string: "{#".to_owned(),
            comment_end_string: "#}".to_owned(),
            line_statement_prefix: None,
            line_comment_prefix: None,
            folders: Vec::new(),
        }
    }
}

impl FileOptions {
    pub(crate) fn syntax(&self) -> Result<SyntaxConfig, Error> {
        let mut builder = SyntaxConfig::builder();
        builder
            .block_delimiters(
                self.block_start_string.clone(),
                self.block_end_string.clone(),
            )
            .variable_delimiters(
                self.variable_start_string.clone(),
                self.variable_end_string.clone(),
            )
            .comment_delimiters(
                self.comment_start_string.clone(),
                self.comment_end_string.clone(),
            )
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            .keep_trailing_newline(false);
        if let Some(prefix) = &self.line_statement_prefix {
            builder.line_statement_prefix(prefix.clone());
        }
        if let Some(prefix) = &self.line_comment_prefix {
            builder.line_comment_prefix(prefix.clone());
        }
        builder.build()
    }

    /// Takes a `#jinja2: trim_blocks: true, …` first line off a template and into the options.
    pub(crate) fn read_header<'a>(&mut self, source: &'a str) -> Result<&'a str, TemplateError> {
        let Some(rest) = source.strip_prefix("#jinja2:") else {
            return Ok(source);
        };
        let (header, body) = rest.split_once('\n').unwrap_or((rest, ""));
        for pair in header
            .trim()
            .split(',')
            .filter(|pair| !pair.trim().is_empty())
        {
            let (name, value) = pair.split_once(':').ok_or_else(|| {
                header_error(format!(
                    "`{}` in the #jinja2 line has no value",
                    pair.trim()
                ))
            })?;
            self.set(name.trim(), unquoted(value.trim()))?;
        }
        Ok(body)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), TemplateError> {
        let text = value.to_owned();
        match name {
            "trim_blocks" => self.trim_blocks = flag(name, value)?,
            "lstrip_blocks" => self.lstrip_blocks = flag(name, value)?,
            "keep_trailing_newline" => {}
            "newline_sequence" => {
                self.newline_sequence = text.replace("\\r", "\r").replace("\\n", "\n")
            }
            "block_start_string" => self.block_start_string = text,
            "block_end_string" => self.block_end_string = text,
            "variable_start_string" => self.variable_start_string = text,
            "variable_end_string" => self.variable_end_string = text,
            "comment_start_string" => self.comment_start_string = text,
            "comment_end_string" => self.comment_end_string = text,
            "line_statement_prefix" => self.line_statement_prefix = Some(text),
            "line_comment_prefix" => self.line_comment_prefix = Some(text),
            _ => {
                return Err(header_error(format!(
                    "unknown option `{name}` in the #jinja2 line"
                )));
            }
        }
        Ok(())
    }
}

fn header_error(detail: String) -> TemplateError {
    TemplateError::new(TemplateErrorKind::Syntax, detail)
}

fn flag(name: &str, value: &str) -> Result<bool, TemplateError> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(header_error(format!(
            "`{name}` in the #jinja2 line is `{value}`, which is no boolean"
        ))),
    }
}

fn unquoted(text: &str) -> &str {
    let inner = |quote| {
        text.strip_prefix(quote)
            .and_then(|rest: &str| rest.strip_suffix(quote))
    };
    inner('\'').or_else(|| inner('"')).unwrap_or(text)
}
