//! One line of an ini file: an option, perhaps commented out, or something else.

/// What a line says of an option.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry<'a> {
    /// Whether it is commented out.
    pub(super) is_inactive: bool,
    /// The value; empty where there is none.
    pub(super) value: &'a str,
}

/// Reads a line that is about `option`; `None` for any other.
pub(super) fn entry_of<'a>(option: &str, line: &'a str) -> Option<Entry<'a>> {
    let text = line.strip_suffix('\n').unwrap_or(line);
    let text = trim(text);
    let inner = text.strip_prefix(['#', ';']).map(trim);
    let after = trim(inner.unwrap_or(text).strip_prefix(option)?);
    let value = match after.strip_prefix('=') {
        Some(value) => trim(value),
        None if after.is_empty() => "",
        None => return None,
    };
    Some(Entry {
        is_inactive: inner.is_some(),
        value,
    })
}

/// Whether a line begins the section called `name`.
pub(super) fn begins_section(name: &str, line: &str) -> bool {
    let inner = line.strip_prefix('[').map(str::trim_start);
    let after = inner.and_then(|inner| inner.strip_prefix(name.trim()));
    after.is_some_and(|after| after.trim_start().starts_with(']'))
}

/// Whether a line is empty or a comment.
pub(super) fn is_blank_or_comment(line: &str) -> bool {
    let text = trim(line.strip_suffix('\n').unwrap_or(line));
    text.is_empty() || text.starts_with(['#', ';'])
}

fn trim(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_with_and_without_a_value() {
        let entry = |is_inactive, value| Some(Entry { is_inactive, value });
        for (line, expected) in [
            ("k = 1\n", entry(false, "1")),
            ("\tk=", entry(false, "")),
            ("k\n", entry(false, "")),
            ("# k =a b \n", entry(true, "a b ")),
            (";k", entry(true, "")),
            ("kk = 1\n", None),
            ("k: 1\n", None),
            ("[k]\n", None),
        ] {
            assert_eq!(entry_of("k", line), expected, "{line:?}");
        }
    }

    #[test]
    fn sections_are_found_by_their_name() {
        for (line, expected) in [
            ("[a.b]\n", true),
            ("[ a.b ] ; x\n", true),
            (" [a.b]\n", false),
            ("[a.bc]\n", false),
            ("[axb]\n", false),
        ] {
            assert_eq!(begins_section("a.b", line), expected, "{line:?}");
        }
    }
}
