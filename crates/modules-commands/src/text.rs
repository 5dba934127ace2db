//! Output as text: what is kept of it, and what to do where it is no UTF-8.

use std::fmt;

use rustle_process::Captured;

/// Where output stops being UTF-8. Displays as Python's error about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NotUtf8 {
    /// How many characters come before, each bad byte counted as one.
    position: usize,
    /// The bad bytes that follow each other there.
    bytes: Vec<u8>,
}

impl fmt::Display for NotUtf8 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, bytes } = self;
        match bytes.as_slice() {
            [byte] => write!(
                f,
                "'utf-8' codec can't encode character '\\udc{byte:02x}' in position {position}"
            )?,
            bytes => {
                let last = position + bytes.len().saturating_sub(1);
                write!(
                    f,
                    "'utf-8' codec can't encode characters in position {position}-{last}"
                )?;
            }
        }
        f.write_str(": surrogates not allowed")
    }
}

/// What was kept of a stream, as text.
///
/// A character that the limit cut in two is dropped.
pub(crate) fn strict(captured: &Captured) -> Result<String, NotUtf8> {
    let whole = whole_characters(captured);
    String::from_utf8(whole).map_err(|error| not_utf8(error.as_bytes()))
}

/// What was kept of a stream, as text, with U+FFFD for what is no UTF-8.
pub(crate) fn lossy(captured: &Captured) -> String {
    String::from_utf8_lossy(&whole_characters(captured)).into_owned()
}

fn whole_characters(captured: &Captured) -> Vec<u8> {
    if !captured.truncated {
        return captured.bytes().into();
    }
    let head = match std::str::from_utf8(&captured.head) {
        Err(error) if error.error_len().is_none() => &captured.head[..error.valid_up_to()],
        _ => &captured.head[..],
    };
    let cut = captured
        .tail
        .iter()
        .take(3)
        .take_while(|byte| **byte & 0xc0 == 0x80)
        .count();
    [head, &captured.tail[cut..]].concat()
}

fn not_utf8(bytes: &[u8]) -> NotUtf8 {
    let (mut position, mut bad) = (0, Vec::new());
    for chunk in bytes.utf8_chunks() {
        if !bad.is_empty() && !chunk.valid().is_empty() {
            break;
        }
        position += chunk.valid().chars().count();
        bad.extend_from_slice(chunk.invalid());
    }
    NotUtf8 {
        position,
        bytes: bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn captured(head: &[u8], tail: &[u8], truncated: bool) -> Captured {
        Captured {
            head: bytes::Bytes::copy_from_slice(head),
            tail: bytes::Bytes::copy_from_slice(tail),
            truncated,
            total_bytes: (head.len() + tail.len()) as u64,
        }
    }

    #[test]
    fn output_that_is_no_utf8_is_named_as_python_does() {
        for (bytes, message) in [
            (&b"caf\xe9 x\xff"[..], "character '\\udce9' in position 3"),
            (
                "ä\u{20ac}".as_bytes().split_last().unwrap().1,
                "characters in position 1-2",
            ),
            (b"\xff\xfe\xfdab\xff", "characters in position 0-2"),
        ] {
            let error = strict(&captured(bytes, b"", false))
                .unwrap_err()
                .to_string();
            assert_eq!(
                error,
                format!("'utf-8' codec can't encode {message}: surrogates not allowed")
            );
        }
        assert_eq!(lossy(&captured(b"caf\xe9", b"", false)), "caf\u{fffd}");
    }

    #[test]
    fn character_that_the_limit_cut_is_dropped() {
        let euro = "€".as_bytes();
        assert_eq!(strict(&captured(&euro[..2], &euro[1..], true)).unwrap(), "");
        assert_eq!(strict(&captured(b"a", euro, true)).unwrap(), "a€");
        let split = captured(
            &[b"a", &euro[..1]].concat(),
            &[&euro[2..], b"b"].concat(),
            true,
        );
        assert_eq!(strict(&split).unwrap(), "ab");
        assert_eq!(
            strict(&captured(&euro[..1], &euro[1..], false)).unwrap(),
            "€"
        );
    }
}
