//! Regular expressions in Python's syntax.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use fancy_regex::{Captures, Regex, RegexBuilder};
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, text};
use crate::error::invalid;

/// How many compiled patterns are kept.
const KEPT: usize = 1024;

type Patterns = Mutex<HashMap<(String, bool, bool, bool), Arc<Regex>>>;

static PATTERNS: LazyLock<Patterns> = LazyLock::new(Mutex::default);

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("regex_replace", regex_replace),
            ("regex_search", regex_search),
            ("regex_findall", regex_findall),
            ("regex_escape", regex_escape),
        ],
    );
}

/// A compiled pattern, for the text it will be used on.
pub(crate) fn compiled(
    pattern: &str,
    ignore_case: bool,
    multi_line: bool,
    text: &str,
) -> Result<Arc<Regex>, Error> {
    let newline = text.ends_with('\n') && !multi_line && pattern.contains('$');
    let key = (pattern.to_owned(), ignore_case, multi_line, newline);
    let mut patterns = PATTERNS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = patterns.get(&key) {
        return Ok(known.clone());
    }
    let regex = RegexBuilder::new(&translate(pattern, newline))
        .case_insensitive(ignore_case)
        .multi_line(multi_line)
        .build()
        .map_err(|error| invalid(format!("`{pattern}` is no valid pattern: {error}")))?;
    if patterns.len() >= KEPT {
        patterns.clear();
    }
    let regex = Arc::new(regex);
    patterns.insert(key, regex.clone());
    Ok(regex)
}

/// Writes a Python pattern in the syntax of the regex engine.
fn translate(pattern: &str, before_last_newline: bool) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_set = false;
    let mut set_start = false;
    while let Some(char) = chars.next() {
        let at_set_start = std::mem::take(&mut set_start);
        match char {
            '\\' => match chars.next() {
                Some('Z') if !in_set => out.push_str("\\z"),
                Some(escaped @ ('<' | '>')) => out.push(escaped),
                Some(escaped) => out.extend(['\\', escaped]),
                None => out.push('\\'),
            },
            '[' if in_set => out.push_str("\\["),
            '[' => {
                in_set = true;
                set_start = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
            }
            ']' if at_set_start => out.push_str("\\]"),
            ']' => {
                in_set = false;
                out.push(']');
            }
            '&' | '~' if in_set => out.extend(['\\', char]),
            '{' if !in_set && chars.peek() == Some(&',') => out.push_str("{0"),
            '$' if !in_set && before_last_newline => out.push_str("(?=\\n?\\z)"),
            other => out.push(other),
        }
    }
    out
}

/// All matches as `re.sub` and `re.findall` find them: an empty match may follow a match directly.
pub(crate) fn matches<'t>(
    regex: &Regex,
    text: &'t str,
    most: usize,
) -> Result<Vec<Captures<'t, str>>, Error> {
    let mut found = Vec::new();
    let mut position = 0;
    while position <= text.len() && found.len() < most {
        let next = regex
            .captures_from_pos(text, position)
            .map_err(|error| invalid(format!("the pattern failed: {error}")))?;
        let Some(captures) = next else { break };
        let Some(whole) = captures.get(0) else { break };
        position = whole.end();
        if whole.start() == whole.end() {
            position += text[position..].chars().next().map_or(1, char::len_utf8);
        }
        found.push(captures);
    }
    Ok(found)
}

fn regex_replace(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let pattern = args.text_or(0, "pattern", "");
    let replacement = args.text_or(1, "replacement", "");
    let regex = compiled(
        &pattern,
        args.flag(2, "ignorecase", false),
        args.flag(3, "multiline", false),
        &body,
    )?;
    let most = match args.whole(4, "count")? {
        Some(count) if count > 0 => usize::try_from(count).unwrap_or(usize::MAX),
        _ => usize::MAX,
    };
    let found = matches(&regex, &body, most)?;
    if let Some(wanted) = args
        .whole(5, "mandatory_count")?
        .filter(|wanted| *wanted > 0)
        && usize::try_from(wanted).ok() != Some(found.len())
    {
        return Err(invalid(format!(
            "'{pattern}' should match {wanted} times, but matches {} times in '{body}'",
            found.len()
        )));
    }
    let mut out = String::with_capacity(body.len());
    let mut end = 0;
    for captures in &found {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        out.push_str(&body[end..whole.start()]);
        expand(&mut out, &replacement, captures)?;
        end = whole.end();
    }
    out.push_str(&body[end..]);
    Ok(Value::from(out))
}

/// Writes a replacement with its `\1`, `\g<name>` and escapes filled in.
fn expand(out: &mut String, replacement: &str, captures: &Captures<'_, str>) -> Result<(), Error> {
    let mut chars = replacement.chars().peekable();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('g') if chars.peek() == Some(&'<') => {
                chars.next();
                let name: String = chars.by_ref().take_while(|next| *next != '>').collect();
                out.push_str(group(captures, &name)?);
            }
            Some(digit) if digit.is_ascii_digit() => {
                let mut name = digit.to_string();
                if let Some(second) = chars
                    .peek()
                    .filter(|next| next.is_ascii_digit() && digit != '0')
                {
                    name.push(*second);
                    chars.next();
                }
                if name == "0" {
                    out.push('\0')
                } else {
                    out.push_str(group(captures, &name)?)
                }
            }
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('f') => out.push('\u{c}'),
            Some('v') => out.push('\u{b}'),
            Some('\\') => out.push('\\'),
            Some(letter) if letter.is_ascii_alphabetic() => {
                return Err(invalid(format!("bad escape \\{letter} in the replacement")));
            }
            Some(other) => out.extend(['\\', other]),
            None => return Err(invalid("bad escape (end of the replacement)")),
        }
    }
    Ok(())
}

/// The text of a group by number or name; empty where it took no part in the match.
fn group<'t>(captures: &Captures<'t, str>, name: &str) -> Result<&'t str, Error> {
    let missing = || invalid(format!("the pattern has no group `{name}`"));
    match name.parse::<usize>() {
        Ok(number) if number < captures.len() => {
            Ok(captures.get(number).map_or("", |found| found.as_str()))
        }
        Ok(_) => Err(missing()),
        Err(_) => captures
            .name(name)
            .map(|found| found.as_str())
            .ok_or_else(missing),
    }
}

fn regex_search(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let pattern = text(&args.required(0, "regex")?);
    let flag = |name: &str| args.keyword(name).is_some_and(|value| value.is_true());
    let regex = compiled(&pattern, flag("ignorecase"), flag("multiline"), &body)?;
    let found = matches(&regex, &body, 1)?;
    let Some(captures) = found.first() else {
        return Ok(Value::from(()));
    };
    let wanted = args.positional.get(1..).unwrap_or_default();
    if wanted.is_empty() {
        return Ok(Value::from(
            captures.get(0).map_or("", |whole| whole.as_str()),
        ));
    }
    let mut groups = Vec::new();
    for reference in wanted {
        let reference = text(reference);
        let name = reference
            .strip_prefix("\\g<")
            .and_then(|rest| rest.strip_suffix('>'))
            .or_else(|| {
                reference
                    .strip_prefix('\\')
                    .filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
            })
            .ok_or_else(|| invalid(format!("unknown argument `{reference}` of regex_search")))?;
        let number = name.parse::<usize>().ok();
        let part = match number {
            Some(number) => captures.get(number),
            None => captures.name(name),
        };
        let is_known = match number {
            Some(number) => number < captures.len(),
            None => regex.capture_names().flatten().any(|known| known == name),
        };
        if !is_known {
            return Err(invalid(format!(
                "there is no group `{name}` in `{pattern}`"
            )));
        }
        groups.push(part.map_or_else(|| Value::from(()), |part| Value::from(part.as_str())));
    }
    Ok(Value::from(groups))
}

fn regex_findall(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let pattern = text(&args.required(0, "regex")?);
    let regex = compiled(
        &pattern,
        args.flag(2, "ignorecase", false),
        args.flag(1, "multiline", false),
        &body,
    )?;
    let mut found = Vec::new();
    for captures in matches(&regex, &body, usize::MAX)? {
        let part = |index: usize| Value::from(captures.get(index).map_or("", |part| part.as_str()));
        found.push(match captures.len() {
            1 => part(0),
            2 => part(1),
            count => (1..count).map(part).collect(),
        });
    }
    Ok(Value::from(found))
}

fn regex_escape(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let special = match args.text_or(0, "re_type", "python").as_str() {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\u{b}\u{c}",
        "posix_basic" => "].[^$*\\",
        other => return Err(invalid(format!("unknown pattern type `{other}`"))),
    };
    let mut out = String::new();
    for char in text(value).chars() {
        if special.contains(char) {
            out.push('\\');
        }
        out.push(char);
    }
    Ok(Value::from(out))
}
