//! What `find` asks of a file besides its name and content: kind, age, size, mode.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use rustle_module::{Failure, py_type};
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::{Subject, permissions, resolve};
use crate::paths::umask;

/// What kind of file is looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum FileType {
    /// Of any kind.
    Any,
    /// A folder.
    Directory,
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
}

impl FileType {
    /// Whether a file is of that kind; links are not followed.
    pub(super) fn fits(self, metadata: &Metadata) -> bool {
        match self {
            Self::Any => true,
            Self::Directory => metadata.is_dir(),
            Self::File => metadata.is_file(),
            Self::Link => metadata.is_symlink(),
        }
    }
}

/// Which of its times says how old a file is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum AgeStamp {
    /// When it was last read.
    Atime,
    /// When it was last changed in any way.
    Ctime,
    /// When its content was last changed.
    Mtime,
}

impl AgeStamp {
    /// How old a file is, in seconds.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ages are compared as Python's floats"
    )]
    pub(super) fn age(self, metadata: &Metadata, now: f64) -> f64 {
        let (seconds, nanos) = match self {
            Self::Atime => (metadata.atime(), metadata.atime_nsec()),
            Self::Ctime => (metadata.ctime(), metadata.ctime_nsec()),
            Self::Mtime => (metadata.mtime(), metadata.mtime_nsec()),
        };
        now - (seconds as f64 + nanos as f64 / 1e9)
    }
}

/// A bound: at least so much or, where it is negative, at most.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Bound(i64);

impl Bound {
    /// Reads an age in seconds, or one of its units.
    pub(super) fn of_age(text: &str) -> Option<Self> {
        Self::read(text, |unit| {
            Some(match unit {
                "" | "s" => 1,
                "m" => 60,
                "h" => 60 * 60,
                "d" => 24 * 60 * 60,
                "w" => 7 * 24 * 60 * 60,
                _ => return None,
            })
        })
    }

    /// Reads a size in bytes, or one of its units.
    pub(super) fn of_size(text: &str) -> Option<Self> {
        Self::read(text, |unit| {
            Some(match unit {
                "" | "b" => 1,
                "k" => 1 << 10,
                "m" => 1 << 20,
                "g" => 1 << 30,
                "t" => 1 << 40,
                _ => return None,
            })
        })
    }

    fn read(text: &str, scale: impl Fn(&str) -> Option<i64>) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let digits = text.strip_prefix('-').unwrap_or(&text);
        let end = digits.find(|c: char| !c.is_ascii_digit());
        let (digits, unit) = digits.split_at(end.unwrap_or(digits.len()));
        let number: i64 = digits.parse().ok()?;
        let number = number.saturating_mul(scale(unit)?);
        Some(Self(if text.starts_with('-') {
            -number
        } else {
            number
        }))
    }

    /// Whether a value is within the bound.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ages are compared as Python's floats"
    )]
    pub(super) fn holds(self, value: f64) -> bool {
        let bound = self.0.unsigned_abs() as f64;
        if self.0 >= 0 {
            value >= bound
        } else {
            value <= bound
        }
    }
}

/// Checks that a mode is text.
///
/// # Errors
/// When it is not.
pub(super) fn check_mode_is_text(mode: &Value) -> Result<(), Failure> {
    if mode.is_null() || mode.is_string() {
        return Ok(());
    }
    let kind = py_type(mode);
    Err(Failure::new(format!(
        "argument 'mode' is not a string and conversion is not allowed, value is of type {kind}"
    )))
}

/// Whether a file has exactly the mode asked for or, unless `exact`, one of its bits.
///
/// # Errors
/// When the mode cannot be read, with what is wrong about it.
pub(super) fn mode_fits(mode: &Value, exact: bool, metadata: &Metadata) -> Result<bool, String> {
    if mode.is_null() || mode == "" {
        return Ok(true);
    }
    let present = permissions(metadata);
    let subject = Subject {
        mode: present,
        is_dir: metadata.is_dir(),
    };
    let wanted = resolve(mode, subject, umask).map_err(|failure| {
        let details = failure.result.get("details").and_then(Value::as_str);
        details.unwrap_or(&failure.msg).to_owned()
    })?;
    let wanted = wanted & 0o7777;
    let present = i64::from(present);
    Ok(if exact {
        present == wanted
    } else {
        present & wanted != 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_have_units_and_a_direction() {
        for (bound, value, expected) in [
            (Bound::of_age("5d"), 432_000.0, true),
            (Bound::of_age("-5D"), 432_001.0, false),
            (Bound::of_size("1k"), 1024.0, true),
            (Bound::of_size("-1k"), 1025.0, false),
            (Bound::of_size("10"), 9.0, false),
        ] {
            assert_eq!(bound.map(|bound| bound.holds(value)), Some(expected));
        }
        for text in ["", "x", "5x", "-", "5 d", "1.5d"] {
            assert_eq!(Bound::of_age(text), None, "{text}");
        }
    }
}
