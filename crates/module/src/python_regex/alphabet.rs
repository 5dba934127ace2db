//! What one character of a subject is: a byte or a character.

use std::borrow::Cow;

/// The character that stands for byte `0x80` where Python matches bytes; the others follow.
const HIGH: u32 = 0xF700;

/// The character that stands for byte `0x80` where Python matches text and the byte is no UTF-8; the others follow.
const NO_UTF8: u32 = 0x10_FF00;

/// What a pattern is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Alphabet {
    /// Bytes, of which only ASCII has letters, digits and spaces.
    #[default]
    Bytes,
    /// Characters.
    Text,
}

impl Alphabet {
    /// The subject as the engine reads it.
    pub(super) fn to_text(self, bytes: &[u8]) -> Cow<'_, str> {
        match (self, std::str::from_utf8(bytes)) {
            (Self::Text, Ok(text)) => text.into(),
            (Self::Bytes, Ok(text)) if text.is_ascii() => text.into(),
            (Self::Bytes, _) => bytes.iter().map(|byte| self.to_char(*byte)).collect(),
            (Self::Text, Err(_)) => {
                let mut text = String::with_capacity(bytes.len());
                for chunk in bytes.utf8_chunks() {
                    text.push_str(chunk.valid());
                    text.extend(chunk.invalid().iter().map(|byte| self.to_char(*byte)));
                }
                text.into()
            }
        }
    }

    /// The character that stands for one byte.
    pub(super) fn to_char(self, byte: u8) -> char {
        if byte.is_ascii() {
            return byte.into();
        }
        let first = self.first_high();
        char::from_u32(first + u32::from(byte) - 0x80).unwrap_or(char::REPLACEMENT_CHARACTER)
    }

    const fn first_high(self) -> u32 {
        match self {
            Self::Bytes => HIGH,
            Self::Text => NO_UTF8,
        }
    }

    /// Back from what the engine read.
    pub(super) fn to_bytes(self, text: &str) -> Vec<u8> {
        let first = self.first_high();
        let mut bytes = Vec::with_capacity(text.len());
        for c in text.chars() {
            let code = u32::from(c);
            let byte = if (first..first + 0x80).contains(&code) {
                u8::try_from(code - first + 0x80).ok()
            } else if self == Self::Bytes {
                u8::try_from(code).ok()
            } else {
                None
            };
            match byte {
                Some(byte) => bytes.push(byte),
                None => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        bytes
    }
}
