//! Splits a line of an INI inventory into words as Python's `shlex.split(line, comments=True)` does.
//!
//! It differs from a shell, and from the `shlex` crate, in one way that inventories meet: a `#` starts a
//! comment inside a word too.

/// Splits a line into words; the error says what is not closed.
pub(crate) fn split(line: &str) -> Result<Vec<String>, &'static str> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            '#' => break,
            c if c.is_ascii_whitespace() => words.extend(word.take()),
            '\\' => {
                let escaped = chars.next().ok_or("a backslash at the end")?;
                word.get_or_insert_default().push(escaped);
            }
            '\'' => single_quoted(&mut chars, word.get_or_insert_default())?,
            '"' => double_quoted(&mut chars, word.get_or_insert_default())?,
            c => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    loop {
        match chars.next().ok_or("an unclosed `'`")? {
            '\'' => return Ok(()),
            c => word.push(c),
        }
    }
}

fn double_quoted(chars: &mut std::str::Chars<'_>, word: &mut String) -> Result<(), &'static str> {
    const UNCLOSED: &str = "an unclosed `\"`";
    loop {
        match chars.next().ok_or(UNCLOSED)? {
            '"' => return Ok(()),
            '\\' => {
                let escaped = chars.next().ok_or(UNCLOSED)?;
                if !matches!(escaped, '"' | '\\') {
                    word.push('\\');
                }
                word.push(escaped);
            }
            c => word.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn words_split_as_python_splits_them() {
        let cases: [(&str, &[&str]); 9] = [
            ("h1 a=1  b=2", &["h1", "a=1", "b=2"]),
            ("h1 a='x y' b=\"x y\"", &["h1", "a=x y", "b=x y"]),
            ("h1 a='\"5\"'", &["h1", "a=\"5\""]),
            ("h1 a=b#c d", &["h1", "a=b"]),
            ("h1 a='b#c' # d", &["h1", "a=b#c"]),
            (r"h1 a=x\ y", &["h1", "a=x y"]),
            (r#"h1 a="\n\"\\""#, &["h1", r#"a=\n"\"#]),
            (r"h1 a='\n'", &["h1", r"a=\n"]),
            ("h1 a=", &["h1", "a="]),
        ];
        for (line, words) in cases {
            assert_eq!(split(line).unwrap(), words, "{line}");
        }
    }

    #[test]
    fn open_quotes_are_an_error() {
        for line in ["h1 a='x", "h1 a=\"x", "h1 a=x\\"] {
            split(line).unwrap_err();
        }
    }
}
