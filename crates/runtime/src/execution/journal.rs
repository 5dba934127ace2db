//! The journal: every event of a run, on disk before any reader sees it.
//!
//! A run has a folder of its own, mode 0700: `plan.json` (the plan as it was read), `hosts.json` (a digest a host of its inventory),
//! `origin.json` (what the front end wants to know of it later), and `journal.jsonl`, one event a line, the first being
//! `run_started` with the version of the vocabulary. Live output is not kept. A last line that is cut short
//! does not count. Lines are written as they come and forced to the disk in groups. The journal is locked while its run goes on.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustle_events::{Event, EventKind};
use rustle_types::{ExecutionPlan, Object, RunId};
use serde::Serialize;
use serde_json::Value;

/// The files of a run's folder.
pub(crate) const PLAN: &str = "plan.json";
pub(crate) const HOSTS: &str = "hosts.json";
pub(crate) const ORIGIN: &str = "origin.json";
pub(crate) const JOURNAL: &str = "journal.jsonl";

/// The longest time that a written line may not be on the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes a run's journal.
pub(crate) struct Journal {
    lines: BufWriter<File>,
    synced: Instant,
    is_dirty: bool,
}

/// A file or folder of a run that cannot be used, and why.
pub(crate) type Unusable = (PathBuf, io::Error);

impl Journal {
    /// Makes the run's folder under `state_dir`.
    pub(crate) fn create(
        state_dir: &Path,
        run: RunId,
        (plan, hosts, origin): (&ExecutionPlan, &Object, &Value),
    ) -> Result<Self, Unusable> {
        let folder = folder_of(state_dir, run);
        let mut make = DirBuilder::new();
        make.recursive(true).mode(0o700);
        make.create(&folder)
            .map_err(|error| (folder.clone(), error))?;
        write_json(&folder.join(PLAN), plan)?;
        write_json(&folder.join(HOSTS), hosts)?;
        write_json(&folder.join(ORIGIN), origin)?;
        let path = folder.join(JOURNAL);
        let file = private(&path).and_then(|file| locked(file, &path));
        Ok(Self::over(file.map_err(|error| (path, error))?))
    }

    /// Opens the journal of a run that is continued. What was cut short at its end is removed.
    pub(crate) fn reopen(folder: &Path) -> Result<Self, Unusable> {
        let path = folder.join(JOURNAL);
        let open = || {
            let file = OpenOptions::new().read(true).append(true).open(&path)?;
            let file = locked(file, &path)?;
            let text = std::fs::read(&path)?;
            file.set_len(complete(&text).len() as u64)?;
            Ok(file)
        };
        open()
            .map(Self::over)
            .map_err(|error| (path.clone(), error))
    }

    fn over(file: File) -> Self {
        Self {
            lines: BufWriter::new(file),
            synced: Instant::now(),
            is_dirty: false,
        }
    }

    /// Appends an event.
    pub(crate) fn append(&mut self, event: &Event) -> io::Result<()> {
        if matches!(event.kind, EventKind::TaskOutput { .. }) {
            return Ok(());
        }
        serde_json::to_writer(&mut self.lines, event)?;
        self.lines.write_all(b"\n")?;
        self.is_dirty = true;
        Ok(())
    }

    /// Hands what was appended to the system, so that only the machine's own end can lose it.
    pub(crate) fn hand_over(&mut self) -> io::Result<()> {
        self.lines.flush()
    }

    /// Hands what was appended to the system, and now and then to the disk. Called when the loop has nothing else to do.
    pub(crate) fn settle(&mut self) -> io::Result<()> {
        if !self.is_dirty {
            return Ok(());
        }
        self.lines.flush()?;
        if self.synced.elapsed() >= SYNC_EVERY {
            self.sync()?;
        }
        Ok(())
    }

    /// Forces everything to the disk.
    pub(crate) fn sync(&mut self) -> io::Result<()> {
        self.lines.flush()?;
        self.lines.get_ref().sync_data()?;
        self.synced = Instant::now();
        self.is_dirty = false;
        Ok(())
    }
}

/// The folder of a run.
pub(crate) fn folder_of(state_dir: &Path, run: RunId) -> PathBuf {
    state_dir.join("runs").join(run.to_string())
}

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create_new(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), Unusable> {
    let write = || {
        let mut file = BufWriter::new(private(path)?);
        serde_json::to_writer(&mut file, value)?;
        file.flush()
    };
    write().map_err(|error| (path.to_owned(), error))
}

/// Locks a journal for as long as it is open.
fn locked(file: File, path: &Path) -> io::Result<File> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            format!("the run of `{}` still goes on", path.display()),
        )),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// The lines of a journal without a last one that was cut short.
fn complete(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| *byte == b'\n');
    end.map_or(&[], |end| &text[..=end])
}

/// Reads a journal's events; a last line that was cut short is left out.
///
/// # Errors
/// When the file cannot be read, or a line before the last is no event.
pub fn read_journal(path: &Path) -> io::Result<Vec<Event>> {
    let text = std::fs::read(path)?;
    let lines = complete(&text)
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
        .collect()
}
