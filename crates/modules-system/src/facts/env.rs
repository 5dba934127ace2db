//! The agent's environment.

use super::{Facts, insert};

/// Gathers `env`. Bytes that are not UTF-8 are replaced.
pub(super) fn collect() -> Facts {
    let env: Facts = std::env::vars_os()
        .map(|(name, value)| {
            (
                name.to_string_lossy().into_owned(),
                value.to_string_lossy().into_owned().into(),
            )
        })
        .collect();
    let mut facts = Facts::new();
    insert(&mut facts, "env", env);
    facts
}
