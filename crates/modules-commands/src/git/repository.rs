//! A repository, and what `git` does with it.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use rustle_module::tool::{Ran, Tool};
use rustle_module::{Failure, Target, random_name};

use super::args::Args;
use super::is_there;

/// A working copy and where it comes from.
pub(super) struct Repository<'a> {
    pub(super) args: &'a Args,
    pub(super) dest: String,
    pub(super) url: String,
    target: &'a dyn Target,
    tool: Tool<'a>,
}

impl<'a> Repository<'a> {
    pub(super) fn new(target: &'a dyn Target, args: &'a Args) -> Result<Self, Failure> {
        let tool = match &args.executable {
            Some(path) => Tool::at(target, path),
            None => Tool::find(target, "git")?,
        };
        // Depths need a URL also where the repository is on this machine.
        let url = rustle_module::expand_path(&args.repo, target);
        let url = if url.starts_with('/') {
            format!("file://{url}")
        } else {
            args.repo.clone()
        };
        let dest = args.dest.trim_end_matches('/');
        Ok(Self {
            args,
            dest: if dest.is_empty() { "/" } else { dest }.to_owned(),
            url,
            target,
            tool,
        })
    }

    /// Where the repository's own files are.
    fn folder(&self) -> Result<PathBuf, Failure> {
        let dest = Path::new(&self.dest);
        if self.args.bare {
            return Ok(dest.to_owned());
        }
        let folder = dest.join(".git");
        if !folder.is_file() {
            return Ok(folder);
        }
        let text = fs::read_to_string(&folder).unwrap_or_default();
        let elsewhere = text
            .trim_end()
            .strip_prefix("gitdir: ")
            .map(|path| dest.join(path));
        elsewhere.filter(|folder| folder.is_dir()).ok_or_else(|| {
            Failure::new(
                "Current repo does not have a valid reference to a separate Git dir or it refers to the invalid path",
            )
        })
    }

    /// Whether there is a repository.
    pub(super) fn exists(&self) -> Result<bool, Failure> {
        Ok(is_there(self.folder()?.join("config")))
    }

    /// Runs `git` in a folder.
    pub(super) async fn run(
        &self,
        folder: Option<&str>,
        args: &[impl AsRef<OsStr>],
    ) -> Result<Ran, Failure> {
        let own = self.target.variable("GIT_SSH_COMMAND");
        let own = own.or_else(|| self.target.variable("GIT_SSH"));
        let mut command = self
            .tool
            .command(args)
            .env("GIT_SSH_COMMAND", self.args.ssh_command(own))
            .env("GIT_TERMINAL_PROMPT", "0")
            .umask(self.args.mask()?);
        if let Some(folder) = folder.filter(|folder| is_there(folder)) {
            command = command.current_dir(folder);
        }
        self.tool.run_command(command).await
    }

    /// Runs `git` in the working copy; it has to end well.
    pub(super) async fn checked(&self, args: &[impl AsRef<OsStr>]) -> Result<Ran, Failure> {
        self.checked_in(Some(&self.dest), args).await
    }

    async fn checked_in(
        &self,
        folder: Option<&str>,
        args: &[impl AsRef<OsStr>],
    ) -> Result<Ran, Failure> {
        let ran = self.run(folder, args).await?;
        match ran.rc {
            0 => Ok(ran),
            _ => Err(ran.failure(self.tool.line(args))),
        }
    }

    /// Runs `git` in the working copy; where it ends badly, `msg` says what for.
    async fn or_fail(&self, args: &[impl AsRef<OsStr>], msg: String) -> Result<Ran, Failure> {
        let ran = self.run(Some(&self.dest), args).await?;
        match ran.rc {
            0 => Ok(ran),
            _ => Err(Failure {
                msg,
                ..ran.failure(self.tool.line(args))
            }),
        }
    }

    /// The version of the working copy.
    pub(super) async fn version(&self) -> Result<String, Failure> {
        let ran = self.run(Some(&self.dest), &["rev-parse", "HEAD"]).await?;
        Ok(ran.stdout.trim_end_matches('\n').to_owned())
    }

    /// Whether files that git knows of were changed.
    pub(super) async fn is_modified(&self) -> Result<bool, Failure> {
        let ran = self
            .run(Some(&self.dest), &["status", "--porcelain"])
            .await?;
        Ok(ran.stdout.lines().any(|line| !line.starts_with("??")))
    }

    async fn has_ref(&self, remote: &str, kind: &str, prefix: &str) -> Result<bool, Failure> {
        let version = &self.args.version;
        let name = format!("{prefix}{version}");
        let args = ["ls-remote", remote, kind, &name];
        let ran = self.checked_in(Some(&self.dest), &args).await?;
        Ok(ran.stdout.contains(version.as_str()))
    }

    async fn has_branch(&self, remote: &str) -> Result<bool, Failure> {
        self.has_ref(remote, "-h", "refs/heads/").await
    }

    async fn has_tag(&self, remote: &str) -> Result<bool, Failure> {
        self.has_ref(remote, "-t", "refs/tags/").await
    }

    async fn branches(&self) -> Result<Vec<String>, Failure> {
        let args = ["branch", "--no-color", "-a"];
        let ran = self
            .or_fail(&args, "Could not determine branch data".into())
            .await?;
        Ok(ran
            .stdout
            .lines()
            .map(|line| line.trim().to_owned())
            .collect())
    }

    async fn has_local_branch(&self) -> Result<bool, Failure> {
        let current = format!("* {}", self.args.version);
        let branches = self.branches().await?;
        Ok(branches
            .iter()
            .any(|branch| *branch == self.args.version || *branch == current))
    }

    /// The branch that is checked out or, where none is, the remote's own.
    async fn head_branch(&self) -> Result<String, Failure> {
        let is_detached = self.branches().await?.iter().any(|branch| {
            branch.starts_with("* ")
                && ["no branch", "detached from", "detached at"]
                    .iter()
                    .any(|word| branch.contains(word))
        });
        let mut file = self.folder()?.join("HEAD");
        let remote = &self.args.remote;
        if is_detached {
            file = self
                .folder()?
                .join("refs/remotes")
                .join(remote)
                .join("HEAD");
        }
        let text = fs::read_to_string(&file)
            .map_err(|_| Failure::new(format!("Unable to read {}", file.display())))?;
        let name = text.lines().next().unwrap_or_default();
        let name = name.strip_prefix("ref: ").unwrap_or(name);
        let own = format!("refs/remotes/{remote}/");
        let name = name
            .strip_prefix(&own)
            .or_else(|| name.strip_prefix("refs/heads/"))
            .unwrap_or(name);
        Ok(name.to_owned())
    }

    /// The version that the remote has, which is what the working copy would get.
    pub(super) async fn remote_head(
        &self,
        remote: &str,
        folder: Option<&str>,
    ) -> Result<String, Failure> {
        let version = self.args.version.as_str();
        let (kind, name) = if version == "HEAD" {
            match folder {
                None => ("-h", "HEAD".to_owned()),
                Some(_) => ("-h", format!("refs/heads/{}", self.head_branch().await?)),
            }
        } else if self.has_branch(remote).await? {
            ("-h", format!("refs/heads/{version}"))
        } else if self.has_tag(remote).await? {
            ("-t", format!("refs/tags/{version}*"))
        } else {
            // It seems to be a commit, and those cannot be asked for.
            return Ok(version.to_owned());
        };
        let kind = if name == "HEAD" { "--" } else { kind };
        let args: Vec<&str> = match kind {
            "--" => vec!["ls-remote", remote, "HEAD"],
            kind => vec!["ls-remote", remote, kind, &name],
        };
        let ran = self.checked_in(folder, &args).await?;
        let peeled = format!("refs/tags/{version}^{{}}");
        let exact = format!("refs/tags/{version}");
        let line = |end: &str| ran.stdout.lines().find(|line| line.ends_with(end));
        let found = line(&peeled)
            .or_else(|| line(&exact))
            .or_else(|| ran.stdout.lines().next());
        let found = found.and_then(|line| line.split_whitespace().next());
        found.map(str::to_owned).ok_or_else(|| {
            Failure::new(format!("Could not determine remote revision for {version}"))
                .with("rc", ran.rc)
                .with("stdout", ran.stdout.as_str())
                .with("stderr", ran.stderr.as_str())
        })
    }

    pub(super) async fn remote_url(&self) -> Result<Option<String>, Failure> {
        let args = ["ls-remote", "--get-url", &self.args.remote];
        let ran = self.run(Some(&self.dest), &args).await?;
        Ok((ran.rc == 0).then(|| ran.stdout.trim_end_matches('\n').to_owned()))
    }

    /// Makes the remote the one that is asked for; tells whether it was another one.
    pub(super) async fn set_remote_url(&self) -> Result<bool, Failure> {
        let before = self.remote_url().await?;
        if before.as_ref() == Some(&self.url) {
            return Ok(false);
        }
        let remote = &self.args.remote;
        let args = ["remote", "set-url", remote, &self.url];
        let msg = format!("Failed to set a new url {} for {remote}", self.url);
        self.or_fail(&args, msg).await?;
        Ok(before.is_some())
    }

    pub(super) async fn clone_it(&self) -> Result<(), Failure> {
        let args = self.args;
        let parent = Path::new(&self.dest).parent().unwrap_or(Path::new("/"));
        // Where it cannot be made, git says why.
        let _ignored = fs::create_dir_all(parent);
        let parent = parent.to_string_lossy();
        let mut words: Vec<String> = vec!["clone".into()];
        let mut add = |list: &[&str]| words.extend(list.iter().map(|word| (*word).to_owned()));
        if args.bare {
            add(&["--bare"]);
        } else {
            add(&["--origin", &args.remote]);
        }
        let is_named = self.has_branch(&self.url).await? || self.has_tag(&self.url).await?;
        let depth = args.depth.map(|depth| depth.to_string());
        if let Some(depth) = &depth {
            if args.version == "HEAD" || args.refspec.is_some() {
                add(&["--depth", depth]);
            } else if is_named {
                add(&["--depth", depth, "--branch", &args.version]);
            }
        }
        if let Some(reference) = &args.reference {
            add(&["--reference", reference]);
        }
        if args.single_branch {
            add(&["--single-branch"]);
            if is_named {
                add(&["--branch", &args.version]);
            }
        }
        if let Some(folder) = &args.separate_git_dir {
            add(&[&format!("--separate-git-dir={folder}")]);
        }
        add(&[&self.url, &self.dest]);
        self.checked_in(Some(&parent), &words).await?;
        if args.bare && args.remote != "origin" {
            self.checked(&["remote", "add", &args.remote, &self.url])
                .await?;
        }
        if let Some(refspec) = &args.refspec {
            let mut words = vec!["fetch"];
            if let Some(depth) = &depth {
                words.extend(["--depth", depth]);
            }
            words.extend([args.remote.as_str(), refspec]);
            self.checked(&words).await?;
        }
        if args.verify_commit {
            self.verify().await?;
        }
        Ok(())
    }

    /// Brings what the remote has.
    pub(super) async fn fetch(&self) -> Result<(), Failure> {
        let Args {
            version, remote, ..
        } = self.args;
        let mut words: Vec<String> = vec!["fetch".into()];
        let mut refspecs: Vec<String> = Vec::new();
        if let Some(depth) = self.args.depth {
            let head = self.head_branch().await?;
            if let Some(refspec) = &self.args.refspec {
                refspecs.push(refspec.clone());
            } else if version == "HEAD" {
                refspecs.push(head);
            } else if self.has_branch(&self.url).await? {
                if head != *version {
                    refspecs.push(format!("+refs/heads/{version}:refs/heads/{version}"));
                }
                refspecs.push(format!(
                    "+refs/heads/{version}:refs/remotes/{remote}/{version}"
                ));
            } else if self.has_tag(&self.url).await? {
                refspecs.push(format!("+refs/tags/{version}:refs/tags/{version}"));
            }
            if !refspecs.is_empty() {
                words.extend(["--depth".into(), depth.to_string()]);
            }
        }
        if refspecs.is_empty() {
            if self.args.bare {
                refspecs = vec![
                    "+refs/heads/*:refs/heads/*".into(),
                    "+refs/tags/*:refs/tags/*".into(),
                ];
            } else {
                words.push("--tags".into());
            }
            refspecs.extend(self.args.refspec.clone());
        }
        if self.args.force {
            words.push("--force".into());
        }
        words.push(remote.clone());
        words.extend(refspecs);
        let ran = self.run(Some(&self.dest), &words).await?;
        if ran.rc == 0 {
            return Ok(());
        }
        let what = "Failed to download remote objects and refs";
        let msg = format!("{what}: {} {}", ran.stdout, ran.stderr);
        Err(Failure::new(msg).with("cmd", self.tool.words(&words)))
    }

    /// Checks the version out.
    pub(super) async fn switch(&self) -> Result<(), Failure> {
        let Args {
            version, remote, ..
        } = self.args;
        let failed = |name: &str| format!("Failed to checkout branch {name}");
        if version == "HEAD" {
            let branch = self.head_branch().await?;
            self.or_fail(&["checkout", "--force", &branch], failed(&branch))
                .await?;
            let upstream = format!("{remote}/{branch}");
            self.or_fail(&["reset", "--hard", &upstream, "--"], failed(&branch))
                .await?;
        } else if self.has_branch(remote).await? {
            let upstream = format!("{remote}/{version}");
            if let Some(depth) = self.args.depth
                && !self.has_local_branch().await?
            {
                let depth = format!("--depth={depth}");
                let local = format!("+refs/heads/{version}:refs/heads/{version}");
                let far = format!("+refs/heads/{version}:refs/remotes/{upstream}");
                let msg = format!("Failed to fetch branch from remote: {version}");
                self.or_fail(&["fetch", &depth, remote, &local, &far], msg)
                    .await?;
            }
            let msg = format!("Failed to checkout {version}");
            if self.has_local_branch().await? {
                self.or_fail(&["checkout", "--force", version], failed(version))
                    .await?;
                self.or_fail(&["reset", "--hard", &upstream], msg).await?;
            } else {
                self.or_fail(&["checkout", "--track", "-b", version, &upstream], msg)
                    .await?;
            }
        } else {
            let msg = format!("Failed to checkout {version}");
            self.or_fail(&["checkout", "--force", version], msg).await?;
        }
        if self.args.verify_commit {
            self.verify().await?;
        }
        Ok(())
    }

    /// Has the signature of the version verified.
    async fn verify(&self) -> Result<(), Failure> {
        let version = self.args.version.as_str();
        let args = [
            "for-each-ref",
            "refs/tags/",
            "--format",
            "%(objecttype):%(refname:short)",
        ];
        let tags = self
            .or_fail(&args, "Could not determine tag data".into())
            .await?;
        let is_tag = tags
            .stdout
            .lines()
            .any(|line| line.strip_prefix("tag:") == Some(version));
        let verb = if is_tag {
            "verify-tag"
        } else {
            "verify-commit"
        };
        let mut words = vec![verb, version];
        if !self.args.gpg_allowlist.is_empty() {
            words.push("--raw");
        }
        let msg = format!("Failed to verify GPG signature of commit/tag \"{version}\"");
        let ran = self.or_fail(&words, msg).await?;
        if self.args.gpg_allowlist.is_empty() {
            return Ok(());
        }
        let signed = ran.stderr.lines().find_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let at = if words.len() == 11 { 10 } else { 2 };
            (words.get(1) == Some(&"VALIDSIG"))
                .then(|| words.get(at).copied().unwrap_or_default().to_owned())
        });
        let signed = signed.unwrap_or_default();
        if self.args.gpg_allowlist.contains(&signed) {
            return Ok(());
        }
        Err(Failure::new(format!(
            "The gpg_allowlist does not include the public key \"{signed}\" for this commit"
        )))
    }

    /// Packs the version; tells whether the archive was another one before.
    pub(super) async fn archive(&self) -> Result<bool, Failure> {
        let archive = self.args.archive.as_deref().unwrap_or_default();
        let format = match Path::new(archive).extension().and_then(OsStr::to_str) {
            Some("zip") => "zip",
            Some("gz") => "tar.gz",
            Some("tar") => "tar",
            Some("tgz") => "tgz",
            _ => {
                let msg =
                    format!("Unable to get file extension from archive file name : {archive}");
                return Err(Failure::new(msg));
            }
        };
        let unique = random_name().map_err(|error| Failure::new(error.to_string()))?;
        let fresh = format!("{archive}.{unique}");
        let mut words = vec!["archive", "--format", format, "--output", &fresh];
        if let Some(prefix) = &self.args.archive_prefix {
            words.extend(["--prefix", prefix]);
        }
        words.push(&self.args.version);
        let packed = self
            .or_fail(&words, "Failed to perform archive operation".into())
            .await;
        let same = || fs::read(&fresh).ok() == fs::read(archive).ok();
        let outcome = match packed {
            Ok(_) if is_there(archive) && same() => Ok(false),
            Ok(_) => fs::rename(&fresh, archive).map(|()| true).map_err(|error| {
                Failure::new(format!("Failed to move {fresh} to {archive}: {error}"))
            }),
            Err(failure) => Err(failure),
        };
        // It is gone where it took its place.
        let _ignored = fs::remove_file(&fresh);
        outcome
    }
}
