//! INI text as Python's `configparser` reads it, with interpolation.

use std::collections::HashMap;

/// How deep one value may refer to others.
const DEEPEST: usize = 10;

/// What is read and how.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Options {
    /// Whether names of options keep their case.
    pub(super) case_sensitive: bool,
    /// Whether an option may be without a value.
    pub(super) allow_no_value: bool,
}

/// The options of one section, in their order.
type Entries = Vec<(String, Option<String>)>;

/// Sections and their options.
#[derive(Debug, Default)]
pub(super) struct Config {
    sections: HashMap<String, Entries>,
    defaults: Entries,
    options: Options,
}

impl Config {
    /// Reads text.
    ///
    /// # Errors
    /// Which line is no INI, or what is there twice.
    pub(super) fn parse(text: &str, options: Options) -> Result<Self, String> {
        let mut reader = Reader {
            config: Self {
                options,
                ..Self::default()
            },
            section: None,
            is_in_value: false,
            indent: 0,
        };
        for (index, line) in text.lines().enumerate() {
            reader
                .line(line)
                .map_err(|reason| format!("line {}: {reason}", index + 1))?;
        }
        let sections = reader.config.sections.values_mut();
        for entries in sections.chain([&mut reader.config.defaults]) {
            for value in entries.iter_mut().filter_map(|(_, value)| value.as_mut()) {
                value.truncate(value.trim_end().len());
            }
        }
        Ok(reader.config)
    }

    /// Whether there is such a section.
    pub(super) fn has_section(&self, name: &str) -> bool {
        self.sections.contains_key(name)
    }

    /// The options of a section and the defaults that it does not have itself, as they are written.
    pub(super) fn entries(&self, section: &str) -> Entries {
        let mut entries = self.defaults.clone();
        for (name, value) in self.sections.get(section).into_iter().flatten() {
            match entries.iter_mut().find(|(known, _)| known == name) {
                Some(entry) => entry.1.clone_from(value),
                None => entries.push((name.clone(), value.clone())),
            }
        }
        entries
    }

    /// The value of an option, if there is such an option.
    pub(super) fn raw(&self, section: &str, name: &str) -> Option<Option<String>> {
        let name = self.options.name(name);
        let mut entries = self.entries(section).into_iter();
        entries
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// A value with `%(name)s` replaced by other values of the section, and `%%` by `%`.
    ///
    /// # Errors
    /// What does not exist, or cannot be read.
    pub(super) fn interpolated(&self, section: &str, value: &str) -> Result<String, String> {
        self.interpolate(section, value, 0)
    }

    fn interpolate(&self, section: &str, value: &str, depth: usize) -> Result<String, String> {
        if depth > DEEPEST {
            return Err(format!(
                "values refer to each other too deeply in `{value}`"
            ));
        }
        let mut out = String::new();
        let mut rest = value;
        while let Some(at) = rest.find('%') {
            out += &rest[..at];
            rest = &rest[at + 1..];
            if let Some(after) = rest.strip_prefix('%') {
                out.push('%');
                rest = after;
                continue;
            }
            let reference = rest
                .strip_prefix('(')
                .and_then(|inner| inner.split_once(")s"));
            let (name, after) = reference.ok_or_else(|| {
                format!("`%` has to be followed by `%` or `(name)s` in `{value}`")
            })?;
            let found = self.raw(section, name).flatten();
            let found =
                found.ok_or_else(|| format!("`{value}` refers to `{name}`, which is not there"))?;
            out += &self.interpolate(section, &found, depth + 1)?;
            rest = after;
        }
        Ok(out + rest)
    }
}

impl Options {
    fn name(self, name: &str) -> String {
        if self.case_sensitive {
            name.to_owned()
        } else {
            name.to_lowercase()
        }
    }
}

/// Reads lines one after the other.
struct Reader {
    config: Config,
    section: Option<String>,
    /// Whether an indented line would go on with the last value.
    is_in_value: bool,
    indent: usize,
}

impl Reader {
    fn line(&mut self, line: &str) -> Result<(), String> {
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        let indent = line.len() - line.trim_start().len();
        if text.is_empty() || (self.is_in_value && indent > self.indent) {
            self.go_on(text);
            return Ok(());
        }
        self.indent = indent;
        self.is_in_value = false;
        let header = text
            .strip_prefix('[')
            .and_then(|rest| rest.rsplit_once(']'));
        if let Some((name, _)) = header.filter(|(name, _)| !name.is_empty()) {
            return self.begin(name);
        }
        self.add(text)
    }

    fn entries(&mut self) -> Option<&mut Entries> {
        match self.section.as_deref() {
            None => None,
            Some("DEFAULT") => Some(&mut self.config.defaults),
            Some(name) => self.config.sections.get_mut(name),
        }
    }

    fn go_on(&mut self, text: &str) {
        if !self.is_in_value {
            return;
        }
        let last = self.entries().and_then(|entries| entries.last_mut());
        if let Some((_, Some(value))) = last {
            value.push('\n');
            value.push_str(text);
        }
    }

    fn begin(&mut self, name: &str) -> Result<(), String> {
        if self.config.has_section(name) {
            return Err(format!("the section `{name}` is there twice"));
        }
        if name != "DEFAULT" {
            self.config.sections.insert(name.to_owned(), Vec::new());
        }
        self.section = Some(name.to_owned());
        Ok(())
    }

    fn add(&mut self, text: &str) -> Result<(), String> {
        let options = self.config.options;
        let (name, value) = match text.split_once(['=', ':']) {
            Some((name, value)) => (name.trim_end(), Some(value.trim().to_owned())),
            None if options.allow_no_value => (text, None),
            None => return Err(format!("`{text}` is no `name = value`")),
        };
        let name = options.name(name);
        let entries = self.entries().ok_or("there is no section before it")?;
        if entries.iter().any(|(known, _)| *known == name) {
            return Err(format!("the option `{name}` is there twice"));
        }
        entries.push((name, value));
        self.is_in_value = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[DEFAULT]\nroot = /srv\n\n[main]\nKey = value\n# note\nlong: one\n  two\n\n  three\nhome = %(root)s/%(key)s 100%%\n[bare]\n";

    #[test]
    fn sections_are_read_as_python_reads_them() {
        let config = Config::parse(TEXT, Options::default()).unwrap();
        let raw = |name: &str| config.raw("main", name).flatten();
        assert_eq!(raw("KEY").as_deref(), Some("value"));
        assert_eq!(raw("long").as_deref(), Some("one\ntwo\n\nthree"));
        let home = config.interpolated("main", &raw("home").unwrap());
        assert_eq!(home.unwrap(), "/srv/value 100%");
        assert_eq!(config.entries("bare").len(), 1);
        assert!(config.raw("main", "none").is_none());
        assert!(config.interpolated("main", "%(nope)s").is_err());
    }

    #[test]
    fn what_is_no_ini_is_told_with_its_line() {
        let parse = |text| Config::parse(text, Options::default()).unwrap_err();
        assert_eq!(parse("a = 1"), "line 1: there is no section before it");
        assert_eq!(
            parse("[s]\na = 1\nA = 2"),
            "line 3: the option `a` is there twice"
        );
        assert_eq!(parse("[s]\nword"), "line 2: `word` is no `name = value`");
        let options = Options {
            allow_no_value: true,
            case_sensitive: true,
        };
        let config = Config::parse("[s]\nWord", options).unwrap();
        assert_eq!(config.raw("s", "Word"), Some(None));
    }
}
