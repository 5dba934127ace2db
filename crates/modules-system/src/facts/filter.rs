//! Which facts a `filter` keeps: shell patterns, as `fnmatch` reads them.

/// Whether a fact is asked for. No patterns, or an empty one, ask for all.
///
/// A pattern fits the whole name or the name without `ansible_`.
pub(super) fn keeps(patterns: &[String], name: &str) -> bool {
    let bare = name.strip_prefix("ansible_");
    patterns.is_empty()
        || patterns.iter().any(|pattern| {
            pattern.is_empty()
                || matches(pattern, name)
                || bare.is_some_and(|bare| matches(pattern, bare))
        })
}

/// Whether `text` fits the shell pattern: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`.
///
/// Remembers only the last star, so that hostile patterns cost no more than the product of both lengths.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, t));
            p += 1;
        } else if let Some(next) = one(&pattern, p, text[t]) {
            p = next;
            t += 1;
        } else if let Some((star_p, star_t)) = star {
            p = star_p + 1;
            t = star_t + 1;
            star = Some((star_p, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Fits one character at `at`; gives where the pattern goes on.
fn one(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match *pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match class(pattern, at) {
            Some((negated, members, next)) => (in_class(members, c) != negated).then_some(next),
            None => (c == '[').then_some(at + 1),
        },
        literal => (literal == c).then_some(at + 1),
    }
}

/// The members of the class that opens at `at`, and where it ends; nothing when it is never closed.
fn class(pattern: &[char], at: usize) -> Option<(bool, &[char], usize)> {
    let negated = pattern.get(at + 1) == Some(&'!');
    let start = at + 1 + usize::from(negated);
    // A bracket that comes first is a member.
    let end = (start + 1..pattern.len()).find(|index| pattern[*index] == ']')?;
    Some((negated, &pattern[start..end], end + 1))
}

fn in_class(members: &[char], c: char) -> bool {
    let mut at = 0;
    while at < members.len() {
        if at + 2 < members.len() && members[at + 1] == '-' {
            if (members[at]..=members[at + 2]).contains(&c) {
                return true;
            }
            at += 3;
        } else {
            if members[at] == c {
                return true;
            }
            at += 1;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(pattern: &str, name: &str) -> bool {
        keeps(&[pattern.to_owned()], name)
    }

    #[test]
    fn a_filter_fits_with_and_without_the_prefix() {
        assert!(kept("ansible_os_family", "ansible_os_family"));
        assert!(kept("os_*", "ansible_os_family"));
        assert!(kept("distribution?file*", "ansible_distribution_file_path"));
        assert!(!kept("ANSIBLE_OS*", "ansible_os_family"));
        assert!(!kept("zzz", "gather_subset"));
        assert!(kept("gather*", "gather_subset"));
    }

    #[test]
    fn no_filter_and_an_empty_one_keep_everything() {
        assert!(keeps(&[], "ansible_system"));
        assert!(kept("", "ansible_system"));
    }

    #[test]
    fn classes_are_read_as_fnmatch_reads_them() {
        assert!(matches("[!a]*", "system"));
        assert!(!matches("[!a]*", "all"));
        assert!(matches("[a-k]b", "cb"));
        assert!(matches("[]x]", "]"));
        assert!(matches("[ab", "[ab"));
        assert!(matches("*a*b*", "xxaxxbxx"));
        assert!(!matches("*a*b", "xxaxxbxx"));
    }

    proptest! {
        #[test]
        fn any_pattern_and_text_are_survived(pattern in ".*", text in ".*") {
            matches(&pattern, &text);
        }

        #[test]
        fn a_text_without_signs_fits_itself(text in "[a-z_.]*") {
            prop_assert!(matches(&text, &text));
        }
    }
}
