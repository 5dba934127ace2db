//! Text that a terminal shows and does not obey.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Makes text safe to show: what a terminal would obey, or what would turn the order of reading, becomes visible.
///
/// Line feeds and tabs stay, a carriage return in front of a line feed goes. Every other control character (C0, DEL, C1, so
/// every escape sequence too) becomes `\x1b`, and Unicode's line separators and bidirectional controls become `\u{202e}`.
#[must_use]
pub fn escape_for_terminal(text: &str) -> Cow<'_, str> {
    let Some(first) = text.find(is_active) else {
        return Cow::Borrowed(text);
    };
    let mut safe = String::with_capacity(text.len() + 16);
    safe.push_str(&text[..first]);
    let mut rest = text[first..].chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\r' if rest.peek() == Some(&'\n') => {}
            '\r' => safe.push_str("\\r"),
            active if is_active(active) => push_code(&mut safe, active),
            harmless => safe.push(harmless),
        }
    }
    Cow::Owned(safe)
}

/// Makes text safe to show within one line: as [`escape_for_terminal`], and line feeds and tabs become visible as well.
pub(crate) fn escape_line(text: &str) -> Cow<'_, str> {
    let safe = escape_for_terminal(text);
    if safe.contains(['\n', '\t']) {
        Cow::Owned(
            safe.trim_end_matches('\n')
                .replace('\n', "\\n")
                .replace('\t', "\\t"),
        )
    } else {
        safe
    }
}

fn is_active(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            true
        }
        other => other.is_control(),
    }
}

fn push_code(safe: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = if code < 0x100 {
        write!(safe, "\\x{code:02x}")
    } else {
        write!(safe, "\\u{{{code:x}}}")
    };
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_and_bidi_overrides_become_visible() {
        let hostile = "a\x1b[31mred\x1b]0;title\x07 \u{9b}2J \u{202e}txt.exe\x7f\rover";
        let shown = "a\\x1b[31mred\\x1b]0;title\\x07 \\x9b2J \\u{202e}txt.exe\\x7f\\rover";
        assert_eq!(escape_for_terminal(hostile), shown);
    }

    #[test]
    fn lines_and_tabs_stay_and_windows_line_ends_become_ours() {
        assert_eq!(escape_for_terminal("a\tb\r\nc\n"), "a\tb\nc\n");
        assert_eq!(escape_line("a\tb\nc\n"), "a\\tb\\nc");
    }

    #[test]
    fn plain_text_is_not_copied() {
        assert!(matches!(
            escape_for_terminal("Grüße, 日本 👩‍💻"),
            Cow::Borrowed(_)
        ));
    }

    proptest! {
        #[test]
        fn no_control_character_passes(text in any::<String>(), codes in prop::collection::vec(0_u32..0x2100, 0..40)) {
            let text: String = text.chars().chain(codes.into_iter().filter_map(char::from_u32)).collect();
            let safe = escape_for_terminal(&text);
            prop_assert!(!safe.contains(is_active), "{:?}", safe);
            prop_assert!(!safe.chars().any(|c| c.is_control() && c != '\n' && c != '\t'));
            let line = escape_line(&text);
            prop_assert!(!line.chars().any(char::is_control), "{:?}", line);
            prop_assert_eq!(escape_for_terminal(&safe), &*safe);
        }
    }
}
