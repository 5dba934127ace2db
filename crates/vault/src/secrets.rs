//! The passwords of a run.

use std::collections::HashMap;
use std::sync::Mutex;

use rustle_types::Secret;

use crate::VaultError;
use crate::cipher::open;
use crate::envelope::{Envelope, is_encrypted};

/// Passwords by the labels of their vault ids. What was decrypted once is kept, as every host reads the same variables.
#[derive(Debug, Default)]
pub struct VaultSecrets {
    entries: Vec<(String, Secret)>,
    known: Mutex<HashMap<String, Secret>>,
}

impl VaultSecrets {
    /// Adds a password; several may have the same label.
    #[must_use]
    pub fn with(mut self, label: impl Into<String>, password: Secret) -> Self {
        self.entries.push((label.into(), password));
        self
    }

    /// Whether there is no password.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The plain text of an encrypted one: by the passwords of its own label first, then by all others.
    ///
    /// # Errors
    /// When the text is no vault or damaged, or no password fits.
    pub fn decrypt(&self, text: &str) -> Result<String, VaultError> {
        if let Some(known) = self
            .known
            .lock()
            .ok()
            .and_then(|known| known.get(text).cloned())
        {
            return Ok(known.expose().to_owned());
        }
        let plain = String::from_utf8(self.open(text)?).map_err(|_| VaultError::NotUtf8)?;
        if let Ok(mut known) = self.known.lock() {
            known.insert(text.to_owned(), Secret::new(plain.clone()));
        }
        Ok(plain)
    }

    /// The content of a file: decrypted where it is encrypted, else as it is.
    ///
    /// # Errors
    /// As [`Self::decrypt`].
    pub fn reveal(&self, content: Vec<u8>) -> Result<Vec<u8>, VaultError> {
        if !is_encrypted(&content) {
            return Ok(content);
        }
        let text = String::from_utf8(content).map_err(|_| VaultError::Damaged {
            what: "it is not hexadecimal",
        })?;
        self.open(&text)
    }

    fn open(&self, text: &str) -> Result<Vec<u8>, VaultError> {
        let envelope = Envelope::open(text)?;
        if self.is_empty() {
            return Err(VaultError::NoPassword);
        }
        let is_own = |entry: &&(String, Secret)| Some(entry.0.as_str()) == envelope.label;
        let own = self.entries.iter().filter(is_own);
        let others = self.entries.iter().filter(|entry| !is_own(entry));
        for (_, password) in own.chain(others) {
            match open(&envelope.body, password.expose()) {
                Err(VaultError::WrongPassword) => {}
                opened => return opened,
            }
        }
        Err(VaultError::NoneFits {
            label: envelope.label.map(str::to_owned),
            tried: self
                .entries
                .iter()
                .map(|(label, _)| label.clone())
                .collect(),
        })
    }
}
