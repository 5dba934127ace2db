//! Members of a zip.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use chrono::{Local, NaiveDate, TimeZone};
use rustle_module::Failure;
use zip::extra_fields::ExtraField;
use zip::read::ZipFile;
use zip::{CompressionMethod, ZipArchive};

use super::member::{Member, MemberKind, Visit, ZipDetails, damaged, place_of, refused};
use super::selection::Selection;

/// The longest text of a symbolic link.
const LINK_LIMIT: u64 = 4096;

/// The bits of a mode that tell what a file is, and two of their values.
const TYPE_BITS: u32 = 0o170_000;
const LINK_TYPE: u32 = 0o120_000;
const FILE_TYPE: u32 = 0o100_000;
const DIRECTORY_TYPE: u32 = 0o040_000;

/// Shows the members that are wanted, in the order of the archive.
///
/// # Errors
/// When the archive is damaged, holds what is refused, or the visitor fails.
pub(super) fn visit(
    src: &Path,
    wanted: &Selection,
    visitor: &mut Visit<'_>,
) -> Result<(), Failure> {
    let file = File::open(src).map_err(|error| damaged(&error))?;
    let broken = |error: zip::result::ZipError| damaged(&io::Error::other(error));
    let mut archive = ZipArchive::new(BufReader::new(file)).map_err(broken)?;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(broken)?;
        if let Some(member) = read_member(&mut entry, wanted)? {
            visitor(&member, &mut entry)?;
        }
    }
    Ok(())
}

fn read_member<R: Read>(
    entry: &mut ZipFile<'_, R>,
    wanted: &Selection,
) -> Result<Option<Member>, Failure> {
    let name = entry
        .name()
        .map_err(|error| damaged(&io::Error::other(error)))?
        .into_owned();
    if !wanted.has(&name) {
        return Ok(None);
    }
    let Some(place) = place_of(&name, 0)? else {
        return Ok(None);
    };
    let mode = entry.unix_mode();
    let file_type = mode.unwrap_or(0) & TYPE_BITS;
    let kind = if name.ends_with('/') || file_type == DIRECTORY_TYPE {
        MemberKind::Directory
    } else if file_type == LINK_TYPE {
        let mut text = Vec::new();
        let read = entry.by_ref().take(LINK_LIMIT).read_to_end(&mut text);
        read.map_err(|error| damaged(&error))?;
        MemberKind::Symlink(PathBuf::from(String::from_utf8_lossy(&text).into_owned()))
    } else if matches!(file_type, 0 | FILE_TYPE) {
        MemberKind::File(entry.size())
    } else {
        return Err(refused(&name, "it is a device or a pipe"));
    };
    Ok(Some(Member {
        name,
        place,
        kind,
        // `unzip` sets no bits but these.
        mode: mode.map(|mode| mode & 0o777),
        owner: None,
        modified: modified(entry),
        zip: Some(ZipDetails {
            crc: entry.crc32(),
            is_stored: entry.compression() == CompressionMethod::Stored,
        }),
    }))
}

/// The time in UTC where the archive has it, else that of a clock in the machine's own time zone.
fn modified<R: Read>(entry: &ZipFile<'_, R>) -> i64 {
    let exact = entry.extra_data_fields().find_map(|field| match field {
        ExtraField::ExtendedTimestamp(times) => times.mod_time(),
        _ => None,
    });
    if let Some(seconds) = exact {
        return i64::from(seconds);
    }
    let clock = entry.last_modified().unwrap_or_default();
    let day = NaiveDate::from_ymd_opt(
        i32::from(clock.year()),
        u32::from(clock.month()),
        u32::from(clock.day()),
    );
    let time = day.and_then(|day| {
        day.and_hms_opt(
            u32::from(clock.hour()),
            u32::from(clock.minute()),
            u32::from(clock.second()),
        )
    });
    time.and_then(|time| Local.from_local_datetime(&time).earliest())
        .map_or(0, |time| time.timestamp())
}
