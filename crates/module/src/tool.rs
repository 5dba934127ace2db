//! Programs of the system that modules drive: never by a shell, always with the same language.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use rustle_process::{Command, shell_quote};
use rustle_types::Object;

use crate::result::Failure;
use crate::target::Target;

/// How a program ended, and what it wrote.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ran {
    /// The exit code, or the negative number of the signal.
    pub rc: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
}

impl Ran {
    /// Whether it ended well.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.rc == 0
    }

    /// Adds what another program wrote and, if that failed, how it ended.
    pub fn join(&mut self, other: &Self) {
        if other.rc != 0 {
            self.rc = other.rc;
        }
        self.stdout.push_str(&other.stdout);
        self.stderr.push_str(&other.stderr);
    }

    /// A failure that says what the program said of it. `line` is the command.
    #[must_use]
    pub fn failure(&self, line: String) -> Failure {
        Failure::new(self.stderr.trim_end())
            .with("cmd", line)
            .with("rc", self.rc)
            .with("stdout", self.stdout.as_str())
            .with("stderr", self.stderr.as_str())
    }

    /// Adds what was written to a result, where something was.
    pub fn add_to(&self, result: &mut Object) {
        for (key, text) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !text.is_empty() {
                result.insert(key.into(), text.as_str().into());
            }
        }
    }
}

/// A program of the system, found where the system keeps its own.
pub struct Tool<'a> {
    target: &'a dyn Target,
    path: PathBuf,
}

impl<'a> Tool<'a> {
    /// The program called `name`.
    ///
    /// # Errors
    /// When it is not installed.
    pub fn find(target: &'a dyn Target, name: &str) -> Result<Self, Failure> {
        let missing = || {
            let folders = folders(target);
            let folders = folders.join(":");
            Failure::new(format!(
                "Failed to find required executable \"{name}\" in paths: {folders}"
            ))
        };
        Self::look(target, name).ok_or_else(missing)
    }

    /// The program called `name`, if it is installed.
    #[must_use]
    pub fn look(target: &'a dyn Target, name: &str) -> Option<Self> {
        let folders = folders(target);
        let path = folders.iter().map(|folder| Path::new(folder).join(name));
        let path = path.into_iter().find(|path| path.is_file())?;
        Some(Self { target, path })
    }

    /// The program at `path`, wherever that is.
    #[must_use]
    pub fn at(target: &'a dyn Target, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        Self { target, path }
    }

    /// The program's path and its arguments.
    pub fn words(&self, args: &[impl AsRef<OsStr>]) -> Vec<String> {
        let args = args.iter().map(AsRef::as_ref);
        std::iter::once(self.path.as_os_str())
            .chain(args)
            .map(|word| word.to_string_lossy().into_owned())
            .collect()
    }

    /// The same in one line, with quotes where they are needed.
    pub fn line(&self, args: &[impl AsRef<OsStr>]) -> String {
        let words = self.words(args);
        let quoted: Vec<_> = words.iter().map(|word| shell_quote(word)).collect();
        quoted.join(" ")
    }

    /// Where the program is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The program with arguments, in the language that we read.
    #[must_use]
    pub fn command(&self, args: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Command {
        Command::new(&self.path)
            .args(args)
            .env("LC_ALL", "C")
            .env("LANGUAGE", "C")
    }

    /// Runs the program to its end.
    ///
    /// # Errors
    /// When it cannot be started, or the task is cancelled.
    pub async fn run(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
    ) -> Result<Ran, Failure> {
        self.run_command(self.command(args)).await
    }

    /// Runs the program as [`command`](Self::command) made it.
    ///
    /// # Errors
    /// When it cannot be started, or the task is cancelled.
    pub async fn run_command(&self, command: Command) -> Result<Ran, Failure> {
        let finished = self
            .target
            .run(command)
            .await
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(Ran {
            rc: finished.status.to_return_code(),
            stdout: finished.stdout.to_string_lossy(),
            stderr: finished.stderr.to_string_lossy(),
        })
    }
}

/// Where programs are looked for: in `PATH`, and where those of the administrator are.
fn folders(target: &dyn Target) -> Vec<String> {
    let path = target.variable("PATH").unwrap_or_default();
    let given = path.split(':').filter(|folder| !folder.is_empty());
    let mut folders: Vec<String> = given.map(ToOwned::to_owned).collect();
    for folder in ["/sbin", "/usr/sbin", "/usr/local/sbin", "/bin", "/usr/bin"] {
        if !folders.iter().any(|given| given == folder) {
            folders.push(folder.to_owned());
        }
    }
    folders
}
