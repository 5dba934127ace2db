//! A folder that the controller sends: all its files, folders and links in one call.

use rustle_module::{Attached, Change, Failure, Mode, Object, Output, Target, Verdict};
use serde::Deserialize;
use serde_json::Value;

use super::Options;
use super::sent::{Sent, Step};
use crate::file::{Desired, FileState, Planned, Times};
use crate::paths::join;

/// One thing in the folder.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Entry {
    /// Its path below the folder.
    path: String,
    /// What it is.
    #[serde(flatten)]
    kind: EntryKind,
}

/// What a thing in the folder is.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
enum EntryKind {
    Dir,
    File {
        source: Option<String>,
        attachment: Attached,
    },
    Link {
        target: String,
    },
}

/// A folder that the controller sends.
pub(super) struct Tree {
    dest: String,
    source: String,
    parts: Vec<Part>,
}

/// One thing and what has to be done for it.
enum Part {
    File(Box<Sent>, Step),
    /// A folder or a link.
    Other(Box<Desired>, Box<Planned>),
}

impl Tree {
    /// Finds out what has to be done for each entry: files first, then folders, then links.
    ///
    /// # Errors
    /// When a place cannot be looked at.
    pub(super) async fn plan(
        target: &dyn Target,
        (dest, source): (&str, &str),
        entries: Vec<Entry>,
        options: &Options,
    ) -> Result<Self, Failure> {
        let dest = join(dest, "");
        let mut tree = Self {
            dest,
            source: source.into(),
            parts: Vec::new(),
        };
        let mut others = Vec::new();
        for entry in entries {
            match entry.kind {
                EntryKind::File { source, attachment } => {
                    let sent = Sent {
                        dest: tree.dest.clone(),
                        name: Some(entry.path),
                        source,
                        attached: attachment,
                        options: options.clone(),
                    };
                    let step = sent.plan(target).await?;
                    tree.parts.push(Part::File(Box::new(sent), step));
                }
                other => others.push((join(&tree.dest, &entry.path), other)),
            }
        }
        others.sort_by_key(|(_, kind)| matches!(kind, EntryKind::Link { .. }));
        for (path, kind) in others {
            let desired = desired(path, kind, options);
            let planned = desired.plan(target).await?;
            tree.parts
                .push(Part::Other(Box::new(desired), Box::new(planned)));
        }
        Ok(tree)
    }

    /// The verdict over all entries.
    pub(super) fn verdict(&self, contents: &str, mode: Mode) -> Verdict {
        let verdicts: Vec<Verdict> = self
            .parts
            .iter()
            .filter_map(|part| match part {
                Part::File(_, Step::Keep) => None,
                Part::File(sent, step) => Some(sent.verdict(contents, step, mode)),
                Part::Other(_, planned) => Some(planned.verdict()),
            })
            .collect();
        let changed = verdicts
            .iter()
            .any(|verdict| matches!(verdict, Verdict::Change(_)));
        let last = verdicts
            .into_iter()
            .next_back()
            .filter(|_| self.has_single_file());
        let (output, diff) = match last {
            Some(Verdict::Change(Change { predicted, diff })) => (predicted, diff),
            Some(Verdict::Unchanged { output, diff }) => (output, diff),
            _ => (self.summary(), Value::Null),
        };
        let output = name_dest(output).changed(changed);
        if changed {
            Verdict::Change(Change {
                diff,
                predicted: output,
            })
        } else {
            Verdict::Unchanged { output, diff }
        }
    }

    /// Does what was planned for each entry. Folders and links are looked at anew, as the files may have made folders.
    ///
    /// # Errors
    /// The first entry that fails ends the copy; what was copied before stays.
    pub(super) async fn carry_out(self, target: &dyn Target) -> Result<Output, Failure> {
        let has_single_file = self.has_single_file();
        let summary = self.summary();
        let (mut changed, mut last) = (false, None);
        for part in self.parts {
            let output = match part {
                Part::File(_, Step::Keep) => continue,
                Part::File(sent, step) => sent.carry_out(target, step).await?,
                Part::Other(desired, _) => make_so(target, &desired).await?,
            };
            changed |= output.changed == Some(true);
            last = Some(output);
        }
        let output = last.filter(|_| has_single_file).unwrap_or(summary);
        Ok(name_dest(output).changed(changed))
    }

    /// Ansible's result of a folder with exactly one file is that of what was done last.
    fn has_single_file(&self) -> bool {
        let files = self
            .parts
            .iter()
            .filter(|part| matches!(part, Part::File(..)));
        files.count() == 1
    }

    fn summary(&self) -> Output {
        let mut result = Object::new();
        result.insert("dest".into(), self.dest.as_str().into());
        result.insert("src".into(), self.source.as_str().into());
        Output::new(result)
    }
}

/// What a folder or a link shall be.
fn desired(path: String, kind: EntryKind, options: &Options) -> Desired {
    let (state, src, attributes) = match kind {
        EntryKind::Link { target } => {
            let attributes = options.attributes.with_mode(Value::Null);
            (FileState::Link, Some(target), attributes)
        }
        _ => (FileState::Directory, None, options.of_folders()),
    };
    Desired {
        path,
        state,
        follow: state == FileState::Directory,
        force: src.is_some(),
        src,
        attributes,
        recurse: false,
        times: Times::PRESERVE,
    }
}

async fn make_so(target: &dyn Target, desired: &Desired) -> Result<Output, Failure> {
    let planned = desired.plan(target).await?;
    if planned.changed {
        return desired.carry_out(target, planned).await;
    }
    let mut output = Output::new(planned.present).changed(false);
    if let Some(diff) = planned.diff.filter(|_| target.mode().diff) {
        output.result.insert("diff".into(), diff.into_value());
    }
    Ok(output)
}

/// Names the path `dest`, as results of copies do.
fn name_dest(mut output: Output) -> Output {
    if let Some(path) = output.result.get("path").cloned() {
        output.result.entry("dest").or_insert(path);
    }
    output
}
