//! The journal: every event of a run, on disk before any reader sees it.
//!
//! A run has a folder of its own, mode 0700: `plan.json` (the plan as it was read), and `journal.jsonl`, one event a line,
//! the first being `run_started` with the version of the vocabulary. Live output is not kept. A last line that is cut short
//! does not count. Lines are written as they come and forced to the disk in groups.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustle_events::{Event, EventKind};
use rustle_types::{ExecutionPlan, RunId};

/// The longest time that a written line may not be on the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);

/// Writes a run's journal.
pub(crate) struct Journal {
    lines: BufWriter<File>,
    synced: Instant,
    is_dirty: bool,
}

impl Journal {
    /// Makes the run's folder under `state_dir`.
    pub(crate) fn create(
        state_dir: &Path,
        run: RunId,
        plan: &ExecutionPlan,
    ) -> Result<Self, (PathBuf, io::Error)> {
        let folder = state_dir.join("runs").join(run.to_string());
        let at = |path: &Path| {
            let path = path.to_owned();
            move |error| (path, error)
        };
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(at(&folder))?;
        let plan_path = folder.join("plan.json");
        let plan_file = private(&plan_path).map_err(at(&plan_path))?;
        serde_json::to_writer(BufWriter::new(plan_file), plan)
            .map_err(|error| (plan_path, error.into()))?;
        let path = folder.join("journal.jsonl");
        let lines = BufWriter::new(private(&path).map_err(at(&path))?);
        Ok(Self {
            lines,
            synced: Instant::now(),
            is_dirty: false,
        })
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

fn private(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create_new(true)
        .append(true)
        .mode(0o600)
        .open(path)
}

/// Reads a journal's events; a last line that was cut short is left out.
///
/// # Errors
/// When the file cannot be read, or a line before the last is no event.
pub fn read_journal(path: &Path) -> io::Result<Vec<Event>> {
    let text = std::fs::read(path)?;
    let complete = text
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(&[][..], |end| &text[..end]);
    let lines = complete
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty());
    lines
        .map(|line| serde_json::from_slice(line).map_err(io::Error::from))
        .collect()
}
