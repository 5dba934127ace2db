//! Checksums of files, in constant memory.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use blake2::{Blake2b512, Blake2s256};
use md5::Md5;
use rustle_module::hex;
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::StrDeserializer;
use sha1::{Digest, Sha1};
use sha2::{Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

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
    /// SHA3 with 224 bits.
    #[serde(rename = "sha3_224")]
    Sha3With224,
    /// SHA3 with 256 bits.
    #[serde(rename = "sha3_256")]
    Sha3With256,
    /// SHA3 with 384 bits.
    #[serde(rename = "sha3_384")]
    Sha3With384,
    /// SHA3 with 512 bits.
    #[serde(rename = "sha3_512")]
    Sha3With512,
    /// BLAKE2b.
    Blake2b,
    /// BLAKE2s.
    Blake2s,
}

impl Algorithm {
    /// The names of all algorithms.
    pub(crate) const NAMES: &[&str] = &[
        "blake2b", "blake2s", "md5", "sha1", "sha224", "sha256", "sha384", "sha3_224", "sha3_256",
        "sha3_384", "sha3_512", "sha512",
    ];

    /// The algorithm of a name, if there is one.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name: StrDeserializer<'_, serde::de::value::Error> = name.as_str().into_deserializer();
        Self::deserialize(name).ok()
    }
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
        Algorithm::Sha3With224 => digest::<Sha3_224>(file),
        Algorithm::Sha3With256 => digest::<Sha3_256>(file),
        Algorithm::Sha3With384 => digest::<Sha3_384>(file),
        Algorithm::Sha3With512 => digest::<Sha3_512>(file),
        Algorithm::Blake2b => digest::<Blake2b512>(file),
        Algorithm::Blake2s => digest::<Blake2s256>(file),
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
        for name in Algorithm::NAMES {
            let algorithm = Algorithm::named(name).expect("known");
            assert!(
                of_file(&path, algorithm).expect("readable").len() >= 32,
                "{name}"
            );
        }
        assert_eq!(Algorithm::named("crc32"), None);
    }
}
