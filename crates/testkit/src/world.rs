//! An environment that holds nothing of the machine's user, for command-line tests.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::invocation::Invocation;
use crate::mask::Masks;
use crate::sshd::Sshd;

/// A temporary folder to work in, with a home and an environment of its own.
///
/// Of the caller's environment only `PATH` is kept. Output is plain, 100 columns wide, in UTC and English. The
/// folder is removed on drop.
///
/// ```
/// let world = rustle_testkit::World::new();
/// world.write("greeting.txt", "hello\n");
/// let output = world.command("cat").arg("greeting.txt").run();
/// output.success();
/// assert_eq!(output.stdout, "hello\n");
/// ```
pub struct World {
    folder: TempDir,
    environment: BTreeMap<OsString, OsString>,
    masks: Masks,
}

impl World {
    /// Makes an empty world.
    #[must_use]
    #[expect(
        clippy::new_without_default,
        reason = "making one touches the disk, which no `Default` should"
    )]
    pub fn new() -> Self {
        // Short, since sockets of ssh connections lie in it, and a socket's path holds 107 bytes.
        let folder = tempfile::Builder::new()
            .prefix("rustle-")
            .tempdir()
            .expect("a temporary folder can be made");
        let mut world = Self {
            environment: BTreeMap::new(),
            masks: Masks::default(),
            folder,
        };
        for (name, value) in [
            ("COLUMNS", "100"),
            ("LC_ALL", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("TERM", "dumb"),
            ("TZ", "UTC"),
        ] {
            world.set_env(name, value);
        }
        world.set_env(
            "PATH",
            std::env::var_os("PATH").unwrap_or_else(|| "/usr/sbin:/usr/bin:/sbin:/bin".into()),
        );
        for (name, place) in [
            ("HOME", "home"),
            ("TMPDIR", "tmp"),
            ("XDG_CACHE_HOME", "home/.cache"),
            ("XDG_CONFIG_HOME", "home/.config"),
            ("XDG_DATA_HOME", "home/.local/share"),
            ("XDG_RUNTIME_DIR", "run"),
            ("XDG_STATE_HOME", "home/.local/state"),
        ] {
            let place = world.make_private_folder(place);
            world.set_env(name, place);
        }
        world.make_private_folder("work");
        world.mask(
            world
                .path("")
                .to_string_lossy()
                .trim_end_matches('/')
                .to_owned(),
            "$DIR",
        );
        world.mask(world.home().to_string_lossy(), "$HOME");
        world
    }

    /// Returns the path of `name` in the folder that programs are run in.
    #[must_use]
    pub fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join("work").join(name)
    }

    /// Returns the home folder.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Writes a file, with the folders above it, and returns its path.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        let parent = path.parent().expect("a file has a parent");
        fs::create_dir_all(parent)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", parent.display()));
        fs::write(&path, content)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        path
    }

    /// Returns a file's text, or panics where there is none.
    #[must_use]
    pub fn read(&self, name: impl AsRef<Path>) -> String {
        let path = self.path(name);
        fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
    }

    /// Sets an environment variable for all later runs.
    pub fn set_env(&mut self, name: impl Into<OsString>, value: impl Into<OsString>) {
        self.environment.insert(name.into(), value.into());
    }

    /// Replaces `text` by `name` in the masked output of all later runs.
    pub fn mask(&mut self, text: impl Into<String>, name: impl Into<String>) {
        self.masks.add(text, name);
    }

    /// Masks a server's port as `$PORT`, its home as `$HOST_HOME` and its folder as `$HOST_DIR`.
    pub fn mask_host(&mut self, host: &Sshd) {
        self.mask(host.port().to_string(), "$PORT");
        self.mask(host.home().to_string_lossy(), "$HOST_HOME");
        self.mask(host.folder().to_string_lossy(), "$HOST_DIR");
    }

    /// Starts to describe a run of `program` in this world: a name on `PATH`, or the path that a test has from
    /// `env!("CARGO_BIN_EXE_rustle-exec")`.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Invocation {
        let mut invocation =
            Invocation::new(program.as_ref(), self.masks.clone()).current_dir(self.path(""));
        for (name, value) in &self.environment {
            invocation = invocation.env(name, value);
        }
        invocation
    }

    /// Makes a folder that only we can enter, as programs demand of `XDG_RUNTIME_DIR` and their caches.
    fn make_private_folder(&self, name: &str) -> PathBuf {
        use std::os::unix::fs::DirBuilderExt as _;
        let path = self.folder.path().join(name);
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&path)
            .unwrap_or_else(|error| panic!("cannot make {}: {error}", path.display()));
        path
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::Signal;
    use std::time::Duration;

    #[test]
    fn only_path_comes_from_outside() {
        let output = World::new().command("env").run();
        output.success();
        let names: Vec<_> = output
            .stdout
            .lines()
            .filter_map(|line| Some(line.split_once('=')?.0))
            .collect();
        assert!(
            names.contains(&"PATH") && names.contains(&"HOME"),
            "{names:?}"
        );
        assert!(
            !names
                .iter()
                .any(|name| name.starts_with("CARGO") || *name == "SSH_AUTH_SOCK"),
            "{names:?}"
        );
    }

    #[test]
    fn output_is_masked_and_shown_in_one_text() {
        let world = World::new();
        let script = "cat; pwd; echo took 1.25s >&2; printf end >&2; exit 3";
        let output = world.command("sh").args(["-c", script]).stdin("in\n").run();
        output.expect_code(3);
        assert_eq!(
            output.to_string(),
            "exit status: 3\n----- stdout\nin\n$DIR\n----- stderr\ntook [time]\nend[no newline]\n"
        );
    }

    #[test]
    fn killed_program_has_the_code_that_a_shell_gives_it() {
        let running = World::new()
            .command("sh")
            .args(["-c", "echo ready; exec sleep 600"])
            .spawn();
        running.wait_for_stdout("ready");
        running.signal(Signal::TERM);
        assert_eq!(running.wait().code, 128 + 15);
    }

    #[test]
    #[should_panic(expected = "still runs after")]
    fn run_that_takes_too_long_fails_with_what_it_printed() {
        let _ = World::new()
            .command("sleep")
            .arg("600")
            .timeout(Duration::from_millis(50))
            .run();
    }

    #[test]
    fn daemon_that_holds_the_output_does_not_hang_the_test() {
        let world = World::new();
        let output = world
            .command("sh")
            .args(["-c", "setsid sleep 3 & echo $!"])
            .run();
        output.success();
        assert!(output.stdout.trim().parse::<u32>().is_ok(), "{output}");
    }
}
