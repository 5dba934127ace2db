//! The place in a JSON document that the reader is at.

use std::fmt::{self, Write};

/// One step down into a JSON document.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// A field that a type names.
    Field(&'static str),
    /// A key that only the document knows.
    Key(String),
    /// A place in a list.
    Index(usize),
}

/// Writes steps as `plays[0].roles["web app"].tasks`.
pub(crate) struct PathText<'a>(pub(crate) &'a [Step]);

impl fmt::Display for PathText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, step) in self.0.iter().enumerate() {
            match step {
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Field(key) => write_key(f, key, depth)?,
                Step::Key(key) => write_key(f, key, depth)?,
            }
        }
        Ok(())
    }
}

fn write_key(f: &mut fmt::Formatter<'_>, key: &str, depth: usize) -> fmt::Result {
    let plain = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !plain {
        return write!(f, "[{key:?}]");
    }
    if depth > 0 {
        f.write_char('.')?;
    }
    f.write_str(key)
}
