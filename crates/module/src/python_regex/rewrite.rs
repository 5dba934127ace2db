//! Rewrites patterns where their syntax means something else in Python.

use std::fmt::Write;

use super::{Alphabet, Flags};

/// Rewrites a pattern of Python's into one of the engine's.
pub(super) struct Rewriter {
    pattern: Vec<char>,
    at: usize,
    out: String,
    is_multiline: bool,
    alphabet: Alphabet,
}

impl Rewriter {
    /// A rewriter of `pattern`.
    pub(super) fn new(pattern: &str, flags: Flags) -> Self {
        let alphabet = flags.alphabet;
        Self {
            pattern: alphabet.to_text(pattern.as_bytes()).chars().collect(),
            at: 0,
            out: String::with_capacity(pattern.len() + 8),
            is_multiline: flags.multiline || has_flag(pattern, 'm'),
            alphabet,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.pattern.get(self.at).copied();
        self.at += usize::from(c.is_some());
        c
    }

    fn rest_starts_with(&self, text: &str) -> bool {
        let rest = self.pattern.get(self.at..).unwrap_or_default();
        text.chars()
            .zip(
                rest.iter()
                    .copied()
                    .map(Some)
                    .chain(std::iter::repeat(None)),
            )
            .all(|(a, b)| Some(a) == b)
    }

    /// The pattern for the engine, or what is wrong with it in Python's words.
    pub(super) fn run(mut self) -> Result<String, String> {
        while let Some(c) = self.next() {
            match c {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '{' => self.brace(),
                '}' => self.out.push_str("\\}"),
                // Python's $ also matches before a line feed at the end.
                '$' if !self.is_multiline => self.out.push_str("(?=\\n?\\z)"),
                '(' if self.rest_starts_with("?") => self.group(),
                c => self.out.push(c),
            }
        }
        Ok(self.out)
    }

    /// What follows an open parenthesis with a question mark: flags that the engine does not have are left out.
    fn group(&mut self) {
        self.out.push('(');
        let rest: String = self.pattern[self.at..]
            .iter()
            .take_while(|c| !matches!(c, ')' | ':'))
            .collect();
        let flags = &rest[1..];
        if !flags.is_empty() && flags.chars().all(|c| "aLimsux-".contains(c)) {
            self.at += rest.len();
            let kept: String = flags.chars().filter(|c| !"aLu".contains(*c)).collect();
            if kept.is_empty() && self.rest_starts_with(")") {
                self.out.push_str("?:");
            } else {
                self.out.push('?');
                self.out.push_str(&kept);
            }
        }
    }

    /// A brace that is no repetition stands for itself.
    fn brace(&mut self) {
        let rest: String = self.pattern[self.at..]
            .iter()
            .take_while(|c| **c != '}')
            .collect();
        let is_closed = self.pattern.get(self.at + rest.chars().count()) == Some(&'}');
        let (low, high) = rest.split_once(',').unwrap_or((&rest, "0"));
        let is_number = |text: &str| text.chars().all(|c| c.is_ascii_digit());
        let counts =
            is_closed && is_number(low) && is_number(high) && !rest.is_empty() && rest != ",";
        if !counts {
            self.out.push_str("\\{");
            return;
        }
        self.at += rest.len() + 1;
        let low_and_rest = if low.is_empty() {
            format!("0{rest}")
        } else {
            rest
        };
        self.out.push('{');
        self.out.push_str(&low_and_rest);
        self.out.push('}');
    }

    fn class(&mut self) -> Result<(), String> {
        let start = self.at - 1;
        self.out.push('[');
        if self.rest_starts_with("^") {
            self.at += 1;
            self.out.push('^');
        }
        if self.rest_starts_with("]") {
            self.at += 1;
            self.out.push_str("\\]");
        }
        loop {
            match self.next() {
                None => return Err(format!("unterminated character set at position {start}")),
                Some(']') => {
                    self.out.push(']');
                    return Ok(());
                }
                Some('\\') => self.escape(true)?,
                // These begin something in the engine's classes, and stand for themselves in Python's.
                Some(c @ ('[' | '&' | '~')) => self.out.extend(['\\', c]),
                Some(c) => self.out.push(c),
            }
        }
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let at = self.at - 1;
        let Some(c) = self.next() else {
            return Err(format!("bad escape (end of pattern) at position {at}"));
        };
        match c {
            'Z' if !in_class => self.out.push_str("\\z"),
            'b' if in_class => self.out.push_str("\\x08"),
            'A' | 'b' | 'B' if !in_class => self.out.extend(['\\', c]),
            'd' | 'D' | 's' | 'S' | 'w' | 'W' | 'a' | 'f' | 'n' | 'r' | 't' | 'v' => {
                self.out.extend(['\\', c]);
            }
            'x' => self.hexadecimal(at)?,
            'u' | 'U' if self.alphabet == Alphabet::Text => self.out.extend(['\\', c]),
            '0' => self.octal(0),
            '1'..='9' if !in_class => self.out.extend(['\\', c]),
            '1'..='7' => self.octal(c.to_digit(8).unwrap_or_default()),
            c if c.is_ascii_alphanumeric() => {
                return Err(format!("bad escape \\{c} at position {at}"));
            }
            c if c.is_ascii_punctuation() && !matches!(c, '<' | '>' | '/' | '"' | '\'') => {
                self.out.extend(['\\', c]);
            }
            c => self.out.push(c),
        }
        Ok(())
    }

    /// An octal escape, of which `first` was read.
    fn octal(&mut self, first: u32) {
        let mut value = first;
        for _ in 0..2 {
            let Some(digit) = self.pattern.get(self.at).and_then(|c| c.to_digit(8)) else {
                break;
            };
            self.at += 1;
            value = value * 8 + digit;
        }
        self.code(value & 0xFF);
    }

    /// A hexadecimal escape, which has two digits.
    fn hexadecimal(&mut self, at: usize) -> Result<(), String> {
        let digits: String = self.pattern.iter().skip(self.at).take(2).collect();
        let value = u32::from_str_radix(&digits, 16);
        let (Ok(value), 2) = (value, digits.len()) else {
            return Err(format!("incomplete escape \\x{digits} at position {at}"));
        };
        self.at += 2;
        self.code(value);
        Ok(())
    }

    /// The character with a code below 256: a byte, where the pattern is about bytes.
    fn code(&mut self, value: u32) {
        let code = match (self.alphabet, u8::try_from(value)) {
            (Alphabet::Bytes, Ok(byte)) => u32::from(self.alphabet.to_char(byte)),
            _ => value,
        };
        // Writing to a string cannot fail.
        let _ignored = write!(self.out, "\\x{{{code:X}}}");
    }
}

/// Whether the pattern begins with inline flags of which this is one.
fn has_flag(pattern: &str, flag: char) -> bool {
    let flags = pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| {
        flags.chars().all(|c| c.is_ascii_alphabetic()) && flags.contains(flag)
    })
}
