//! `state: touch`: a file that is there, with its times set.

use std::fs;

use rustle_module::{Failure, Object, Target};

use super::FileState;
use super::desired::{Desired, Planned, Step};
use crate::attributes::{Kind, Pass};
use crate::diff::BeforeAfter;

pub(super) async fn plan(desired: &Desired, target: &dyn Target) -> Result<Planned, Failure> {
    let path = desired.path.as_str();
    let kind = Kind::of(path.as_ref());
    let mut keys = Object::new();
    keys.insert("dest".into(), path.into());
    let mut planned = Planned::new(keys, path, Step::Settle);
    let mut diff = Desired::first_diff(path, kind, FileState::Touch);
    if kind == Kind::Absent {
        planned.step = Step::MakeFile;
        planned.changed = true;
        // Check mode shows no difference for a file that is not there yet.
        planned.diff = (!target.mode().check).then_some(diff);
        return Ok(planned);
    }
    planned.changed = desired.settle(target, path, Pass::Look, &mut diff).await?;
    planned.diff = Some(diff);
    Ok(planned)
}

/// Makes the file. If its attributes cannot be set it is removed again.
pub(super) async fn make(
    desired: &Desired,
    target: &dyn Target,
    path: &str,
    diff: &mut BeforeAfter,
) -> Result<bool, Failure> {
    let opened = fs::OpenOptions::new().create(true).append(true).open(path);
    if opened.is_err() {
        return Err(Failure::new("Error, could not touch target.").with("path", path));
    }
    match desired.settle(target, path, Pass::Set, diff).await {
        Ok(_) => Ok(true),
        Err(failure) => {
            // What is reported is the failure; a file that cannot be removed either stays as it is.
            let _ignored = fs::remove_file(path);
            Err(failure)
        }
    }
}
