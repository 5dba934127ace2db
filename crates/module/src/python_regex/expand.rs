//! Fills templates with groups, as Python's `Match.expand` does.

use super::Alphabet;
use crate::result::Failure;
use fancy_regex::Captures;

/// Fills a template of Python's with the groups of a match.
pub(super) struct Expansion<'h> {
    /// What matched.
    pub(super) captures: Captures<'h, str>,
    /// How many groups the pattern has, the whole match included.
    pub(super) groups: usize,
    /// What a character is.
    pub(super) alphabet: Alphabet,
}

impl Expansion<'_> {
    /// The filled template.
    ///
    /// # Errors
    /// When it has an escape or a group that does not exist.
    pub(super) fn run(&self, template: &str) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::with_capacity(template.len());
        let mut rest = template;
        while let Some(slash) = rest.find('\\') {
            out.extend_from_slice(&rest.as_bytes()[..slash]);
            let at = template.len() - rest.len() + slash;
            let after = &rest[slash + 1..];
            let used = self
                .escape(after, at, &mut out)
                .map_err(|why| Failure::new(format!("Task failed: Module failed: {why}")))?;
            rest = &after[used..];
        }
        out.extend_from_slice(rest.as_bytes());
        Ok(out)
    }

    /// Handles what follows a backslash, and tells how many bytes that was.
    fn escape(&self, after: &str, at: usize, out: &mut Vec<u8>) -> Result<usize, String> {
        let Some(c) = after.chars().next() else {
            return Err(format!("bad escape (end of pattern) at position {at}"));
        };
        let plain = match c {
            'n' => b'\n',
            't' => b'\t',
            'r' => b'\r',
            'a' => 0x07,
            'b' => 0x08,
            'f' => 0x0C,
            'v' => 0x0B,
            '\\' => b'\\',
            'g' => return self.named(after, at, out),
            '0'..='9' => return self.numbered(after, at, out),
            c if c.is_ascii_alphabetic() => {
                return Err(format!("bad escape \\{c} at position {at}"));
            }
            c => {
                // Any other character keeps its backslash.
                out.push(b'\\');
                out.extend_from_slice(c.to_string().as_bytes());
                return Ok(c.len_utf8());
            }
        };
        out.push(plain);
        Ok(1)
    }

    /// `\g<name>` or `\g<1>`.
    fn named(&self, after: &str, at: usize, out: &mut Vec<u8>) -> Result<usize, String> {
        let Some(rest) = after[1..].strip_prefix('<') else {
            return Err(format!("missing < at position {}", at + 2));
        };
        let Some((name, _)) = rest.split_once('>') else {
            return Err(format!(
                "missing >, unterminated name at position {}",
                at + 3
            ));
        };
        match name.parse() {
            Ok(number) => self.group(number, at + 3, out)?,
            Err(_) => match self.captures.name(name) {
                Some(found) => out.extend(self.alphabet.to_bytes(found.as_str())),
                None => return Err(format!("unknown group name '{name}'")),
            },
        }
        Ok(name.len() + 3)
    }

    /// `\1`, `\12`, or an octal escape: a zero in front, or three octal digits.
    fn numbered(&self, after: &str, at: usize, out: &mut Vec<u8>) -> Result<usize, String> {
        let digits = after.bytes().take(3).take_while(u8::is_ascii_digit).count();
        let octal = after
            .bytes()
            .take(3)
            .take_while(|b| (b'0'..=b'7').contains(b))
            .count();
        let octal = if after.starts_with('0') {
            octal
        } else if octal == 3 {
            3
        } else {
            0
        };
        if octal > 0 {
            let value = u32::from_str_radix(&after[..octal], 8).unwrap_or_default();
            let byte = u8::try_from(value & 0xFF).unwrap_or_default();
            match self.alphabet {
                Alphabet::Bytes => out.push(byte),
                Alphabet::Text => out.extend(char::from(byte).to_string().bytes()),
            }
            return Ok(octal);
        }
        let digits = digits.min(2);
        let number = after[..digits].parse().unwrap_or(usize::MAX);
        self.group(number, at + 1, out)?;
        Ok(digits)
    }

    fn group(&self, number: usize, at: usize, out: &mut Vec<u8>) -> Result<(), String> {
        if number >= self.groups {
            return Err(format!("invalid group reference {number} at position {at}"));
        }
        if let Some(found) = self.captures.get(number) {
            out.extend(self.alphabet.to_bytes(found.as_str()));
        }
        Ok(())
    }
}
