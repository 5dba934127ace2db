//! The fragments of a file, in the order of their names, with what comes between them.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::os_error::describe;
use crate::python_regex::{Alphabet, Flags, PythonRegex, python_error};
use crate::result::Failure;

const CHUNK: usize = 64 * 1024;

/// The files that are put together.
#[derive(Debug)]
pub struct Fragments {
    files: Vec<PathBuf>,
    /// What comes between them, its line end included.
    delimiter: Vec<u8>,
}

impl Fragments {
    /// The regular files of a folder whose names are wanted, sorted by them.
    ///
    /// # Errors
    /// When the folder cannot be read, or the pattern for the names.
    pub fn find(
        folder: &Path,
        regexp: Option<&str>,
        ignore_hidden: bool,
        delimiter: Option<&str>,
    ) -> Result<Self, Failure> {
        let regexp = regexp.map(compiled).transpose()?;
        let failed = |error: io::Error| Failure::new(describe(&error, &folder.to_string_lossy()));
        let mut names = Vec::new();
        for entry in fs::read_dir(folder).map_err(failed)? {
            names.push(entry.map_err(failed)?.file_name());
        }
        names.sort_unstable();
        let is_wanted = |name: &std::ffi::OsString| {
            let name = name.as_encoded_bytes();
            regexp.as_ref().is_none_or(|regexp| regexp.is_match(name))
                && !(ignore_hidden && name.starts_with(b"."))
        };
        let files = names.into_iter().filter(is_wanted);
        let files = files.map(|name| folder.join(name));
        let mut delimiter = unescaped(delimiter.unwrap_or_default());
        if !delimiter.is_empty() && !delimiter.ends_with(b"\n") {
            delimiter.push(b'\n');
        }
        Ok(Self {
            files: files.filter(|path| path.is_file()).collect(),
            delimiter,
        })
    }

    /// The files, in order.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Hands out the content part by part, in constant memory.
    ///
    /// # Errors
    /// When a fragment cannot be read, or what the receiver fails with.
    pub fn each_part(
        &self,
        receive: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut open =
            |at: usize| File::open(&self.files[at]).map(|file| Box::new(file) as Box<dyn Read>);
        self.each_part_from(&mut open, receive)
    }

    /// The same, where the content of the file at each place of [`files`](Self::files) is read from elsewhere.
    ///
    /// # Errors
    /// As [`each_part`](Self::each_part).
    pub fn each_part_from(
        &self,
        open: &mut dyn FnMut(usize) -> io::Result<Box<dyn Read>>,
        receive: &mut dyn FnMut(&[u8]) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        let mut buffer = vec![0; CHUNK];
        let mut ends_line = true;
        for (at, path) in self.files.iter().enumerate() {
            if !ends_line {
                receive(b"\n")?;
            }
            if at > 0 {
                receive(&self.delimiter)?;
            }
            let failed = |error: io::Error| Failure::new(describe(&error, &path.to_string_lossy()));
            let mut file = open(at).map_err(failed)?;
            ends_line = false;
            loop {
                let read = file.read(&mut buffer).map_err(failed)?;
                let Some(last) = buffer[..read].last() else {
                    break;
                };
                ends_line = *last == b'\n';
                receive(&buffer[..read])?;
            }
        }
        Ok(())
    }
}

fn compiled(pattern: &str) -> Result<PythonRegex, Failure> {
    let of_text = Flags {
        alphabet: Alphabet::Text,
        ..Flags::default()
    };
    PythonRegex::with(pattern, of_text).map_err(|failure| {
        let why = python_error(&failure);
        Failure::new(format!("Invalid Regexp ({why}) in \"{pattern}\""))
    })
}

/// The text with escapes such as `\n` and `\x41` replaced; unknown ones stay.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(slash) = rest.find('\\') {
        out.extend_from_slice(&rest.as_bytes()[..slash]);
        rest = &rest[slash + 1..];
        let (byte, used) = escape(rest);
        match byte {
            Some(byte) => out.push(byte),
            None if rest.starts_with('\n') => {}
            None => out.push(b'\\'),
        }
        rest = &rest[used..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

/// The byte that the text after a backslash stands for, and how many bytes of it that takes.
fn escape(text: &str) -> (Option<u8>, usize) {
    let byte = match text.as_bytes().first() {
        Some(b'n') => b'\n',
        Some(b't') => b'\t',
        Some(b'r') => b'\r',
        Some(b'a') => 0x07,
        Some(b'b') => 0x08,
        Some(b'f') => 0x0C,
        Some(b'v') => 0x0B,
        Some(c @ (b'\\' | b'\'' | b'"')) => *c,
        Some(b'\n') => return (None, 1),
        Some(b'x') => {
            let digits = text
                .get(1..3)
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            let byte = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
            return (byte, if byte.is_some() { 3 } else { 0 });
        }
        Some(b'0'..=b'7') => {
            let octal = text
                .bytes()
                .take(3)
                .take_while(|b| (b'0'..=b'7').contains(b));
            let length = octal.count();
            let value = u16::from_str_radix(&text[..length], 8).unwrap_or_default();
            return (u8::try_from(value & 0xFF).ok(), length);
        }
        _ => return (None, 0),
    };
    (Some(byte), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_in_delimiters_are_replaced() {
        for (text, expected) in [
            (r"a\nb", &b"a\nb"[..]),
            (r"\\n\x41\101", b"\\nAA"),
            (r"\q\x4", b"\\q\\x4"),
            ("\\", b"\\"),
        ] {
            assert_eq!(unescaped(text), expected, "{text}");
        }
    }

    #[test]
    fn fragments_are_put_together_with_line_ends_between_them() {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, content) in [("2", "b"), ("1", "a"), ("3", ""), (".h", "x\n")] {
            fs::write(folder.path().join(name), content).expect("a file");
        }
        let joined = |ignore_hidden, delimiter| {
            let found = Fragments::find(folder.path(), None, ignore_hidden, delimiter);
            let mut content = Vec::new();
            let mut add = |part: &[u8]| {
                content.extend_from_slice(part);
                Ok(())
            };
            let found = found.expect("readable");
            found.each_part(&mut add).expect("readable");
            String::from_utf8(content).expect("text")
        };
        assert_eq!(joined(false, None), "x\na\nb\n");
        assert_eq!(joined(true, Some("--")), "a\n--\nb\n--\n");
    }
}
