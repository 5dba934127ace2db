//! Whether a file contains what is looked for, read as Python reads text.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};

use rustle_module::python_regex::{Alphabet, Flags, PythonRegex, python_error};

use crate::encoding::Encoding;
use crate::os_error::describe_bare;

/// An expression to be found in files.
pub(super) struct Contains {
    regexp: PythonRegex,
    whole_file: bool,
    encoding: Encoding,
    /// The encoding as a message about it names it.
    shown: String,
}

impl Contains {
    /// Compiles the expression; it is matched at the start of each line, or anywhere in a file that is read whole.
    ///
    /// # Errors
    /// When it is none, or the encoding is unknown.
    pub(super) fn new(
        pattern: &str,
        whole_file: bool,
        encoding: Option<&str>,
    ) -> Result<Self, String> {
        let flags = Flags {
            alphabet: Alphabet::Text,
            anchored: !whole_file,
            ..Flags::default()
        };
        let regexp = PythonRegex::with(pattern, flags);
        let default = "None (default determined by the Python built-in function \"open\")";
        Ok(Self {
            regexp: regexp.map_err(|failure| python_error(&failure).to_owned())?,
            whole_file,
            encoding: Encoding::named(encoding.unwrap_or("utf-8"))?,
            shown: encoding.unwrap_or(default).to_owned(),
        })
    }

    /// Whether the file contains it. A file is read line by line unless it is to be read whole.
    ///
    /// # Errors
    /// When it cannot be read, or is no text.
    pub(super) fn is_in(&self, path: &str) -> Result<bool, String> {
        let failed = |error: &std::io::Error| format!("{}: '{path}'", describe_bare(error));
        let file = File::open(path).map_err(|error| failed(&error))?;
        let mut reader = BufReader::new(file);
        let by_line = !self.whole_file && !matches!(self.encoding, Encoding::Utf16 { .. });
        loop {
            let mut bytes = Vec::new();
            let read = if by_line {
                reader.read_until(b'\n', &mut bytes)
            } else {
                reader.read_to_end(&mut bytes)
            };
            if read.map_err(|error| failed(&error))? == 0 {
                return Ok(false);
            }
            let text = self.decode(bytes).ok_or_else(|| {
                format!(
                    "Failed to read the file {path} due to an encoding error. current encoding: {}",
                    self.shown
                )
            })?;
            let is_found = if self.whole_file {
                self.regexp.is_match(text.as_bytes())
            } else {
                let mut lines = text.split_inclusive('\n');
                lines.any(|line| self.regexp.is_match(line.as_bytes()))
            };
            if is_found {
                return Ok(true);
            }
        }
    }

    /// The text, with one kind of line ends.
    fn decode(&self, bytes: Vec<u8>) -> Option<String> {
        if self.encoding == Encoding::Ascii && !bytes.is_ascii() {
            return None;
        }
        let text = String::from_utf8(self.encoding.decode(bytes).ok()?).ok()?;
        if text.contains('\r') {
            return Some(text.replace("\r\n", "\n").replace('\r', "\n"));
        }
        Some(text)
    }
}
