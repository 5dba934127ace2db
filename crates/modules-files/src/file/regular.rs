//! `state: file`: the attributes of a file that is there.

use rustle_module::{Failure, Object, Target};

use super::FileState;
use super::desired::{Desired, Planned, Step};
use crate::attributes::{Kind, Pass};

pub(super) async fn plan(desired: &Desired, target: &dyn Target) -> Result<Planned, Failure> {
    let path = desired.subject(&desired.path);
    let kind = Kind::of(path.as_ref());
    if !matches!(kind, Kind::File | Kind::Hard) {
        let msg = format!("file ({path}) is {}, cannot continue", kind.word());
        return Err(Failure::new(msg)
            .with("state", kind.word())
            .with("path", path));
    }
    let mut keys = Object::new();
    keys.insert("path".into(), path.as_str().into());
    let mut planned = Planned::new(keys, &path, Step::Settle);
    let mut diff = Desired::first_diff(&path, kind, FileState::File);
    planned.changed = desired.settle(target, &path, Pass::Look, &mut diff).await?;
    planned.diff = Some(diff);
    Ok(planned)
}
