//! A checksum that a file shall have, given by itself or in a list on the web.

use std::path::Path;

use rustle_module::Failure;

use crate::checksum::{Algorithm, of_file};
use crate::os_error::describe;

/// A checksum that a file shall have.
pub(super) struct WantedSum {
    algorithm: String,
    /// The sum in hexadecimal digits.
    pub(super) digits: String,
}

impl WantedSum {
    /// The longest list of checksums, in bytes.
    pub(super) const LIST_LIMIT: usize = 16 << 20;

    /// A sum by an algorithm; none where it is no number in hexadecimal digits.
    pub(super) fn new(algorithm: &str, sum: &str) -> Option<Self> {
        let digits: String = sum
            .chars()
            .filter(|c| c.is_alphanumeric() || *c == '_')
            .flat_map(char::to_lowercase)
            .collect();
        let is_number = !digits.is_empty() && digits.chars().all(|c| c.is_ascii_hexdigit());
        is_number.then(|| Self {
            algorithm: algorithm.to_owned(),
            digits,
        })
    }

    /// The sum of a file that a list of sums has.
    pub(super) fn in_list(list: &str, name: &str) -> Option<String> {
        let lines: Vec<&str> = list.lines().collect();
        if let [line] = lines.as_slice()
            && line.split_whitespace().count() == 1
        {
            return Some((*line).to_owned());
        }
        lines.iter().find_map(|line| {
            let (sum, path) = bsd_line(line).or_else(|| gnu_line(line))?;
            (path == name).then(|| sum.to_owned())
        })
    }

    /// The sum that a file has.
    ///
    /// # Errors
    /// When it cannot be read, or nobody knows the algorithm.
    pub(super) fn of(&self, path: &Path) -> Result<String, Failure> {
        let shown = path.display();
        let Some(algorithm) = Algorithm::named(&self.algorithm) else {
            return Err(Failure::new(format!(
                "Could not hash file '{shown}' with algorithm '{}'. Available algorithms: {}",
                self.algorithm,
                Algorithm::NAMES.join(", ")
            )));
        };
        of_file(path, algorithm).map_err(|error| Failure::new(describe(&error, &shown.to_string())))
    }

    /// Whether a file has it.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(super) fn fits(&self, path: &Path) -> Result<bool, Failure> {
        Ok(self.of(path)? == self.digits)
    }
}

/// `SHA256 (file) = sum`.
fn bsd_line(line: &str) -> Option<(&str, &str)> {
    let (head, sum) = line.rsplit_once('=')?;
    let (_, path) = head.trim_end().split_once('(')?;
    let sum = sum.trim();
    let is_word = !sum.is_empty() && !sum.contains(char::is_whitespace);
    Some((sum, path.strip_suffix(')')?)).filter(|_| is_word)
}

/// `sum  file`, with a star or `./` before the file's name.
fn gnu_line(line: &str) -> Option<(&str, &str)> {
    let (sum, rest) = line.split_once(char::is_whitespace)?;
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('*').unwrap_or(rest);
    Some((sum, rest.trim_start_matches(['.', '/'])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_the_usual_tools_are_read() {
        for (list, expected) in [
            ("abc\n", Some("abc")),
            ("111  other\n222 *f.tgz\n", Some("222")),
            ("333  ./f.tgz\n", Some("333")),
            ("SHA256 (other) = 1\nSHA256 (f.tgz) = 444\n", Some("444")),
            ("555  d/f.tgz\n", None),
        ] {
            assert_eq!(
                WantedSum::in_list(list, "f.tgz").as_deref(),
                expected,
                "{list}"
            );
        }
    }

    #[test]
    fn sums_are_digits_alone() {
        let digits = |sum: &str| WantedSum::new("md5", sum).map(|sum| sum.digits);
        assert_eq!(digits("AB-cd\u{200b}"), Some("abcd".into()));
        assert_eq!(digits("xyz"), None);
        assert_eq!(digits(""), None);
    }
}
