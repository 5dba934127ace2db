//! Members of a tar, packed or not.

use std::io::Read;
use std::path::{Path, PathBuf};

use rustle_module::Failure;
use tar::EntryType;

use super::format::Format;
use super::member::{Member, MemberKind, Owner, Visit, damaged, place_of, refused};
use super::selection::Selection;

/// Shows the members that are wanted, in the order of the archive.
///
/// # Errors
/// When the archive is damaged, holds what is refused, or the visitor fails.
pub(super) fn visit(
    src: &Path,
    format: Format,
    wanted: &Selection,
    visitor: &mut Visit<'_>,
) -> Result<(), Failure> {
    let reader = format.open(src).map_err(|error| damaged(&error))?;
    let mut archive = tar::Archive::new(reader);
    for entry in archive.entries().map_err(|error| damaged(&error))? {
        let mut entry = entry.map_err(|error| damaged(&error))?;
        if let Some(member) = read_member(&entry, wanted)? {
            visitor(&member, &mut entry)?;
        }
    }
    Ok(())
}

fn read_member<R: Read>(
    entry: &tar::Entry<'_, R>,
    wanted: &Selection,
) -> Result<Option<Member>, Failure> {
    let header = entry.header();
    let kind = header.entry_type();
    if kind.is_pax_global_extensions() {
        return Ok(None);
    }
    let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    if !wanted.has(&name) {
        return Ok(None);
    }
    let strip = wanted.options.strip_components;
    let Some(place) = place_of(&name, strip)? else {
        return Ok(None);
    };
    let link = || {
        let text = entry.link_name_bytes().unwrap_or_default();
        String::from_utf8_lossy(&text).into_owned()
    };
    let kind = match kind {
        EntryType::Directory => MemberKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
            MemberKind::File(entry.size())
        }
        EntryType::Symlink => MemberKind::Symlink(PathBuf::from(link())),
        EntryType::Link => match place_of(&link(), strip)? {
            Some(of) => MemberKind::HardLink(of),
            None => return Err(refused(&name, "it is a link to what is not unpacked")),
        },
        EntryType::Block | EntryType::Char => return Err(refused(&name, "it is a device")),
        EntryType::Fifo => return Err(refused(&name, "it is a pipe")),
        _ => return Err(refused(&name, "its kind is not known")),
    };
    let bad = |error: std::io::Error| damaged(&error);
    let text =
        |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let id = |id: u64| u32::try_from(id).unwrap_or(u32::MAX - 1);
    let owner = Owner {
        uid: id(header.uid().map_err(bad)?),
        gid: id(header.gid().map_err(bad)?),
        user: text(header.username_bytes()),
        group: text(header.groupname_bytes()),
    };
    let modified = header.mtime().map_err(bad)?;
    Ok(Some(Member {
        name,
        place,
        kind,
        mode: Some(header.mode().map_err(bad)? & 0o7777),
        owner: Some(owner),
        modified: i64::try_from(modified).unwrap_or(i64::MAX),
        zip: None,
    }))
}
