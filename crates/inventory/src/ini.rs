//! INI inventories: `[group]`, `[group:vars]`, `[group:children]`, hosts with ranges, ports and variables.

use indexmap::IndexMap;
use serde_json::Value;

use crate::draft::Draft;
use crate::error::{InventoryError, InventoryErrorKind as Kind};
use crate::{address, literal, words};

/// Reads an INI inventory into a draft.
pub(crate) fn read(bytes: &[u8], origin: &str, draft: &mut Draft) -> Result<(), InventoryError> {
    let mut reader = Reader {
        draft,
        group: "ungrouped".to_owned(),
        section: Section::Hosts,
        pending: IndexMap::new(),
    };
    for (index, bytes) in bytes.split(|&byte| byte == b'\n').enumerate() {
        let line = index + 1;
        let read = text_of(bytes).and_then(|text| reader.line(text.trim(), line));
        read.map_err(|kind| InventoryError::at_line(origin, line, kind))?;
    }
    match reader.pending.into_iter().next() {
        Some((group, pending)) => {
            let kind = match pending.parents.last() {
                Some(parent) => Kind::UndefinedChild {
                    parent: parent.clone(),
                    group,
                },
                None => Kind::VarsOfUndefinedGroup { group },
            };
            Err(InventoryError::at_line(origin, pending.line, kind))
        }
        None => Ok(()),
    }
}

/// The text of a line. A comment may be in any encoding.
fn text_of(bytes: &[u8]) -> Result<&str, Kind> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(_)
            if bytes.trim_ascii_start().starts_with(b"#")
                || bytes.trim_ascii_start().starts_with(b";") =>
        {
            Ok("")
        }
        Err(_) => Err(Kind::NotUtf8),
    }
}

#[derive(Clone, Copy)]
enum Section {
    Hosts,
    Vars,
    Children,
}

/// A group that is used before its own section came.
struct Pending {
    line: usize,
    /// The groups that have it as a child; none where only its variables were set.
    parents: Vec<String>,
}

struct Reader<'d> {
    draft: &'d mut Draft,
    group: String,
    section: Section,
    pending: IndexMap<String, Pending>,
}

impl Reader<'_> {
    fn line(&mut self, text: &str, line: usize) -> Result<(), Kind> {
        if text.is_empty() || text.starts_with(['#', ';']) {
            return Ok(());
        }
        if let Some((group, kind)) = section_of(text) {
            return self.open_section(group, kind, line);
        }
        if text.starts_with('[') && (text.ends_with(']') || !text.contains(']')) {
            return Err(Kind::Section {
                text: text.to_owned(),
            });
        }
        match self.section {
            Section::Hosts => self.host(text),
            Section::Vars => self.variable(text),
            Section::Children => self.child(text, line),
        }
    }

    fn open_section(&mut self, group: &str, kind: Option<&str>, line: usize) -> Result<(), Kind> {
        self.section = match kind {
            None | Some("hosts") => Section::Hosts,
            Some("vars") => Section::Vars,
            Some("children") => Section::Children,
            Some(kind) => {
                return Err(Kind::SectionKind {
                    group: group.to_owned(),
                    kind: kind.to_owned(),
                });
            }
        };
        group.clone_into(&mut self.group);
        let is_vars = matches!(self.section, Section::Vars);
        if !self.draft.has_group(group) {
            if is_vars {
                self.pending.entry(group.to_owned()).or_insert(Pending {
                    line,
                    parents: Vec::new(),
                });
            }
            self.draft.add_group(group)?;
        }
        if !is_vars && let Some(pending) = self.pending.shift_remove(group) {
            for parent in pending.parents {
                self.draft.add_child(&parent, group)?;
            }
        }
        Ok(())
    }

    fn host(&mut self, text: &str) -> Result<(), Kind> {
        let words = words::split(text).map_err(|problem| Kind::Quoting {
            problem,
            text: text.to_owned(),
        })?;
        let Some((host, variables)) = words.split_first() else {
            return Ok(());
        };
        let variables = variables
            .iter()
            .map(|word| match word.split_once('=') {
                Some((key, value)) => Ok((key, literal::value_of(value))),
                None => Err(Kind::HostVariable { text: word.clone() }),
            })
            .collect::<Result<Vec<(&str, Value)>, Kind>>()?;
        for name in self.hosts(host)? {
            for (key, value) in &variables {
                self.draft.set_host_var(&name, key, value.clone());
            }
        }
        Ok(())
    }

    /// Adds the hosts of a pattern to the section's group, and names them.
    fn hosts(&mut self, pattern: &str) -> Result<Vec<String>, Kind> {
        let (hosts, port) = address::hosts_of(pattern).map_err(|problem| Kind::Range {
            pattern: pattern.to_owned(),
            problem,
        })?;
        let problem = if port.is_none() && pattern.ends_with(':') {
            Some("after the colon belongs a port")
        } else if hosts.iter().any(|host| host == "---") {
            Some("`---` starts a YAML file; give the file the ending `.yml`")
        } else {
            None
        };
        if let Some(problem) = problem {
            return Err(Kind::Host {
                text: pattern.to_owned(),
                problem,
            });
        }
        if hosts.is_empty() {
            self.draft.warn(format!(
                "the range in `{pattern}` is empty: its start is after its end"
            ));
        }
        for host in &hosts {
            self.draft.add_host(host, &self.group, port)?;
        }
        Ok(hosts)
    }

    fn variable(&mut self, text: &str) -> Result<(), Kind> {
        let (key, value) = text.split_once('=').ok_or_else(|| Kind::Variable {
            text: text.to_owned(),
        })?;
        self.draft
            .set_group_var(&self.group, key.trim(), literal::value_of(value.trim()))
    }

    fn child(&mut self, text: &str, line: usize) -> Result<(), Kind> {
        let name = group_name_of(text).ok_or_else(|| Kind::GroupName {
            text: text.to_owned(),
        })?;
        if self.draft.has_group(name) && !self.pending.contains_key(name) {
            self.draft.add_child(&self.group, name)?;
        } else {
            let pending = self
                .pending
                .entry(name.to_owned())
                .or_insert_with(|| Pending {
                    line,
                    parents: Vec::new(),
                });
            pending.parents.push(self.group.clone());
        }
        Ok(())
    }
}

/// Takes `[group]` or `[group:kind]` apart.
fn section_of(text: &str) -> Option<(&str, Option<&str>)> {
    let (inner, after) = text.strip_prefix('[')?.split_once(']')?;
    let after = after.trim_start();
    if !(after.is_empty() || after.starts_with('#')) {
        return None;
    }
    let (group, kind) = match inner.split_once(':') {
        Some((group, kind)) => (group, Some(kind)),
        None => (inner, None),
    };
    let is_word =
        |kind: &str| !kind.is_empty() && kind.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_group_name(group) && kind.is_none_or(is_word)).then_some((group, kind))
}

fn group_name_of(text: &str) -> Option<&str> {
    // A comment may follow without a space, and then it belongs to the name, as Ansible has it.
    let (name, after) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let after = after.trim_start();
    (is_group_name(name) && (after.is_empty() || after.starts_with('#'))).then_some(name)
}

fn is_group_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| matches!(c, ':' | ']') || c.is_whitespace())
}

#[cfg(test)]
mod tests;
