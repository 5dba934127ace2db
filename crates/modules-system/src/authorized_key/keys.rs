//! The lines of a file of keys.

/// The types that a key may have.
const TYPES: &[&str] = &[
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "webauthn-sk-ecdsa-sha2-nistp256@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "sk-ssh-ed25519@openssh.com",
    "sk-ssh-ed25519-cert-v01@openssh.com",
    "ssh-ed25519",
    "ssh-ed25519-cert-v01@openssh.com",
    "ssh-dss",
    "ssh-rsa",
    "ssh-xmss@openssh.com",
    "ssh-xmss-cert-v01@openssh.com",
    "rsa-sha2-256",
    "rsa-sha2-512",
    "ssh-rsa-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "ssh-dss-cert-v01@openssh.com",
];

/// The options in front of a key, in their order; a flag has no value.
#[derive(Clone, Debug, Default)]
pub(super) struct Options(Vec<(String, Option<String>)>);

impl Options {
    /// Splits at commas outside of quotes.
    pub(super) fn parse(text: &str) -> Self {
        let parts = parts(text);
        let options = parts.into_iter().filter(|part| *part != ",");
        Self(
            options
                .map(|part| match part.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (part.to_owned(), None),
                })
                .collect(),
        )
    }

    fn render(&self) -> String {
        let options = self.0.iter().map(|(name, value)| match value {
            Some(value) => format!("{name}={value}"),
            None => name.clone(),
        });
        options.collect::<Vec<_>>().join(",")
    }
}

impl PartialEq for Options {
    /// The order of options does not matter, but that of the values of one option.
    fn eq(&self, other: &Self) -> bool {
        let by_name = |options: &Self| {
            let mut options = options.0.clone();
            options.sort_by(|one, other| one.0.cmp(&other.0));
            options
        };
        by_name(self) == by_name(other)
    }
}

/// Options and what is between them, by turns; what is before the first and behind the last is left out.
fn parts(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut between) = (text, text);
    while !rest.is_empty() {
        let length = option_length(rest);
        if length == 0 {
            rest = &rest[rest.chars().next().map_or(0, char::len_utf8)..];
            continue;
        }
        if !parts.is_empty() {
            parts.push(&between[..between.len() - rest.len()]);
        }
        parts.push(&rest[..length]);
        rest = &rest[length..];
        between = rest;
    }
    parts
}

/// How long the option is that a text begins with: up to a comma, or a quote that does not end.
fn option_length(text: &str) -> usize {
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        at += match next {
            ',' => break,
            '"' | '\'' => match text[at + 1..].find(next) {
                Some(length) => length + 2,
                None => break,
            },
            other => other.len_utf8(),
        };
    }
    at
}

/// One line.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Line {
    /// A key.
    Key {
        /// What identifies it: the key itself.
        key: String,
        /// Its type.
        kind: &'static str,
        /// Its options.
        options: Options,
        /// Its comment; may be empty.
        comment: String,
    },
    /// Anything else, with its end; it stays as it is.
    Other(String),
}

/// Why a line is not what it should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum NoKey {
    /// It has no type of a key.
    Type,
    /// It has a type, and nothing behind it.
    Key,
}

impl Line {
    /// Reads a key, or a comment line.
    ///
    /// # Errors
    /// When it is neither.
    pub(super) fn parse(line: &str) -> Result<Self, NoKey> {
        let line = line.replace(r"\#", "#");
        let words: Vec<&str> = line
            .split([' ', '\t', '\r', '\n'])
            .filter(|word| !word.is_empty())
            .collect();
        if words.first() == Some(&"#") {
            return Ok(Self::Other(line));
        }
        let found = words.iter().enumerate().find_map(|(at, word)| {
            let kind = TYPES.iter().find(|kind| *kind == word)?;
            Some((at, *kind))
        });
        let (at, kind) = found.ok_or(NoKey::Type)?;
        let (key, comment) = words[at + 1..].split_first().ok_or(NoKey::Key)?;
        Ok(Self::Key {
            key: (*key).to_owned(),
            kind,
            options: Options::parse(&words[..at].join(" ")),
            comment: comment.join(" "),
        })
    }

    /// What no other line of a file has.
    pub(super) fn id(&self) -> &str {
        match self {
            Self::Key { key, .. } => key,
            Self::Other(line) => line,
        }
    }

    fn render(&self) -> String {
        match self {
            Self::Key {
                key,
                kind,
                options,
                comment,
            } => {
                let options = options.render();
                let gap = if options.is_empty() { "" } else { " " };
                format!("{options}{gap}{kind} {key} {comment}\n")
            }
            Self::Other(line) => line.clone(),
        }
    }
}

/// The lines of a file. None is there twice: of equal ones the last counts.
#[derive(Clone, Debug)]
pub(super) struct Lines {
    /// Each line with its rank in the file.
    lines: Vec<(Line, usize)>,
    /// Where new lines begin.
    end: usize,
}

impl Lines {
    /// Reads a file.
    pub(super) fn parse(text: &str) -> Self {
        let mut lines = Self {
            lines: Vec::new(),
            end: 0,
        };
        for (rank, text) in split_lines(text).into_iter().enumerate() {
            let line = Line::parse(text).unwrap_or_else(|_| Line::Other(text.to_owned()));
            match lines.position(line.id()) {
                Some(at) => lines.lines[at] = (line, rank),
                None => lines.lines.push((line, rank)),
            }
        }
        lines.end = lines.lines.len();
        lines
    }

    fn position(&self, id: &str) -> Option<usize> {
        self.lines.iter().position(|(line, _)| line.id() == id)
    }

    /// Makes a line be there, the `rank`th of the new ones, and tells whether it was not there as it is.
    pub(super) fn set(&mut self, line: Line, rank: usize) -> bool {
        let at = self.position(line.id());
        match at {
            Some(at) if self.lines[at].0 == line => return false,
            Some(at) => drop(self.lines.remove(at)),
            None => {}
        }
        self.lines.push((line, self.end + rank));
        true
    }

    /// Takes a line out, and tells whether it was there.
    pub(super) fn remove(&mut self, id: &str) -> bool {
        let at = self.position(id);
        at.map(|at| self.lines.remove(at)).is_some()
    }

    /// Leaves only these lines, and tells whether there were others.
    pub(super) fn keep_only(&mut self, ids: &[String]) -> bool {
        let count = self.lines.len();
        self.lines
            .retain(|(line, _)| ids.iter().any(|id| id == line.id()));
        self.lines.len() != count
    }

    /// The text of the file.
    pub(super) fn render(&self) -> String {
        let mut lines: Vec<_> = self.lines.iter().collect();
        lines.sort_by_key(|(_, rank)| *rank);
        lines.into_iter().map(|(line, _)| line.render()).collect()
    }
}

/// The lines of a text with their ends, wherever Python ends a line.
pub(super) fn split_lines(text: &str) -> Vec<&str> {
    let is_end = |c: char| {
        matches!(
            c,
            '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'
                ..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}'
        )
    };
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end = match rest.find(is_end) {
            None => rest.len(),
            Some(at) if rest[at..].starts_with("\r\n") => at + 2,
            Some(at) => at + rest[at..].chars().next().map_or(1, char::len_utf8),
        };
        let (line, next) = rest.split_at(end);
        lines.push(line);
        rest = next;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_split_at_commas_outside_of_quotes() {
        let text = r#"no-pty,command="a,b",from='c,d'"#;
        let options = Options::parse(text);
        assert_eq!(options.render(), text);
        let turned = Options::parse(r#"from='c,d',no-pty,command="a,b""#);
        assert_eq!(options, turned);
        assert_ne!(
            Options::parse("permitopen=1,permitopen=2"),
            Options::parse("permitopen=2,permitopen=1")
        );
        assert_eq!(parts(r#","x",,y,"#), [r#""x""#, ",,", "y"]);
        assert_eq!(parts(r#"a="b"#), ["a=", "\"", "b"]);
    }

    #[test]
    fn lines_that_are_no_keys_stay_as_they_are() {
        let text = "# a key\n\nodd\n  no-pty ssh-rsa  AAAA  a   b\nssh-rsa\n";
        let mut lines = Lines::parse(text);
        assert!(lines.remove("AAAA") && !lines.remove("AAAA"));
        assert_eq!(lines.render(), "# a key\n\nodd\nssh-rsa\n");
        let line = Line::parse("ssh-ed25519 BBBB").expect("a key");
        assert!(lines.set(line.clone(), 0) && !lines.set(line, 0));
        assert!(lines.render().ends_with("ssh-rsa\nssh-ed25519 BBBB \n"));
        assert_eq!(Line::parse("garbage"), Err(NoKey::Type));
        assert_eq!(Line::parse("ssh-rsa"), Err(NoKey::Key));
    }

    #[test]
    fn lines_end_where_python_ends_them() {
        assert_eq!(
            split_lines("a\r\nb\rc\u{2028}d"),
            ["a\r\n", "b\r", "c\u{2028}", "d"]
        );
    }
}
