//! Comparison of version numbers.

use std::cmp::Ordering;

use minijinja::{Error, Value};

use crate::error::invalid;
use crate::filters::Arguments;
use crate::python::py_str;

/// Compares two versions by an operator, as the `version` test does.
pub(crate) fn compare_versions(value: &Value, args: &Arguments) -> Result<bool, Error> {
    let left = py_str(value);
    let right = py_str(&args.required(0, "version")?);
    let operator = args.text_or(1, "operator", "eq");
    let strict = args.get(2, "strict").filter(|strict| !strict.is_none());
    let kind = args.text(3, "version_type");
    if left.is_empty() || right.is_empty() {
        return Err(invalid(format!(
            "Input version value cannot be empty ({})",
            if left.is_empty() { "value" } else { "version" }
        )));
    }
    if strict.is_some() && kind.is_some() {
        return Err(invalid("Cannot specify both 'strict' and 'version_type'"));
    }
    let kind = kind.unwrap_or_else(|| {
        if strict.is_some_and(|strict| strict.is_true()) {
            "strict".to_owned()
        } else {
            "loose".to_owned()
        }
    });
    let order = match kind.as_str() {
        "loose" => loose(&left, &right)?,
        "strict" => strictly(&left)?.cmp(&strictly(&right)?),
        "semver" | "semantic" => semantic(&left, &right)?,
        "pep440" => python(&left)?.cmp(&python(&right)?),
        other => {
            return Err(invalid(format!(
                "Invalid version type ({other}). Must be one of loose, strict, semver, semantic, pep440"
            )));
        }
    };
    Ok(match operator.as_str() {
        "==" | "=" | "eq" => order.is_eq(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        "!=" | "<>" | "ne" => order.is_ne(),
        other => {
            return Err(invalid(format!(
                "Invalid operator type ({other}). Must be one of ==, =, eq, <, lt, <=, le, >, gt, >=, ge, !=, <>, ne"
            )));
        }
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Number(u128),
    Text(String),
}

fn parts(version: &str) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let class = |char: char| {
            if char.is_ascii_digit() {
                0
            } else if char.is_ascii_lowercase() {
                1
            } else {
                2
            }
        };
        let end = rest
            .find(|char| class(char) != class(first) || char == '.')
            .filter(|end| *end > 0);
        let end = if first == '.' {
            1
        } else {
            end.unwrap_or(rest.len())
        };
        let (part, tail) = rest.split_at(end);
        rest = tail;
        match part.parse() {
            _ if part == "." => {}
            Ok(number) => parts.push(Part::Number(number)),
            Err(_) => parts.push(Part::Text(part.to_owned())),
        }
    }
    parts
}

fn loose(left: &str, right: &str) -> Result<Ordering, Error> {
    let (left_parts, right_parts) = (parts(left), parts(right));
    for pair in left_parts.iter().zip(&right_parts) {
        let order = match pair {
            (Part::Number(a), Part::Number(b)) => a.cmp(b),
            (Part::Text(a), Part::Text(b)) => a.cmp(b),
            (Part::Number(_), Part::Text(_)) => return Err(mixed("int", "str")),
            (Part::Text(_), Part::Number(_)) => return Err(mixed("str", "int")),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(left_parts.len().cmp(&right_parts.len()))
}

fn mixed(left: &str, right: &str) -> Error {
    invalid(format!(
        "Version comparison failed: '<' not supported between instances of '{left}' and '{right}'"
    ))
}

/// `1.2`, `1.2.3`, `1.2a1`: numbers, then nothing or a pre-release.
fn strictly(version: &str) -> Result<([u64; 3], bool, char, u64), Error> {
    let fail = || invalid(format!("invalid version number '{version}'"));
    let at = version.find(['a', 'b']).unwrap_or(version.len());
    let (numbers, pre) = version.split_at(at);
    let numbers: Vec<u64> = numbers
        .split('.')
        .map(|part| part.parse().map_err(|_| fail()))
        .collect::<Result<_, _>>()?;
    let triple = match numbers.as_slice() {
        [a, b] => [*a, *b, 0],
        [a, b, c] => [*a, *b, *c],
        _ => return Err(fail()),
    };
    let mut chars = pre.chars();
    match chars.next() {
        None => Ok((triple, true, ' ', 0)),
        Some(letter) => Ok((
            triple,
            false,
            letter,
            chars.as_str().parse().map_err(|_| fail())?,
        )),
    }
}

fn semantic(left: &str, right: &str) -> Result<Ordering, Error> {
    let (left, right) = (read_semantic(left)?, read_semantic(right)?);
    Ok(left
        .0
        .cmp(&right.0)
        .then_with(|| match (&left.1, &right.1) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre(a, b),
        }))
}

fn read_semantic(version: &str) -> Result<([u64; 3], Option<String>), Error> {
    let fail = || invalid(format!("invalid semantic version '{version}'"));
    let body = version.split('+').next().unwrap_or_default();
    let (numbers, pre) = body
        .split_once('-')
        .map_or((body, None), |(a, b)| (a, Some(b.to_owned())));
    let is_padded = |part: &str| part.len() > 1 && part.starts_with('0');
    if numbers.split('.').any(is_padded) {
        return Err(fail());
    }
    let numbers: Vec<u64> = numbers
        .split('.')
        .map(|part| part.parse().map_err(|_| fail()))
        .collect::<Result<_, _>>()?;
    match numbers.as_slice() {
        [a, b, c] => Ok(([*a, *b, *c], pre)),
        _ => Err(fail()),
    }
}

fn compare_pre(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left.split('.'), right.split('.'));
    loop {
        let order = match (left.next(), right.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A Python version, with its parts in the order in which they are compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Python {
    epoch: u64,
    release: Vec<u64>,
    pre: (u8, u64),
    post: u64,
    dev: u64,
}

fn python(version: &str) -> Result<Python, Error> {
    let fail = || invalid(format!("Invalid version: '{version}'"));
    let lower = version.trim().to_ascii_lowercase();
    let body = lower
        .strip_prefix('v')
        .unwrap_or(&lower)
        .split('+')
        .next()
        .unwrap_or_default();
    let (epoch, body) = match body.split_once('!') {
        Some((epoch, rest)) => (epoch.parse().map_err(|_| fail())?, rest),
        None => (0, body),
    };
    let at = body
        .find(|char: char| !(char.is_ascii_digit() || char == '.'))
        .unwrap_or(body.len());
    let (release, suffix) = body.split_at(at);
    let numbers = release.trim_end_matches('.').split('.');
    let mut release: Vec<u64> = numbers
        .map(|part| part.parse().map_err(|_| fail()))
        .collect::<Result<_, _>>()?;
    while release.last() == Some(&0) {
        release.pop();
    }
    let suffix = spelled(suffix);
    let dev = number_after(&suffix, "dev");
    let post = number_after(&suffix, "post").map(|number| number + 1);
    let pre = match (pre_release(&suffix), post, dev) {
        (Some(pre), ..) => pre,
        (None, None, Some(_)) => (0, 0),
        _ => (4, 0),
    };
    Ok(Python {
        epoch,
        release,
        pre,
        post: post.unwrap_or(0),
        dev: dev.unwrap_or(u64::MAX),
    })
}

/// The end of a version in the one spelling that is compared: `-1` is `.post1`, `alpha` is `a`.
fn spelled(suffix: &str) -> String {
    let is_bare_post = suffix
        .strip_prefix('-')
        .is_some_and(|rest| rest.starts_with(|char: char| char.is_ascii_digit()));
    let joined: String = suffix
        .chars()
        .filter(|char| !"._-".contains(*char))
        .collect();
    let joined = if is_bare_post {
        format!("post{joined}")
    } else {
        joined
    };
    let words = [
        ("alpha", "a"),
        ("beta", "b"),
        ("preview", "rc"),
        ("pre", "rc"),
        ("rev", "post"),
    ];
    let joined = words
        .into_iter()
        .fold(joined, |joined, (long, short)| joined.replace(long, short));
    match joined.strip_prefix('c') {
        Some(rest) => format!("rc{rest}"),
        None => joined,
    }
}

fn number_after(suffix: &str, word: &str) -> Option<u64> {
    let rest = &suffix[suffix.find(word)? + word.len()..];
    let end = rest
        .find(|char: char| !char.is_ascii_digit())
        .unwrap_or(rest.len());
    Some(rest[..end].parse().unwrap_or(0).min(u64::MAX - 1))
}

fn pre_release(suffix: &str) -> Option<(u8, u64)> {
    let head = suffix
        .split("dev")
        .next()
        .unwrap_or_default()
        .split("post")
        .next()
        .unwrap_or_default();
    let words = [("rc", 3), ("b", 2), ("a", 1)];
    words
        .into_iter()
        .find_map(|(word, rank)| Some((rank, number_after(head, word)?)))
}
