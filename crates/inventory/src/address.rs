//! Hosts as inventories write them: `web[01:20:2].example.com:2222`, `[2001:db8::1]:22`.

use std::net::Ipv6Addr;

/// More hosts than this from one line are a mistake.
const MOST_HOSTS: usize = 100_000;

/// The letters that a range may count through, in Python's order.
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Splits a port off an address. `None` where the text is neither a host name nor an IP address, ranges allowed.
pub(crate) fn parse(text: &str) -> Option<(&str, Option<u64>)> {
    let (host, port) = split_port(text);
    (is_ipv6(host) || is_hostname(host)).then_some((host, port))
}

/// The hosts that a pattern in an inventory stands for, and the port of all of them.
pub(crate) fn hosts_of(pattern: &str) -> Result<(Vec<String>, Option<u64>), &'static str> {
    // What is no address is taken as it is: a chroot's path, `user@host`.
    let (host, port) = parse(pattern).unwrap_or((pattern, None));
    let mut hosts = Vec::new();
    expand(host, &mut hosts)?;
    Ok((hosts, port))
}

fn split_port(text: &str) -> (&str, Option<u64>) {
    let Some((head, digits)) = text.rsplit_once(':') else {
        return (text, None);
    };
    let port = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())
        .flatten();
    if port.is_none() {
        return (text, None);
    }
    if let Some(inner) = head
        .strip_prefix('[')
        .and_then(|head| head.strip_suffix(']'))
        && !inner.is_empty()
    {
        return (inner, port);
    }
    if has_bare_colon_or_bracket(head) {
        (text, None)
    } else {
        (head, port)
    }
}

/// Whether a colon or a bracket stands outside of a complete `[…]`.
fn has_bare_colon_or_bracket(mut text: &str) -> bool {
    while let Some(at) = text.find([':', '[', ']']) {
        if !text[at..].starts_with('[') {
            return true;
        }
        match text[at..].find(']') {
            Some(end) => text = &text[at + end + 1..],
            None => return true,
        }
    }
    false
}

fn is_hostname(text: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    without_ranges(text, is_host_range).is_some_and(|plain| {
        plain.split('.').all(|label| {
            label.starts_with(is_word)
                && label.chars().all(|c| is_word(c) || c == '-')
                && !label.ends_with(['_', '-'])
        })
    })
}

fn is_ipv6(text: &str) -> bool {
    let is_hex_range = |from: &str, to: &str| {
        [from, to]
            .iter()
            .all(|bound| !bound.is_empty() && bound.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    without_ranges(text, is_hex_range).is_some_and(|plain| plain.parse::<Ipv6Addr>().is_ok())
}

fn is_host_range(from: &str, to: &str) -> bool {
    let is_number =
        |bound: &str| !bound.is_empty() && bound.bytes().all(|byte| byte.is_ascii_digit());
    let is_letter =
        |bound: &str| bound.len() == 1 && bound.bytes().all(|byte| byte.is_ascii_alphabetic());
    (is_number(from) && is_number(to)) || (is_letter(from) && is_letter(to))
}

/// Puts a `0` in the place of each range; `None` where brackets hold anything else.
fn without_ranges(text: &str, is_range: impl Fn(&str, &str) -> bool) -> Option<String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((head, tail)) = rest.split_once('[') {
        let (range, after) = tail.split_once(']')?;
        let mut bounds = range.splitn(3, ':');
        let (from, to) = (bounds.next()?, bounds.next()?);
        let step = bounds.next().unwrap_or("1");
        if !is_range(from, to) || step.is_empty() || !step.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        plain.push_str(head);
        plain.push('0');
        rest = after;
    }
    plain.push_str(rest);
    Some(plain)
}

fn expand(pattern: &str, hosts: &mut Vec<String>) -> Result<(), &'static str> {
    let Some((head, tail)) = pattern.split_once('[') else {
        if hosts.len() == MOST_HOSTS {
            return Err("it stands for more than 100000 hosts");
        }
        hosts.push(pattern.to_owned());
        return Ok(());
    };
    let (range, tail) = tail.split_once(']').ok_or("the bracket is not closed")?;
    for item in items(range)? {
        expand(&format!("{head}{item}{tail}"), hosts)?;
    }
    Ok(())
}

fn items(range: &str) -> Result<Vec<String>, &'static str> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (from, to, step) = match bounds[..] {
        [from, to] => (from, to, 1),
        [from, to, step] => (
            from,
            to,
            step.parse().ok().filter(|&step| step > 0).ok_or(STEP)?,
        ),
        _ => return Err("expected `[from:to]` or `[from:to:step]`"),
    };
    let from = if from.is_empty() { "0" } else { from };
    if to.is_empty() {
        return Err("the end is missing");
    }
    let width = if from.len() > 1 && from.starts_with('0') {
        from.len()
    } else {
        0
    };
    if width > 0 && width != to.len() {
        return Err("a start with leading zeros needs an end of the same length");
    }
    if let (Some(first), Some(last)) = (letter(from), letter(to)) {
        return letters(first, last, step);
    }
    let first: u64 = from.parse().map_err(|_| BOUNDS)?;
    let last: u64 = to.parse().map_err(|_| BOUNDS)?;
    let numbers = (first..=last).step_by(step).take(MOST_HOSTS + 1);
    Ok(numbers.map(|number| format!("{number:0width$}")).collect())
}

const STEP: &str = "the step is not a whole number above 0";
const BOUNDS: &str = "start and end are either both numbers or both single letters";

fn letter(bound: &str) -> Option<usize> {
    if bound.len() == 1 {
        LETTERS.find(bound)
    } else {
        None
    }
}

fn letters(first: usize, last: usize, step: usize) -> Result<Vec<String>, &'static str> {
    if first > last {
        return Err("the start is after the end");
    }
    Ok(LETTERS[first..=last]
        .chars()
        .step_by(step)
        .map(String::from)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::{hosts_of, parse};

    #[test]
    fn hosts_expand_as_ansible_expands_them() {
        let cases: [(&str, &[&str], Option<u64>); 13] = [
            ("web", &["web"], None),
            ("web:22", &["web"], Some(22)),
            ("web[1:3]", &["web1", "web2", "web3"], None),
            (
                "web[01:05:2].x.org:22",
                &["web01.x.org", "web03.x.org", "web05.x.org"],
                Some(22),
            ),
            ("web[:2]", &["web0", "web1", "web2"], None),
            ("db-[a:c]", &["db-a", "db-b", "db-c"], None),
            (
                "r[1:2]u[08:09]",
                &["r1u08", "r1u09", "r2u08", "r2u09"],
                None,
            ),
            ("10.0.[0:1].1", &["10.0.0.1", "10.0.1.1"], None),
            ("2001:db8::1", &["2001:db8::1"], None),
            ("[2001:db8::1]:22", &["2001:db8::1"], Some(22)),
            ("/srv/chroot", &["/srv/chroot"], None),
            ("user@host:22", &["user@host:22"], None),
            ("web[3:1]", &[], None),
        ];
        for (pattern, hosts, port) in cases {
            let (found, found_port) = hosts_of(pattern).unwrap();
            assert_eq!(
                (&found[..], found_port),
                (
                    &hosts.iter().map(ToString::to_string).collect::<Vec<_>>()[..],
                    port
                ),
                "{pattern}"
            );
        }
    }

    #[test]
    fn impossible_ranges_say_what_is_wrong() {
        let cases = [
            ("web[1:3", "the bracket is not closed"),
            ("web[1]", "expected `[from:to]` or `[from:to:step]`"),
            ("web[1:]", "the end is missing"),
            (
                "web[01:100]",
                "a start with leading zeros needs an end of the same length",
            ),
            ("web[c:a]", "the start is after the end"),
            (
                "web[a:5]",
                "start and end are either both numbers or both single letters",
            ),
            ("web[1:5:0]", "the step is not a whole number above 0"),
            ("web[1:999999999]", "it stands for more than 100000 hosts"),
        ];
        for (pattern, problem) in cases {
            assert_eq!(hosts_of(pattern).unwrap_err(), problem, "{pattern}");
        }
    }

    #[test]
    fn what_is_no_address_does_not_parse_as_one() {
        for text in ["a:&b", "a:!b", "-a", "a_", "a..b", "web[1:]", "", "~x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
