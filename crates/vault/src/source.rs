//! Where a password comes from.

use std::path::{Path, PathBuf};

use rustle_types::Secret;

use crate::VaultError;

/// The label of what has none.
const DEFAULT: &str = "default";

/// A vault id: a label, and where its password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSource {
    /// The label.
    pub label: String,
    /// Where the password is.
    pub origin: SecretOrigin,
}

/// Where a password is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretOrigin {
    /// A person is asked for it.
    Prompt,
    /// In a file, or the output of a file that may be executed.
    File(PathBuf),
}

impl VaultSource {
    /// Reads `label@file`, `label@prompt`, `file` or `prompt`.
    #[must_use]
    pub fn from_id(id: &str) -> Self {
        let (label, origin) = id.split_once('@').unwrap_or((DEFAULT, id));
        Self {
            label: if label.is_empty() { DEFAULT } else { label }.to_owned(),
            origin: match origin {
                "prompt" | "prompt_ask_vault_pass" => SecretOrigin::Prompt,
                path => SecretOrigin::File(path.into()),
            },
        }
    }

    /// The file of `--vault-password-file`.
    #[must_use]
    pub fn from_password_file(path: PathBuf) -> Self {
        Self {
            label: DEFAULT.to_owned(),
            origin: SecretOrigin::File(path),
        }
    }

    /// The question of `--ask-vault-pass`.
    #[must_use]
    pub fn from_prompt() -> Self {
        Self {
            label: DEFAULT.to_owned(),
            origin: SecretOrigin::Prompt,
        }
    }

    /// The arguments for a password file that is a program: one whose name ends in `-client` is told the label.
    #[must_use]
    pub fn client_arguments(&self, program: &Path) -> Vec<String> {
        let stem = program.file_stem().and_then(|stem| stem.to_str());
        if stem.is_some_and(|stem| stem.ends_with("-client")) {
            return vec!["--vault-id".to_owned(), self.label.clone()];
        }
        Vec::new()
    }
}

/// The password in the content of a password file, or in the output of a program: without white space around it.
///
/// # Errors
/// When there is none, or it is no text.
pub fn password_of(content: &[u8], origin: &str) -> Result<Secret, VaultError> {
    let text = std::str::from_utf8(content).map_err(|_| VaultError::NotUtf8)?;
    match text.trim() {
        "" => Err(VaultError::EmptyPassword {
            origin: origin.to_owned(),
        }),
        password => Ok(Secret::new(password.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vault_id_names_a_label_and_a_source() {
        let file = |label: &str, path: &str| VaultSource {
            label: label.into(),
            origin: SecretOrigin::File(path.into()),
        };
        assert_eq!(
            VaultSource::from_id("dev@keys/dev"),
            file("dev", "keys/dev")
        );
        assert_eq!(
            VaultSource::from_id("keys/any"),
            file("default", "keys/any")
        );
        assert_eq!(VaultSource::from_id("@k"), file("default", "k"));
        assert_eq!(
            VaultSource::from_id("prod@prompt").origin,
            SecretOrigin::Prompt
        );
        assert_eq!(
            file("dev", "x").client_arguments(Path::new("/b/ring-client.py")),
            ["--vault-id", "dev"]
        );
        assert!(
            file("dev", "x")
                .client_arguments(Path::new("/b/ring.py"))
                .is_empty()
        );
    }

    #[test]
    fn a_password_has_no_white_space_around_it_and_is_not_empty() {
        assert_eq!(password_of(b" s3 cret\n", "f").unwrap().expose(), "s3 cret");
        assert!(password_of(b"\n", "f").is_err());
    }
}
