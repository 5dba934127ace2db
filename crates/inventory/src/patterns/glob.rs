//! Shell globs as Python's `fnmatch` has them: `*`, `?`, `[abc]`, `[a-z]`, `[!abc]`.

/// Whether the whole name matches. The case counts.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let glob: Vec<char> = glob.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut place) = (0, 0);
    // Where to go on after the last star, when what follows it does not fit.
    let mut retry: Option<(usize, usize)> = None;
    while place < name.len() {
        if glob.get(at) == Some(&'*') {
            retry = Some((at + 1, place + 1));
            at += 1;
        } else if let Some(length) = one(&glob[at..], name[place]) {
            at += length;
            place += 1;
        } else if let Some((after_star, from)) = retry {
            (at, place) = (after_star, from);
            retry = Some((after_star, from + 1));
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|&c| c == '*')
}

/// The length of the first element of the glob, if the character fits it.
fn one(glob: &[char], c: char) -> Option<usize> {
    match glob.first()? {
        '?' => Some(1),
        '[' => match class_length(glob) {
            Some(length) => is_in_class(&glob[1..length - 1], c).then_some(length),
            None => (c == '[').then_some(1),
        },
        &other => (other == c).then_some(1),
    }
}

/// The length of `[…]`, brackets included. A `]` right at the start is a member.
fn class_length(glob: &[char]) -> Option<usize> {
    let first = if glob.get(1) == Some(&'!') { 2 } else { 1 };
    let end = glob.iter().skip(first + 1).position(|&c| c == ']')?;
    Some(first + 1 + end + 1)
}

fn is_in_class(class: &[char], c: char) -> bool {
    let (is_negated, mut members) = match class.split_first() {
        Some(('!', rest)) => (true, rest),
        _ => (false, class),
    };
    let mut is_member = false;
    while let Some((&first, rest)) = members.split_first() {
        if let ['-', last, after @ ..] = rest {
            is_member |= (first..=*last).contains(&c);
            members = after;
        } else {
            is_member |= first == c;
            members = rest;
        }
    }
    is_member != is_negated
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn globs_match_as_fnmatch_does() {
        let cases = [
            ("web*", "web1", true),
            ("web*", "aweb1", false),
            ("*", "", true),
            ("*.example.com", "a.b.example.com", true),
            ("w?b", "web", true),
            ("w?b", "wb", false),
            ("h[1:3]*", "h1", true),
            ("h[1:3]*", "h2", false),
            ("h[1-3]", "h2", true),
            ("h[!1-3]", "h4", true),
            ("h[!1-3]", "h2", false),
            ("h[]]", "h]", true),
            ("h[", "h[", true),
            ("h[3-1]", "h2", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("Web", "web", false),
        ];
        for (glob, name, expected) in cases {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        }
    }
}
