//! Names and versions that are written as patterns (`*`, `?`, `[ab]`).

use ::glob::Pattern;

/// Whether a text is a pattern.
pub(crate) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// Whether `text` matches `pattern`; one that is not well formed matches itself only.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    Pattern::new(pattern).map_or_else(|_| pattern == text, |pattern| pattern.matches(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_match_patterns_and_themselves() {
        assert!(matches("1.2*", "1.2.3-1"));
        assert!(matches("1.2", "1.2"));
        assert!(!matches("1.2", "1.2.3"));
        assert!(matches("[", "["));
        assert!(is_pattern("lib*") && !is_pattern("g++"));
    }
}
