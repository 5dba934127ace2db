//! What `lineinfile` does to lines: pure functions over bytes.

use rustle_module::Failure;

use rustle_module::python_regex::PythonRegex;

/// What identifies lines.
#[derive(Debug)]
pub(super) enum Search {
    /// Only the line itself.
    Line,
    /// An expression.
    Regexp(PythonRegex),
    /// A text within the line.
    Text(String),
}

impl Search {
    fn matches(&self, line: &[u8]) -> bool {
        match self {
            Self::Line => false,
            Self::Regexp(regexp) => regexp.is_match(line),
            Self::Text(text) => contains(line, text.as_bytes()),
        }
    }
}

/// Where a line goes that is not there yet.
#[derive(Debug)]
pub(super) enum Place {
    /// At the end of the file.
    End,
    /// At its beginning.
    Beginning,
    /// After the line that matches, else at the end.
    After(PythonRegex),
    /// Before the line that matches, else at the end.
    Before(PythonRegex),
}

/// What shall be in the file.
#[derive(Debug)]
pub(super) struct Wanted<'a> {
    /// The line, or the template of one.
    pub(super) line: &'a str,
    /// Which line it replaces.
    pub(super) search: Search,
    /// Where it goes otherwise.
    pub(super) place: Place,
    /// Whether the line is a template, and nothing is added without a match.
    pub(super) backrefs: bool,
    /// Whether the first match counts and not the last.
    pub(super) firstmatch: bool,
}

/// Cuts content into lines, each with its line feed.
pub(super) fn lines_of(content: &[u8]) -> Vec<Vec<u8>> {
    content
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

fn without_end(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n'));
    &line[..end.map_or(0, |at| at + 1)]
}

fn contains(line: &[u8], text: &[u8]) -> bool {
    text.is_empty() || line.windows(text.len()).any(|window| window == text)
}

impl Wanted<'_> {
    /// Makes the line be there, and says what was done; nothing where it was there.
    ///
    /// # Errors
    /// When the line is a template that cannot be filled.
    pub(super) fn ensure(&self, lines: &mut Vec<Vec<u8>>) -> Result<&'static str, Failure> {
        let matched = self.find(lines, |line| self.search.matches(line));
        let is_same = |line: &Vec<u8>| without_end(line) == self.line.as_bytes();
        let exact = lines.iter().rposition(is_same);
        if let Some(at) = matched.or(exact) {
            return self.replace(lines, at, matched.is_some());
        }
        if self.backrefs {
            return Ok("");
        }
        self.add(lines);
        Ok("line added")
    }

    fn find(&self, lines: &[Vec<u8>], matches: impl Fn(&[u8]) -> bool) -> Option<usize> {
        if self.firstmatch {
            lines.iter().position(|line| matches(line))
        } else {
            lines.iter().rposition(|line| matches(line))
        }
    }

    fn replace(
        &self,
        lines: &mut [Vec<u8>],
        at: usize,
        is_match: bool,
    ) -> Result<&'static str, Failure> {
        let mut new = self.line.as_bytes().to_vec();
        if let (true, true, Search::Regexp(regexp)) = (self.backrefs, is_match, &self.search)
            && let Some(filled) = regexp.expand(&lines[at], self.line)?
        {
            new = filled;
        }
        if !new.ends_with(b"\n") {
            new.push(b'\n');
        }
        if lines[at] == new {
            return Ok("");
        }
        lines[at] = new;
        Ok("line replaced")
    }

    fn add(&self, lines: &mut Vec<Vec<u8>>) {
        let at = match &self.place {
            Place::End => lines.len(),
            Place::Beginning => 0,
            Place::After(regexp) => self
                .find(lines, |line| regexp.is_match(line))
                .map_or(lines.len(), |at| at + 1),
            Place::Before(regexp) => self
                .find(lines, |line| regexp.is_match(line))
                .unwrap_or(lines.len()),
        };
        if at == lines.len()
            && let Some(last) = lines.last_mut()
            && !last.ends_with(b"\n")
            && !last.ends_with(b"\r")
        {
            // A last line without an end gets one first.
            last.push(b'\n');
        }
        lines.insert(at, format!("{}\n", self.line).into_bytes());
    }
}

/// Removes all lines that match or, without a search, are the line. Returns how many there were.
pub(super) fn remove(lines: &mut Vec<Vec<u8>>, search: &Search, line: Option<&str>) -> usize {
    let before = lines.len();
    lines.retain(|candidate| match search {
        Search::Line => line.is_none_or(|line| without_end(candidate) != line.as_bytes()),
        search => !search.matches(candidate),
    });
    before - lines.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensured(content: &str, wanted: &Wanted<'_>) -> (String, &'static str) {
        let mut lines = lines_of(content.as_bytes());
        let msg = wanted.ensure(&mut lines).expect("no template");
        (String::from_utf8(lines.concat()).expect("text"), msg)
    }

    fn wanted(line: &str, place: Place) -> Wanted<'_> {
        Wanted {
            line,
            search: Search::Line,
            place,
            backrefs: false,
            firstmatch: false,
        }
    }

    #[test]
    fn a_line_is_added_once_and_where_it_belongs() {
        let regexp = || PythonRegex::new("^b").expect("a pattern");
        for (content, place, expected) in [
            ("a\nb\nc\n", Place::End, "a\nb\nc\nx\n"),
            ("a\nb", Place::End, "a\nb\nx\n"),
            ("", Place::End, "x\n"),
            ("a\n", Place::Beginning, "x\na\n"),
            ("a\nb\nc\n", Place::After(regexp()), "a\nb\nx\nc\n"),
            ("a\nb", Place::After(regexp()), "a\nb\nx\n"),
            ("a\nb", Place::Before(regexp()), "a\nx\nb"),
            ("a\nc\n", Place::Before(regexp()), "a\nc\nx\n"),
        ] {
            let wanted = wanted("x", place);
            let (once, msg) = ensured(content, &wanted);
            assert_eq!(
                (once.as_str(), msg),
                (expected, "line added"),
                "{content:?}"
            );
            assert_eq!(ensured(&once, &wanted), (once.clone(), ""));
        }
    }

    #[test]
    fn lines_that_match_are_removed() {
        let mut lines = lines_of(b"a\r\nb\na\n");
        assert_eq!(remove(&mut lines, &Search::Line, Some("a")), 2);
        assert_eq!(lines.concat(), b"b\n");
        assert_eq!(remove(&mut lines, &Search::Text("b".into()), None), 1);
    }
}
