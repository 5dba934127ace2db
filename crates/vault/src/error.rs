//! What can be wrong with an encrypted text or a password for it.

/// Why a text could not be decrypted or a password not be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The text does not begin with the header of a vault.
    #[error("the text is no vault: it does not begin with `$ANSIBLE_VAULT;`")]
    NoVault,
    /// The header is of a version or a cipher that is not known.
    #[error("the vault header `{header}` is not known; there are versions 1.1 and 1.2 with AES256")]
    Header {
        /// The header as it is.
        header: String,
    },
    /// What follows the header is damaged.
    #[error("the vault text is damaged: {what}")]
    Damaged {
        /// What is wrong with it.
        what: &'static str,
    },
    /// The password is another one.
    #[error("the vault password is wrong, or the text was changed")]
    WrongPassword,
    /// There is no password at all.
    #[error("the text is encrypted, and no vault password was given")]
    NoPassword,
    /// None of the passwords fits.
    #[error("no vault password fits{}; tried {}", labelled(label.as_deref()), tried.join(", "))]
    NoneFits {
        /// The label in the header.
        label: Option<String>,
        /// The labels of the passwords.
        tried: Vec<String>,
    },
    /// The decrypted bytes are no text.
    #[error("the decrypted text is not UTF-8")]
    NotUtf8,
    /// A salt of no bytes.
    #[error("the salt is empty")]
    EmptySalt,
    /// A password of no characters.
    #[error("the vault password of `{origin}` is empty")]
    EmptyPassword {
        /// Where it is from.
        origin: String,
    },
}

fn labelled(label: Option<&str>) -> String {
    label.map_or_else(String::new, |label| format!(" vault id `{label}`"))
}
