//! Takes patterns apart: terms, and subscripts of terms.

use rustle_types::HostName;

use crate::address;

/// Splits a pattern into its terms: at commas if it has any, else at colons and spaces outside of brackets. An
/// address is one term, colons and all.
pub(super) fn terms(pattern: &str) -> Vec<String> {
    let parts: Vec<&str> = if pattern.contains(',') {
        pattern.split(',').collect()
    } else if address::parse(pattern).is_some() {
        vec![pattern]
    } else {
        at_colons(pattern)
    };
    parts
        .into_iter()
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect()
}

fn at_colons(pattern: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    let mut bracket_end = 0;
    for (at, c) in pattern.char_indices() {
        if at < bracket_end {
            continue;
        }
        match (c, pattern[at..].find(']')) {
            ('[', Some(length)) => bracket_end = at + length + 1,
            (':' | '[' | ']', _) => {
                parts.push(&pattern[start..at]);
                start = at + 1;
            }
            (c, _) if c.is_whitespace() => {
                parts.push(&pattern[start..at]);
                start = at + c.len_utf8();
            }
            _ => {}
        }
    }
    parts.push(&pattern[start..]);
    parts
}

/// Which of the matching hosts are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subscript {
    /// One, from the end where negative.
    One(i64),
    /// From one to another, both included, or to the end.
    Slice(usize, Option<usize>),
}

impl Subscript {
    /// The hosts that are meant; the error is a subscript beyond them.
    pub(super) fn pick(self, hosts: &[HostName]) -> Result<Vec<HostName>, i64> {
        match self {
            Self::One(index) => {
                let place = if index < 0 {
                    index + i64::try_from(hosts.len()).map_err(|_| index)?
                } else {
                    index
                };
                let host = usize::try_from(place)
                    .ok()
                    .and_then(|place| hosts.get(place))
                    .ok_or(index)?;
                Ok(vec![host.clone()])
            }
            Self::Slice(from, to) => {
                let count = to
                    .map_or(usize::MAX, |to| to.saturating_add(1))
                    .saturating_sub(from);
                Ok(hosts.iter().skip(from).take(count).cloned().collect())
            }
        }
    }
}

/// Takes `web[0]`, `web[-1]`, `web[1:]` and `web[1:3]` apart; other brackets belong to the name.
pub(super) fn subscript(term: &str) -> (&str, Option<Subscript>) {
    let split = || {
        let (name, inner) = term.strip_suffix(']')?.rsplit_once('[')?;
        if name.is_empty() {
            return None;
        }
        Some((name, parse_subscript(inner)?))
    };
    split().map_or((term, None), |(name, subscript)| (name, Some(subscript)))
}

fn parse_subscript(inner: &str) -> Option<Subscript> {
    let number = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse().ok())
            .flatten()
    };
    if let Some(index) = number(inner) {
        return Some(Subscript::One(i64::try_from(index).ok()?));
    }
    if let Some(index) = inner.strip_prefix('-').and_then(number) {
        return Some(Subscript::One(-i64::try_from(index).ok()?));
    }
    let (from, to) = inner.split_once([':', '-'])?;
    let from: usize = number(from)?;
    match to {
        "" => Some(Subscript::Slice(from, None)),
        // Ansible takes an end of 0 for no end at all, and so the start for the only host.
        to if number(to)? == 0 => Some(Subscript::One(i64::try_from(from).ok()?)),
        to => Some(Subscript::Slice(from, Some(number(to)?))),
    }
}
