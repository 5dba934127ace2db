//! Packs entries.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use bzip2::write::BzEncoder;
use chrono::{DateTime, Datelike, Local, Timelike};
use flate2::Compression;
use flate2::write::GzEncoder;
use lzma_rust2::{XzOptions, XzWriter};
use rustix::fs::OFlags;
use tar::{EntryType, Header};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::Packing;
use super::sources::Entry;

/// The size from which a member of a zip needs the larger form of its header.
const LARGE: u64 = 0xf000_0000;

/// The names of owners and groups.
#[derive(Debug, Default)]
pub(super) struct Names {
    pub(super) users: HashMap<u32, String>,
    pub(super) groups: HashMap<u32, String>,
}

/// What could not be packed, and why.
#[derive(Debug)]
pub(super) enum PackError {
    /// An entry cannot be read.
    Entry(PathBuf, io::Error),
    /// The archive cannot be written.
    Archive(io::Error),
}

impl From<io::Error> for PackError {
    fn from(error: io::Error) -> Self {
        Self::Archive(error)
    }
}

/// Writes through a compressor, to its end.
///
/// # Errors
/// Those of the writer, and of whatever fills it.
pub(super) fn compressed<T>(
    file: &mut File,
    packing: Packing,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, PackError>,
) -> Result<T, PackError> {
    let mut file = BufWriter::new(file);
    let filled = match packing {
        Packing::None => fill(&mut file)?,
        Packing::Gzip => {
            let mut encoder = GzEncoder::new(&mut file, Compression::best());
            let filled = fill(&mut encoder)?;
            encoder.finish()?;
            filled
        }
        Packing::Bzip2 => {
            let mut encoder = BzEncoder::new(&mut file, bzip2::Compression::best());
            let filled = fill(&mut encoder)?;
            encoder.finish()?;
            filled
        }
        Packing::Xz => {
            let mut encoder = XzWriter::new(&mut file, XzOptions::with_preset(6))?;
            let filled = fill(&mut encoder)?;
            encoder.finish()?;
            filled
        }
    };
    file.flush()?;
    Ok(filled)
}

/// Writes a tar, and returns what is in it. Sockets are left out.
///
/// # Errors
/// When an entry cannot be read, or the archive not be written.
pub(super) fn tar(
    out: &mut dyn Write,
    entries: &[Entry],
    names: &Names,
) -> Result<Vec<PathBuf>, PackError> {
    let mut tar = Tar {
        builder: tar::Builder::new(out),
        names,
        hard_links: HashMap::new(),
    };
    let mut packed = Vec::new();
    for entry in entries {
        let is_added = tar.add(entry);
        if is_added.map_err(|error| PackError::Entry(entry.path.clone(), error))? {
            packed.push(entry.path.clone());
        }
    }
    tar.builder.finish()?;
    Ok(packed)
}

struct Tar<'a> {
    builder: tar::Builder<&'a mut dyn Write>,
    names: &'a Names,
    /// The first name of each file with several.
    hard_links: HashMap<(u64, u64), PathBuf>,
}

impl Tar<'_> {
    fn add(&mut self, entry: &Entry) -> io::Result<bool> {
        let metadata = fs::symlink_metadata(&entry.path)?;
        let kind = metadata.file_type();
        if kind.is_socket() {
            return Ok(false);
        }
        let mut header = self.header(&metadata);
        if !kind.is_dir() && metadata.nlink() > 1 {
            let id = (metadata.dev(), metadata.ino());
            if let Some(first) = self.hard_links.get(&id) {
                header.set_entry_type(EntryType::Link);
                header.set_size(0);
                self.builder.append_link(&mut header, &entry.name, first)?;
                return Ok(true);
            }
            self.hard_links.insert(id, entry.name.clone());
        }
        if kind.is_symlink() {
            let aim = fs::read_link(&entry.path)?;
            self.builder.append_link(&mut header, &entry.name, aim)?;
        } else if kind.is_file() {
            let file = open(&entry.path)?;
            let metadata = file.metadata()?;
            let mut header = self.header(&metadata);
            let size = metadata.size();
            header.set_size(size);
            let exact = Exact { file, left: size };
            self.builder.append_data(&mut header, &entry.name, exact)?;
        } else {
            header.set_size(0);
            if !kind.is_dir() && !kind.is_fifo() {
                header.set_device_major(rustix::fs::major(metadata.rdev()))?;
                header.set_device_minor(rustix::fs::minor(metadata.rdev()))?;
            }
            let mut name = entry.name.clone();
            if kind.is_dir() {
                // The name of a folder ends in a slash.
                name.push("");
            }
            self.builder.append_data(&mut header, name, io::empty())?;
        }
        Ok(true)
    }

    fn header(&self, metadata: &Metadata) -> Header {
        let mut header = Header::new_gnu();
        header.set_metadata(metadata);
        header.set_mode(metadata.mode() & 0o7777);
        // A name that is too long for its field is left out: the number stands beside it.
        if let Some(user) = self.names.users.get(&metadata.uid()) {
            let _ignored = header.set_username(user);
        }
        if let Some(group) = self.names.groups.get(&metadata.gid()) {
            let _ignored = header.set_groupname(group);
        }
        header
    }
}

/// Writes a zip, and returns the files in it. Links are followed; what is neither file nor folder is left out.
///
/// # Errors
/// When an entry cannot be read, or the archive not be written.
pub(super) fn zip(file: &mut File, entries: &[Entry]) -> Result<Vec<PathBuf>, PackError> {
    let mut writer = ZipWriter::new(BufWriter::new(file));
    let mut packed = Vec::new();
    for entry in entries {
        let is_file = add_to_zip(&mut writer, entry);
        if is_file.map_err(|error| PackError::Entry(entry.path.clone(), error))? {
            packed.push(entry.path.clone());
        }
    }
    let mut file = writer.finish().map_err(io::Error::other)?;
    file.flush()?;
    Ok(packed)
}

fn add_to_zip(writer: &mut ZipWriter<BufWriter<&mut File>>, entry: &Entry) -> io::Result<bool> {
    let metadata = fs::metadata(&entry.path)?;
    let name = entry.name.to_string_lossy();
    let options = |metadata: &Metadata| {
        SimpleFileOptions::default()
            .unix_permissions(metadata.mode() & 0o7777)
            .last_modified_time(zip_time(metadata.mtime()))
            .large_file(metadata.size() >= LARGE)
    };
    if metadata.is_dir() {
        let options = options(&metadata).compression_method(CompressionMethod::Stored);
        writer
            .add_directory(name, options)
            .map_err(io::Error::other)?;
        return Ok(false);
    }
    if !metadata.is_file() {
        return Ok(false);
    }
    let mut file = File::open(&entry.path)?;
    let options = options(&file.metadata()?);
    writer
        .start_file(
            name,
            options.compression_method(CompressionMethod::Deflated),
        )
        .map_err(io::Error::other)?;
    io::copy(&mut file, writer)?;
    Ok(true)
}

/// The clock's time in the machine's own zone; what zip cannot hold becomes its first day.
fn zip_time(seconds: i64) -> zip::DateTime {
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let time = time.with_timezone(&Local);
    let number = |number: u32| u8::try_from(number).unwrap_or(0);
    zip::DateTime::from_date_and_time(
        u16::try_from(time.year()).unwrap_or(1980),
        number(time.month()),
        number(time.day()),
        number(time.hour()),
        number(time.minute()),
        number(time.second()),
    )
    .unwrap_or_default()
}

/// Packs one file alone.
///
/// # Errors
/// When it cannot be read or is no file, or the result not be written.
pub(super) fn single(out: &mut dyn Write, path: &Path) -> Result<(), PackError> {
    let unread = |error| PackError::Entry(path.to_owned(), error);
    if !fs::metadata(path).map_err(unread)?.is_file() {
        return Err(unread(io::Error::other("it is not a regular file")));
    }
    let mut file = File::open(path).map_err(unread)?;
    io::copy(&mut file, out)?;
    Ok(())
}

/// Opens a file that is no link, and does not wait where it became a pipe meanwhile.
fn open(path: &Path) -> io::Result<File> {
    #[expect(
        clippy::cast_possible_wrap,
        reason = "flags are bits; the standard library takes them with a sign"
    )]
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::other("it is no file any more")),
    }
}

/// As many bytes of a file as its header tells, also where it grows meanwhile.
struct Exact {
    file: File,
    left: u64,
}

impl Read for Exact {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Ok(0);
        }
        let count = (&mut self.file).take(self.left).read(buffer)?;
        if count == 0 && !buffer.is_empty() {
            return Err(io::Error::other("it became shorter while it was read"));
        }
        self.left -= count as u64;
        Ok(count)
    }
}
