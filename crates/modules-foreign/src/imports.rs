//! What a Python file imports, told without running it.
//!
//! Only the statements count: what a program imports by other means is not seen, as with Ansible itself.

/// One import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// How many dots stand before the name.
    pub(crate) level: usize,
    /// The dotted name, in its parts; none in `from . import x`.
    pub(crate) path: Vec<String>,
    /// What is taken from it; nothing where the whole is imported.
    pub(crate) names: Vec<String>,
    /// Whether the program may do without it: it is inside of a `try`, an `if` or a function.
    pub(crate) is_optional: bool,
}

/// All imports of a file, in their order.
pub(crate) fn imports(text: &str) -> Vec<Import> {
    let mut found = Vec::new();
    for line in logical_lines(text) {
        let is_indented = line.starts_with([' ', '\t']);
        for statement in line.split(';') {
            // `try: import x` is one statement behind another.
            let behind = statement.rsplit_once(':').map(|(_, behind)| behind.trim());
            let statement = statement.trim();
            let inner = behind.filter(|inner| is_import(inner));
            let is_optional = is_indented || inner.is_some();
            read(inner.unwrap_or(statement), is_optional, &mut found);
        }
    }
    found
}

fn is_import(statement: &str) -> bool {
    statement.starts_with("import ") || statement.starts_with("from ")
}

fn read(statement: &str, is_optional: bool, found: &mut Vec<Import>) {
    let parts = |name: &str| -> Vec<String> {
        let parts = name.split('.').filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    };
    if let Some(names) = statement.strip_prefix("import ") {
        found.extend(bare_names(names).map(|name| Import {
            level: 0,
            path: parts(name),
            names: Vec::new(),
            is_optional,
        }));
    } else if let Some(rest) = statement.strip_prefix("from ")
        && let Some((from, names)) = split_at_import(rest)
    {
        let from = from.trim();
        found.push(Import {
            level: from.len() - from.trim_start_matches('.').len(),
            path: parts(from.trim_start_matches('.')),
            names: bare_names(names).map(str::to_owned).collect(),
            is_optional,
        });
    }
}

/// What stands before and behind the word `import`, which a parenthesis may follow at once.
fn split_at_import(rest: &str) -> Option<(&str, &str)> {
    let at = rest.find(" import").or_else(|| {
        // `from .import x` is Python too.
        rest.find(".import").map(|at| at + 1)
    })?;
    let names = rest[at..].trim_start().strip_prefix("import")?;
    Some((&rest[..at], names))
}

/// The names of a list, without parentheses and without what they are called.
fn bare_names(list: &str) -> impl Iterator<Item = &str> {
    let list = list.trim().trim_start_matches('(').trim_end_matches(')');
    let names = list
        .split(',')
        .filter_map(|name| name.split_whitespace().next());
    names.filter(|name| !name.is_empty())
}

/// The lines as Python sees them: without comments, with texts empty, and what lies in brackets or goes on behind a backslash
/// joined.
fn logical_lines(text: &str) -> Vec<String> {
    let (mut lines, mut line, mut depth) = (Vec::new(), String::new(), 0_usize);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        match c {
            '#' => taken = rest.find('\n').unwrap_or(rest.len()),
            '"' | '\'' => taken = length_of_text(rest, c),
            '\\' if rest[1..].starts_with(['\n', '\r']) => {
                taken = 1 + rest[1..].find('\n').map_or(0, |at| at + 1);
                line.push(' ');
            }
            '\n' if depth == 0 => lines.push(std::mem::take(&mut line)),
            '\n' | '\r' => line.push(' '),
            '(' | '[' | '{' => {
                depth += 1;
                line.push(c);
            }
            ')' | ']' | '}' => {
                depth = depth.saturating_sub(1);
                line.push(c);
            }
            c => line.push(c),
        }
        rest = &rest[taken..];
    }
    lines.push(line);
    lines
}

/// How long a text literal is that begins here, its quotes included. One that is not closed ends with its line, or with the file.
fn length_of_text(rest: &str, quote: char) -> usize {
    let long: String = std::iter::repeat_n(quote, 3).collect();
    let is_long = rest.starts_with(&long);
    let mut at = if is_long { 3 } else { 1 };
    while let Some(c) = rest[at..].chars().next() {
        if c == '\\' {
            at += 1;
            at += rest[at..].chars().next().map_or(0, char::len_utf8);
        } else if is_long && rest[at..].starts_with(&long) {
            return at + 3;
        } else if !is_long && c == quote {
            return at + 1;
        } else if !is_long && c == '\n' {
            return at;
        } else {
            at += c.len_utf8();
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Vec<String> {
        let shown = |import: Import| {
            let dots = ".".repeat(import.level);
            let mark = if import.is_optional { "?" } else { "" };
            format!(
                "{dots}{}:{}{mark}",
                import.path.join("."),
                import.names.join(",")
            )
        };
        imports(text).into_iter().map(shown).collect()
    }

    #[test]
    fn every_way_of_writing_an_import_is_read() {
        let text = "\
import a.b, c as d
from e.f import g as h, i
from j import (  # why
    k,
    l as m,
)
from n \\
    import o; import p
from . import q
from ..r.s import t
from .import u
try:
    import v
except ImportError: import w
from x import *
from y import(z)
";
        assert_eq!(
            shown(text),
            [
                "a.b:", "c:", "e.f:g,i", "j:k,l", "n:o", "p:", ".:q", "..r.s:t", ".:u", "v:?",
                "w:?", "x:*", "y:z"
            ]
        );
    }

    #[test]
    fn texts_and_comments_import_nothing() {
        let text = "\
DOC = r'''
import a
  \\''' import b
'''
# import c
d = \"import e\"; f = 'it\\'s\\
import g'
h = [
import_i,
]
important = 1
from_j = 2
import k
l = '''not closed
import m";
        assert_eq!(shown(text), ["k:"]);
    }
}
