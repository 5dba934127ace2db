//! INI text, as Python's `configparser` reads it without interpolation.

use serde_json::{Map, Value};

/// Sections and their options. Option names become lower case; nothing when the text is no INI.
pub(super) fn parse(text: &str) -> Option<Map<String, Value>> {
    let mut sections: Map<String, Value> = Map::new();
    let mut current: Option<Section> = None;
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with(['#', ';']) {
            continue;
        }
        if let Some(section) = current.as_mut()
            && section.continues(line)
        {
            section.append(trimmed);
            continue;
        }
        if trimmed.is_empty() {
            continue;
        }
        if let Some(name) = trimmed
            .strip_prefix('[')
            .and_then(|rest| rest.split_once(']'))
            .map(|(name, _)| name)
        {
            close(&mut sections, current.replace(Section::new(name)))?;
        } else {
            current.as_mut()?.add(trimmed)?;
        }
    }
    close(&mut sections, current)?;
    Some(sections)
}

/// Adds a finished section; a second one of that name is an error.
fn close(sections: &mut Map<String, Value>, section: Option<Section>) -> Option<()> {
    let Some(section) = section else {
        return Some(());
    };
    let options = section
        .options
        .into_iter()
        .map(|(name, value)| (name, value.trim_end().into()))
        .collect();
    match sections.insert(section.name, Value::Object(options)) {
        None => Some(()),
        Some(_) => None,
    }
}

struct Section {
    name: String,
    options: Vec<(String, String)>,
}

impl Section {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            options: Vec::new(),
        }
    }

    /// Whether the line goes on with the last value: it is indented, or empty.
    fn continues(&self, line: &str) -> bool {
        !self.options.is_empty()
            && (line.trim().is_empty() || line.starts_with(char::is_whitespace))
    }

    fn append(&mut self, line: &str) {
        if let Some((_, value)) = self.options.last_mut() {
            value.push('\n');
            value.push_str(line);
        }
    }

    /// Adds `name = value` or `name: value`; a line without either, or a name that is there, is an error.
    fn add(&mut self, line: &str) -> Option<()> {
        let at = line.find(['=', ':']).filter(|at| *at > 0)?;
        let name = line[..at].trim().to_lowercase();
        if self.options.iter().any(|(known, _)| *known == name) {
            return None;
        }
        self.options.push((name, line[at + 1..].trim().to_owned()));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn sections_options_and_continued_values_are_read() {
        let text = "[Sec]\nKey=Val\nother: 3\n; c\n[two]\nx = \"q\"\ne=\nf=a\n  b\n\n[empty]\n";
        let expected = json!({
            "Sec": {"key": "Val", "other": "3"},
            "two": {"x": "\"q\"", "e": "", "f": "a\nb"},
            "empty": {},
        });
        assert_eq!(parse(text).map(Value::Object), Some(expected));
    }

    #[test]
    fn what_is_no_ini_is_refused() {
        for text in [
            "garbage here\n",
            "a=b\n",
            "[s]\ne\n",
            "[s]\na=1\na=2\n",
            "[s]\n[s]\n",
        ] {
            assert_eq!(parse(text), None, "{text:?}");
        }
        assert_eq!(parse(""), Some(Map::new()));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(?s).*", dense in "[\\[\\]a=: \n]*") {
            parse(&text);
            parse(&dense);
        }
    }
}
