//! The log: what `tracing` is told, into the file of `--log-file`.

use std::fs::OpenOptions;
use std::sync::Mutex;

use crate::errors::CliError;
use crate::settings::OutputSettings;

/// Starts the log where one is asked for; lines are added to a file that is there.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn start(output: &OutputSettings) -> Result<(), CliError> {
    let Some(path) = &output.log_file else {
        return Ok(());
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    let file = file.map_err(|source| CliError::Unwritable {
        path: path.clone(),
        source,
    })?;
    // Only a second call would find one set, and the first one's log goes on then.
    let _ = tracing_subscriber::fmt()
        .with_writer(Mutex::new(file))
        .with_ansi(false)
        .with_max_level(output.log_level)
        .try_init();
    Ok(())
}
