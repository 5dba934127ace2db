//! What a path shall be, and the steps from what it is to that.

use rustle_module::{Change, Failure, Object, Output, Target, Verdict};
use serde_json::Value;

use super::times::Times;
use super::{FileState, absent, directory, hard_link, regular, symlink, touch};
use crate::attributes::{AttributeArgs, Kind, Pass, add_path_info, failure_at};
use crate::diff::BeforeAfter;
use crate::paths::real_text;

/// What a path shall be.
#[derive(Clone, Debug)]
pub(crate) struct Desired {
    /// The path.
    pub(crate) path: String,
    /// What shall be there.
    pub(crate) state: FileState,
    /// What a link shall point to.
    pub(crate) src: Option<String>,
    /// Its attributes.
    pub(crate) attributes: AttributeArgs,
    /// Whether a link at the path means its target.
    pub(crate) follow: bool,
    /// Whether a link may take the place of something else.
    pub(crate) force: bool,
    /// Whether all that is in a folder gets the attributes too.
    pub(crate) recurse: bool,
    /// Its times.
    pub(crate) times: Times,
}

/// What has to be done, besides attributes and times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Step {
    /// Nothing, not even attributes.
    Nothing,
    /// Only attributes and times are set.
    Settle,
    /// Makes the folder and those it lies in.
    MakeFolders,
    /// Removes what is there.
    Remove(Kind),
    /// Makes an empty file.
    MakeFile,
    /// Makes a symbolic link, in place of what is there.
    Link(Kind),
    /// Makes a hard link, in place of what is there.
    HardLink(Kind),
}

/// The way from what is to what shall be.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// The result's own keys.
    pub(crate) keys: Object,
    /// The path that the result describes.
    pub(crate) path: String,
    /// Whether something changes.
    pub(crate) changed: bool,
    /// What changes.
    pub(crate) diff: Option<BeforeAfter>,
    /// What has to be done.
    pub(crate) step: Step,
    /// Hints for the user.
    pub(crate) warnings: Vec<String>,
    /// The result where nothing is done: the keys with the present state.
    pub(crate) present: Object,
}

impl Planned {
    /// A plan whose result has the `keys`, about `path`.
    pub(super) fn new(keys: Object, path: &str, step: Step) -> Self {
        Self {
            keys,
            path: path.into(),
            changed: false,
            diff: None,
            step,
            warnings: Vec::new(),
            present: Object::new(),
        }
    }

    /// The verdict that this plan is.
    pub(crate) fn verdict(&self) -> Verdict {
        let mut output = Output::new(self.present.clone());
        output.warnings.clone_from(&self.warnings);
        let diff = self
            .diff
            .clone()
            .map_or(Value::Null, BeforeAfter::into_value);
        if self.changed {
            Verdict::Change(Change {
                diff,
                predicted: output,
            })
        } else {
            Verdict::Unchanged { output, diff }
        }
    }
}

impl Desired {
    /// Finds out what has to be done. Changes nothing.
    ///
    /// # Errors
    /// When what is there may not be replaced, or an attribute cannot be read.
    pub(crate) async fn plan(&self, target: &dyn Target) -> Result<Planned, Failure> {
        let planned = match self.state {
            FileState::Absent => Ok(absent::plan(self)),
            FileState::Directory => directory::plan(self, target).await,
            FileState::File => regular::plan(self, target).await,
            FileState::Hard => hard_link::plan(self, target).await,
            FileState::Link => symlink::plan(self, target).await,
            FileState::Touch => touch::plan(self, target).await,
        };
        let mut planned = match planned {
            Ok(planned) => planned,
            Err(failure) => return Err(describe_failure(target, failure).await),
        };
        planned.present = planned.keys.clone();
        add_path_info(target, &mut planned.present, &planned.path).await;
        Ok(planned)
    }

    /// Does what was planned.
    ///
    /// # Errors
    /// When the kernel refuses, or an attribute cannot be read.
    pub(crate) async fn carry_out(
        &self,
        target: &dyn Target,
        planned: Planned,
    ) -> Result<Output, Failure> {
        let mut diff = planned.diff.clone().unwrap_or_default();
        let done = match planned.step {
            Step::Nothing => Ok(false),
            Step::Remove(kind) => absent::remove(&planned.path, kind),
            Step::Settle if self.state == FileState::Directory => {
                directory::settle(self, target, &planned.path, Pass::Set, &mut diff).await
            }
            Step::Settle => {
                self.settle(target, &planned.path, Pass::Set, &mut diff)
                    .await
            }
            Step::MakeFolders => directory::make(self, target, &planned.path, &mut diff).await,
            Step::MakeFile => touch::make(self, target, &planned.path, &mut diff).await,
            Step::Link(over) => symlink::make(self, target, &planned, over, &mut diff).await,
            Step::HardLink(over) => hard_link::make(self, target, over, &mut diff).await,
        };
        let changed = match done {
            Ok(changed) => changed,
            Err(failure) => return Err(describe_failure(target, failure).await),
        };
        let mut output = Output::new(planned.keys).changed(changed);
        output.warnings = planned.warnings;
        add_path_info(target, &mut output.result, &planned.path).await;
        if target.mode().diff && planned.diff.is_some() {
            output.result.insert("diff".into(), diff.into_value());
        }
        Ok(output)
    }

    /// Looks at or sets attributes and times of what is at `path`, or what it links to if links are followed.
    pub(super) async fn settle(
        &self,
        target: &dyn Target,
        path: &str,
        pass: Pass,
        diff: &mut BeforeAfter,
    ) -> Result<bool, Failure> {
        let path = self.subject(path);
        let attributes = self.attributes.settle(target, &path, pass, diff).await?;
        Ok(self.times.settle(&path, pass, diff)? || attributes)
    }

    /// The path whose attributes are meant.
    pub(super) fn subject(&self, path: &str) -> String {
        if self.follow && Kind::of(path.as_ref()) == Kind::Link {
            real_text(path)
        } else {
            path.into()
        }
    }

    /// The difference that a change of what is at `path` starts with.
    pub(super) fn first_diff(path: &str, before: Kind, after: FileState) -> BeforeAfter {
        let mut diff = BeforeAfter::of_path(path);
        if before.word() != after.word() {
            diff.set("state", before.word(), after.word());
        }
        diff
    }
}

/// Adds to a failure what is at the path it names.
async fn describe_failure(target: &dyn Target, failure: Failure) -> Failure {
    for key in ["path", "dest"] {
        if let Some(Value::String(path)) = failure.result.get(key) {
            let path = path.clone();
            return failure_at(target, key, &path, failure).await;
        }
    }
    failure
}
