//! Passwords in files, and those that programs print.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustle_process::{CancelToken, Command};
use rustle_types::Secret;

use crate::errors::CliError;

/// The password in a file, or in the output of one that may be executed; the end of its line does not count.
///
/// # Errors
/// When it cannot be read, the program fails, or there is none.
pub(crate) async fn read(what: &'static str, path: &Path) -> Result<Secret, CliError> {
    let wrong = |reason: &str| CliError::Password {
        what,
        origin: format!("`{}`", path.display()),
        reason: reason.to_owned(),
    };
    let content = content(what, path, |_| Vec::new()).await?;
    let text = String::from_utf8(content).map_err(|_| wrong("it is not UTF-8"))?;
    match text.trim_end_matches(['\n', '\r']) {
        "" => Err(wrong("it is empty")),
        password => Ok(Secret::new(password.to_owned())),
    }
}

/// What a file holds; where it may be executed, what it prints when it is called with these arguments.
pub(crate) async fn content(
    what: &'static str,
    path: &Path,
    arguments: impl FnOnce(&Path) -> Vec<String>,
) -> Result<Vec<u8>, CliError> {
    let wrong = |reason: String| CliError::Password {
        what,
        origin: format!("`{}`", path.display()),
        reason,
    };
    let path = expanded(path);
    let metadata = std::fs::metadata(&path).map_err(|error| wrong(error.to_string()))?;
    if metadata.permissions().mode() & 0o111 == 0 {
        return std::fs::read(&path).map_err(|error| wrong(error.to_string()));
    }
    let program = std::path::absolute(&path).map_err(|error| wrong(error.to_string()))?;
    let command = Command::new(&program).args(arguments(&program));
    let finished = command
        .run(&CancelToken::new())
        .await
        .map_err(|error| wrong(error.to_string()))?;
    if !finished.is_success() {
        let stderr = finished.stderr.to_string_lossy();
        let code = finished.status.to_return_code();
        return Err(wrong(format!(
            "the program ended with {code}: {}",
            stderr.trim()
        )));
    }
    Ok(finished.stdout.bytes().to_vec())
}

fn expanded(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => Path::new(&home).join(rest),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn end_of_the_line_is_no_part_of_a_password_and_blanks_are() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, " s3 cret \n").unwrap();
        let password = read("ssh password", &file).await.unwrap();
        assert_eq!(password.expose(), " s3 cret ");
        std::fs::write(&file, "\n").unwrap();
        let error = read("ssh password", &file).await.unwrap_err().to_string();
        let expected = format!("no ssh password from `{}`: it is empty", file.display());
        assert_eq!(error, expected);
    }
}
