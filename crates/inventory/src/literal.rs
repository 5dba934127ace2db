//! Python literals, as INI inventories hold their values: `5`, `1.5`, `True`, `['a', 1]`, `{'k': None}`.
//!
//! The rules are those of `ast.literal_eval`, so `80,443` is a list, `0777` is no number, and what follows a `#` is a
//! comment. What JSON cannot say becomes what Ansible makes of it: tuples and sets are lists.

mod number;

use serde_json::{Map, Value};

use self::number::number;

const DEEPEST: usize = 64;

/// The value of a Python literal, or the text itself where it is none.
pub(crate) fn value_of(text: &str) -> Value {
    let mut reader = Reader {
        rest: text.trim_start_matches([' ', '\t']),
        depth: 0,
    };
    reader
        .whole()
        .unwrap_or_else(|| Value::String(text.to_owned()))
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn whole(&mut self) -> Option<Value> {
        let (mut items, has_comma) = self.items_until(None)?;
        if has_comma {
            Some(Value::Array(items))
        } else {
            items.pop()
        }
    }

    /// Items parted by commas up to `end` (or the end of the text), and whether a comma was there.
    fn items_until(&mut self, end: Option<char>) -> Option<(Vec<Value>, bool)> {
        let mut items = Vec::new();
        let mut has_comma = false;
        while !self.at_end(end) {
            items.push(self.item()?);
            if self.at_end(end) {
                break;
            }
            self.take(',')?;
            has_comma = true;
        }
        if let Some(end) = end {
            self.take(end)?;
        }
        Some((items, has_comma))
    }

    fn at_end(&mut self, end: Option<char>) -> bool {
        self.skip_blanks();
        match end {
            Some(end) => self.rest.starts_with(end),
            None => self.rest.is_empty() || self.rest.starts_with('#'),
        }
    }

    fn skip_blanks(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\u{c}']);
    }

    fn take(&mut self, c: char) -> Option<()> {
        self.skip_blanks();
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    fn item(&mut self) -> Option<Value> {
        self.skip_blanks();
        self.depth += 1;
        if self.depth > DEEPEST {
            return None;
        }
        let value = match self.rest.chars().next()? {
            '(' => self.parenthesised(),
            '[' => {
                self.take('[')?;
                Some(Value::Array(self.items_until(Some(']'))?.0))
            }
            '{' => self.braced(),
            '+' | '-' => self.signed(),
            '0'..='9' | '.' => number(self.number_token(), ""),
            _ => self.word().or_else(|| self.strings()),
        };
        self.depth -= 1;
        value
    }

    fn parenthesised(&mut self) -> Option<Value> {
        self.take('(')?;
        let (mut items, has_comma) = self.items_until(Some(')'))?;
        if items.len() == 1 && !has_comma {
            items.pop()
        } else {
            Some(Value::Array(items))
        }
    }

    fn braced(&mut self) -> Option<Value> {
        self.take('{')?;
        if self.at_end(Some('}')) {
            self.take('}')?;
            return Some(Value::Object(Map::new()));
        }
        let first = self.item()?;
        self.skip_blanks();
        if !self.rest.starts_with(':') {
            return self.set(first);
        }
        let mut object = Map::new();
        let mut key = first;
        loop {
            self.take(':')?;
            object.insert(key_text(key)?, self.item()?);
            if self.at_end(Some('}')) {
                break;
            }
            self.take(',')?;
            if self.at_end(Some('}')) {
                break;
            }
            key = self.item()?;
        }
        self.take('}')?;
        Some(Value::Object(object))
    }

    fn set(&mut self, first: Value) -> Option<Value> {
        let mut items = vec![first];
        if !self.at_end(Some('}')) {
            self.take(',')?;
        }
        for item in self.items_until(Some('}'))?.0 {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        Some(Value::Array(items))
    }

    fn signed(&mut self) -> Option<Value> {
        let sign = if self.rest.starts_with('-') { "-" } else { "" };
        self.rest = &self.rest[1..];
        self.skip_blanks();
        number(self.number_token(), sign)
    }

    fn number_token(&mut self) -> &'a str {
        let mut previous = ' ';
        let is_hex = self
            .rest
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("0x"));
        let end = self.rest.find(|c: char| {
            let is_exponent_sign =
                matches!(c, '+' | '-') && matches!(previous, 'e' | 'E') && !is_hex;
            previous = c;
            !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.') || is_exponent_sign)
        });
        let (token, rest) = self.rest.split_at(end.unwrap_or(self.rest.len()));
        self.rest = rest;
        token
    }

    fn word(&mut self) -> Option<Value> {
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        let value = match word {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            _ => return None,
        };
        self.rest = rest;
        Some(value)
    }

    /// One string, or several side by side.
    fn strings(&mut self) -> Option<Value> {
        let mut text = String::new();
        loop {
            self.string(&mut text)?;
            self.skip_blanks();
            let is_next = self
                .rest
                .trim_start_matches(['r', 'R', 'u', 'U', 'b', 'B'])
                .starts_with(['\'', '"']);
            if !is_next {
                return Some(Value::String(text));
            }
        }
    }

    fn string(&mut self, text: &mut String) -> Option<()> {
        let at = self.rest.find(['\'', '"'])?;
        let prefix = self.rest[..at].to_ascii_lowercase();
        if !matches!(&*prefix, "" | "r" | "u" | "b" | "br" | "rb") {
            return None;
        }
        let is_raw = prefix.contains('r');
        let body = &self.rest[at..];
        let quote = ["'''", "\"\"\"", "'", "\""]
            .into_iter()
            .find(|quote| body.starts_with(quote))?;
        let mut chars = body[quote.len()..].chars();
        loop {
            if let Some(rest) = chars.as_str().strip_prefix(quote) {
                self.rest = rest;
                return Some(());
            }
            match chars.next()? {
                '\\' if is_raw => text.extend(['\\', chars.next()?]),
                '\\' => escape(&mut chars, text)?,
                c => text.push(c),
            }
        }
    }
}

fn escape(chars: &mut std::str::Chars<'_>, text: &mut String) -> Option<()> {
    let c = chars.next()?;
    let escaped = match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'v' => '\u{b}',
        '\\' | '\'' | '"' => c,
        'x' => code_point(chars, 2)?,
        'u' => code_point(chars, 4)?,
        'U' => code_point(chars, 8)?,
        '0'..='7' => octal(chars, c)?,
        'N' => return None,
        other => {
            text.push('\\');
            other
        }
    };
    text.push(escaped);
    Some(())
}

fn code_point(chars: &mut std::str::Chars<'_>, digits: usize) -> Option<char> {
    let (code, rest) = chars.as_str().split_at_checked(digits)?;
    *chars = rest.chars();
    char::from_u32(u32::from_str_radix(code, 16).ok()?)
}

fn octal(chars: &mut std::str::Chars<'_>, first: char) -> Option<char> {
    let mut code = first.to_digit(8)?;
    for _ in 0..2 {
        let Some(digit) = chars.as_str().chars().next().and_then(|c| c.to_digit(8)) else {
            break;
        };
        chars.next();
        code = code * 8 + digit;
    }
    char::from_u32(code)
}

/// A key of a JSON object, as Python's `json.dumps` writes one.
fn key_text(key: Value) -> Option<String> {
    match key {
        Value::String(text) => Some(text),
        Value::Array(_) | Value::Object(_) => None,
        plain => Some(plain.to_string()),
    }
}

#[cfg(test)]
mod tests;
