//! The key that a user gets.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, chown, lchown};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustle_module::{Failure, Output, Target};

use super::Args;
use super::account::Account;
use rustle_module::tool::{Ran, Tool};

/// The comment of a key where none is asked for; the host's name takes the place of the variable.
pub(super) const DEFAULT_COMMENT: &str = "ansible-generated on $HOSTNAME";

/// The variable by which a passphrase gets to the program that hands it to `ssh-keygen`.
const PASSPHRASE: &str = "RUSTLE_PASSPHRASE";

/// A user's key.
pub(super) struct SshKey {
    path: PathBuf,
    /// Whether it is there.
    pub(super) exists: bool,
    /// Whether it was there before, and is not to be made anew.
    kept: bool,
    fingerprint: String,
}

impl SshKey {
    /// Looks at a key that may be there.
    ///
    /// # Errors
    /// When `ssh-keygen` cannot be run.
    pub(super) async fn look(
        target: &dyn Target,
        args: &Args,
        account: &Account,
    ) -> Result<Self, Failure> {
        let default = format!(".ssh/id_{}", args.ssh_key_type);
        let file = args.ssh_key_file.as_deref().unwrap_or(&default);
        let path = account.home().join(file);
        let exists = path.exists() && !args.force;
        let mut key = Self {
            fingerprint: String::new(),
            kept: exists,
            exists,
            path,
        };
        if exists {
            key.look_at_fingerprint(target).await?;
        }
        Ok(key)
    }

    async fn look_at_fingerprint(&mut self, target: &dyn Target) -> Result<(), Failure> {
        let tool = Tool::find(target, "ssh-keygen")?;
        let ran = tool.run(["-l".as_ref(), "-f".as_ref(), self.path.as_os_str()]);
        let ran = ran.await?;
        let text = if ran.rc == 0 { ran.stdout } else { ran.stderr };
        text.trim().clone_into(&mut self.fingerprint);
        Ok(())
    }

    /// Makes the key; one that is there already is replaced.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) async fn make(
        &mut self,
        target: &dyn Target,
        args: &Args,
        account: &Account,
    ) -> Result<(), Failure> {
        if !account.home().exists() {
            let home = &account.user.home;
            let msg = format!("User {} home directory does not exist", args.name);
            return Err(args.failure(format!("{msg}: {home}")));
        }
        let owner = (Some(account.user.uid), Some(account.user.gid));
        let folder = self.path.parent().unwrap_or(account.home()).to_owned();
        let failed = |error: io::Error| {
            let folder = folder.display();
            args.failure(format!("Failed to create {folder}: {error}"))
        };
        if !folder.exists() {
            DirBuilder::new()
                .mode(0o700)
                .create(&folder)
                .and_then(|()| chown(&folder, owner.0, owner.1))
                .map_err(failed)?;
        }
        if self.path.exists() {
            fs::remove_file(&self.path).map_err(failed)?;
        }
        let ran = self.run_keygen(target, args).await?;
        if ran.rc != 0 {
            let text = if ran.stderr.is_empty() {
                ran.stdout
            } else {
                ran.stderr
            };
            return Err(args.failure(text).with("rc", ran.rc));
        }
        for path in [self.path.clone(), public(&self.path)] {
            lchown(&path, owner.0, owner.1).map_err(failed)?;
        }
        self.exists = true;
        self.look_at_fingerprint(target).await
    }

    async fn run_keygen(&self, target: &dyn Target, args: &Args) -> Result<Ran, Failure> {
        let tool = Tool::find(target, "ssh-keygen")?;
        let comment = match args.ssh_key_comment.as_str() {
            DEFAULT_COMMENT => DEFAULT_COMMENT.replace("$HOSTNAME", &host_name()),
            other => other.to_owned(),
        };
        let mut words = vec!["-t".to_owned(), args.ssh_key_type.clone()];
        if let Some(bits) = args.ssh_key_bits.filter(|bits| *bits > 0) {
            words.extend(["-b".to_owned(), bits.to_string()]);
        }
        words.extend(["-C".to_owned(), comment, "-q".to_owned(), "-f".to_owned()]);
        let Some(passphrase) = args.ssh_key_passphrase.as_deref().filter(|p| !p.is_empty()) else {
            words.extend([self.path.to_string_lossy().into_owned()]);
            words.extend(["-N".to_owned(), String::new()]);
            return tool.run(words).await;
        };
        words.extend([self.path.to_string_lossy().into_owned()]);
        let answer = Answer::new(target).map_err(|error| args.failure(error.to_string()))?;
        let command = tool
            .command(words)
            .env(PASSPHRASE, passphrase)
            .env("SSH_ASKPASS", &answer.path)
            .env("SSH_ASKPASS_REQUIRE", "force")
            .env("DISPLAY", ":0")
            .new_session();
        tool.run_command(command).await
    }

    /// Adds what results say of the key.
    pub(super) fn add_to(&self, output: &mut Output) {
        let public = fs::read_to_string(public(&self.path)).unwrap_or_default();
        let path = self.path.to_string_lossy().into_owned();
        if self.kept {
            output.warnings.push(format!(
                "Found existing ssh key private file \"{path}\", no force, so skipping ssh-keygen generation"
            ));
        }
        let fields = [
            ("ssh_fingerprint", self.fingerprint.clone()),
            ("ssh_key_file", path),
            ("ssh_public_key", public.trim().to_owned()),
        ];
        for (key, value) in fields {
            output.result.insert(key.into(), value.into());
        }
    }
}

fn public(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

/// How many of them there were, so that no two have the same name.
static ANSWERS: AtomicU64 = AtomicU64::new(0);

/// A program that hands a passphrase of its environment to `ssh-keygen`; removed on drop.
struct Answer {
    path: PathBuf,
}

impl Answer {
    fn new(target: &dyn Target) -> io::Result<Self> {
        let count = ANSWERS.fetch_add(1, Ordering::Relaxed);
        let name = format!("askpass-{}-{count}", std::process::id());
        let path = target.temp_dir().join(name);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create_new(true)
            .mode(0o700)
            .open(&path)?;
        let answer = Self { path };
        writeln!(file, "#!/bin/sh\nprintf '%s\\n' \"${PASSPHRASE}\"")?;
        Ok(answer)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        // It holds no secret, so one that stays is only untidy.
        let _ignored = fs::remove_file(&self.path);
    }
}
