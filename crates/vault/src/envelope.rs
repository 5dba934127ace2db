//! The outer form: a header line, and hexadecimal lines of 80 characters.

use std::fmt::Write as _;

use crate::VaultError;

const BEGIN: &str = "$ANSIBLE_VAULT";
const LINE: usize = 80;
const CIPHER: &str = "AES256";

/// Whether text begins as every vault does.
#[must_use]
pub fn is_encrypted(text: &[u8]) -> bool {
    text.strip_prefix(BEGIN.as_bytes())
        .is_some_and(|rest| rest.starts_with(b";"))
}

/// An encrypted text, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Envelope<'t> {
    pub(crate) label: Option<&'t str>,
    pub(crate) body: Vec<u8>,
}

impl<'t> Envelope<'t> {
    /// Reads the header and undoes the outer hexadecimal.
    pub(crate) fn open(text: &'t str) -> Result<Self, VaultError> {
        let text = text.trim();
        let (header, body) = text.split_once('\n').unwrap_or((text, ""));
        let mut fields = header.split(';').map(str::trim);
        if fields.next() != Some(BEGIN) {
            return Err(VaultError::NoVault);
        }
        let label = match (fields.next(), fields.next(), fields.next()) {
            (Some("1.1"), Some(CIPHER), _) => None,
            (Some("1.2"), Some(CIPHER), label) => label.filter(|label| !label.is_empty()),
            _ => {
                return Err(VaultError::Header {
                    header: header.trim().to_owned(),
                });
            }
        };
        let digits: String = body.split_ascii_whitespace().collect();
        Ok(Self {
            label,
            body: from_hex(digits.as_bytes())?,
        })
    }

    /// The text of a header and a body.
    pub(crate) fn close(label: Option<&str>, body: &[u8]) -> String {
        let digits = to_hex(body);
        let mut text = match label.filter(|label| !label.is_empty() && *label != "default") {
            Some(label) => format!("{BEGIN};1.2;{CIPHER};{label}\n"),
            None => format!("{BEGIN};1.1;{CIPHER}\n"),
        };
        for line in digits.as_bytes().chunks(LINE) {
            text.extend(line.iter().copied().map(char::from));
            text.push('\n');
        }
        text
    }
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

pub(crate) fn from_hex(digits: &[u8]) -> Result<Vec<u8>, VaultError> {
    let wrong = VaultError::Damaged {
        what: "it is not hexadecimal",
    };
    if !digits.len().is_multiple_of(2) {
        return Err(wrong);
    }
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    let bytes: Option<Vec<u8>> = digits
        .chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect();
    bytes.ok_or(wrong)
}
