//! How `apt-get` is called, and what its output tells.

use std::time::Duration;

use rustle_module::tool::{Ran, Tool};
use rustle_module::{Failure, Object, Target, locks};
use serde_json::{Value, json};

use super::args::Args;

/// The locks that `apt-get` takes where it changes packages.
const PACKAGE_LOCKS: &[&str] = &["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"];

/// The option that says how long they are waited for.
const LIMIT: &str = "`lock_timeout`";

/// The locks that it takes where it fetches lists of packages.
const LIST_LOCKS: &[&str] = &["/var/lib/apt/lists/lock"];

/// One call of `apt-get`: its options, and then a command with its operands.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct AptGet {
    /// Options of this command, in groups that messages keep apart by one space each.
    pub(super) options: Vec<Vec<String>>,
    /// The command.
    pub(super) command: &'static str,
    /// What it is about.
    pub(super) operands: Vec<String>,
    /// Options behind the operands, as Ansible shows them.
    pub(super) trailing: Vec<String>,
}

impl AptGet {
    /// The command without options of its own.
    pub(super) fn new(command: &'static str, operands: Vec<String>) -> Self {
        Self {
            options: Vec::new(),
            command,
            operands,
            trailing: Vec::new(),
        }
    }

    /// How many things it is about.
    pub(super) fn count(&self) -> usize {
        self.operands.len()
    }

    /// Adds an option, or leaves its place empty.
    pub(super) fn option(mut self, is_given: bool, option: &str) -> Self {
        let words = is_given.then(|| option.to_owned());
        self.options.push(words.into_iter().collect());
        self
    }

    /// Runs it to its end; in check mode it tells only what it would do.
    ///
    /// # Errors
    /// When it cannot be started or somebody else holds its locks for too long.
    pub(super) async fn run(&self, target: &dyn Target, args: &Args) -> Result<Ran, Failure> {
        let tool = Tool::find(target, "apt-get")?;
        let is_check = target.mode().check;
        if !is_check {
            locks::wait_for(target, PACKAGE_LOCKS, args.lock_timeout(), LIMIT).await?;
        }
        let mut words = self.words(args, is_check);
        // A name that begins with a dash is no option.
        words.push("--".to_owned());
        words.extend(self.operands.iter().cloned());
        let command = quiet(tool.command(words));
        tool.run_command(command).await
    }

    fn words(&self, args: &Args, is_check: bool) -> Vec<String> {
        let mut words = vec!["-y".to_owned()];
        for option in args.apt_options() {
            words.extend(["-o".to_owned(), option]);
        }
        words.extend(self.options.iter().flatten().cloned());
        words.extend(is_check.then(|| "--simulate".to_owned()));
        words.extend(self.trailing.iter().cloned());
        words.push(self.command.to_owned());
        words
    }

    /// The failure of a call that went wrong.
    pub(super) fn failure(&self, target: &dyn Target, args: &Args, ran: &Ran) -> Failure {
        let msg = format!("'{}' failed: {}", self.shown(target, args), ran.stderr);
        Failure::new(msg)
            .with("stdout", ran.stdout.as_str())
            .with("stderr", ran.stderr.as_str())
            .with("rc", ran.rc)
    }

    /// The call as Ansible shows it, with quotes, and a space for each option that is not given.
    fn shown(&self, target: &dyn Target, args: &Args) -> String {
        let program = Tool::look(target, "apt-get");
        let program = program.map_or_else(
            || "apt-get".to_owned(),
            |tool| tool.path().display().to_string(),
        );
        let mut shown = vec![format!("{program} -y")];
        for option in args.apt_options() {
            shown.push(if option.starts_with("Dpkg") {
                format!("-o \"{option}\"")
            } else {
                format!("-o {option}")
            });
        }
        shown.extend(self.options.iter().map(|group| group.join(" ")));
        let simulate = if target.mode().check {
            "--simulate"
        } else {
            ""
        };
        shown.extend([simulate.to_owned(), self.command.to_owned()]);
        shown.extend(self.operands.iter().map(|operand| format!("'{operand}'")));
        shown.extend(self.trailing.iter().cloned());
        shown.join(" ")
    }
}

/// A call that asks nobody anything.
fn quiet(command: rustle_process::Command) -> rustle_process::Command {
    command
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("DEBIAN_PRIORITY", "critical")
}

/// Fetches the lists of packages once.
///
/// # Errors
/// When that cannot be started, or somebody else holds its lock for too long.
pub(crate) async fn fetch_lists(target: &dyn Target, timeout: Duration) -> Result<Ran, Failure> {
    let tool = Tool::find(target, "apt-get")?;
    locks::wait_for(target, LIST_LOCKS, timeout, LIMIT).await?;
    // A list that cannot be fetched is a failure, and no warning.
    let words = ["-q", "-o", "APT::Update::Error-Mode=any", "update"];
    tool.run_command(quiet(tool.command(words))).await
}

/// Removes the packages that were fetched.
///
/// # Errors
/// When that cannot be started.
pub(super) async fn clean(target: &dyn Target) -> Result<Ran, Failure> {
    let tool = Tool::find(target, "apt-get")?;
    tool.run_command(quiet(tool.command(["clean"]))).await
}

/// The result of a call: what it wrote, and the difference, which is there also where it is empty.
pub(super) fn result(target: &dyn Target, ran: &Ran) -> Object {
    let mut result = Object::new();
    result.insert("stdout".into(), ran.stdout.as_str().into());
    result.insert("stderr".into(), ran.stderr.as_str().into());
    let diff = if target.mode().diff {
        prepared(&ran.stdout)
    } else {
        json!({})
    };
    result.insert("diff".into(), diff);
    result
}

/// What `apt-get` announced, from its first list to its summary.
fn prepared(stdout: &str) -> Value {
    let lines: Vec<&str> = stdout.lines().collect();
    let is_list = |line: &&str| line.starts_with("The following ") && line.contains(" packages ");
    let start = lines.iter().position(is_list).unwrap_or(lines.len());
    let rest = &lines[start..];
    let is_summary = |line: &&str| summary(line).is_some();
    let end = rest
        .iter()
        .position(is_summary)
        .map_or(rest.len(), |at| at + 1);
    json!({ "prepared": rest[..end].join("\n") })
}

/// How many packages `apt-get` upgrades, installs anew and removes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Summary {
    pub(super) upgraded: usize,
    pub(super) installed: usize,
    pub(super) removed: usize,
}

/// Reads `1 upgraded, 0 newly installed, 0 to remove and 3 not upgraded.`
fn summary(line: &str) -> Option<Summary> {
    let number = |word: &str| -> Option<usize> {
        let before = line.split(word).next().filter(|before| *before != line)?;
        let at = before.trim_end().rsplit([' ', ',']).next()?;
        at.parse().ok()
    };
    Some(Summary {
        upgraded: number(" upgraded,")?,
        installed: number(" newly installed")?,
        removed: number(" to remove")?,
    })
}

/// The summary in the output of `apt-get`, or of nothing where there is none.
pub(super) fn find_summary(stdout: &str) -> Summary {
    stdout.lines().find_map(summary).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "Reading package lists...
Building dependency tree...
The following NEW packages will be installed:
  hello
0 upgraded, 1 newly installed, 0 to remove and 4 not upgraded.
Inst hello (2.10-3 Debian:12.4/stable [amd64])
";

    #[test]
    fn summaries_are_counted() {
        let found = find_summary(OUTPUT);
        assert_eq!((found.upgraded, found.installed, found.removed), (0, 1, 0));
        let some = "1 upgraded, 2 newly installed, 13 to remove and 0 not upgraded.";
        assert_eq!(summary(some).map(|found| found.removed), Some(13));
        assert_eq!(summary("Reading package lists..."), None);
    }

    #[test]
    fn difference_is_what_was_announced() {
        let expected = "The following NEW packages will be installed:\n  hello\n0 upgraded, 1 newly installed, 0 to remove and 4 not upgraded.";
        assert_eq!(prepared(OUTPUT), json!({ "prepared": expected }));
        assert_eq!(prepared("nothing"), json!({ "prepared": "" }));
    }
}
