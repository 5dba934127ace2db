//! Methods of strings, lists and mappings, as Python has them.

use minijinja::value::{Tuple, ValueKind};
use minijinja::{Error, ErrorKind, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

use crate::error::invalid;
use crate::filters::{Arguments, items};
use crate::python::{is_list, is_map, py_str, type_name};

/// The widest that a text may be padded to.
const MAX_WIDTH: usize = 1_000_000;

/// Calls a method that the engine itself does not have.
pub(crate) fn call(
    state: &mut State<'_, '_>,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    crate::filters::defined(value)?;
    if let Some(result) = call_entry(state, value, method, args)? {
        return Ok(result);
    }
    let arguments = Arguments::new(args)?;
    if let Some(result) = crate::mutable::call(value, method, &arguments)? {
        return Ok(result);
    }
    if (is_list(value) || is_map(value)) && crate::mutable::CHANGING.contains(&method) {
        return Err(crate::error::not_implemented(&format!(
            "method `{method}`, which changes a {} of the plan in place,",
            type_name(value)
        )));
    }
    let own = match (value.as_str(), value.kind()) {
        (Some(text), _) => text_method(text, method, &arguments)?,
        (None, ValueKind::Map) if method == "copy" => Some(value.clone()),
        (None, ValueKind::Map) if method == "get" => Some(get(value, &arguments)?),
        (None, ValueKind::Seq | ValueKind::Iterable) => list_method(value, method, &arguments)?,
        _ => None,
    };
    if let Some(own) = own {
        return Ok(own);
    }
    match unknown_method_callback(state, value, method, args) {
        Err(error) if error.kind() == ErrorKind::UnknownMethod => Err(crate::error::undefined(
            method,
            format!(
                "object of type '{}' has no attribute '{method}'",
                type_name(value)
            ),
        )),
        other => other,
    }
}

/// Calls an entry of a mapping that can be called: a macro of an imported template.
fn call_entry(
    state: &mut State<'_, '_>,
    value: &Value,
    name: &str,
    args: &[Value],
) -> Result<Option<Value>, Error> {
    if !is_map(value) {
        return Ok(None);
    }
    let entry = value.get_attr(name)?;
    if entry.as_object().is_none() || is_list(&entry) {
        return Ok(None);
    }
    match entry.call(state, args) {
        Err(error) if error.detail() == Some("object is not callable") => Ok(None),
        other => other.map(Some),
    }
}

fn get(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let found = value.get_item(&args.required(0, "key")?)?;
    if found.is_undefined() {
        Ok(args.get(1, "default").unwrap_or_else(|| Value::from(())))
    } else {
        crate::convert::check(found)
    }
}

fn list_method(value: &Value, method: &str, args: &Arguments) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "copy" => value.clone(),
        "count" => {
            let wanted = args.required(0, "value")?;
            Value::from(items(value)?.iter().filter(|item| **item == wanted).count())
        }
        "index" => {
            let wanted = args.required(0, "value")?;
            let at = items(value)?.iter().position(|item| *item == wanted);
            Value::from(at.ok_or_else(|| {
                invalid(format!(
                    "{} is not in list",
                    crate::python::py_repr(&wanted)
                ))
            })?)
        }
        _ => return Ok(None),
    }))
}

fn text_method(text: &str, method: &str, args: &Arguments) -> Result<Option<Value>, Error> {
    let first = || args.required(0, "0").map(|value| py_str(&value));
    Ok(Some(match method {
        "zfill" | "ljust" | "rjust" | "center" => Value::from(padded(text, method, args)?),
        "removeprefix" => Value::from(text.strip_prefix(first()?.as_str()).unwrap_or(text)),
        "removesuffix" => Value::from(text.strip_suffix(first()?.as_str()).unwrap_or(text)),
        "split" => split(text, args)?,
        "startswith" | "endswith" => Value::from(affixed(text, method, args)?),
        "find" | "rfind" | "index" | "rindex" | "count" if args.positional.len() > 1 => {
            searched(text, method, args)?
        }
        "title" => Value::from(title(text)),
        "istitle" => Value::from(text.chars().any(char::is_alphabetic) && title(text) == text),
        "isprintable" => Value::from(!text.chars().any(char::is_control)),
        "capitalize" => Value::from(crate::filters::capitalize(text)),
        "swapcase" => Value::from(text.chars().map(swapped).collect::<String>()),
        "casefold" => Value::from(text.to_lowercase().replace('ß', "ss")),
        "partition" | "rpartition" if first()?.is_empty() => {
            return Err(invalid("empty separator"));
        }
        "partition" => partition(text, &first()?, false),
        "rpartition" => partition(text, &first()?, true),
        "rsplit" => rsplit(text, args)?,
        "index" | "rindex" => {
            let wanted = first()?;
            let at = if method == "index" {
                text.find(&wanted)
            } else {
                text.rfind(&wanted)
            };
            Value::from(
                text[..at.ok_or_else(|| invalid("substring not found"))?]
                    .chars()
                    .count(),
            )
        }
        "isdecimal" => {
            Value::from(!text.is_empty() && text.chars().all(|char| char.is_ascii_digit()))
        }
        "isidentifier" => {
            let start = text.starts_with(|char: char| char.is_alphabetic() || char == '_');
            Value::from(
                start
                    && text
                        .chars()
                        .all(|char| char.is_alphanumeric() || char == '_'),
            )
        }
        "expandtabs" => Value::from(with_spaces(text, args.whole(0, "tabsize")?.unwrap_or(8))),
        "join" => join(text, args)?,
        _ => return Ok(None),
    }))
}

/// `split`, whose keywords the engine's own does not take.
fn split(text: &str, args: &Arguments) -> Result<Value, Error> {
    crate::filters::split(&Value::from(text), args)
}

/// The part of a text that the second and third argument bound, with the place where it begins.
fn bounded<'a>(text: &'a str, args: &Arguments) -> Result<(&'a str, usize), Error> {
    let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
    let place = |at: usize, name: &str, default: i64| -> Result<usize, Error> {
        let at = args.whole(at, name)?.unwrap_or(default);
        let at = if at < 0 { at + length } else { at };
        Ok(usize::try_from(at.clamp(0, length)).unwrap_or(0))
    };
    let (start, end) = (place(1, "start", 0)?, place(2, "end", length)?);
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
    Ok((text.get(byte(start)..byte(end)).unwrap_or(""), start))
}

fn affixed(text: &str, method: &str, args: &Arguments) -> Result<bool, Error> {
    let wanted = args.required(0, "prefix")?;
    let (part, _) = bounded(text, args)?;
    let affixes = if wanted.is_tuple() {
        items(&wanted)?
    } else {
        vec![wanted]
    };
    for affix in affixes {
        let affix = affix.as_str().ok_or_else(|| {
            invalid(format!(
                "the argument of `{method}` must be text or a tuple of texts, not {}",
                type_name(&affix)
            ))
        })?;
        let found = if method == "startswith" {
            part.starts_with(affix)
        } else {
            part.ends_with(affix)
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

fn searched(text: &str, method: &str, args: &Arguments) -> Result<Value, Error> {
    let wanted = py_str(&args.required(0, "sub")?);
    let (part, start) = bounded(text, args)?;
    if method == "count" {
        return Ok(Value::from(part.matches(wanted.as_str()).count()));
    }
    let found = if method.starts_with('r') {
        part.rfind(&wanted)
    } else {
        part.find(&wanted)
    };
    match found {
        Some(at) => Ok(Value::from(start + part[..at].chars().count())),
        None if method.ends_with("index") => Err(invalid("substring not found")),
        None => Ok(Value::from(-1)),
    }
}

/// Capital letters after everything that is no letter.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut in_word = false;
    for char in text.chars() {
        if in_word {
            out.extend(char.to_lowercase());
        } else {
            out.extend(char.to_uppercase());
        }
        in_word = char.is_alphabetic();
    }
    out
}

fn with_spaces(text: &str, size: i64) -> String {
    let size = usize::try_from(size).unwrap_or(0).min(MAX_WIDTH);
    let mut out = String::with_capacity(text.len());
    let mut column = 0;
    for char in text.chars() {
        if char == '\t' {
            let missing = if size == 0 { 0 } else { size - column % size };
            out.push_str(&" ".repeat(missing));
            column += missing;
        } else {
            out.push(char);
            column = if matches!(char, '\n' | '\r') {
                0
            } else {
                column + 1
            };
        }
    }
    out
}

fn partition(text: &str, separator: &str, from_end: bool) -> Value {
    let found = if from_end {
        text.rsplit_once(separator)
    } else {
        text.split_once(separator)
    };
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None if from_end => ["", "", text],
        None => [text, "", ""],
    };
    Value::from(Tuple::from(parts.map(Value::from)))
}

fn join(text: &str, args: &Arguments) -> Result<Value, Error> {
    let parts = items(&args.required(0, "iterable")?)?;
    if let Some(other) = parts.iter().find(|part| part.as_str().is_none()) {
        return Err(invalid(format!(
            "sequence item: expected str instance, {} found",
            type_name(other)
        )));
    }
    Ok(Value::from(
        parts.iter().map(py_str).collect::<Vec<_>>().join(text),
    ))
}

fn swapped(char: char) -> char {
    let other = if char.is_uppercase() {
        char.to_lowercase().next()
    } else {
        char.to_uppercase().next()
    };
    other.unwrap_or(char)
}

fn padded(text: &str, method: &str, args: &Arguments) -> Result<String, Error> {
    let width = args
        .required(0, "width")?
        .as_usize()
        .unwrap_or(0)
        .min(MAX_WIDTH);
    let missing = width.saturating_sub(text.chars().count());
    let fill = args.text_or(1, "fillchar", " ");
    if fill.chars().count() != 1 {
        return Err(invalid(format!(
            "`{method}` fills with one character, not with `{fill}`"
        )));
    }
    Ok(match method {
        "ljust" => format!("{text}{}", fill.repeat(missing)),
        "rjust" => format!("{}{text}", fill.repeat(missing)),
        "zfill" => {
            let sign = usize::from(text.starts_with(['+', '-']));
            format!("{}{}{}", &text[..sign], "0".repeat(missing), &text[sign..])
        }
        _ => {
            let left = missing / 2 + (missing & width & 1);
            format!("{}{text}{}", fill.repeat(left), fill.repeat(missing - left))
        }
    })
}

fn rsplit(text: &str, args: &Arguments) -> Result<Value, Error> {
    let most = args
        .whole(1, "maxsplit")?
        .and_then(|most| usize::try_from(most).ok())
        .unwrap_or(usize::MAX - 1);
    let mut parts: Vec<&str> = match args.text(0, "sep") {
        Some(separator) if separator.is_empty() => return Err(invalid("empty separator")),
        Some(separator) => {
            return Ok(reversed(
                text.rsplitn(most + 1, separator.as_str()).collect(),
            ));
        }
        None => Vec::new(),
    };
    let mut rest = text.trim_end();
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let start = rest.rfind(char::is_whitespace).map_or(0, |at| {
            at + rest[at..].chars().next().map_or(1, char::len_utf8)
        });
        parts.push(&rest[start..]);
        rest = rest[..start].trim_end();
    }
    Ok(reversed(parts))
}

fn reversed(mut parts: Vec<&str>) -> Value {
    parts.reverse();
    parts.into_iter().map(Value::from).collect()
}
