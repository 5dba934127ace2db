//! What can be wrong with an inventory, and how it is told.

use std::fmt;
use std::io;

use rustle_process::ProcessError;

use crate::yaml::YamlError;

/// An inventory that cannot be used: where, and what is wrong there.
#[derive(Debug)]
pub struct InventoryError {
    /// The file, the typed list, or what else the inventory was read from.
    pub origin: String,
    /// The line, counted from 1, where there is one.
    pub line: Option<usize>,
    /// The column, counted from 1, where it is known.
    pub column: Option<usize>,
    /// What is wrong.
    pub kind: InventoryErrorKind,
}

impl InventoryError {
    /// Makes an error about a whole source.
    pub(crate) fn new(origin: &str, kind: InventoryErrorKind) -> Self {
        Self {
            origin: origin.to_owned(),
            line: None,
            column: None,
            kind,
        }
    }

    /// Makes an error about one line of a source.
    pub(crate) fn at_line(origin: &str, line: usize, kind: InventoryErrorKind) -> Self {
        Self {
            line: Some(line),
            ..Self::new(origin, kind)
        }
    }

    /// What the user may do about it, where there is something to say.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.kind.hint()
    }
}

impl fmt::Display for InventoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "inventory `{}`", self.origin)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, ": {}", self.kind)
    }
}

impl std::error::Error for InventoryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.kind.source()
    }
}

impl From<YamlError> for InventoryError {
    fn from(error: YamlError) -> Self {
        Self {
            origin: error.file,
            line: Some(error.line),
            column: Some(error.column),
            kind: InventoryErrorKind::Yaml {
                message: error.message,
                hint: error.hint,
            },
        }
    }
}

/// What is wrong with an inventory.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryErrorKind {
    /// The file or folder cannot be read.
    #[error("cannot be read")]
    Unreadable(#[source] io::Error),
    /// The text is not UTF-8.
    #[error("is not UTF-8 text")]
    NotUtf8,
    /// The source is a program that cannot be run.
    #[error("cannot be run, and it is executable")]
    ProgramStart(#[source] ProcessError),
    /// The source is a program, and what it did is no inventory.
    #[error("the program with `{asked}` {outcome}{}", quoted(said))]
    Program {
        /// The arguments that it was run with.
        asked: String,
        /// What it did, as a fragment.
        outcome: String,
        /// What it wrote to standard error.
        said: String,
    },
    /// The file configures one of Ansible's inventory plugins.
    #[error(
        "is the configuration of the inventory plugin `{plugin}`, and plugins are not supported"
    )]
    PluginConfiguration {
        /// The plugin's name.
        plugin: String,
    },
    /// The whole file is encrypted, and nobody decrypted it on reading.
    #[error("is encrypted with ansible-vault")]
    Vaulted,
    /// The YAML does not parse.
    #[error("{message}")]
    Yaml {
        /// What the YAML reader says.
        message: String,
        /// What may help.
        hint: Option<&'static str>,
    },
    /// A value is of another type than an inventory has there.
    #[error("{path}: expected {expected}, found {found}")]
    Shape {
        /// The place inside the document, as keys joined by dots.
        path: String,
        /// What may be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// A line in brackets that is no section.
    #[error("expected a section such as `[web]`, `[web:vars]` or `[web:children]`, found `{text}`")]
    Section {
        /// The line.
        text: String,
    },
    /// A section of a kind that does not exist.
    #[error("unknown kind of section `{kind}` in `[{group}:{kind}]`")]
    SectionKind {
        /// The section's group.
        group: String,
        /// What follows the colon.
        kind: String,
    },
    /// A `[group:vars]` whose group nobody defines.
    #[error("`[{group}:vars]` sets variables of a group that is not defined")]
    VarsOfUndefinedGroup {
        /// The group.
        group: String,
    },
    /// A child that nobody defines.
    #[error("`[{parent}:children]` names the group `{group}`, which is not defined")]
    UndefinedChild {
        /// The section's group.
        parent: String,
        /// The missing group.
        group: String,
    },
    /// A line of a `:children` section that is no group name.
    #[error("expected the name of a group, found `{text}`")]
    GroupName {
        /// The line.
        text: String,
    },
    /// A line of a `:vars` section without an equals sign.
    #[error("expected `key=value`, found `{text}`")]
    Variable {
        /// The line.
        text: String,
    },
    /// A word after a host's name without an equals sign.
    #[error("expected `key=value` after the host, found `{text}`")]
    HostVariable {
        /// The word.
        text: String,
    },
    /// Quotes that do not close, or a backslash at the end.
    #[error("{problem} in `{text}`")]
    Quoting {
        /// What is not closed.
        problem: &'static str,
        /// The line.
        text: String,
    },
    /// A host that cannot be one.
    #[error("`{text}` is not a host: {problem}")]
    Host {
        /// The host as written.
        text: String,
        /// Why not.
        problem: &'static str,
    },
    /// A range that cannot be expanded.
    #[error("range in `{pattern}`: {problem}")]
    Range {
        /// The host as written.
        pattern: String,
        /// What is wrong with its range.
        problem: &'static str,
    },
    /// A group that would be its own ancestor.
    #[error("making `{child}` a child of `{group}` closes a loop of groups")]
    Loop {
        /// The parent.
        group: String,
        /// The child.
        child: String,
    },
    /// A priority that is no whole number.
    #[error("`ansible_group_priority` of `{group}`: expected a whole number, found {found}")]
    Priority {
        /// The group.
        group: String,
        /// The value.
        found: String,
    },
    /// A group that is not there.
    #[error("no group is called `{group}`")]
    UnknownGroup {
        /// The name.
        group: String,
    },
}

/// What a program said, as the end of a message.
fn quoted(said: &str) -> String {
    if said.is_empty() {
        String::new()
    } else {
        format!(": {said}")
    }
}

impl InventoryErrorKind {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                "a list of hosts ends with a comma: `-i web01,`"
            }
            Self::ProgramStart(_) => {
                "a file that is no program must not be executable: `chmod -x FILE`"
            }
            Self::Program { .. } => {
                "it has to print one JSON object and to end with 0; try it by hand"
            }
            Self::PluginConfiguration { .. } => {
                "save what Ansible makes of it and give that: `ansible-inventory -i FILE --list > hosts.json`"
            }
            Self::Vaulted => "decrypt it, or give a vault password",
            Self::Yaml { hint, .. } => return hint.map(str::to_owned),
            Self::SectionKind { .. } => {
                "sections are `[group]`, `[group:vars]` and `[group:children]`"
            }
            Self::VarsOfUndefinedGroup { group } | Self::UndefinedChild { group, .. } => {
                return Some(format!(
                    "define it, even without hosts, by a line `[{group}]`"
                ));
            }
            Self::Shape { path, found, .. } if found == "a list" && path.ends_with("hosts") => {
                "hosts are keys, not items of a list: `web01:`, not `- web01`"
            }
            Self::HostVariable { .. } => "values with spaces need quotes: `key=\"a b\"`",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// Something odd that does not stop a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The file, list or pattern that it is about.
    pub origin: String,
    /// What is odd.
    pub message: String,
}

impl Warning {
    pub(crate) fn new(origin: &str, message: impl Into<String>) -> Self {
        Self {
            origin: origin.to_owned(),
            message: message.into(),
        }
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.origin.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.origin, self.message)
        }
    }
}
