//! Ansible Vault: texts encrypted with a password, and the passwords of a run.
//!
//! [`encrypt`] and [`decrypt`] are the format: a header line such as `$ANSIBLE_VAULT;1.1;AES256`, then hexadecimal lines.
//! [`VaultSecrets`] are the passwords of a run by their labels. Nothing here does I/O: whoever starts the run reads what a
//! [`VaultSource`] names, runs it or asks for it.

mod cipher;
mod envelope;
mod error;
mod secrets;
mod source;

pub use cipher::{SALT_LENGTH, decrypt, encrypt};
pub use envelope::is_encrypted;
pub use error::VaultError;
pub use secrets::VaultSecrets;
pub use source::{SecretOrigin, VaultSource, password_of};
