//! The runs whose folders are there.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use rustle_events::{Event, EventKind};
use rustle_types::{ExitStatus, RunId};
use serde_json::Value;

use crate::execution::journal::{JOURNAL, ORIGIN, PLAN};

/// How much of a journal's end is read to find its last event.
const TAIL: u64 = 64 * 1024;

/// A run whose folder is there.
#[derive(Clone, Debug)]
pub struct PastRun {
    /// Its id.
    pub id: RunId,
    /// When it began.
    pub started: DateTime<Utc>,
    /// How it stands.
    pub state: PastState,
    /// What the front end noted of it.
    pub origin: Value,
    /// The plan as it was read.
    pub plan: PathBuf,
}

/// How a run stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PastState {
    /// It goes on.
    Running,
    /// It ended so.
    Ended(ExitStatus),
    /// It stopped without an end.
    Interrupted,
}

/// The runs under `state_dir`, the last one first. Folders that are no runs are left out.
///
/// # Errors
/// When the folder is there and cannot be listed.
pub fn past_runs(state_dir: &Path) -> io::Result<Vec<PastRun>> {
    let entries = match fs::read_dir(state_dir.join("runs")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut runs: Vec<PastRun> = entries
        .filter_map(|entry| {
            let folder = entry.ok()?.path();
            let id = folder.file_name()?.to_str()?.parse().ok()?;
            past_run(id, &folder).ok()?
        })
        .collect();
    runs.sort_by_key(|run| std::cmp::Reverse((run.started, run.id.to_string())));
    Ok(runs)
}

fn past_run(id: RunId, folder: &Path) -> io::Result<Option<PastRun>> {
    let mut journal = File::open(folder.join(JOURNAL))?;
    let mut line = String::new();
    BufReader::new(&journal).read_line(&mut line)?;
    let Ok(first) = serde_json::from_str::<Event>(&line) else {
        return Ok(None);
    };
    let state = match journal.try_lock_shared() {
        Err(TryLockError::WouldBlock) => PastState::Running,
        _ => match last_event(&mut journal)?.map(|event| event.kind) {
            Some(EventKind::RunFinished { exit, .. }) => PastState::Ended(exit),
            _ => PastState::Interrupted,
        },
    };
    let origin = fs::read(folder.join(ORIGIN)).unwrap_or_default();
    Ok(Some(PastRun {
        id,
        started: first.at,
        state,
        origin: serde_json::from_slice(&origin).unwrap_or_default(),
        plan: folder.join(PLAN),
    }))
}

/// The last event of a journal, where it is small and whole.
fn last_event(journal: &mut File) -> io::Result<Option<Event>> {
    let length = journal.metadata()?.len();
    journal.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    journal.read_to_end(&mut tail)?;
    let Some(tail) = tail.strip_suffix(b"\n") else {
        return Ok(None);
    };
    let line = tail.rsplit(|byte| *byte == b'\n').next();
    Ok(line.and_then(|line| serde_json::from_slice(line).ok()))
}
