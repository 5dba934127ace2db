//! The `KEY=value` files that say which distribution this is.

/// The pairs of an os-release or lsb-release file.
#[derive(Debug, Default)]
pub(super) struct ReleaseFile {
    pairs: Vec<(String, String)>,
}

impl ReleaseFile {
    pub(super) fn parse(text: &str) -> Self {
        let pairs = text
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once('='))
            .map(|(key, value)| (key.trim().to_owned(), unquoted(value.trim())))
            .collect();
        Self { pairs }
    }

    /// The value of `key`; of two the later one, as a shell would have it.
    pub(super) fn value(&self, key: &str) -> Option<&str> {
        self.pairs
            .iter()
            .rev()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.as_str())
    }
}

/// Takes the quotes off, and the backslashes that a shell would.
fn unquoted(value: &str) -> String {
    let inner = match value.chars().next() {
        Some(quote @ ('"' | '\'')) => value[1..]
            .split(quote)
            .next()
            .filter(|_| !value.contains('\\'))
            .unwrap_or_else(|| {
                let rest = &value[1..];
                rest.strip_suffix(quote).unwrap_or(rest)
            }),
        _ => value,
    };
    let mut text = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_are_read_as_a_shell_reads_them() {
        let file = ReleaseFile::parse(
            "# c\nNAME=\"Rocky Linux\"\nID='rocky'\nX=a\\$b\nVERSION_CODENAME=\"\"\nID=last\n",
        );
        assert_eq!(file.value("NAME"), Some("Rocky Linux"));
        assert_eq!(file.value("ID"), Some("last"));
        assert_eq!(file.value("X"), Some("a$b"));
        assert_eq!(file.value("VERSION_CODENAME"), Some(""));
        assert_eq!(file.value("VERSION"), None);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(?s).*", value in "[\"'\\\\a=]*") {
            ReleaseFile::parse(&text);
            ReleaseFile::parse(&format!("A={value}"));
        }
    }
}
