//! What a search has found.

use rustle_module::python_regex::Groups;
use rustle_module::{Failure, Object};
use serde_json::Value;

/// Groups of a match, as results carry them.
#[derive(Clone, Debug, Default)]
pub(super) struct Matched {
    /// What each group matched.
    pub(super) groups: Vec<Value>,
    /// What each group that has a name matched.
    pub(super) named: Object,
}

impl Matched {
    /// Takes the groups of a match.
    ///
    /// # Errors
    /// When one is no text.
    pub(super) fn of(found: &Groups) -> Result<Self, Failure> {
        let mut matched = Self::default();
        for (name, text) in found.iter() {
            let value = match text {
                None => Value::Null,
                Some(text) => match std::str::from_utf8(text) {
                    Ok(text) => text.into(),
                    Err(error) => return Err(not_utf8(text, error.valid_up_to())),
                },
            };
            if let Some(name) = name {
                matched.named.insert(name.to_owned(), value.clone());
            }
            matched.groups.push(value);
        }
        Ok(matched)
    }
}

fn not_utf8(text: &[u8], at: usize) -> Failure {
    let byte = text.get(at).copied().unwrap_or_default();
    let position = String::from_utf8_lossy(&text[..at]).chars().count();
    Failure::new(format!(
        "Task failed: Refusing to deserialize an invalid UTF8 string value: 'utf-8' codec can't encode character '\\udc{byte:02x}' in position {position}: surrogates not allowed"
    ))
}
