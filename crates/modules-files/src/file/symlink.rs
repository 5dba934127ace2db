//! `state: link`: a symbolic link.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use rustle_module::{Failure, Object, Target};

use super::FileState;
use super::desired::{Desired, Planned, Step};
use crate::attributes::{Kind, Pass};
use crate::diff::BeforeAfter;
use crate::os_error::describe_bare;
use crate::paths::{join, parent, parent_folder};

const DANGLING: &str = "Cannot set fs attributes on a non-existent symlink target. follow should be set to False to avoid this.";

pub(super) async fn plan(desired: &Desired, target: &dyn Target) -> Result<Planned, Failure> {
    let path = desired.path.as_str();
    let kind = Kind::of(path.as_ref());
    let src = aim(desired);
    check_source(desired, kind, src.as_deref())?;
    check_replaceable(desired, kind)?;
    let Some(src) = src.or_else(|| read_link(path)) else {
        return Err(Failure::new("src is required for creating new symlinks"));
    };
    let mut keys = Object::new();
    keys.insert("dest".into(), path.into());
    keys.insert("src".into(), src.as_str().into());
    let mut planned = Planned::new(keys, path, Step::Settle);
    let mut diff = Desired::first_diff(path, kind, FileState::Link);
    let present = read_link(path);
    if present.as_ref() != Some(&src) {
        planned.step = Step::Link(kind);
        planned.changed = true;
        if let Some(present) = present {
            diff.set("src", present, src.as_str());
        }
    }
    if Path::new(path).exists() {
        planned.changed |= desired.settle(target, path, Pass::Look, &mut diff).await?;
    } else if kind == Kind::Link && planned.step == Step::Settle {
        planned.settle_dangling(desired, target, &mut diff).await?;
    }
    if !target.mode().check && desired.follow && will_dangle(path, &src) {
        planned.warnings.push(DANGLING.into());
    }
    planned.diff = Some(diff);
    Ok(planned)
}

impl Planned {
    /// A link that leads nowhere and stays: only its own attributes can be set, and only where links are not followed.
    async fn settle_dangling(
        &mut self,
        desired: &Desired,
        target: &dyn Target,
        diff: &mut BeforeAfter,
    ) -> Result<(), Failure> {
        if desired.follow || target.mode().check {
            self.step = Step::Nothing;
            return Ok(());
        }
        self.changed |= desired
            .attributes
            .settle(target, &self.path, Pass::Look, diff)
            .await?;
        Ok(())
    }
}

/// What the link shall point to: the `src` option, or where it points now.
fn aim(desired: &Desired) -> Option<String> {
    let kept = || desired.follow.then(|| read_link(&desired.path)).flatten();
    desired.src.clone().or_else(kept)
}

fn read_link(path: &str) -> Option<String> {
    let aim = fs::read_link(path).ok()?;
    Some(aim.to_string_lossy().into_owned())
}

/// Refuses to make a link that leads nowhere, unless forced.
fn check_source(desired: &Desired, kind: Kind, src: Option<&str>) -> Result<(), Failure> {
    let Some(src) = src.filter(|_| !desired.force) else {
        return Ok(());
    };
    let base = if kind == Kind::Directory {
        &desired.path
    } else {
        parent(&desired.path)
    };
    let absolute = join(base, src);
    if Path::new(&absolute).exists() {
        return Ok(());
    }
    let msg = format!(
        "src file does not exist, use 'force=yes' if you really want to create the link: {absolute}"
    );
    Err(Failure::new(msg)
        .with("path", desired.path.as_str())
        .with("src", src))
}

fn check_replaceable(desired: &Desired, kind: Kind) -> Result<(), Failure> {
    let path = desired.path.as_str();
    let refused = match kind {
        Kind::Absent | Kind::Link => return Ok(()),
        Kind::Directory if desired.force => {
            let is_empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
            if is_empty {
                return Ok(());
            }
            format!("the directory {path} is not empty, refusing to convert it")
        }
        Kind::File | Kind::Hard if desired.force => return Ok(()),
        _ => format!(
            "refusing to convert from {} to symlink for {path}",
            kind.word()
        ),
    };
    Err(Failure::new(refused).with("path", path))
}

fn will_dangle(path: &str, src: &str) -> bool {
    !Path::new(&join(parent(path), src)).exists()
}

/// Makes the link; what it replaces is replaced in one step, folders excepted.
pub(super) async fn make(
    desired: &Desired,
    target: &dyn Target,
    planned: &Planned,
    over: Kind,
    diff: &mut BeforeAfter,
) -> Result<bool, Failure> {
    let path = desired.path.as_str();
    let src = planned
        .keys
        .get("src")
        .and_then(|src| src.as_str())
        .unwrap_or_default();
    let failed = |what: &str, error: &io::Error| {
        let text = describe_bare(error);
        Failure::new(format!("{what}: {text}: b'{src}' -> b'{path}'")).with("path", path)
    };
    if over == Kind::Absent {
        symlink(src, path).map_err(|error| failed("Error while linking", &error))?;
    } else {
        replace(path, over, |temporary| symlink(src, temporary))
            .map_err(|error| failed("Error while replacing symlink", &error))?;
    }
    if Path::new(path).exists() || !desired.follow {
        if Path::new(path).exists() {
            desired.settle(target, path, Pass::Set, diff).await?;
        } else {
            desired
                .attributes
                .settle(target, path, Pass::Set, diff)
                .await?;
        }
    }
    Ok(true)
}

/// Makes something under a temporary name and renames it to `path`.
pub(super) fn replace(
    path: &str,
    over: Kind,
    make: impl Fn(&Path) -> io::Result<()>,
) -> io::Result<()> {
    let temporary = temporary_name(path)?;
    if over == Kind::Directory {
        fs::remove_dir(path)?;
    }
    make(&temporary)?;
    fs::rename(&temporary, path).inspect_err(|_| {
        // The error of the rename is what counts.
        let _ignored = fs::remove_file(&temporary);
    })
}

/// A name in the same folder that nothing has.
fn temporary_name(path: &str) -> io::Result<PathBuf> {
    let folder = parent_folder(Path::new(path));
    let file = tempfile::Builder::new()
        .prefix(".ansible_tmp")
        .tempfile_in(folder)?;
    let name = file.path().to_owned();
    file.close()?;
    Ok(name)
}
