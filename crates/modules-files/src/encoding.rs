//! Text encodings, in Python's names: the ones that need no tables.

/// An encoding of a text file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Encoding {
    /// UTF-8; what is none stays as it is.
    Utf8,
    /// Seven bits; what is above stays as it is.
    Ascii,
    /// The first 256 characters.
    Latin1,
    /// UTF-16, of this byte order, with a mark of it in front or not.
    Utf16 {
        /// Whether the high byte comes first.
        big_endian: bool,
        /// Whether a mark is written in front.
        marked: bool,
    },
}

impl Encoding {
    /// The encoding called `name`.
    ///
    /// # Errors
    /// When it is unknown, in Python's words.
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect();
        Ok(match plain.as_str() {
            "utf8" | "u8" | "utf" | "cp65001" => Self::Utf8,
            "ascii" | "usascii" | "646" => Self::Ascii,
            "latin1" | "latin" | "iso88591" | "88591" | "cp819" | "l1" => Self::Latin1,
            "utf16" | "u16" => Self::utf16(false, true),
            "utf16le" => Self::utf16(false, false),
            "utf16be" => Self::utf16(true, false),
            _ => return Err(format!("unknown encoding: {name}")),
        })
    }

    const fn utf16(big_endian: bool, marked: bool) -> Self {
        Self::Utf16 { big_endian, marked }
    }

    /// The bytes as UTF-8. Bytes that are no text in an encoding made of bytes stay as they are.
    ///
    /// # Errors
    /// When they are no UTF-16.
    pub(crate) fn decode(self, bytes: Vec<u8>) -> Result<Vec<u8>, String> {
        match self {
            Self::Utf8 | Self::Ascii => Ok(bytes),
            Self::Latin1 => {
                let text: String = bytes.into_iter().map(char::from).collect();
                Ok(text.into_bytes())
            }
            Self::Utf16 { big_endian, marked } => {
                let (mut bytes, mut big_endian) = (bytes.as_slice(), big_endian);
                if marked && (bytes.starts_with(&[0xFE, 0xFF]) || bytes.starts_with(&[0xFF, 0xFE]))
                {
                    big_endian = bytes[0] == 0xFE;
                    bytes = &bytes[2..];
                }
                let pairs = bytes.chunks(2).map(|pair| match (pair, big_endian) {
                    ([high, low], true) | ([low, high], false) => {
                        Some(u16::from_be_bytes([*high, *low]))
                    }
                    _ => None,
                });
                let units: Option<Vec<u16>> = pairs.collect();
                let units = units.ok_or("'utf-16' codec can't decode: truncated data")?;
                let text = String::from_utf16(&units);
                text.map(String::into_bytes)
                    .map_err(|_| "'utf-16' codec can't decode: illegal encoding".to_owned())
            }
        }
    }

    /// UTF-8 in this encoding.
    ///
    /// # Errors
    /// When a character has no place in it.
    pub(crate) fn encode(self, text: Vec<u8>) -> Result<Vec<u8>, String> {
        if matches!(self, Self::Utf8 | Self::Ascii) {
            return Ok(text);
        }
        let text = String::from_utf8_lossy(&text);
        match self {
            Self::Utf16 { big_endian, marked } => {
                let mark = marked.then_some(0xFEFF);
                let units = mark.into_iter().chain(text.encode_utf16());
                let bytes = units.flat_map(|unit| {
                    if big_endian {
                        unit.to_be_bytes()
                    } else {
                        unit.to_le_bytes()
                    }
                });
                Ok(bytes.collect())
            }
            _ => {
                let byte = |(at, c): (usize, char)| {
                    u8::try_from(u32::from(c)).map_err(|_| {
                        format!("'latin-1' codec can't encode character '{c}' in position {at}: ordinal not in range(256)")
                    })
                };
                text.chars().enumerate().map(byte).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_comes_back_as_it_was() {
        for (name, bytes, text) in [
            ("utf-8", &b"a\xC3\xA9"[..], "aé"),
            ("Latin_1", b"a\xE9", "aé"),
            ("utf-16", b"\xFF\xFEa\0\xE9\0", "aé"),
            ("UTF-16-BE", b"\0a\0\xE9", "aé"),
        ] {
            let encoding = Encoding::named(name).expect("a name");
            let decoded = encoding.decode(bytes.to_vec()).expect("text");
            assert_eq!(decoded, text.as_bytes(), "{name}");
            assert_eq!(encoding.encode(decoded).expect("bytes"), bytes, "{name}");
        }
        assert_eq!(
            Encoding::named("nope"),
            Err("unknown encoding: nope".to_owned())
        );
        let odd = Encoding::named("utf-16").expect("a name").decode(vec![1]);
        assert!(odd.is_err());
    }
}
