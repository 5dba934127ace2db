//! `state: hard`: a further name of a file.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustle_module::{Failure, Object, Target};
use serde_json::Value;

use super::FileState;
use super::desired::{Desired, Planned, Step};
use super::symlink::replace;
use crate::attributes::{Kind, Pass};
use crate::diff::BeforeAfter;
use crate::os_error::describe_bare;

pub(super) async fn plan(desired: &Desired, target: &dyn Target) -> Result<Planned, Failure> {
    let (path, src) = (desired.path.as_str(), desired.src.as_deref());
    let kind = Kind::of(path.as_ref());
    if src.is_none() && kind != Kind::Hard {
        return Err(Failure::new("src is required for creating new hardlinks"));
    }
    if src.is_some_and(|src| !Path::new(src).exists()) {
        return Err(refused(desired, "src does not exist"));
    }
    let mut keys = Object::new();
    keys.insert("dest".into(), path.into());
    keys.insert("src".into(), src.map_or(Value::Null, Into::into));
    let mut planned = Planned::new(keys, path, Step::Settle);
    let mut diff = Desired::first_diff(path, kind, FileState::Hard);
    if src.is_some_and(|src| !is_same(path, src)) {
        check_replaceable(desired, kind)?;
        planned.step = Step::HardLink(kind);
        planned.changed = true;
        if let (Kind::Link, Ok(present)) = (kind, fs::read_link(path)) {
            diff.set("src", present.to_string_lossy().into_owned(), src);
        }
    }
    if Path::new(path).exists() {
        planned.changed |= desired.settle(target, path, Pass::Look, &mut diff).await?;
    }
    planned.diff = Some(diff);
    Ok(planned)
}

/// Whether both are names of one file; a link is not the file it leads to.
fn is_same(path: &str, src: &str) -> bool {
    let (Ok(one), Ok(other)) = (fs::symlink_metadata(path), fs::metadata(src)) else {
        return false;
    };
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn check_replaceable(desired: &Desired, kind: Kind) -> Result<(), Failure> {
    match kind {
        Kind::Hard if !desired.force => Err(refused(
            desired,
            "Cannot link, different hard link exists at destination",
        )),
        Kind::File if !desired.force => {
            Err(refused(desired, "Cannot link, file exists at destination"))
        }
        Kind::Directory if !desired.force => Err(refused(
            desired,
            "Cannot link: different hard link exists at destination",
        )),
        _ => Ok(()),
    }
}

fn refused(desired: &Desired, msg: &str) -> Failure {
    let src = desired.src.clone().unwrap_or_default();
    Failure::new(msg)
        .with("dest", desired.path.as_str())
        .with("src", src)
}

/// Makes the link; what it replaces is replaced in one step.
pub(super) async fn make(
    desired: &Desired,
    target: &dyn Target,
    over: Kind,
    diff: &mut BeforeAfter,
) -> Result<bool, Failure> {
    let (path, src) = (
        desired.path.as_str(),
        desired.src.as_deref().unwrap_or_default(),
    );
    let failed = |what: &str, error: &io::Error| {
        let text = describe_bare(error);
        Failure::new(format!("{what}: {text}: b'{src}' -> b'{path}'")).with("path", path)
    };
    if over == Kind::Absent {
        let source = fs::canonicalize(src).unwrap_or_else(|_| src.into());
        let source = if desired.follow { source } else { src.into() };
        fs::hard_link(source, path).map_err(|error| failed("Error while linking", &error))?;
    } else {
        replace(path, over, |temporary| fs::hard_link(src, temporary))
            .map_err(|error| failed("Error while replacing hard link", &error))?;
    }
    desired.settle(target, path, Pass::Set, diff).await?;
    Ok(true)
}
