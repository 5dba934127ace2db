//! The options that `command` and `shell` share.

use rustle_module::{Constraint, Default, Opt, Type};
use serde::Deserialize;

/// The options, the internal ones included.
pub(crate) const OPTIONS: &[Opt] = &[
    Opt::new("_raw_params", Type::Str),
    Opt::new("_uses_shell", Type::Bool).default(Default::Bool(false)),
    Opt::new("cmd", Type::Str),
    Opt::new("argv", Type::List(&Type::Str)),
    Opt::new("chdir", Type::Path),
    Opt::new("executable", Type::Str),
    Opt::new("expand_argument_vars", Type::Bool).default(Default::Bool(true)),
    Opt::new("creates", Type::Path),
    Opt::new("removes", Type::Path),
    Opt::new("stdin", Type::Str),
    Opt::new("stdin_add_newline", Type::Bool).default(Default::Bool(true)),
    Opt::new("strip_empty_ends", Type::Bool).default(Default::Bool(true)),
];

/// The three ways to name what to run: exactly one of them.
const COMMAND_LINES: &[&str] = &["_raw_params", "cmd", "argv"];

/// The rules over the options.
pub(crate) const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(COMMAND_LINES),
    Constraint::RequiredOneOf(COMMAND_LINES),
];

/// The checked options of `command` and `shell`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    /// What to run, as free-form text.
    #[serde(rename = "_raw_params")]
    pub(crate) raw_params: Option<String>,
    /// Whether a shell reads the text.
    #[serde(rename = "_uses_shell")]
    pub(crate) uses_shell: bool,
    /// What to run, as text.
    pub(crate) cmd: Option<String>,
    /// What to run, as words.
    pub(crate) argv: Option<Vec<String>>,
    /// The folder to run it in.
    pub(crate) chdir: Option<String>,
    /// The shell.
    pub(crate) executable: Option<String>,
    /// Whether `$VAR` and `~` are expanded in the words of a command.
    pub(crate) expand_argument_vars: bool,
    /// A path or pattern: where it exists, nothing runs.
    pub(crate) creates: Option<String>,
    /// A path or pattern: where it does not exist, nothing runs.
    pub(crate) removes: Option<String>,
    /// What the command reads.
    pub(crate) stdin: Option<String>,
    /// Whether what it reads gets a newline at its end.
    pub(crate) stdin_add_newline: bool,
    /// Whether line ends at the end of the output are dropped.
    pub(crate) strip_empty_ends: bool,
}

impl Args {
    /// The text to run, if it was given as text and is not blank.
    pub(crate) fn text(&self) -> Option<&str> {
        let text = self.raw_params.as_deref().or(self.cmd.as_deref());
        text.filter(|text| !text.trim().is_empty())
    }

    /// The words to run, if it was given as words and there are any.
    pub(crate) fn words(&self) -> Option<&[String]> {
        self.argv.as_deref().filter(|words| !words.is_empty())
    }
}
