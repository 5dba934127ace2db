//! Shell words: how text becomes one, and how a line is cut into them.

use std::borrow::Cow;

/// Quotes `text` so that a POSIX shell reads it as one word, as it is; what needs no quotes gets none.
///
/// The result is that of Python's `shlex.quote`. NUL bytes are kept, though no shell can read them.
///
/// ```
/// use rustle_process::shell_quote;
///
/// assert_eq!(shell_quote("/etc/hosts"), "/etc/hosts");
/// assert_eq!(shell_quote("it's"), r#"'it'"'"'s'"#);
/// ```
#[must_use]
pub fn shell_quote(text: &str) -> Cow<'_, str> {
    if !text.is_empty() && text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r#"'"'"'"#)))
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c)
}

/// Why a line is not a list of words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SplitError {
    /// A quote was opened and not closed.
    #[error("no closing quotation for the `{quote}` at character {at}")]
    UnclosedQuote {
        /// `'` or `"`.
        quote: char,
        /// Where it was opened, counted in characters from 1.
        at: usize,
    },
    /// The line ends in a backslash that has nothing to escape.
    #[error("no escaped character after the backslash at the end")]
    TrailingBackslash,
}

/// Cuts a line into words as Python's `shlex.split(line)` does, which is what Ansible cuts commands with.
///
/// Quotes and backslashes work as in a POSIX shell; nothing is expanded, and `#` starts no comment. Unlike in a shell, a backslash before the
/// end of a line keeps that, and in double quotes it escapes nothing but `"` and itself.
///
/// # Errors
///
/// When a quote is not closed or the line ends in an escape.
///
/// ```
/// use rustle_process::split_command;
///
/// assert_eq!(split_command(r#"echo "a b" c\ d ''"#)?, ["echo", "a b", "c d", ""]);
/// # Ok::<(), rustle_process::SplitError>(())
/// ```
pub fn split_command(line: &str) -> Result<Vec<String>, SplitError> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = (1..).zip(line.chars());
    while let Some((at, c)) = chars.next() {
        match c {
            ' ' | '\t' | '\r' | '\n' => words.extend(word.take()),
            '\'' => read_single_quoted(word.get_or_insert_default(), at, &mut chars)?,
            '"' => read_double_quoted(word.get_or_insert_default(), at, &mut chars)?,
            '\\' => {
                let (_, escaped) = chars.next().ok_or(SplitError::TrailingBackslash)?;
                word.get_or_insert_default().push(escaped);
            }
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn read_single_quoted(
    word: &mut String,
    at: usize,
    chars: &mut impl Iterator<Item = (usize, char)>,
) -> Result<(), SplitError> {
    for (_, c) in chars {
        if c == '\'' {
            return Ok(());
        }
        word.push(c);
    }
    Err(SplitError::UnclosedQuote { quote: '\'', at })
}

fn read_double_quoted(
    word: &mut String,
    at: usize,
    chars: &mut impl Iterator<Item = (usize, char)>,
) -> Result<(), SplitError> {
    while let Some((_, c)) = chars.next() {
        match c {
            '"' => return Ok(()),
            '\\' => {
                let (_, escaped) = chars.next().ok_or(SplitError::TrailingBackslash)?;
                if !matches!(escaped, '"' | '\\') {
                    word.push('\\');
                }
                word.push(escaped);
            }
            _ => word.push(c),
        }
    }
    Err(SplitError::UnclosedQuote { quote: '"', at })
}
