//! The report as a file.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustle_events::{Event, ReportFold, Reporter};
use rustle_types::ExecutionReport;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The file could not be written; one that stood there before is as it was.
    #[error("report `{}` could not be written", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The report has no JSON form.
    #[error("report `{}` could not be made", path.display())]
    Encode {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The run ended before it began.
    #[error("report `{}` was not written, because the run did not begin", path.display())]
    NoRun {
        /// The file.
        path: PathBuf,
    },
}

/// Tells whether the report of a [`JsonReportFile`] was written; cheap to clone, and outlives the reporter.
#[derive(Clone, Debug, Default)]
pub struct ReportOutcome(Arc<OnceLock<Result<(), ReportError>>>);

impl ReportOutcome {
    /// How the writing ended; nothing while the run goes on.
    #[must_use]
    pub fn result(&self) -> Option<&Result<(), ReportError>> {
        self.0.get()
    }

    /// Why there is no report, if that is so.
    #[must_use]
    pub fn error(&self) -> Option<&ReportError> {
        self.result().and_then(|result| result.as_ref().err())
    }
}

/// Folds a run and writes its report when it ends.
pub struct JsonReportFile {
    path: PathBuf,
    fold: Option<ReportFold>,
    outcome: ReportOutcome,
}

impl JsonReportFile {
    /// Prepares a report at `path`, and makes sure that it can be written there before the run begins.
    ///
    /// # Errors
    /// When no file can be made in the folder of `path`.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ReportError> {
        let path = path.into();
        let tried = match Place::of(&path) {
            Place::Stream => Ok(()),
            Place::File { target, .. } if target.is_dir() => {
                Err(io::ErrorKind::IsADirectory.into())
            }
            Place::File { folder, .. } => temporary(&folder).map(drop),
        };
        tried.map_err(|source| ReportError::Write {
            path: path.clone(),
            source,
        })?;
        Ok(Self {
            path,
            fold: Some(ReportFold::new()),
            outcome: ReportOutcome::default(),
        })
    }

    /// A handle that tells, once the run has ended, whether the report was written.
    #[must_use]
    pub fn outcome(&self) -> ReportOutcome {
        self.outcome.clone()
    }
}

impl Reporter for JsonReportFile {
    fn note(&mut self, event: &Event) {
        if let Some(fold) = &mut self.fold {
            fold.note(event);
        }
    }

    fn finish(&mut self) {
        let Some(fold) = self.fold.take() else { return };
        let result = match fold.finish() {
            Some(report) => write_report(&self.path, &report),
            None => Err(ReportError::NoRun {
                path: self.path.clone(),
            }),
        };
        // The fold was taken above, so that this is the first time.
        let _ = self.outcome.0.set(result);
    }
}

/// Writes a report as JSON: whole, or not at all.
///
/// A symbolic link is followed. What is no regular file (a pipe, `/dev/stdout`) is written to as it is. A new file gets the
/// permissions that the umask leaves; one that stands there keeps its own.
///
/// # Errors
/// When the file cannot be written.
pub fn write_report(path: &Path, report: &ExecutionReport) -> Result<(), ReportError> {
    let mut json = serde_json::to_vec_pretty(report).map_err(|source| ReportError::Encode {
        path: path.to_owned(),
        source,
    })?;
    json.push(b'\n');
    let written = match Place::of(path) {
        Place::Stream => OpenOptions::new()
            .write(true)
            .open(path)
            .and_then(|mut file| file.write_all(&json)),
        Place::File { folder, target } => replace(&folder, &target, &json),
    };
    written.map_err(|source| ReportError::Write {
        path: path.to_owned(),
        source,
    })
}

/// What stands where the report is to be.
enum Place {
    Stream,
    File { folder: PathBuf, target: PathBuf },
}

impl Place {
    fn of(path: &Path) -> Self {
        if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Self::Stream;
        }
        let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        Self::File { folder, target }
    }
}

fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    tempfile::Builder::new()
        .prefix(".rustle-report-")
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)
}

fn replace(folder: &Path, target: &Path, content: &[u8]) -> io::Result<()> {
    let file = temporary(folder)?;
    if let Ok(there) = fs::metadata(target) {
        file.as_file().set_permissions(there.permissions())?;
    }
    let mut writer = BufWriter::new(file.as_file());
    writer.write_all(content)?;
    writer.flush()?;
    drop(writer);
    file.as_file().sync_all()?;
    file.persist(target).map_err(|error| error.error)?;
    // The rename lasts once its folder is on the disk. Some file systems cannot sync folders; the report is there all the same.
    let _ = File::open(folder).and_then(|folder| folder.sync_all());
    Ok(())
}

#[cfg(test)]
mod tests {
    use rustle_types::ExitStatus;

    use super::*;
    use crate::story::{Story, changed};

    fn story() -> Story {
        let mut story = Story::begin("web", &["web1"]);
        story
            .task(0, "Ping", "ping", &[("web1", changed())])
            .finish(ExitStatus::Done);
        story
    }

    #[test]
    fn report_is_written_at_the_end_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        let mut file = JsonReportFile::open(&path).unwrap();
        let outcome = file.outcome();
        story().events.iter().for_each(|event| file.note(event));
        assert!(!path.exists() && outcome.result().is_none());
        file.finish();
        assert!(outcome.error().is_none() && outcome.result().is_some());
        let report: ExecutionReport = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(
            (report.summary.changed_tasks, report.task_results.len()),
            (1, 1)
        );
        let left: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn report_in_a_folder_that_is_not_there_fails_before_the_run() {
        let error = JsonReportFile::open("/nowhere/at/all/report.json")
            .err()
            .unwrap();
        assert_eq!(
            error.to_string(),
            "report `/nowhere/at/all/report.json` could not be written"
        );
    }

    #[test]
    fn folder_that_goes_away_is_told_by_the_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = JsonReportFile::open(folder.path().join("report.json")).unwrap();
        let outcome = file.outcome();
        drop(folder);
        story().play_to(&mut file);
        assert!(matches!(outcome.error(), Some(ReportError::Write { .. })));
    }

    #[test]
    fn report_keeps_permissions_and_follows_links() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (
            folder.path().join("real.json"),
            folder.path().join("link.json"),
        );
        fs::write(&target, "old").unwrap();
        fs::set_permissions(&target, Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        story().play_to(&mut JsonReportFile::open(&link).unwrap());
        assert!(link.is_symlink());
        assert_eq!(
            fs::metadata(&target).unwrap().permissions().mode() & 0o777,
            0o640
        );
        assert!(fs::read_to_string(&target).unwrap().starts_with('{'));
    }

    #[test]
    fn run_that_did_not_begin_has_no_report() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = JsonReportFile::open(folder.path().join("report.json")).unwrap();
        file.finish();
        assert!(matches!(
            file.outcome().error(),
            Some(ReportError::NoRun { .. })
        ));
    }
}
