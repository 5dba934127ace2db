//! One file whose content the controller sends: compared first, fetched only if it differs.

use std::fs::{self, Metadata};
use std::io;

use rustle_module::{Attached, Change, Failure, Mode, Object, Output, Target, Verdict};
use serde_json::{Value, json};

use super::Options;
use super::place::{Placement, Source};
use super::shown;
use crate::attributes::AttributeArgs;
use crate::checksum::{Algorithm, of_file};
use crate::file::{Desired, FileState, Planned, Times};
use crate::os_error::text_of;
use crate::paths::{file_name, join, real_text};

/// A file that the controller sends.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    /// The `dest` option.
    pub(super) dest: String,
    /// Its name (or path) within `dest`, if that is a folder; none for a `content`.
    pub(super) name: Option<String>,
    /// The controller's path of it; none for a `content`.
    pub(super) source: Option<String>,
    /// Its content.
    pub(super) attached: Attached,
    /// How it is put in place.
    pub(super) options: Options,
}

/// What has to be done for it.
pub(super) enum Step {
    /// Nothing: something is there, and `force` is off.
    Keep,
    /// Its content is there; attributes may differ.
    Settle(Box<Desired>, Box<Planned>),
    /// Its content is written. Holds the differences to show.
    Write(Value),
}

impl Sent {
    /// Finds out what has to be done. Changes nothing and, but to show differences, fetches nothing.
    ///
    /// # Errors
    /// When the place cannot be looked at, or is a folder and the file has no name.
    pub(super) async fn plan(&self, target: &dyn Target) -> Result<Step, Failure> {
        let name = self.name.as_deref().unwrap_or_default();
        let mut dest = if self.dest.ends_with('/') {
            join(&self.dest, name)
        } else {
            self.dest.clone()
        };
        let mut there = self.look(&dest)?;
        if there.as_ref().is_some_and(Metadata::is_dir) {
            let Some(name) = &self.name else {
                let msg = "can not use content with a dir as dest";
                return Err(Failure::new(msg).with("diff", json!([])));
            };
            dest = join(
                &dest,
                if self.dest.ends_with('/') {
                    file_name(name)
                } else {
                    name
                },
            );
            there = self.look(&dest)?;
        }
        if there.is_some() && !self.options.force {
            return Ok(Step::Keep);
        }
        let is_file = there.is_some_and(|metadata| metadata.is_file());
        let checksum = is_file
            .then(|| of_file(&dest, Algorithm::Sha1).ok())
            .flatten();
        if checksum.as_deref() == Some(self.attached.checksum.as_str()) {
            let desired = self.desired(&dest);
            let planned = desired
                .plan(target)
                .await
                .map_err(|failure| self.complete(failure, json!([])))?;
            return Ok(Step::Settle(Box::new(desired), Box::new(planned)));
        }
        let mut diffs = Vec::new();
        if target.mode().diff {
            let header = self.after_header(target, &dest);
            diffs.push(shown::difference(target, &dest, &self.attached, &header).await?);
        }
        Ok(Step::Write(diffs.into()))
    }

    fn look(&self, dest: &str) -> Result<Option<Metadata>, Failure> {
        let metadata = if self.options.follow {
            fs::metadata(dest)
        } else {
            fs::symlink_metadata(dest)
        };
        match metadata {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Failure::new(format!(
                "Task failed: Failed to get information on remote file ({dest}): {}",
                text_of(&error)
            ))),
        }
    }

    /// What the file shall be where its content is right already. Where links are not followed it was none, and if one was laid there
    /// since, it is left alone.
    fn desired(&self, dest: &str) -> Desired {
        let follow = self.options.follow;
        let is_link = || fs::symlink_metadata(dest).is_ok_and(|metadata| metadata.is_symlink());
        Desired {
            path: if follow && is_link() {
                real_text(dest)
            } else {
                dest.into()
            },
            state: FileState::File,
            src: None,
            attributes: self.attributes(),
            follow,
            force: false,
            recurse: false,
            times: Times::PRESERVE,
        }
    }

    /// The attributes, with `preserve` replaced by the mode of the controller's file.
    fn attributes(&self) -> AttributeArgs {
        let mut attributes = self.options.attributes.clone();
        if attributes.mode == "preserve" {
            attributes.mode = self
                .attached
                .mode
                .clone()
                .map_or(Value::Null, Value::String);
        }
        attributes
    }

    /// What the difference names as the new side.
    fn after_header(&self, target: &dyn Target, dest: &str) -> String {
        match &self.source {
            Some(source) => source.clone(),
            None if self.attached.size == 0 => temporary(target),
            None => dest.into(),
        }
    }

    /// The verdict that a step is.
    pub(super) fn verdict(&self, contents: &str, step: &Step, mode: Mode) -> Verdict {
        match step {
            Step::Keep => {
                let mut result = Object::new();
                result.insert("dest".into(), self.dest.as_str().into());
                let src = self.source.clone().unwrap_or_else(|| contents.into());
                result.insert("src".into(), src.into());
                Verdict::unchanged(Output::new(result))
            }
            Step::Settle(_, planned) => match planned.verdict() {
                Verdict::Change(mut change) => {
                    self.complete_settled(&mut change.predicted.result, mode.diff);
                    Verdict::Change(change)
                }
                Verdict::Unchanged { mut output, diff } => {
                    self.complete_settled(&mut output.result, mode.diff);
                    Verdict::Unchanged { output, diff }
                }
                skipped @ Verdict::Skipped(_) => skipped,
            },
            Step::Write(diffs) => {
                let mut predicted = Object::new();
                predicted.insert("diff".into(), diffs.clone());
                Verdict::Change(Change {
                    diff: Value::Null,
                    predicted: Output::new(predicted),
                })
            }
        }
    }

    /// Does what was planned.
    ///
    /// # Errors
    /// As [`Placement::put`].
    pub(super) async fn carry_out(
        &self,
        target: &dyn Target,
        step: Step,
    ) -> Result<Output, Failure> {
        match step {
            Step::Keep => Ok(Output::default().changed(false)),
            Step::Settle(desired, planned) => {
                let done = desired.carry_out(target, *planned).await;
                let mut output = done.map_err(|failure| self.complete(failure, json!([])))?;
                self.complete_settled(&mut output.result, target.mode().diff);
                Ok(output)
            }
            Step::Write(diffs) => {
                let mut options = self.options.clone();
                options.attributes = self.attributes();
                let src = staged_name(target, self.name.as_deref(), &self.dest);
                let placement = Placement {
                    dest: &self.dest,
                    name: self.name.as_deref().unwrap_or_default(),
                    source: Source::Attached(&self.attached),
                    src: &src,
                    options: &options,
                };
                match placement.put(target).await {
                    Ok(mut output) => {
                        output.result.insert("diff".into(), diffs);
                        Ok(output)
                    }
                    Err(failure) => Err(self.complete(failure, diffs)),
                }
            }
        }
    }

    /// Adds to the result for an unchanged content what a copy has on top.
    fn complete_settled(&self, result: &mut Object, has_diff: bool) {
        if let Some(path) = result.get("path").cloned() {
            result.insert("dest".into(), path);
        }
        result.insert("checksum".into(), self.attached.checksum.as_str().into());
        if !has_diff {
            result.insert("diff".into(), json!([]));
        }
    }

    /// Adds to a failure what each failed copy has.
    fn complete(&self, failure: Failure, diffs: Value) -> Failure {
        let failure = failure.with("diff", diffs);
        if failure.result.contains_key("checksum") {
            return failure;
        }
        failure.with("checksum", self.attached.checksum.as_str())
    }
}

/// What results name as the source of sent content: there is no such file by then, in Ansible neither.
fn staged_name(target: &dyn Target, name: Option<&str>, dest: &str) -> String {
    let at = if dest.ends_with('/') {
        name.unwrap_or_default()
    } else {
        dest
    };
    let at = if std::path::Path::new(dest).is_dir() {
        name.unwrap_or(at)
    } else {
        at
    };
    let file = file_name(at);
    let suffix = file
        .rfind('.')
        .filter(|dot| *dot > 0)
        .map_or("", |dot| &file[dot..]);
    format!("{}/.source{suffix}", target.temp_dir().display())
}

/// What results name as the source of a `content`.
pub(super) fn temporary(target: &dyn Target) -> String {
    format!("{}/.contents", target.temp_dir().display())
}
