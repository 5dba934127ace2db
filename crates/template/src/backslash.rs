//! Backslashes in the string literals of plan values.
//!
//! YAML has read the escapes already when Ansible sees a value, so inside `{{ }}` a backslash stands for itself: `'\1'` is the
//! first group, not a control character. Conditions and template files are read as Jinja reads them.

use std::borrow::Cow;

/// Makes every backslash in a literal of a `{{ }}` stand for itself.
pub(crate) fn in_template(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, tail) = rest.split_at(at);
        out.push_str(before);
        let end = match tail.get(..2) {
            Some("{{") => {
                let end = literals(tail, Some("}}"), &mut out);
                rest = &tail[end..];
                continue;
            }
            Some("{#") => tail.find("#}").map_or(tail.len(), |end| end + 2),
            Some("{%") => skipped_block(tail),
            _ => 1,
        };
        out.push_str(&tail[..end]);
        rest = &tail[end..];
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Makes every backslash in a literal of an expression stand for itself.
pub(crate) fn in_expression(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    literals(text, None, &mut out);
    Cow::Owned(out)
}

/// Where a statement ends; a `raw` block is one statement.
fn skipped_block(tail: &str) -> usize {
    let end = tail.find("%}").map_or(tail.len(), |end| end + 2);
    let word = tail[2..].trim_start_matches(['-', '+']).trim_start();
    if !word.starts_with("raw") {
        return end;
    }
    let close = tail[end..].find("endraw").map_or(tail.len(), |at| end + at);
    tail[close..]
        .find("%}")
        .map_or(tail.len(), |at| close + at + 2)
}

/// Copies code up to its end mark with doubled backslashes in literals, and says where that was.
fn literals(code: &str, end_mark: Option<&str>, out: &mut String) -> usize {
    let mut quote = None;
    let mut chars = code.char_indices().peekable();
    while let Some((at, char)) = chars.next() {
        match quote {
            None if end_mark.is_some_and(|mark| code[at..].starts_with(mark)) => return at,
            None => {
                quote = matches!(char, '\'' | '"').then_some(char);
                out.push(char);
            }
            Some(open) if char == open => {
                quote = None;
                out.push(char);
            }
            Some(_) if char == '\\' => {
                out.push_str("\\\\");
                if let Some((_, next)) = chars.next() {
                    out.push_str(match next {
                        '\\' => "\\\\",
                        '\'' => "\\'",
                        '"' => "\\\"",
                        _ => "",
                    });
                    if !matches!(next, '\\' | '\'' | '"') {
                        out.push(next);
                    }
                }
            }
            Some(_) => out.push(char),
        }
    }
    code.len()
}
