//! Text.

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, Value};

use super::arguments::{Arguments, add_all, items, text};
use crate::error::invalid;
use crate::python::{is_list, py_repr, try_str, type_name};

pub(crate) fn register(environment: &mut Environment<'static>) {
    add_all(
        environment,
        &[
            ("string", |value, _| {
                if value.is_safe() {
                    return Ok(value.clone());
                }
                try_str(value).map(Value::from)
            }),
            ("quote", |value, _| {
                let body = if value.is_none() {
                    String::new()
                } else {
                    text(value)
                };
                Ok(Value::from(quote(&body)))
            }),
            ("comment", comment),
            ("indent", indent),
            ("center", center),
            ("split", split),
            ("join", join),
            ("wordcount", |value, _| Ok(Value::from(words(&text(value))))),
            ("wordwrap", wordwrap),
            ("striptags", |value, _| {
                Ok(Value::from(strip_tags(&text(value))))
            }),
            ("format", format),
            ("pprint", |value, _| Ok(Value::from(py_repr(value)))),
            ("capitalize", |value, _| {
                Ok(Value::from(capitalize(&text(value))))
            }),
            ("title", |value, _| Ok(Value::from(title(&text(value))))),
            ("trim", trim),
            ("replace", replace),
            ("upper", |value, _| {
                Ok(Value::from(text(value).to_uppercase()))
            }),
            ("lower", |value, _| {
                Ok(Value::from(text(value).to_lowercase()))
            }),
            ("truncate", truncate),
            ("escape", escape),
            ("e", escape),
            ("forceescape", |value, _| Ok(escaped(value))),
            ("safe", |value, _| Ok(Value::from_safe_string(text(value)))),
        ],
    );
}

/// Text that a POSIX shell reads as one word.
pub(crate) fn quote(text: &str) -> String {
    let safe = |char: char| char.is_ascii_alphanumeric() || "@%_-+=:,./".contains(char);
    if !text.is_empty() && text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\"'\"'"))
    }
}

fn comment(value: &Value, args: &Arguments) -> Result<Value, Error> {
    if value.as_str().is_none() {
        return Err(invalid(format!(
            "comment needs text, not a value of type '{}'",
            type_name(value)
        )));
    }
    let style = args.text_or(0, "style", "plain");
    let (mut beginning, mut decoration, mut end) = match style.as_str() {
        "plain" => (String::new(), "# ".to_owned(), String::new()),
        "erlang" => (String::new(), "% ".to_owned(), String::new()),
        "c" => (String::new(), "// ".to_owned(), String::new()),
        "cblock" => ("/*".to_owned(), " * ".to_owned(), " */".to_owned()),
        "xml" => ("<!--".to_owned(), " - ".to_owned(), "-->".to_owned()),
        other => return Err(invalid(format!("unknown comment style `{other}`"))),
    };
    let newline = args
        .keyword("newline")
        .map_or_else(|| "\n".to_owned(), |value| text(&value));
    let given = |name: &str| args.keyword(name).map(|value| text(&value));
    beginning = given("beginning").unwrap_or(beginning);
    decoration = given("decoration").unwrap_or(decoration);
    end = given("end").unwrap_or(end);
    let bare = decoration.trim_end().to_owned();
    let prefix = given("prefix").unwrap_or_else(|| bare.clone());
    let postfix = given("postfix").unwrap_or_else(|| bare.clone());
    let count = |name: &str| {
        args.keyword(name)
            .and_then(|value| value.as_usize())
            .unwrap_or(1)
            .min(1000)
    };
    let mut out = String::new();
    if !beginning.is_empty() {
        out.extend([beginning.as_str(), newline.as_str()]);
    }
    out += &format!("{prefix}{newline}").repeat(if prefix.is_empty() {
        0
    } else {
        count("prefix_count")
    });
    let body = text(value);
    let lines: Vec<String> = body
        .split(newline.as_str())
        .map(|line| format!("{decoration}{line}"))
        .collect();
    out += &lines.join(&newline).replace(
        &format!("{decoration}{newline}"),
        &format!("{bare}{newline}"),
    );
    out += &newline;
    let closing: Vec<&str> = (0..count("postfix_count"))
        .map(|_| postfix.as_str())
        .collect();
    out += &closing.join(&newline);
    if !end.is_empty() {
        out.extend([newline.as_str(), end.as_str()]);
    }
    Ok(Value::from(out))
}

fn indent(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let prefix = match args.get(0, "width") {
        Some(width) if width.kind() == ValueKind::String => text(&width),
        Some(width) => " ".repeat(width.as_usize().unwrap_or(0).min(10_000)),
        None => "    ".to_owned(),
    };
    let first = args.flag(1, "first", false);
    let blank = args.flag(2, "blank", false);
    if value.kind() == ValueKind::Number {
        return Err(invalid("indent needs text, not a number"));
    }
    let body = text(value).replace("\r\n", "\n");
    let lines = body.split('\n').enumerate().map(|(index, line)| {
        if index == 0 || (line.is_empty() && !blank) {
            line.to_owned()
        } else {
            format!("{prefix}{line}")
        }
    });
    let out = lines.collect::<Vec<_>>().join("\n");
    Ok(Value::from(if first { prefix + &out } else { out }))
}

fn center(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let width = usize::try_from(args.whole(0, "width")?.unwrap_or(80))
        .unwrap_or(0)
        .min(100_000);
    let missing = width.saturating_sub(body.chars().count());
    let left = missing / 2 + (missing & width & 1);
    Ok(Value::from(format!(
        "{}{body}{}",
        " ".repeat(left),
        " ".repeat(missing - left)
    )))
}

pub(crate) fn split(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let Some(body) = value.as_str() else {
        return Err(invalid(format!(
            "'{}' object has no attribute 'split'",
            type_name(value)
        )));
    };
    if let Some(other) = args
        .get(0, "sep")
        .filter(|sep| sep.as_str().is_none() && !sep.is_none())
    {
        return Err(invalid(format!(
            "the separator of `split` must be text, not {}",
            type_name(&other)
        )));
    }
    let most = args
        .whole(1, "maxsplit")?
        .and_then(|most| usize::try_from(most).ok());
    let parts: Vec<&str> = match (args.text(0, "sep"), most) {
        (Some(separator), _) if separator.is_empty() => return Err(invalid("empty separator")),
        (Some(separator), None) => {
            return Ok(body.split(separator.as_str()).map(Value::from).collect());
        }
        (Some(separator), Some(most)) => {
            return Ok(body
                .splitn(most + 1, separator.as_str())
                .map(Value::from)
                .collect());
        }
        (None, None) => body.split_whitespace().collect(),
        (None, Some(most)) => split_white(body, most),
    };
    Ok(parts.into_iter().map(Value::from).collect())
}

fn split_white(body: &str, most: usize) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = body.trim_start();
    while !rest.is_empty() {
        if parts.len() == most {
            parts.push(rest);
            break;
        }
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        parts.push(&rest[..end]);
        rest = rest[end..].trim_start();
    }
    parts
}

fn join(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let separator = args.text_or(0, "d", "");
    let attribute = args.text(1, "attribute");
    let mut parts = Vec::new();
    for item in items(value)? {
        let item = match &attribute {
            Some(path) => super::collections::by_path(&item, path)?,
            None => item,
        };
        if !crate::omit::is_omit(&item) {
            parts.push(text(&item));
        }
    }
    Ok(Value::from(parts.join(&separator)))
}

fn words(body: &str) -> usize {
    body.split(|char: char| !char.is_alphanumeric() && char != '_')
        .filter(|word| !word.is_empty())
        .count()
}

fn wordwrap(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let width = usize::try_from(args.whole(0, "width")?.unwrap_or(79))
        .unwrap_or(1)
        .max(1);
    let break_long = args.flag(1, "break_long_words", true);
    let separator = args.text_or(2, "wrapstring", "\n");
    let body = text(value);
    let mut lines: Vec<String> = Vec::new();
    for paragraph in body.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            let mut word: Vec<char> = word.chars().collect();
            let used = line.chars().count();
            if used > 0 && used + 1 + word.len() <= width {
                line.push(' ');
                line.extend(word);
                continue;
            }
            if used > 0 {
                lines.push(std::mem::take(&mut line));
            }
            while break_long && word.len() > width {
                lines.push(word.drain(..width).collect());
            }
            line.extend(word);
        }
        lines.push(line);
    }
    Ok(Value::from(lines.join(&separator)))
}

fn strip_tags(body: &str) -> String {
    let mut out = String::new();
    let mut rest = body;
    while let Some(start) = rest.find('<') {
        out.push_str(&rest[..start]);
        let Some(end) = rest[start..].find('>') else {
            rest = &rest[start..];
            out.push_str(rest);
            rest = "";
            break;
        };
        rest = &rest[start + end + 1..];
    }
    out.push_str(rest);
    let bare = out.split_whitespace().collect::<Vec<_>>().join(" ");
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", "\u{a0}"),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(bare, |bare, (entity, char)| bare.replace(entity, char))
}

fn format(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let keywords = args.keywords();
    let argument = if args.positional.is_empty() && !keywords.is_empty() {
        Value::from_pairs(keywords.into_iter().map(|name| {
            let value = args.keyword(&name).unwrap_or_default();
            (name, value)
        }))
    } else {
        Value::from(minijinja::value::Tuple::from(args.positional.clone()))
    };
    super::percent::format_percent(&text(value), &argument).map(Value::from)
}

pub(crate) fn capitalize(body: &str) -> String {
    let mut chars = body.chars();
    chars.next().map_or_else(String::new, |first| {
        first
            .to_uppercase()
            .enumerate()
            .flat_map(|(at, upper)| {
                // Of a letter with several capitals only the first is one: `ß` begins a word as `Ss`.
                let lower = (at > 0).then(|| upper.to_lowercase());
                let upper = (at == 0).then_some(upper);
                upper.into_iter().chain(lower.into_iter().flatten())
            })
            .chain(chars.as_str().to_lowercase().chars())
            .collect()
    })
}

/// Capital first letters of words, as Jinja splits words.
fn title(body: &str) -> String {
    let mut out = String::with_capacity(body.len());
    let mut start = true;
    for char in body.chars() {
        if start {
            out.extend(char.to_uppercase())
        } else {
            out.extend(char.to_lowercase())
        }
        start = char.is_whitespace() || "-({[<".contains(char);
    }
    out
}

fn trim(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    Ok(Value::from(match args.text(0, "chars") {
        Some(chars) => body.trim_matches(|char| chars.contains(char)).to_owned(),
        None => body.trim().to_owned(),
    }))
}

fn replace(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let old = text(&args.required(0, "old")?);
    let new = text(&args.required(1, "new")?);
    let body = text(value);
    Ok(Value::from(
        match args
            .whole(2, "count")?
            .and_then(|count| usize::try_from(count).ok())
        {
            Some(count) => body.replacen(&old, &new, count),
            None => body.replace(&old, &new),
        },
    ))
}

fn truncate(value: &Value, args: &Arguments) -> Result<Value, Error> {
    let body = text(value);
    let length = usize::try_from(args.whole(0, "length")?.unwrap_or(255)).unwrap_or(0);
    let kill_words = args.flag(1, "killwords", false);
    let end = args.text_or(2, "end", "...");
    let leeway = usize::try_from(args.whole(3, "leeway")?.unwrap_or(5)).unwrap_or(0);
    if length < end.chars().count() {
        return Err(invalid(format!(
            "truncate needs a length of at least {}, that of `end`, and got {length}",
            end.chars().count()
        )));
    }
    if body.chars().count() <= length + leeway {
        return Ok(Value::from(body));
    }
    let kept: String = body
        .chars()
        .take(length.saturating_sub(end.chars().count()))
        .collect();
    let kept = if kill_words {
        kept.as_str()
    } else {
        kept.rsplit_once(' ')
            .map_or(kept.as_str(), |(head, _)| head)
    };
    Ok(Value::from(format!("{kept}{end}")))
}

fn escape(value: &Value, _: &Arguments) -> Result<Value, Error> {
    Ok(if value.is_safe() {
        value.clone()
    } else {
        escaped(value)
    })
}

fn escaped(value: &Value) -> Value {
    let mut out = String::new();
    for char in text(value).chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            other => out.push(other),
        }
    }
    Value::from_safe_string(out)
}

/// True for something that Python calls a sequence of items rather than text.
pub(crate) fn is_items(value: &Value) -> bool {
    is_list(value)
}
