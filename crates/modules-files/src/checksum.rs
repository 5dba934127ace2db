//! Checksums of files, in constant memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use md5::Md5;
use serde::Deserialize;
use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};

const CHUNK: usize = 64 * 1024;

/// A checksum algorithm.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Algorithm {
    /// MD5.
    Md5,
    /// SHA-1, which tells whether files are the same.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

/// The checksum of a file, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read.
pub(crate) fn of_file(path: impl AsRef<Path>, algorithm: Algorithm) -> io::Result<String> {
    let file = File::open(path)?;
    match algorithm {
        Algorithm::Md5 => digest::<Md5>(file),
        Algorithm::Sha1 => digest::<Sha1>(file),
        Algorithm::Sha224 => digest::<Sha224>(file),
        Algorithm::Sha256 => digest::<Sha256>(file),
        Algorithm::Sha384 => digest::<Sha384>(file),
        Algorithm::Sha512 => digest::<Sha512>(file),
    }
}

fn digest<D: Digest>(mut file: File) -> io::Result<String> {
    let mut hasher = D::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// The SHA-1 and MD5 of bytes that go by.
#[derive(Default)]
pub(crate) struct Sums {
    sha1: Sha1,
    md5: Md5,
}

impl Sums {
    /// Takes bytes in.
    pub(crate) fn update(&mut self, bytes: &[u8]) {
        self.sha1.update(bytes);
        self.md5.update(bytes);
    }

    /// The SHA-1 and the MD5 of all bytes so far.
    pub(crate) fn finish(self) -> (String, String) {
        (hex(&self.sha1.finalize()), hex(&self.md5.finalize()))
    }
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits
        .filter_map(|digit| char::from_digit(digit.into(), 16))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_usual_tools() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, "x\n").expect("a file");
        let sha1 = "6fcf9dfbd479ed82697fee719b9f8c610a11ff2a";
        let md5 = "401b30e3b8b5d629635a5c613cdb7919";
        assert_eq!(of_file(&path, Algorithm::Sha1).expect("readable"), sha1);
        assert_eq!(of_file(&path, Algorithm::Md5).expect("readable"), md5);
        let mut sums = Sums::default();
        sums.update(b"x");
        sums.update(b"\n");
        assert_eq!(sums.finish(), (sha1.to_owned(), md5.to_owned()));
    }
}
