//! What `blockinfile` does to lines: pure functions over bytes.

use rustle_module::python_regex::PythonRegex;

/// Where a block goes that is not there yet.
#[derive(Debug)]
pub(super) enum Place {
    /// At the end of the file.
    End,
    /// At its beginning.
    Beginning,
    /// After what matches last, else at the end.
    After(Anchor),
    /// Before what matches last, else at the end.
    Before(Anchor),
}

/// What a block goes after or before.
#[derive(Debug)]
pub(super) struct Anchor {
    /// The expression.
    pub(super) regexp: PythonRegex,
    /// Whether it is matched against the whole file, as one about several lines.
    pub(super) is_multiline: bool,
}

/// A block of lines between two markers.
#[derive(Debug)]
pub(super) struct Block {
    /// The line before it, with its line feed.
    pub(super) begin: Vec<u8>,
    /// The line after it, with its line feed.
    pub(super) end: Vec<u8>,
    /// Its lines with the markers around them; none where it shall not be there.
    pub(super) lines: Vec<Vec<u8>>,
    /// Where it goes.
    pub(super) place: Place,
    /// Whether an empty line comes before it.
    pub(super) prepend_newline: bool,
    /// Whether an empty line comes after it.
    pub(super) append_newline: bool,
}

/// Cuts content into lines, each with its end: a line feed, a carriage return or both.
pub(super) fn lines_of(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut rest = content;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')) {
        let is_pair = rest[at] == b'\r' && rest.get(at + 1) == Some(&b'\n');
        let (line, after) = rest.split_at(at + 1 + usize::from(is_pair));
        lines.push(line.to_vec());
        rest = after;
    }
    if !rest.is_empty() {
        lines.push(rest.to_vec());
    }
    lines
}

impl Block {
    /// The content with the block where it belongs, or without it.
    pub(super) fn put_into(&self, content: &[u8]) -> Vec<u8> {
        let mut lines = lines_of(content);
        let mut at = self.take_out(&mut lines, content);
        if at > 0
            && let Some(before) = lines.get_mut(at - 1)
            && !before.ends_with(b"\n")
        {
            before.push(b'\n');
        }
        if self.prepend_newline && at > 0 && lines.get(at - 1).is_some_and(|line| line != b"\n") {
            lines.insert(at, b"\n".to_vec());
            at += 1;
        }
        let after = at + self.lines.len();
        lines.splice(at..at, self.lines.iter().cloned());
        if self.append_newline && lines.get(after).is_some_and(|line| line != b"\n") {
            lines.insert(after, b"\n".to_vec());
        }
        lines.concat()
    }

    /// Takes the present block out, and tells where the new one goes.
    fn take_out(&self, lines: &mut Vec<Vec<u8>>, content: &[u8]) -> usize {
        let begin = lines.iter().rposition(|line| *line == self.begin);
        let end = lines.iter().rposition(|line| *line == self.end);
        let (Some(begin), Some(end)) = (begin, end) else {
            return self.place_in(lines, content).min(lines.len());
        };
        let (first, last) = (begin.min(end), begin.max(end));
        lines.drain(first..=last);
        first
    }

    fn place_in(&self, lines: &[Vec<u8>], content: &[u8]) -> usize {
        let line_feeds = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let found = |anchor: &Anchor, is_after: bool| {
            if !anchor.is_multiline {
                return lines.iter().rposition(|line| anchor.regexp.is_match(line));
            }
            let found = anchor.regexp.find(content)?;
            let before = line_feeds(found.before());
            Some(
                before
                    + if is_after {
                        line_feeds(found.whole())
                    } else {
                        0
                    },
            )
        };
        match &self.place {
            Place::End => lines.len(),
            Place::Beginning => 0,
            Place::After(anchor) => found(anchor, true).map_or(lines.len(), |at| at + 1),
            Place::Before(anchor) => found(anchor, false).unwrap_or(lines.len()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(place: Place) -> Block {
        Block {
            begin: b"<\n".to_vec(),
            end: b">\n".to_vec(),
            lines: [&b"<\n"[..], b"x\n", b">\n"].map(<[u8]>::to_vec).into(),
            place,
            prepend_newline: false,
            append_newline: false,
        }
    }

    fn put(block: &Block, content: &str) -> String {
        String::from_utf8(block.put_into(content.as_bytes())).expect("text")
    }

    #[test]
    fn a_block_goes_where_it_belongs_once() {
        let anchor = |pattern: &str, is_multiline| Anchor {
            regexp: PythonRegex::new(pattern).expect("a pattern"),
            is_multiline,
        };
        for (place, content, expected) in [
            (Place::End, "a\nb", "a\nb\n<\nx\n>\n"),
            (Place::Beginning, "a\n", "<\nx\n>\na\n"),
            (
                Place::After(anchor("^a", false)),
                "a\nb\n",
                "a\n<\nx\n>\nb\n",
            ),
            (
                Place::Before(anchor("^a", false)),
                "a\na\n",
                "a\n<\nx\n>\na\n",
            ),
            (Place::After(anchor("z", false)), "a\n", "a\n<\nx\n>\n"),
            (
                Place::Before(anchor("b\nc", true)),
                "a\nb\nc\n",
                "a\n<\nx\n>\nb\nc\n",
            ),
            (Place::End, "<\nold\n>\nz\n", "<\nx\n>\nz\n"),
            (Place::End, ">\nold\n<\nz\n", "<\nx\n>\nz\n"),
            (Place::End, "<\nold\n", "<\nold\n<\nx\n>\n"),
        ] {
            let block = block(place);
            let once = put(&block, content);
            assert_eq!(once, expected, "{content:?}");
            assert_eq!(put(&block, &once), once);
        }
    }

    #[test]
    fn empty_lines_around_a_block_are_added_once() {
        let block = Block {
            prepend_newline: true,
            append_newline: true,
            ..block(Place::After(Anchor {
                regexp: PythonRegex::new("^a").expect("a pattern"),
                is_multiline: false,
            }))
        };
        let once = put(&block, "a\nb\n");
        assert_eq!(once, "a\n\n<\nx\n>\n\nb\n");
        assert_eq!(put(&block, &once), once);
    }

    #[test]
    fn lines_end_with_any_of_the_three_ends() {
        let lines = lines_of(b"a\rb\r\nc\nd");
        assert_eq!(lines, [&b"a\r"[..], b"b\r\n", b"c\n", b"d"]);
    }
}
