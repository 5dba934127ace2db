//! Kinds of archives, told by their first bytes, and the readers that unpack them.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek};
use std::path::Path;

/// The longest start that is needed to tell what a file is: a header of tar.
const START: usize = 512;

/// How much memory a packed stream may ask for, in KiB; a window of xz is never larger in archives of good will.
const XZ_MEMORY_KIB: u32 = 1 << 20;

/// A kind of archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// Zip.
    Zip,
    /// Tar, not packed.
    Tar,
    /// Tar packed by gzip.
    Gzip,
    /// Tar packed by bzip2.
    Bzip2,
    /// Tar packed by xz.
    Xz,
    /// Tar packed by zstd.
    Zstd,
}

impl Format {
    /// What a file is; none where it is no archive that can be read here.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of_file(path: &Path) -> io::Result<Option<Self>> {
        let mut start = Vec::new();
        File::open(path)?
            .take(START as u64)
            .read_to_end(&mut start)?;
        Ok(Self::of_start(&start))
    }

    fn of_start(start: &[u8]) -> Option<Self> {
        match start {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Self::Zip),
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Some(Self::Xz),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            block if is_tar_header(block) => Some(Self::Tar),
            _ => None,
        }
    }

    /// The name that results have for it.
    pub(super) const fn handler(self) -> &'static str {
        match self {
            Self::Zip => "ZipArchive",
            Self::Tar => "TarArchive",
            Self::Gzip => "TgzArchive",
            Self::Bzip2 => "TarBzipArchive",
            Self::Xz => "TarXzArchive",
            Self::Zstd => "TarZstdArchive",
        }
    }

    /// The option by which `tar` would be told of it.
    pub(super) const fn tar_option(self) -> Option<&'static str> {
        match self {
            Self::Zip | Self::Tar => None,
            Self::Gzip => Some("-z"),
            Self::Bzip2 => Some("-j"),
            Self::Xz => Some("-J"),
            Self::Zstd => Some("--use-compress-program=zstd"),
        }
    }

    /// A reader of the unpacked bytes of a tar.
    ///
    /// # Errors
    /// When the file cannot be opened, or is damaged at its start.
    pub(crate) fn open(self, path: &Path) -> io::Result<Box<dyn Read>> {
        let mut file = BufReader::new(File::open(path)?);
        file.rewind()?;
        Ok(match self {
            Self::Zip | Self::Tar => Box::new(file),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(file)),
            Self::Xz => Box::new(lzma_rust2::XzReader::new_mem_limit(
                file,
                true,
                XZ_MEMORY_KIB,
            )),
            Self::Zstd => {
                let decoder = ruzstd::decoding::StreamingDecoder::new(file);
                Box::new(decoder.map_err(io::Error::other)?)
            }
        })
    }
}

/// Whether a block is a header of tar: its checksum says so.
fn is_tar_header(block: &[u8]) -> bool {
    let Some(digits) = block.get(148..156).filter(|_| block.len() == START) else {
        return false;
    };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| match at {
            148..156 => u32::from(b' '),
            _ => u32::from(*byte),
        })
        .sum();
    let digits = String::from_utf8_lossy(digits);
    let digits = digits.trim_matches(|c: char| c == ' ' || c == '\0');
    u32::from_str_radix(digits, 8) == Ok(sum)
}
