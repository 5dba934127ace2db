//! The `validate` option: a command that judges new content before it takes its place.

use std::path::Path;

use rustle_module::{Failure, Target, expand_path};
use rustle_process::{Command, Finished, ProcessError, split_command};

/// Runs the command on a file, whose path takes the place of `%s`. No shell is involved.
///
/// # Errors
/// When it has no `%s` or more than one, is no list of words, or cannot be started. One that
/// does not accept the file is a [`Finished`].
pub(crate) async fn run(
    target: &dyn Target,
    template: &str,
    path: &Path,
) -> Result<Finished, Failure> {
    if !template.contains("%s") {
        return Err(Failure::new(format!(
            "validate must contain %s: {template}"
        )));
    }
    if template.matches("%s").count() > 1 {
        let text = "Task failed: Module failed: not enough arguments for format string";
        return Err(Failure::new(text));
    }
    let path = path.to_string_lossy();
    let fill = |text: &str| text.replace("%s", &path).replace("%%", "%");
    let words = split_command(template)
        .map_err(|error| Failure::new(format!("Task failed: Module failed: {error}")))?;
    let mut words = words.iter().map(|word| fill(&expand_path(word, target)));
    let program = words.next().unwrap_or_default();
    let command = Command::new(program).args(words);
    target
        .run(command)
        .await
        .map_err(|error| not_started(&error, fill(template)))
}

fn not_started(error: &ProcessError, command: String) -> Failure {
    let number = error.io_error().and_then(std::io::Error::raw_os_error);
    Failure::new("Error executing command.")
        .with("rc", number.unwrap_or(-1))
        .with("stdout", "")
        .with("stderr", "")
        .with("cmd", command)
}
