//! Regular expressions as Python's `re` reads them, over bytes or text.
//!
//! Python matches most files as bytes: `.` is one byte and `\w` is ASCII. The engine here works on text, so each byte becomes one
//! character: ASCII stays, and a byte above becomes a character of the private use area, which is no letter, digit or space. Where Python
//! matches text, characters are what they are, and only a byte that is no UTF-8 becomes such a character. The pattern is rewritten where its
//! syntax means something else in Python.

mod alphabet;
mod expand;
mod rewrite;

use std::ops::Range;

use fancy_regex::{Captures, Regex};

pub use alphabet::Alphabet;

use crate::result::Failure;
use expand::Expansion;
use rewrite::Rewriter;

/// What stands before the message of a module that crashed.
const CRASHED: &str = "Task failed: Module failed: ";

/// How a pattern is read, besides its own inline flags.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Flags {
    /// What `.` and `\w` are about.
    pub alphabet: Alphabet,
    /// Whether `^` and `$` are about lines.
    pub multiline: bool,
    /// Whether `.` is a line feed too.
    pub dot_all: bool,
    /// Whether it has to match from the start, as Python's `re.match`.
    pub anchored: bool,
}

/// A compiled pattern.
#[derive(Debug)]
pub struct PythonRegex {
    regex: Regex,
    alphabet: Alphabet,
}

/// What a pattern and its groups matched.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Groups {
    subject: Vec<u8>,
    groups: Vec<Group>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
struct Group {
    name: Option<String>,
    at: Option<Range<usize>>,
}

impl Groups {
    /// What the whole pattern matched.
    #[must_use]
    pub fn whole(&self) -> &[u8] {
        self.text_of(&self.groups[0]).unwrap_or_default()
    }

    /// What is before that.
    #[must_use]
    pub fn before(&self) -> &[u8] {
        let start = self.groups[0].at.as_ref().map_or(0, |at| at.start);
        &self.subject[..start]
    }

    /// What each group matched, from the first on, with its name.
    pub fn iter(&self) -> impl Iterator<Item = (Option<&str>, Option<&[u8]>)> {
        let groups = self.groups.iter().skip(1);
        groups.map(|group| (group.name.as_deref(), self.text_of(group)))
    }

    /// What is before the group called `name`, what it matched and what is after; nothing where it did not match.
    #[must_use]
    pub fn split_at_group(&self, name: &str) -> Option<(&[u8], &[u8], &[u8])> {
        let is_named = |group: &&Group| group.name.as_deref() == Some(name);
        let at = self.groups.iter().find(is_named)?.at.clone()?;
        let subject = &self.subject;
        Some((
            &subject[..at.start],
            &subject[at.clone()],
            &subject[at.end..],
        ))
    }

    fn text_of(&self, group: &Group) -> Option<&[u8]> {
        group.at.clone().map(|at| &self.subject[at])
    }
}

impl PythonRegex {
    /// Compiles a pattern of Python's over bytes.
    ///
    /// # Errors
    /// When it is none, in Python's words where they are known.
    pub fn new(pattern: &str) -> Result<Self, Failure> {
        Self::with(pattern, Flags::default())
    }

    /// Compiles a pattern of Python's.
    ///
    /// # Errors
    /// When it is none, in Python's words where they are known.
    pub fn with(pattern: &str, flags: Flags) -> Result<Self, Failure> {
        let failed = |why: String| Failure::new(format!("{CRASHED}{why}"));
        let mut rewritten = Rewriter::new(pattern, flags).run().map_err(failed)?;
        if flags.anchored {
            rewritten = format!("\\A(?:{rewritten})");
        }
        if flags.multiline {
            rewritten.insert_str(0, "(?m)");
        }
        if flags.dot_all {
            rewritten.insert_str(0, "(?s)");
        }
        match Regex::new(&rewritten) {
            Ok(regex) => Ok(Self {
                regex,
                alphabet: flags.alphabet,
            }),
            Err(error) => Err(failed(in_pythons_words(pattern, &error))),
        }
    }

    /// Whether it matches somewhere in `line`.
    #[must_use]
    pub fn is_match(&self, line: &[u8]) -> bool {
        // An expression that needs too many steps counts as no match.
        self.regex
            .is_match(&*self.alphabet.to_text(line))
            .unwrap_or(false)
    }

    /// What it and its groups match first.
    #[must_use]
    pub fn find(&self, subject: &[u8]) -> Option<Groups> {
        let text = self.alphabet.to_text(subject);
        let text = &*text;
        let captures = self.regex.captures(text).ok().flatten()?;
        let length = |end: usize| self.alphabet.to_bytes(&text[..end]).len();
        let group = |(at, name): (usize, Option<&str>)| Group {
            name: name.map(ToOwned::to_owned),
            at: captures
                .get(at)
                .map(|found| length(found.start())..length(found.end())),
        };
        Some(Groups {
            subject: subject.to_vec(),
            groups: self.regex.capture_names().enumerate().map(group).collect(),
        })
    }

    /// Matches in `line` and fills `template` with the groups, as Python's `Match.expand` does; `None` where nothing matches.
    ///
    /// # Errors
    /// When the template has an escape or a group that does not exist.
    pub fn expand(&self, line: &[u8], template: &str) -> Result<Option<Vec<u8>>, Failure> {
        let text = self.alphabet.to_text(line);
        let text = &*text;
        match self.regex.captures(text) {
            Ok(Some(captures)) => self.fill(captures, template).map(Some),
            _ => Ok(None),
        }
    }

    /// Replaces all matches by the filled template, as Python's `re.subn` does, and tells how many there were.
    ///
    /// # Errors
    /// When the template has an escape or a group that does not exist.
    pub fn replace_all(&self, subject: &[u8], template: &str) -> Result<(Vec<u8>, usize), Failure> {
        let text = self.alphabet.to_text(subject);
        let text = &*text;
        let (mut out, mut count) = (Vec::with_capacity(subject.len()), 0);
        let (mut copied, mut from) = (0, 0);
        while from <= text.len()
            && let Ok(Some(captures)) = self.regex.captures_from_pos(text, from)
        {
            let Some(found) = captures.get(0) else { break };
            let (start, end) = (found.start(), found.end());
            out.extend(self.alphabet.to_bytes(&text[copied..start]));
            out.extend(self.fill(captures, template)?);
            count += 1;
            copied = end;
            let step = text[end..].chars().next().map_or(1, char::len_utf8);
            from = if start == end { end + step } else { end };
        }
        out.extend(self.alphabet.to_bytes(&text[copied..]));
        Ok((out, count))
    }

    fn fill(&self, captures: Captures<'_, str>, template: &str) -> Result<Vec<u8>, Failure> {
        let expansion = Expansion {
            captures,
            groups: self.regex.captures_len(),
            alphabet: self.alphabet,
        };
        expansion.run(template)
    }
}

/// What is wrong with a pattern or template, without the words of a module that crashed over it.
#[must_use]
pub fn python_error(failure: &Failure) -> &str {
    let text = failure.msg.as_str();
    text.strip_prefix(CRASHED).unwrap_or(text)
}

/// Python's words for the commonest mistake; the engine's for others.
fn in_pythons_words(pattern: &str, error: &fancy_regex::Error) -> String {
    match unclosed_group(pattern) {
        Some(at) => format!("missing ), unterminated subpattern at position {at}"),
        None => error.to_string(),
    }
}

/// Where the last group opens that is never closed.
fn unclosed_group(pattern: &str) -> Option<usize> {
    let (mut open, mut in_class, mut escaped) = (Vec::new(), false, false);
    for (at, c) in pattern.chars().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' if !in_class => in_class = true,
            ']' => in_class = false,
            '(' if !in_class => open.push(at),
            ')' if !in_class => {
                open.pop();
            }
            _ => {}
        }
    }
    open.pop()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, line: &str) -> bool {
        PythonRegex::new(pattern)
            .expect("a pattern")
            .is_match(line.as_bytes())
    }

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        for (pattern, line, expected) in [
            ("^b$", "b\n", true),
            ("^b$", "b\r\n", false),
            (r"four\Z", "four\n", false),
            ("^.$", "é\n", false),
            ("^..$", "é\n", true),
            (r"\w", "é", false),
            ("é", "café", true),
            (r"^two=(?!22)", "two=22", false),
            (r"(?<=two=)22", "two=22", true),
            (r"=(.)\1$", "two=22\n", true),
            ("(?i)^TWO", "two", true),
            ("a{b}", "a{b}", true),
            ("a{,2}$", "aa", true),
            ("^a{2}$", "aa", true),
            ("[[a&&b]", "[", true),
            ("[]a]", "]", true),
            (r"\<a\>", "<a>", true),
            (r"\/etc\-x", "/etc-x", true),
            (r"[\b]", "\u{8}", true),
            (r"\101", "A", false),
            (r"\0", "\0", true),
            ("(?a)x(?#y)", "x", true),
            ("(?P<n>a)(?P=n)", "aa", true),
            ("(?m)^b$", "a\nb\nc", true),
            (r"foo}", "foo}", true),
        ] {
            let compiled = PythonRegex::new(pattern);
            let found = compiled.is_ok_and(|regex| regex.is_match(line.as_bytes()));
            assert_eq!(found, expected, "{pattern} in {line:?}");
        }
        assert!(matches("", "anything"));
    }

    #[test]
    fn mistakes_are_named_as_python_does() {
        for (pattern, msg) in [
            ("(", "missing ), unterminated subpattern at position 0"),
            ("a[b", "unterminated character set at position 1"),
            (r"\h", r"bad escape \h at position 0"),
        ] {
            let failure = PythonRegex::new(pattern).expect_err("no pattern");
            assert_eq!(failure.msg, format!("Task failed: Module failed: {msg}"));
        }
    }

    #[test]
    fn all_matches_are_replaced_as_pythons_subn_does() {
        let text = Flags {
            alphabet: Alphabet::Text,
            multiline: true,
            ..Flags::default()
        };
        for (pattern, template, subject, expected) in [
            ("x*", "-", "abxd", ("-a-b--d-", 5)),
            ("^a", r"\g<0>b", "a\na\n", ("ab\nab\n", 2)),
            ("é$", "e", "é\né", ("e\ne", 2)),
            (r"(\w)é", r"\1e", "tété", ("tete", 2)),
            ("z", "y", "a", ("a", 0)),
        ] {
            let regex = PythonRegex::with(pattern, text).expect("a pattern");
            let replaced = regex.replace_all(subject.as_bytes(), template);
            let (found, count) = replaced.expect("a template");
            assert_eq!(
                (found.as_slice(), count),
                (expected.0.as_bytes(), expected.1),
                "{pattern}"
            );
        }
        let regex = PythonRegex::with("b", text).expect("a pattern");
        let (kept, _) = regex.replace_all(b"\xff b", "c").expect("a template");
        assert_eq!(kept, b"\xff c", "what is no UTF-8 stays");
    }

    #[test]
    fn matches_tell_their_groups_and_surroundings() {
        let flags = Flags {
            anchored: true,
            dot_all: true,
            ..Flags::default()
        };
        let regex = PythonRegex::with("a(?P<mid>.*)(z)?c", flags).expect("a pattern");
        let found = regex.find(b"a\xe9\nc!").expect("a match");
        let split = found.split_at_group("mid");
        assert_eq!(split, Some((&b"a"[..], &b"\xe9\n"[..], &b"c!"[..])));
        assert_eq!(found.whole(), b"a\xe9\nc");
        assert_eq!(found.iter().nth(1), Some((None, None)));
        assert_eq!(regex.find(b" ac"), None);
    }

    #[test]
    fn templates_are_filled_with_groups() {
        let regex = PythonRegex::new(r"^(#)?(?P<k>two|é)=(\d+)").expect("a pattern");
        for (line, template, filled) in [
            ("two=22", r"\g<k>:\3\t.", "two:22\t."),
            ("two=22", r"\1x\g<0>", "xtwo=22"),
            ("é=1", r"\2ü", "éü"),
            ("two=2", r"\\n\.\060", "\\n\\.0"),
        ] {
            let bytes = regex
                .expand(line.as_bytes(), template)
                .expect("a template")
                .expect("a match");
            assert_eq!(
                String::from_utf8(bytes).expect("text"),
                filled,
                "{template}"
            );
        }
        for (template, msg) in [
            (r"\4", "invalid group reference 4 at position 1"),
            (r"\q", r"bad escape \q at position 0"),
            (r"\g<x>", "unknown group name 'x'"),
        ] {
            let failure = regex.expand(b"two=1", template).expect_err("no template");
            assert_eq!(failure.msg, format!("Task failed: Module failed: {msg}"));
        }
    }
}
