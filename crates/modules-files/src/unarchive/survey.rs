//! What an archive holds against what is in its destination: nothing is changed.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustle_module::Failure;
use serde_json::Value;

use super::format::Format;
use super::member::{Member, MemberKind, Owner, ZipDetails, damaged, refused};
use super::selection::Selection;
use super::{tar_reader, zip_reader};
use crate::attributes::{Subject, permissions, resolve};
use crate::paths::umask;

/// The most members that an archive may have.
const MEMBER_LIMIT: usize = 2_000_000;

const CHUNK: usize = 64 * 1024;

/// An archive and its destination.
pub(super) struct Unpacking<'a> {
    pub(super) src: &'a Path,
    pub(super) dest: &'a Path,
    pub(super) format: Format,
    pub(super) wanted: &'a Selection,
    pub(super) keep_newer: bool,
    /// The `mode` of the task; null for none.
    pub(super) mode: &'a Value,
    /// Whom unpacked members of a zip belong to.
    pub(super) zip_owner: (u32, u32),
}

/// What comparing gave.
#[derive(Default)]
pub(super) struct Survey {
    /// The members that are wanted, in the order of the archive.
    pub(super) members: Vec<Member>,
    /// Whether something is to be unpacked.
    pub(super) differs: bool,
    /// What differs, a line a member; for zip only.
    pub(super) diff: String,
    /// Files of the destination with the owners that they should have.
    pub(super) owned: Vec<(Metadata, Owner)>,
    /// Members that are not unpacked, as what is there is newer.
    pub(super) newer: BTreeSet<PathBuf>,
}

impl Unpacking<'_> {
    /// Shows each member that is wanted, with a reader of its content.
    ///
    /// # Errors
    /// When the archive is damaged, holds what is refused, or the visitor fails.
    pub(super) fn visit(
        &self,
        visitor: &mut dyn FnMut(&Member, &mut dyn Read) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        match self.format {
            Format::Zip => zip_reader::visit(self.src, self.wanted, visitor),
            tar => tar_reader::visit(self.src, tar, self.wanted, visitor),
        }
    }

    /// Compares the archive with the destination.
    ///
    /// # Errors
    /// When the archive is damaged or holds what is refused.
    pub(super) fn survey(&self) -> Result<Survey, Failure> {
        let mut survey = Survey::default();
        self.visit(&mut |member, content| {
            if survey.members.len() >= MEMBER_LIMIT {
                return Err(refused(&member.name, "the archive has too many members"));
            }
            if member.is_setuid() && self.mode.is_null() {
                let why =
                    "it has a setuid or setgid bit, which only a `mode` of the task can replace";
                return Err(refused(&member.name, why));
            }
            match member.zip {
                Some(details) => self.compare_zip(member, details, &mut survey)?,
                None => self.compare_tar(member, content, &mut survey)?,
            }
            survey.members.push(member.clone());
            Ok(())
        })?;
        check_links(&survey.members)?;
        if survey.differs {
            self.check_room(&survey.members)?;
        }
        Ok(survey)
    }

    fn compare_tar(
        &self,
        member: &Member,
        content: &mut dyn Read,
        survey: &mut Survey,
    ) -> Result<(), Failure> {
        let path = self.dest.join(&member.place);
        let Ok(found) = fs::symlink_metadata(&path) else {
            survey.differs = true;
            return Ok(());
        };
        let mode_differs = self.mode.is_null() && self.mode_of(member) != permissions(&found);
        survey.differs |= match &member.kind {
            MemberKind::Directory => match path.is_dir() {
                true => !found.is_symlink() && mode_differs,
                false => true,
            },
            MemberKind::File(size) => {
                if let Some(owner) = &member.owner {
                    survey.owned.push((found.clone(), owner.clone()));
                }
                !found.is_file()
                    || mode_differs
                    || (found.mtime() != member.modified && !self.wanted.options.touch)
                    || found.len() != *size
                    || !is_content(&path, content).map_err(|error| damaged(&error))?
            }
            MemberKind::Symlink(text) => !fs::read_link(&path).is_ok_and(|found| found == *text),
            MemberKind::HardLink(of) => {
                let of = fs::symlink_metadata(self.dest.join(of));
                !of.is_ok_and(|of| (of.dev(), of.ino()) == (found.dev(), found.ino()))
            }
        };
        Ok(())
    }

    /// The permissions that a member gets from its archive.
    pub(super) fn mode_of(&self, member: &Member) -> u32 {
        let is_root = rustix::process::geteuid().is_root();
        let keeps = member.zip.is_some() || (is_root && !self.wanted.options.umask);
        match (member.mode, &member.kind) {
            (Some(mode), _) if keeps => mode,
            (Some(mode), _) => mode & 0o777 & !umask(),
            (None, MemberKind::Directory) => 0o777 & !umask(),
            (None, _) => 0o666 & !umask(),
        }
    }

    fn compare_zip(
        &self,
        member: &Member,
        details: ZipDetails,
        survey: &mut Survey,
    ) -> Result<(), Failure> {
        let kind = match member.kind {
            MemberKind::Directory => 'd',
            MemberKind::Symlink(_) => 'L',
            _ => 'f',
        };
        let path = self.dest.join(&member.place);
        let found = fs::symlink_metadata(&path).ok();
        let is_kind = |found: &Metadata| match kind {
            'd' => found.is_dir(),
            'L' => found.is_symlink(),
            _ => found.is_file(),
        };
        let line = match found {
            None => Some(format!(">{kind}++++++.??")),
            Some(found) if !is_kind(&found) => Some(format!("c{kind}++++++.??")),
            Some(found) => {
                if self.keep_newer && found.is_file() && member.modified < found.mtime() {
                    survey.newer.insert(member.place.clone());
                    return Ok(());
                }
                self.itemized(member, details, &path, &found, kind)?
            }
        };
        if let Some(line) = line {
            survey.differs = true;
            // Writing to a String cannot fail.
            let _ = writeln!(survey.diff, "{line} {}", member.name);
        }
        Ok(())
    }

    /// What differs of a member of its kind, a letter each; none for nothing.
    fn itemized(
        &self,
        member: &Member,
        details: ZipDetails,
        path: &Path,
        found: &Metadata,
        kind: char,
    ) -> Result<Option<String>, Failure> {
        let mut letters: Vec<char> = format!(".{kind}.......??").chars().collect();
        let unchanged = letters.clone();
        if let MemberKind::File(size) = member.kind {
            if found.mtime() != member.modified {
                letters[4] = 't';
            }
            if found.len() != size {
                letters[3] = 's';
            }
            if crc_of(path).map_err(|error| damaged(&error))? != details.crc {
                letters[2] = 'c';
            }
        }
        if kind != 'L' {
            let subject = Subject {
                mode: permissions(found),
                is_dir: found.is_dir(),
            };
            let mode = match self.mode {
                Value::Null => i64::from(self.mode_of(member)),
                mode => resolve(mode, subject, umask)?,
            };
            if mode != i64::from(permissions(found)) {
                letters[5] = 'p';
            }
        }
        if found.uid() != self.zip_owner.0 {
            letters[6] = 'o';
        }
        if found.gid() != self.zip_owner.1 {
            letters[6] = 'g';
        }
        Ok((letters != unchanged).then(|| letters.iter().collect()))
    }

    /// What does not fit is refused before anything is written.
    fn check_room(&self, members: &[Member]) -> Result<(), Failure> {
        let sizes = members.iter().map(|member| match member.kind {
            MemberKind::File(size) => size,
            _ => 0,
        });
        let needed = sizes.fold(0, u64::saturating_add);
        let Ok(room) = rustix::fs::statvfs(self.dest) else {
            return Ok(());
        };
        let free = room.f_bavail.saturating_mul(room.f_frsize);
        if needed <= free {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the archive holds {needed} bytes, and there is room for {free} in {}",
            self.dest.display()
        )))
    }
}

/// No member may lie behind a link that comes with the same archive: it would be written where the link leads to.
fn check_links(members: &[Member]) -> Result<(), Failure> {
    let links: BTreeSet<&Path> = members
        .iter()
        .filter(|member| matches!(member.kind, MemberKind::Symlink(_)))
        .map(|member| member.place.as_path())
        .collect();
    let leads = |place: &Path| {
        place
            .ancestors()
            .skip(1)
            .any(|folder| links.contains(folder))
    };
    for member in members {
        let is_behind = match &member.kind {
            MemberKind::HardLink(of) => leads(of) || leads(&member.place),
            _ => leads(&member.place),
        };
        if is_behind {
            return Err(refused(
                &member.name,
                "it lies behind a link of the same archive",
            ));
        }
    }
    Ok(())
}

/// Whether a file has just this content.
fn is_content(path: &Path, content: &mut dyn Read) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let (mut one, mut other) = (vec![0; CHUNK], vec![0; CHUNK]);
    loop {
        let count = content.read(&mut one)?;
        if count == 0 {
            return Ok(file.read(&mut other)? == 0);
        }
        match file.read_exact(&mut other[..count]) {
            Ok(()) if one[..count] == other[..count] => {}
            Ok(()) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
}

fn crc_of(path: &Path) -> io::Result<u32> {
    let mut crc = flate2::Crc::new();
    let (mut file, mut buffer) = (File::open(path)?, vec![0; CHUNK]);
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(crc.sum()),
            count => crc.update(&buffer[..count]),
        }
    }
}
