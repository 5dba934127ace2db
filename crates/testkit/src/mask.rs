//! Replacing what differs from run to run, so that output can be compared with a snapshot.

use std::sync::LazyLock;

use regex::Regex;

/// What to replace in output, and by what.
///
/// Texts that were [added](Self::add) go first, the longest first. Then, always:
///
/// | what | becomes |
/// |---|---|
/// | `2026-11-21T12:00:00.5Z` | `[timestamp]` |
/// | `0198d1c2-…` (a UUID) | `[uuid]` |
/// | `1.5s`, `20 ms`, `1m 2s`, `0:00:01` | `[time]` |
#[derive(Clone, Debug, Default)]
pub struct Masks {
    texts: Vec<(String, String)>,
}

static PATTERNS: LazyLock<[(Regex, &str); 4]> = LazyLock::new(|| {
    [
        (
            r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC|[+-]\d\d:?\d\d)?",
            "[timestamp]",
        ),
        (
            r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b",
            "[uuid]",
        ),
        (r"\b\d+:\d\d:\d\d(\.\d+)?\b", "[time]"),
        (
            r"\b\d+(\.\d+)? ?(ns|µs|ms|s|m|h)\b( \d+(\.\d+)?(ms|s|m)\b)*",
            "[time]",
        ),
    ]
    .map(|(pattern, name)| {
        (
            Regex::new(pattern).expect("the patterns above are well formed"),
            name,
        )
    })
});

impl Masks {
    /// Replaces `text` by `name` from now on. An empty text is left alone.
    pub fn add(&mut self, text: impl Into<String>, name: impl Into<String>) {
        let text = text.into();
        if !text.is_empty() {
            self.texts.push((text, name.into()));
            self.texts
                .sort_by_key(|(text, _)| std::cmp::Reverse(text.len()));
        }
    }

    /// Returns `output` with everything replaced.
    #[must_use]
    pub fn apply(&self, output: &str) -> String {
        let mut masked = output.to_owned();
        for (text, name) in &self.texts {
            masked = masked.replace(text, name);
        }
        for (pattern, name) in PATTERNS.iter() {
            masked = pattern.replace_all(&masked, *name).into_owned();
        }
        masked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_run_to_run_is_masked() {
        let mut masks = Masks::default();
        masks.add("/tmp/a", "$DIR");
        masks.add("/tmp/a/home", "$HOME");
        masks.add("40022", "$PORT");
        let cases = [
            (
                "wrote /tmp/a/home/x and /tmp/a/y",
                "wrote $HOME/x and $DIR/y",
            ),
            ("connect to 127.0.0.1:40022", "connect to 127.0.0.1:$PORT"),
            ("took 1.53s, slowest 20 ms", "took [time], slowest [time]"),
            ("took 1m 2s", "took [time]"),
            ("elapsed 0:00:01.2", "elapsed [time]"),
            ("run 0198d1c2-aaaa-7bbb-8ccc-0123456789ab", "run [uuid]"),
            ("at 2026-11-21T12:00:00.123Z.", "at [timestamp]."),
            (
                "3 hosts, 10 tasks, mode 0644, h1 ok",
                "3 hosts, 10 tasks, mode 0644, h1 ok",
            ),
        ];
        for (output, expected) in cases {
            assert_eq!(masks.apply(output), expected);
        }
    }
}
