//! The programs of the system that the tests need, and where they come from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Folders that an ordinary user's `PATH` may lack, where Debian keeps servers.
const SERVER_FOLDERS: [&str; 3] = ["/usr/sbin", "/usr/local/sbin", "/sbin"];

/// Starts to describe a child process: the one place here where a command is made.
#[expect(
    clippy::disallowed_methods,
    reason = "tests watch the product from outside, so they do not start it by its own library"
)]
pub(crate) fn command(program: impl AsRef<OsStr>) -> Command {
    Command::new(program)
}

/// Finds `name`, or panics with the Debian package that brings it.
pub(crate) fn require(name: &str, package: &str) -> PathBuf {
    find(name).unwrap_or_else(|| {
        panic!("the tests need `{name}`, which is not installed: apt-get install -y {package} (Debian, Ubuntu)")
    })
}

fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(SERVER_FOLDERS.iter().map(PathBuf::from))
        .map(|folder| folder.join(name))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata()
        .is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
}

/// Runs a small tool to its end and returns what it printed; panics with its errors where it fails.
pub(crate) fn run_tool(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed, {}: {}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "apt-get install -y some-package")]
    fn missing_program_names_its_package() {
        require("no-such-program-anywhere", "some-package");
    }
}
