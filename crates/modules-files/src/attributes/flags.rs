//! The attributes of ext, xfs and btrfs files (`chattr`), read by `lsattr`.

use std::path::Path;

use rustle_module::{Failure, Target};
use rustle_process::Command;

/// The attributes of one file.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Flags {
    /// The letters that are set, as in `ei`.
    pub(crate) letters: String,
    /// The file's version or generation number.
    pub(crate) version: Option<String>,
}

impl Flags {
    /// Reads the attributes of a path; none where the file system has none or `lsattr` is missing.
    pub(crate) async fn of(target: &dyn Target, path: &Path) -> Self {
        let command = Command::new("lsattr").arg("-vd").arg(path);
        match target.run(command).await {
            Ok(finished) if finished.is_success() => {
                Self::parse(&finished.stdout.to_string_lossy())
            }
            _ => Self::default(),
        }
    }

    fn parse(output: &str) -> Self {
        let mut words = output.split_whitespace();
        let version = words.next().map(ToOwned::to_owned);
        let letters = words.next().unwrap_or_default().replace('-', "");
        Self { letters, version }
    }

    /// The names of the letters that have one.
    pub(crate) fn names(&self) -> Vec<&'static str> {
        self.letters.chars().filter_map(name_of).collect()
    }
}

const fn name_of(letter: char) -> Option<&'static str> {
    Some(match letter {
        'A' => "noatime",
        'a' => "append",
        'c' => "compressed",
        'C' => "nocow",
        'd' => "nodump",
        'D' => "dirsync",
        'e' => "extents",
        'E' => "encrypted",
        'h' => "blocksize",
        'i' => "immutable",
        'I' => "indexed",
        'j' => "journalled",
        'N' => "inline",
        's' => "zero",
        'S' => "synchronous",
        't' => "notail",
        'T' => "blockroot",
        'u' => "undelete",
        'X' => "compressedraw",
        'Z' => "compresseddirty",
        _ => return None,
    })
}

/// What a task asks of the attributes: an operator and letters.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct WantedFlags {
    operator: char,
    letters: String,
}

impl WantedFlags {
    /// Reads `+A`, `-i`, or letters alone, which replace all attributes.
    pub(crate) fn parse(text: &str) -> Self {
        match text.chars().next() {
            Some(operator @ ('+' | '-')) => Self {
                operator,
                letters: text[1..].into(),
            },
            _ => Self {
                operator: '=',
                letters: text.into(),
            },
        }
    }

    /// Whether they have to be set. As in Ansible that is a comparison of texts, which for `+` and `-` hardly ever finds equals.
    pub(crate) fn differ_from(&self, flags: &Flags) -> bool {
        self.operator == '-' || self.letters != flags.letters
    }

    /// As `chattr` takes them.
    pub(crate) fn argument(&self) -> String {
        format!("{}{}", self.operator, self.letters)
    }

    /// Sets them.
    ///
    /// # Errors
    /// When `chattr` refuses or is missing.
    pub(crate) async fn set(&self, target: &dyn Target, path: &Path) -> Result<(), Failure> {
        let command = Command::new(program(target)).arg(self.argument()).arg(path);
        let details = match target.run(command).await {
            Ok(finished) if finished.is_success() && finished.stderr.total_bytes == 0 => {
                return Ok(());
            }
            Ok(finished) => {
                let (out, err) = (
                    finished.stdout.to_string_lossy(),
                    finished.stderr.to_string_lossy(),
                );
                format!("Error while setting attributes: {out}{err}")
            }
            Err(error) => error.to_string(),
        };
        Err(Failure::new("chattr failed").with("details", details))
    }
}

/// `chattr` by its full path where that can be found, so that its own messages name it in the same way everywhere.
fn program(target: &dyn Target) -> String {
    let path = target.variable("PATH").unwrap_or_default();
    path.split(':')
        .chain(["/sbin", "/usr/sbin", "/usr/local/sbin"])
        .map(|folder| format!("{folder}/chattr"))
        .find(|candidate| Path::new(candidate).is_file())
        .unwrap_or_else(|| "chattr".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_read_off_what_lsattr_prints() {
        let flags = Flags::parse("1234567 -------A------e------- /tmp/f\n");
        assert_eq!(
            (flags.letters.as_str(), flags.version.as_deref()),
            ("Ae", Some("1234567"))
        );
        assert_eq!(flags.names(), ["noatime", "extents"]);
    }

    #[test]
    fn letters_alone_replace_and_equal_ones_change_nothing() {
        let flags = Flags {
            letters: "Ae".into(),
            version: None,
        };
        assert!(!WantedFlags::parse("Ae").differ_from(&flags));
        assert!(WantedFlags::parse("+A").differ_from(&flags));
        assert_eq!(WantedFlags::parse("A").argument(), "=A");
        assert_eq!(WantedFlags::parse("-i").argument(), "-i");
    }
}
