//! `state: directory`: a folder and all it lies in, and with `recurse` all that lies in it.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustle_module::{Failure, Object, Target};

use super::FileState;
use super::desired::{Desired, Planned, Step};
use crate::attributes::{Kind, Pass};
use crate::diff::BeforeAfter;
use crate::os_error::describe;
use crate::paths::parent;

pub(super) async fn plan(desired: &Desired, target: &dyn Target) -> Result<Planned, Failure> {
    let path = desired.subject(&desired.path);
    let kind = Kind::of(path.as_ref());
    if !matches!(kind, Kind::Absent | Kind::Directory) {
        let msg = format!("{path} already exists as a {}", kind.word());
        return Err(Failure::new(msg).with("path", path));
    }
    let mut keys = Object::new();
    keys.insert("path".into(), path.as_str().into());
    let mut planned = Planned::new(keys, &path, Step::Settle);
    let mut diff = Desired::first_diff(&path, kind, FileState::Directory);
    if kind == Kind::Absent {
        planned.step = Step::MakeFolders;
        planned.changed = true;
    } else {
        planned.changed = settle(desired, target, &path, Pass::Look, &mut diff).await?;
    }
    planned.diff = Some(diff);
    Ok(planned)
}

/// Makes the folder and the missing ones on the way, each with the attributes; the times are those of the last.
pub(super) async fn make(
    desired: &Desired,
    target: &dyn Target,
    path: &str,
    diff: &mut BeforeAfter,
) -> Result<bool, Failure> {
    let mut todo = Vec::new();
    let mut folder = path.trim_end_matches('/');
    while !folder.is_empty() && !Path::new(folder).exists() {
        todo.push(folder);
        folder = parent(folder);
    }
    if path.is_empty() {
        todo.push("");
    }
    while let Some(folder) = todo.pop() {
        match fs::create_dir(folder) {
            Err(error)
                if error.kind() == io::ErrorKind::AlreadyExists && Path::new(folder).is_dir() => {}
            Err(error) => {
                let text = describe(&error, folder);
                let msg = format!("There was an issue creating {folder} as requested: {text}");
                return Err(Failure::new(msg).with("path", path));
            }
            Ok(()) => {}
        }
        desired
            .attributes
            .settle(target, folder, Pass::Set, diff)
            .await?;
    }
    desired.times.settle(path, Pass::Set, diff)?;
    Ok(true)
}

/// Looks at or sets attributes and times of a folder, and with `recurse` of all in it.
pub(super) async fn settle(
    desired: &Desired,
    target: &dyn Target,
    path: &str,
    pass: Pass,
    diff: &mut BeforeAfter,
) -> Result<bool, Failure> {
    let mut changed = desired.settle(target, path, pass, diff).await?;
    if desired.recurse {
        let attributes = desired.attributes.with_ids(target).await;
        let desired = Desired {
            attributes,
            ..desired.clone()
        };
        changed |= settle_below(&desired, target, PathBuf::from(path), pass).await?;
    }
    Ok(changed)
}

/// Goes through all that is in a folder. If links are followed, what they lead to is included, once.
async fn settle_below(
    desired: &Desired,
    target: &dyn Target,
    folder: PathBuf,
    pass: Pass,
) -> Result<bool, Failure> {
    let mut changed = false;
    let mut seen = HashSet::new();
    let mut todo = vec![folder];
    while let Some(folder) = todo.pop() {
        if fs::canonicalize(&folder).is_ok_and(|real| !seen.insert(real)) {
            continue;
        }
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            changed |= settle_one(desired, target, &path, pass).await?;
            let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
            if !is_link && path.is_dir() {
                todo.push(path);
            } else if is_link && desired.follow {
                let Ok(aim) = fs::read_link(&path).map(|aim| folder.join(aim)) else {
                    continue;
                };
                if aim.exists() {
                    changed |= settle_one(desired, target, &aim, pass).await?;
                }
                if aim.is_dir() {
                    todo.push(aim);
                }
            }
        }
    }
    Ok(changed)
}

async fn settle_one(
    desired: &Desired,
    target: &dyn Target,
    path: &Path,
    pass: Pass,
) -> Result<bool, Failure> {
    let path = path.to_string_lossy();
    let mut unshown = BeforeAfter::default();
    let changed = desired
        .attributes
        .settle(target, &path, pass, &mut unshown)
        .await?;
    // Times are those of a link's target, which a broken link has not.
    let has_times = Path::new(&*path).exists();
    Ok((has_times && desired.times.settle(&path, pass, &mut unshown)?) || changed)
}
