//! `git`: a working copy of a repository, at a version.

mod args;
mod repository;
mod submodules;

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{Change, Failure, Mode, Module, Object, Output, Spec, Target, Verdict};
use serde_json::{Value, json};

use args::{Args, CONSTRAINTS, OPTIONS};
use repository::Repository;

/// Clones and updates by the program `git`.
pub(crate) struct Git;

/// What [`Git`] found.
pub(crate) enum State {
    /// All is said: nothing is to be done, or check mode ends here.
    Told(Output),
    /// There is no working copy yet.
    Clone,
    /// There is one, at this version, perhaps with changes of its own.
    Update { before: String, is_modified: bool },
    /// There is one that stays as it is, and is to be packed.
    Archive { before: String },
}

#[async_trait]
impl Module for Git {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("git", OPTIONS).constraints(CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let repository = Repository::new(target, args)?;
        let mode = target.mode();
        if !repository.exists()? {
            if !mode.check && args.clone {
                return Ok(State::Clone);
            }
            let after = repository.remote_head(&repository.url, None).await?;
            let mut result = versions(None, &after);
            repository.add_diff(mode, &mut result).await?;
            return Ok(State::Told(Output::new(result).changed(true)));
        }
        let before = repository.version().await?;
        if !args.update {
            if args.archive.is_some() && !mode.check {
                return Ok(State::Archive { before });
            }
            let result = versions(Some(&before), &before);
            let packs = args.archive.is_some();
            return Ok(State::Told(Output::new(result).changed(packs)));
        }
        let is_modified = !args.bare && repository.is_modified().await?;
        if is_modified && !args.force {
            let msg = format!(
                "Local modifications exist in the destination: {} (force=no).",
                repository.dest
            );
            return Err(Failure::new(msg).with("before", before));
        }
        if !mode.check {
            return Ok(State::Update {
                before,
                is_modified,
            });
        }
        let url = repository.remote_url().await?;
        let is_elsewhere = url.is_some_and(|url| url != repository.url);
        let after = repository
            .remote_head(&args.remote, Some(&repository.dest))
            .await?;
        let mut result = versions(Some(&before), &after);
        result.insert("remote_url_changed".into(), is_elsewhere.into());
        repository.add_diff(mode, &mut result).await?;
        let changed = before != after || is_elsewhere;
        Ok(State::Told(Output::new(result).changed(changed)))
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        match state {
            State::Told(output) if output.changed == Some(false) => {
                Verdict::unchanged(output.clone())
            }
            State::Told(output) => Verdict::Change(Change {
                predicted: output.clone(),
                ..Change::default()
            }),
            _ => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let repository = Repository::new(target, args)?;
        let mut changed = false;
        let mut result = match state {
            State::Told(output) => return Ok(output),
            State::Archive { before } => {
                let changed = repository.archive().await?;
                return Ok(Output::new(versions(Some(&before), &before)).changed(changed));
            }
            State::Clone => {
                repository.clone_it().await?;
                versions(None, "")
            }
            State::Update {
                before,
                is_modified,
            } => {
                let mut result = versions(Some(&before), "");
                if is_modified {
                    repository.checked(&["reset", "--hard", "HEAD"]).await?;
                    changed = true;
                    let msg = format!(
                        "Local modifications exist in the destination: {}",
                        repository.dest
                    );
                    result.insert("msg".into(), msg.into());
                }
                let is_elsewhere = repository.set_remote_url().await?;
                changed |= is_elsewhere;
                result.insert("remote_url_changed".into(), is_elsewhere.into());
                repository.fetch().await?;
                result
            }
        };
        if !args.bare {
            repository.switch().await?;
            if args.recursive && repository.update_submodules().await? {
                result.insert("submodules_changed".into(), true.into());
                changed = true;
            }
        }
        let after = repository.version().await?;
        changed |= result["before"] != after.as_str();
        result.insert("after".into(), after.into());
        if changed {
            repository.add_diff(target.mode(), &mut result).await?;
        }
        if args.archive.is_some() {
            changed |= repository.archive().await?;
        }
        Ok(Output::new(result).changed(changed))
    }
}

fn versions(before: Option<&str>, after: &str) -> Object {
    let mut result = Object::new();
    result.insert("before".into(), before.into());
    result.insert("after".into(), after.into());
    result
}

impl Repository<'_> {
    /// Adds what changed between the versions of a result, where it is to be shown.
    async fn add_diff(&self, mode: Mode, result: &mut Object) -> Result<(), Failure> {
        if !mode.diff {
            return Ok(());
        }
        let after = result["after"].as_str().unwrap_or_default().to_owned();
        let prepared = match result["before"].as_str() {
            None => format!(">> Newly checked out {after}"),
            Some(before) if before == after => return Ok(()),
            Some(before) => {
                let ran = self
                    .run(Some(&self.dest), &["diff", before, &after, "--"])
                    .await?;
                match (ran.rc, ran.stdout.is_empty(), ran.stderr.is_empty()) {
                    (0, false, _) => ran.stdout,
                    (0, true, _) => {
                        format!(">> No visual differences between {before} and {after}")
                    }
                    (_, _, false) => format!(
                        ">> Failed to get proper diff between {before} and {after}:\n>> {}",
                        ran.stderr
                    ),
                    _ => format!(">> Failed to get proper diff between {before} and {after}"),
                }
            }
        };
        let diff: Value = json!({"prepared": prepared});
        result.insert("diff".into(), diff);
        Ok(())
    }
}

/// Whether something is there under a name.
fn is_there(path: impl AsRef<Path>) -> bool {
    path.as_ref().exists()
}
