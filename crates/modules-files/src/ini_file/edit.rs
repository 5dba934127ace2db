//! What `ini_file` does to lines: pure functions over text.

use std::ops::Range;

use super::line::{begins_section, entry_of, is_blank_or_comment};

/// What shall be in the file, or shall not.
#[derive(Clone, Debug)]
pub(super) struct Wanted<'a> {
    /// The section; what is before the first one, if there is none.
    pub(super) section: Option<&'a str>,
    /// What the section must have, each an option and its values, to be the one that is meant.
    pub(super) conditions: Vec<(&'a str, Vec<&'a str>)>,
    /// The option; without one the section as a whole is meant.
    pub(super) option: Option<&'a str>,
    /// Its values, none twice.
    pub(super) values: Vec<&'a str>,
    /// Whether the option shall have no other values.
    pub(super) exclusive: bool,
    /// Whether an option may stand alone.
    pub(super) allow_no_value: bool,
    /// Whether a line that differs only in spaces stays.
    pub(super) ignore_spaces: bool,
    /// Whether `=` has spaces around it.
    pub(super) spaced: bool,
    /// Whether an option that is commented out is put to use.
    pub(super) modify_inactive: bool,
}

/// The lines of a section, and what was done to them.
struct Section {
    lines: Vec<String>,
    /// Lines that are as they shall be.
    done: Vec<bool>,
    msg: &'static str,
}

impl Wanted<'_> {
    /// Makes the values be there, and says what was done; nothing where they were.
    pub(super) fn ensure(&self, lines: &mut Vec<String>) -> &'static str {
        if let Some(last) = lines.last_mut()
            && !last.ends_with('\n')
        {
            last.push('\n');
        }
        if lines.is_empty() {
            lines.push("\n".into());
        }
        let Some(range) = self.find_section(lines) else {
            return self.add_section(lines);
        };
        let Some(option) = self.option else {
            return "";
        };
        let found = lines[range.clone()].to_vec();
        let mut section = Section {
            done: vec![false; found.len()],
            lines: found,
            msg: "",
        };
        self.set_option(option, &mut section);
        lines.splice(range, section.lines);
        section.msg
    }

    /// Takes the option (or the section) out, and says what was done.
    pub(super) fn remove(&self, lines: &mut Vec<String>) -> &'static str {
        let Some(range) = self.find_section(lines).filter(|range| !range.is_empty()) else {
            return "";
        };
        let Some(option) = self.option else {
            lines.drain(range);
            return "section removed";
        };
        let mut kept = lines[range.clone()].to_vec();
        let before = kept.len();
        kept.retain(|line| match entry_of(option, line) {
            Some(entry) if !entry.is_inactive => {
                !self.exclusive && !self.values.contains(&entry.value)
            }
            _ => true,
        });
        let is_changed = kept.len() < before;
        lines.splice(range, kept);
        if is_changed { "option changed" } else { "" }
    }

    /// Which lines are the section, its head included.
    fn find_section(&self, lines: &[String]) -> Option<Range<usize>> {
        let end_of = |start: usize| {
            let next = lines[start..].iter().position(|line| line.starts_with('['));
            next.map_or(lines.len(), |at| start + at)
        };
        let Some(name) = self.section else {
            return Some(0..end_of(0));
        };
        let starts = (0..lines.len()).filter(|at| begins_section(name, &lines[*at]));
        let mut sections = starts.map(|at| at..end_of(at + 1));
        sections.find(|range| self.holds_conditions(&lines[range.clone()]))
    }

    fn holds_conditions(&self, lines: &[String]) -> bool {
        self.conditions.iter().all(|(option, values)| {
            let mut entries = lines
                .iter()
                .filter_map(|line| entry_of(option, line))
                .filter(|entry| !entry.is_inactive);
            if values.is_empty() {
                return entries.next().is_some();
            }
            let found: Vec<&str> = entries.map(|entry| entry.value).collect();
            values.iter().all(|value| found.contains(value))
        })
    }

    fn line(&self, option: &str, value: Option<&str>) -> String {
        match value {
            None => format!("{option}\n"),
            Some(value) if self.spaced => format!("{option} = {value}\n"),
            Some(value) => format!("{option}={value}\n"),
        }
    }

    fn add_section(&self, lines: &mut Vec<String>) -> &'static str {
        lines.push(format!("[{}]\n", self.section.unwrap_or_default()));
        let mut values = self.values.clone();
        for (option, required) in &self.conditions {
            if Some(*option) != self.option {
                lines.extend(required.iter().map(|value| self.line(option, Some(value))));
                if required.is_empty() {
                    lines.push(self.line(option, None));
                }
            } else if !self.exclusive {
                let missing = required.iter().filter(|value| !self.values.contains(value));
                values.extend(missing);
            }
        }
        let Some(option) = self.option else {
            return "only section added";
        };
        if values.is_empty() && self.allow_no_value {
            lines.push(self.line(option, None));
        }
        lines.extend(values.iter().map(|value| self.line(option, Some(value))));
        "section and option added"
    }

    fn set_option(&self, option: &str, section: &mut Section) {
        let mut missing = self.values.clone();
        let mut stands_alone = false;
        for at in 0..section.lines.len() {
            let line = section.lines[at].clone();
            let Some(value) = self.value_in(option, &line) else {
                continue;
            };
            if self.values.is_empty() && self.allow_no_value {
                self.update(option, section, at, self.line(option, None));
                stands_alone = true;
                break;
            }
            if let Some(found) = missing.iter().position(|wanted| *wanted == value) {
                let is_bare = value.is_empty() && self.allow_no_value;
                let value = (!is_bare).then_some(value);
                self.update(option, section, at, self.line(option, value));
                stands_alone |= is_bare;
                missing.remove(found);
            }
        }
        if self.exclusive && !self.allow_no_value {
            self.replace_others(option, section, &mut missing);
        }
        let bare = self.values.is_empty() && self.allow_no_value && !stands_alone;
        if bare || !missing.is_empty() {
            let new: Vec<String> = if bare {
                vec![self.line(option, None)]
            } else {
                let lines = missing.iter().map(|value| self.line(option, Some(value)));
                lines.collect()
            };
            let last = section
                .lines
                .iter()
                .rposition(|line| !is_blank_or_comment(line));
            let at = last.map_or(0, |at| at + 1);
            section.lines.splice(at..at, new);
            section.msg = "option added";
        }
    }

    /// Gives lines with other values the missing ones, and drops what is left over.
    fn replace_others(&self, option: &str, section: &mut Section, missing: &mut Vec<&str>) {
        let mut at = 0;
        while at < section.lines.len() {
            let is_other = !section.done[at] && self.value_in(option, &section.lines[at]).is_some();
            if is_other && !missing.is_empty() {
                let value = missing.remove(0);
                self.update(option, section, at, self.line(option, Some(value)));
            } else if is_other {
                section.lines.remove(at);
                section.done.remove(at);
                section.msg = "option changed";
                continue;
            }
            at += 1;
        }
    }

    /// The value in a line about the option, if that line is one to be used.
    fn value_in<'l>(&self, option: &str, line: &'l str) -> Option<&'l str> {
        let entry = entry_of(option, line)?;
        (self.modify_inactive || !entry.is_inactive).then_some(entry.value)
    }

    fn update(&self, option: &str, section: &mut Section, at: usize, new: String) {
        let old = &section.lines[at];
        let is_same = match (entry_of(option, old), entry_of(option, &new)) {
            (Some(old), Some(new)) if self.ignore_spaces && !old.is_inactive => {
                old.value == new.value
            }
            _ => *old == new,
        };
        section.done[at] = true;
        if !is_same {
            section.lines[at] = new;
            section.msg = "option changed";
        }
    }
}
