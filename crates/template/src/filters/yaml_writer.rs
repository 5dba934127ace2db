//! YAML as PyYAML writes it, so that files do not change when the tool does.

use serde_json::{Map, Value as Json};

use crate::python::float_repr;

/// How PyYAML is asked to write.
pub(crate) struct Style {
    pub(crate) indent: usize,
    /// `Some(true)`: everything on one line. `None`: only collections that hold no other.
    pub(crate) flow: Option<bool>,
    pub(crate) sort_keys: bool,
    pub(crate) width: usize,
}

/// A document with its final newline.
pub(crate) fn write_yaml(value: &Json, style: &Style) -> String {
    let mut writer = Writer {
        out: String::new(),
        style,
    };
    match value {
        Json::Array(_) | Json::Object(_) => writer.node(value, 0, true),
        scalar => writer.scalar(scalar, 0, Place::Block),
    }
    let mut out = writer.out;
    if !out.ends_with('\n') {
        out.push('\n');
    }
    out
}

/// Where a scalar stands, which decides how it may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Block,
    BlockKey,
    Flow,
    FlowKey,
}

impl Place {
    fn is_key(self) -> bool {
        matches!(self, Self::BlockKey | Self::FlowKey)
    }

    fn is_flow(self) -> bool {
        matches!(self, Self::Flow | Self::FlowKey)
    }
}

struct Writer<'s> {
    out: String,
    style: &'s Style,
}

impl Writer<'_> {
    fn is_flow(&self, value: &Json) -> bool {
        let leaf = |mut items: Box<dyn Iterator<Item = &Json> + '_>| {
            items.all(|item| !item.is_array() && !item.is_object())
        };
        match value {
            Json::Array(items) if items.is_empty() => true,
            Json::Object(map) if map.is_empty() => true,
            Json::Array(items) => self
                .style
                .flow
                .unwrap_or_else(|| leaf(Box::new(items.iter()))),
            Json::Object(map) => self
                .style
                .flow
                .unwrap_or_else(|| leaf(Box::new(map.values()))),
            _ => false,
        }
    }

    fn pairs<'j>(&self, map: &'j Map<String, Json>) -> Vec<(&'j String, &'j Json)> {
        let mut pairs: Vec<_> = map.iter().collect();
        if self.style.sort_keys {
            pairs.sort_by(|a, b| a.0.cmp(b.0));
        }
        pairs
    }

    fn node(&mut self, value: &Json, column: usize, first_on_line: bool) {
        if self.is_flow(value) {
            return self.flow(value, column);
        }
        match value {
            Json::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 || !first_on_line {
                        self.line(column);
                    }
                    self.out.push('-');
                    self.out.push_str(
                        &" ".repeat(
                            self.style
                                .indent
                                .saturating_sub(1)
                                .max(1)
                                .min(if is_block(self, item) { 9 } else { 1 }),
                        ),
                    );
                    self.node(item, column + self.style.indent, true);
                }
            }
            Json::Object(map) => {
                for (index, (key, item)) in self.pairs(map).into_iter().enumerate() {
                    if index > 0 || !first_on_line {
                        self.line(column);
                    }
                    self.scalar(&Json::String(key.clone()), column, Place::BlockKey);
                    self.out.push(':');
                    if !is_block(self, item) {
                        self.out.push(' ');
                        self.node(item, column + self.style.indent, true);
                    } else if item.is_array() {
                        self.node(item, column, false);
                    } else {
                        self.node(item, column + self.style.indent, false);
                    }
                }
            }
            scalar => self.scalar(scalar, column, Place::Block),
        }
    }

    fn line(&mut self, column: usize) {
        self.out.push('\n');
        self.out.push_str(&" ".repeat(column));
    }

    /// How many characters stand on the line so far.
    fn used(&self) -> usize {
        let start = self.out.rfind('\n').map_or(0, |newline| newline + 1);
        self.out[start..].chars().count()
    }

    fn flow(&mut self, value: &Json, column: usize) {
        let parts = match value {
            Json::Array(items) => items.iter().map(|item| (None, item)).collect(),
            Json::Object(map) => self
                .pairs(map)
                .into_iter()
                .map(|(key, item)| (Some(key), item))
                .collect::<Vec<_>>(),
            scalar => return self.scalar(scalar, column, Place::Flow),
        };
        let (open, close) = if value.is_array() {
            ('[', ']')
        } else {
            ('{', '}')
        };
        self.out.push(open);
        let inner = column.max(self.style.indent);
        for (index, (key, item)) in parts.into_iter().enumerate() {
            if index > 0 {
                self.out.push(',');
                if self.used() > self.style.width {
                    self.line(inner)
                } else {
                    self.out.push(' ')
                }
            }
            if let Some(key) = key {
                self.scalar(&Json::String(key.clone()), column, Place::FlowKey);
                self.out.push_str(": ");
            }
            self.flow(item, inner + self.style.indent);
        }
        self.out.push(close);
    }

    fn scalar(&mut self, value: &Json, column: usize, place: Place) {
        match value {
            Json::Null => self.out.push_str("null"),
            Json::Bool(flag) => self.out.push_str(if *flag { "true" } else { "false" }),
            Json::Number(number) if number.is_f64() => self
                .out
                .push_str(&yaml_float(number.as_f64().unwrap_or_default())),
            Json::Number(number) => self.out.push_str(&number.to_string()),
            Json::String(text) => self.string(text, column, place),
            Json::Array(_) | Json::Object(_) => {}
        }
    }

    fn string(&mut self, text: &str, column: usize, place: Place) {
        let special = text.chars().any(|char| {
            (char.is_control() && char != '\n')
                || matches!(char, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}')
        });
        if special
            || text.contains('\n')
                && (place.is_key() || text.starts_with(' ') || text.contains(" \n"))
        {
            self.out.push_str(&double_quoted(text));
        } else if text.contains('\n') || !is_plain(text, place.is_flow()) {
            let indent = " ".repeat(column);
            let quoted = text.replace('\'', "''");
            self.folded(&format!("'{}'", doubled_newlines(&quoted, &indent)), column);
        } else {
            self.folded(text, column);
        }
    }

    /// Writes text, breaking the line at a space once it is too long.
    fn folded(&mut self, text: &str, column: usize) {
        let mut used = self.used();
        let chars: Vec<char> = text.chars().collect();
        for (index, char) in chars.iter().enumerate() {
            let single_space = *char == ' '
                && index > 0
                && chars[index - 1] != ' '
                && chars
                    .get(index + 1)
                    .is_some_and(|next| *next != ' ' && *next != '\'');
            if *char == '\n' {
                self.out.push('\n');
                used = 0;
            } else if single_space && used > self.style.width {
                self.line(column);
                used = column;
            } else {
                self.out.push(*char);
                used += 1;
            }
        }
    }
}

/// A newline in quoted text is an empty line, and a run of them one more line than there are newlines.
fn doubled_newlines(text: &str, indent: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    let mut in_run = false;
    while let Some(char) = chars.next() {
        if char != '\n' {
            in_run = false;
            out.push(char);
            continue;
        }
        out.push_str(if in_run { "\n" } else { "\n\n" });
        in_run = true;
        if chars.peek() != Some(&'\n') {
            out.push_str(indent);
        }
    }
    out
}

fn is_block(writer: &Writer<'_>, value: &Json) -> bool {
    (value.is_array() || value.is_object()) && !writer.is_flow(value)
}

fn yaml_float(float: f64) -> String {
    let text = float_repr(float);
    if text.contains('e') && !text.contains('.') {
        text.replacen('e', ".0e", 1)
    } else {
        text
    }
}

fn double_quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '\u{0}' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\u{85}' => out.push_str("\\N"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            other if other.is_control() => {
                out.extend(["\\x".to_owned(), format!("{:02X}", u32::from(other))])
            }
            '\u{feff}' => out.push_str("\\uFEFF"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// True where a string needs no quotes to be read as the same string by a YAML 1.1 reader.
fn is_plain(text: &str, in_flow: bool) -> bool {
    let Some(first) = text.chars().next() else {
        return false;
    };
    let next_is_space = text.chars().nth(1).is_none_or(char::is_whitespace);
    if "#,[]{}&*!|>'\"%@`".contains(first)
        || ("?:-".contains(first) && next_is_space)
        || first == ' '
        || text.ends_with(' ')
    {
        return false;
    }
    if text.starts_with("---")
        || text.starts_with("...")
        || text.contains(": ")
        || text.contains(" #")
        || text.ends_with(':')
    {
        return false;
    }
    if in_flow && (text.starts_with(':') || text.contains([',', '[', ']', '{', '}', '?'])) {
        return false;
    }
    !reads_as_other(text)
}

fn reads_as_other(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let cased = text == lower || text == text.to_ascii_uppercase() || text[1..] == lower[1..];
    if cased
        && matches!(
            lower.as_str(),
            "yes" | "no" | "true" | "false" | "on" | "off" | "null"
        )
        || matches!(text, "~" | "=" | "<<")
    {
        return true;
    }
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let number_like = digits.starts_with(|char: char| char.is_ascii_digit() || char == '.');
    if !number_like {
        return false;
    }
    if matches!(digits.to_ascii_lowercase().as_str(), ".inf" | ".nan") {
        return true;
    }
    is_number(digits) || is_timestamp(digits)
}

fn is_number(digits: &str) -> bool {
    let all = |text: &str, valid: &dyn Fn(char) -> bool| {
        !text.is_empty() && text.chars().all(|char| valid(char) || char == '_')
    };
    if let Some(rest) = digits.strip_prefix("0x") {
        return all(rest, &|char| char.is_ascii_hexdigit());
    }
    if let Some(rest) = digits.strip_prefix("0b") {
        return all(rest, &|char| matches!(char, '0' | '1'));
    }
    if all(digits, &|char| char.is_ascii_digit()) {
        return !digits.starts_with('0')
            || digits == "0"
            || digits
                .chars()
                .all(|char| ('0'..='7').contains(&char) || char == '_');
    }
    if digits.contains(':') {
        let mut parts = digits.split(':');
        let first = parts.next().unwrap_or_default();
        return all(first, &|char| char.is_ascii_digit())
            && parts.all(|part| {
                part.split('.').next().is_some_and(|part| {
                    part.len() <= 2 && part.parse::<u8>().is_ok_and(|value| value < 60)
                })
            });
    }
    let (mantissa, exponent) = digits
        .split_once(['e', 'E'])
        .map_or((digits, None), |(a, b)| (a, Some(b)));
    let good_exponent = exponent.is_none_or(|exponent| {
        exponent.starts_with(['+', '-']) && all(&exponent[1..], &|char| char.is_ascii_digit())
    });
    let Some((whole, part)) = mantissa.split_once('.') else {
        return false;
    };
    let valid = |text: &str| text.is_empty() || all(text, &|char| char.is_ascii_digit());
    good_exponent && valid(whole) && valid(part) && !(whole.is_empty() && part.is_empty())
}

fn is_timestamp(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 8 && bytes[..4].iter().all(u8::is_ascii_digit) && bytes[4] == b'-' && {
        let date: Vec<&str> = text.get(..10).unwrap_or(text).split('-').collect();
        date.len() == 3
            && date[1..]
                .iter()
                .all(|part| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit()))
            && {
                let rest = text.get(10..).unwrap_or_default();
                rest.is_empty() || rest.starts_with(['T', 't', ' '])
            }
    }
}
