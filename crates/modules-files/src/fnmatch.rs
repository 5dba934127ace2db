//! Shell patterns for names, as Python's `fnmatch` reads them: `*`, `?`, `[abc]`, `[!abc]`.

/// Whether the whole of `name` matches `pattern`.
pub(crate) fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut p, mut n) = (0, 0);
    // Where the last star is, and what it has matched up to.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        if pattern.get(p) == Some(&'*') {
            star = Some((p, n));
            p += 1;
        } else if let Some(next) = step(&pattern, p, name[n]) {
            p = next;
            n += 1;
        } else if let Some((at, taken)) = star {
            star = Some((at, taken + 1));
            p = at + 1;
            n = taken + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// Where the pattern goes on after one character that matches, if it does.
fn step(pattern: &[char], at: usize, c: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '[' => match class_end(pattern, at) {
            Some(end) => class_has(&pattern[at + 1..end], c).then_some(end + 1),
            None => (c == '[').then_some(at + 1),
        },
        literal => (*literal == c).then_some(at + 1),
    }
}

/// Where the bracket that opens at `at` is closed; one right behind it (or behind `!`) stands for itself.
fn class_end(pattern: &[char], at: usize) -> Option<usize> {
    let mut end = at + 1;
    if pattern.get(end) == Some(&'!') {
        end += 1;
    }
    if pattern.get(end) == Some(&']') {
        end += 1;
    }
    (end..pattern.len()).find(|at| pattern[*at] == ']')
}

fn class_has(class: &[char], c: char) -> bool {
    let (is_negated, class) = match class {
        ['!', rest @ ..] => (true, rest),
        all => (false, all),
    };
    let mut at = 0;
    let mut is_in = false;
    while at < class.len() {
        if let ([low, '-', high], true) = (
            class.get(at..at + 3).unwrap_or_default(),
            at + 2 < class.len(),
        ) {
            is_in |= (*low..=*high).contains(&c);
            at += 3;
        } else {
            is_in |= class[at] == c;
            at += 1;
        }
    }
    is_in != is_negated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, name, expected) in [
            ("*", "", true),
            ("*.txt", "a.txt", true),
            ("*.txt", "a.txt~", false),
            ("a*b*c", "aXbYbZc", true),
            ("?", "é", true),
            ("?", "", false),
            ("[ab]x", "bx", true),
            ("[!ab]x", "bx", false),
            ("[a-c]", "b", true),
            ("[a-c]", "-", false),
            ("[a-]", "-", true),
            ("[]a]", "]", true),
            ("[", "[", true),
            ("", "a", false),
            ("*", ".hidden/x", true),
        ] {
            assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
        }
    }
}
