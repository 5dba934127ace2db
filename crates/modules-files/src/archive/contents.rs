//! What an archive holds, as far as it counts for whether two are the same.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

use zip::ZipArchive;

use super::Shape;
use crate::unarchive::Format;

const CHUNK: usize = 64 * 1024;

/// The members of an archive, in no order. Two archives of the same members are the same, whatever packed them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Contents(BTreeSet<Member>);

#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Member {
    name: Vec<u8>,
    kind: u8,
    /// Mode, owner, group and time.
    numbers: [u64; 4],
    link: Vec<u8>,
    crc: u32,
}

impl Contents {
    /// Reads a file; nothing where it is not of that shape, or damaged.
    pub(super) fn of_file(path: &Path, shape: Shape) -> Option<Self> {
        let read = match shape {
            Shape::Zip => zip_members(path),
            Shape::Tar(_) => tar_members(path),
            Shape::Packed(_) => packed(path),
        };
        read.ok().map(Self)
    }
}

fn reader(path: &Path) -> io::Result<Box<dyn Read>> {
    let format = Format::of_file(path)?;
    format
        .ok_or_else(|| io::Error::other("it is no archive"))?
        .open(path)
}

fn tar_members(path: &Path) -> io::Result<BTreeSet<Member>> {
    let mut archive = tar::Archive::new(reader(path)?);
    let mut members = BTreeSet::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let header = entry.header();
        let numbers = [
            u64::from(header.mode()?),
            header.uid()?,
            header.gid()?,
            header.mtime()?,
        ];
        let kind = header.entry_type().as_byte();
        members.insert(Member {
            name: without_slash(&entry.path_bytes()),
            kind,
            numbers,
            link: entry.link_name_bytes().unwrap_or_default().into_owned(),
            crc: crc_of(&mut entry)?,
        });
    }
    Ok(members)
}

fn zip_members(path: &Path) -> io::Result<BTreeSet<Member>> {
    let mut archive =
        ZipArchive::new(BufReader::new(File::open(path)?)).map_err(io::Error::other)?;
    let mut members = BTreeSet::new();
    for at in 0..archive.len() {
        let entry = archive.by_index_raw(at).map_err(io::Error::other)?;
        members.insert(Member {
            name: entry.name_raw().to_owned(),
            crc: entry.crc32(),
            ..Member::default()
        });
    }
    Ok(members)
}

/// The name of a folder need not end in a slash.
fn without_slash(name: &[u8]) -> Vec<u8> {
    name.strip_suffix(b"/").unwrap_or(name).to_owned()
}

/// A file that is packed alone counts by its content.
fn packed(path: &Path) -> io::Result<BTreeSet<Member>> {
    let crc = crc_of(&mut reader(path)?)?;
    Ok(BTreeSet::from([Member {
        crc,
        ..Member::default()
    }]))
}

fn crc_of(content: &mut dyn Read) -> io::Result<u32> {
    let (mut crc, mut buffer) = (flate2::Crc::new(), vec![0; CHUNK]);
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(crc.sum()),
            count => crc.update(&buffer[..count]),
        }
    }
}
