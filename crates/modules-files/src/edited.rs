//! A text file that is edited: what is in it before and after, its result, and how the new content takes its place.

use std::fs;
use std::path::Path;

use rustle_module::{Failure, Mode, Object, Target};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::attributes::{AttributeArgs, Pass, restore_context};
use crate::diff::{BeforeAfter, show_text};
use crate::os_error::describe_bare;
use crate::paths::{make_folders, parent, real_path};
use crate::staged::Staged;
use crate::{backup, validate};

const ATTRIBUTES_CHANGED: &str = "ownership, perms or SE linux context changed";

/// The content of a file before and after.
#[derive(Clone, Default)]
pub(crate) struct Edited {
    /// The content that is there.
    pub(crate) before: Vec<u8>,
    /// The content that shall be there.
    pub(crate) after: Vec<u8>,
    /// Whether there is a file.
    pub(crate) exists: bool,
    /// What was done to the content; empty for nothing.
    pub(crate) msg: String,
    /// The difference of attributes, and whether there is one; for a file that is there.
    pub(crate) attributes: (BeforeAfter, bool),
    /// Hints for the user.
    pub(crate) warnings: Vec<String>,
}

/// The file, and what a task says of how it is written.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct TextFile {
    /// Where it is.
    pub(crate) path: String,
    /// Whether the present content is kept beside it.
    backup: bool,
    /// A command that judges new content.
    validate: Option<String>,
    /// Whether it may be written in place.
    unsafe_writes: bool,
    /// Owner, mode and the like.
    #[serde(flatten)]
    attributes: AttributeArgs,
    /// Whether a link is replaced, and not its target.
    #[serde(skip)]
    pub(crate) replaces_link: bool,
}

/// What carrying an edit out did.
pub(crate) struct Written {
    /// The name of the backup, if one was made.
    pub(crate) backup: Option<String>,
    /// What of the attributes was changed, and whether something was.
    pub(crate) attributes: (BeforeAfter, bool),
}

impl Edited {
    /// Whether the content differs.
    pub(crate) fn is_changed(&self) -> bool {
        !self.msg.is_empty()
    }

    /// Whether anything would change, as far as was looked.
    pub(crate) fn differs(&self) -> bool {
        self.is_changed() || self.attributes.1
    }

    /// The message, with the attributes if they were changed too.
    pub(crate) fn message(&self, settled: bool) -> String {
        match (self.msg.is_empty(), settled) {
            (true, true) => ATTRIBUTES_CHANGED.to_owned(),
            (false, true) => format!("{} and {ATTRIBUTES_CHANGED}", self.msg),
            (_, false) => self.msg.clone(),
        }
    }

    /// The difference of the content; without texts unless diff mode asks for them.
    pub(crate) fn content_diff(&self, path: &str, mode: Mode) -> Value {
        let content = |bytes: &[u8]| {
            if mode.diff {
                show_text(bytes)
            } else {
                String::new()
            }
        };
        let header = format!("{path} (content)");
        json!({
            "before": content(&self.before),
            "after": content(&self.after),
            "before_header": header,
            "after_header": header,
        })
    }

    /// The result of a module that always shows both differences, with what is known of the attributes.
    pub(crate) fn result(
        &self,
        path: &str,
        mode: Mode,
        (attributes, settled): (BeforeAfter, bool),
    ) -> Object {
        let attributes = attributes.with_headers(&format!("{path} (file attributes)"));
        let mut result = Object::new();
        result.insert("msg".into(), self.message(settled).into());
        result.insert(
            "diff".into(),
            json!([self.content_diff(path, mode), attributes]),
        );
        result
    }

    /// The result before anything is written: without a file there are no attributes to compare.
    pub(crate) fn predicted(&self, path: &str, mode: Mode) -> Object {
        let mut result = self.result(path, mode, self.attributes.clone());
        if !self.exists {
            result.insert("diff".into(), self.content_diff(path, mode));
        }
        result
    }
}

impl TextFile {
    /// Compares the attributes of a file that is there.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) async fn look_at_attributes(
        &self,
        target: &dyn Target,
        edited: &mut Edited,
    ) -> Result<(), Failure> {
        if !edited.exists || edited.is_changed() && !target.mode().check {
            // As in Ansible the content is written first, and attributes that cannot be read fail after that.
            return Ok(());
        }
        let (diff, differs) = &mut edited.attributes;
        *differs = self
            .attributes
            .settle(target, &self.path, Pass::Look, diff)
            .await?;
        Ok(())
    }

    /// Writes what differs: backup, content, attributes.
    ///
    /// # Errors
    /// When the content does not validate or cannot be written, or an attribute cannot be set.
    pub(crate) async fn carry_out(
        &self,
        target: &dyn Target,
        edited: &Edited,
    ) -> Result<Written, Failure> {
        let mut backup = None;
        let (mut diff, mut settled) = (BeforeAfter::default(), false);
        if edited.is_changed() {
            if self.backup && edited.exists {
                backup = Some(backup::make(&self.path)?);
            }
            (diff, settled) = self.write(target, &edited.after, edited.exists).await?;
        }
        let mut rest = BeforeAfter::default();
        settled |= self
            .attributes
            .settle(target, &self.path, Pass::Set, &mut rest)
            .await?;
        diff.extend(rest);
        Ok(Written {
            backup,
            attributes: (diff, settled),
        })
    }

    /// Writes the new content, into the target of a link unless the link is replaced. Tells what of the attributes was changed on the way.
    async fn write(
        &self,
        target: &dyn Target,
        content: &[u8],
        exists: bool,
    ) -> Result<(BeforeAfter, bool), Failure> {
        if !exists {
            make_folders(parent(&self.path)).map_err(|error| {
                let text = describe_bare(&error);
                Failure::new(format!("Error creating {} ({text})", parent(&self.path)))
            })?;
        }
        let is_link = Path::new(&self.path).is_symlink() && !self.replaces_link;
        let dest = if is_link {
            real_path(Path::new(&self.path))
        } else {
            self.path.as_str().into()
        };
        let mut staged = Staged::for_dest(target, &dest, self.unsafe_writes)?;
        staged.write(content)?;
        let like = fs::metadata(&dest).ok();
        staged.take_attributes(like.as_ref());
        let settled = if is_link {
            // The attributes are asked for of the link, not of its target.
            (BeforeAfter::default(), false)
        } else {
            staged.settle(target, &self.attributes).await
        };
        if let Some(command) = self.validate.as_deref().filter(|text| !text.is_empty()) {
            let finished = validate::run(target, command, staged.path()).await?;
            if !finished.is_success() {
                let (rc, err) = (
                    finished.status.to_return_code(),
                    finished.stderr.to_string_lossy(),
                );
                return Err(Failure::new(format!(
                    "failed to validate: rc:{rc} error:{err}"
                )));
            }
        }
        staged.commit()?;
        if like.is_none() {
            restore_context(target, &dest).await;
        }
        Ok(settled)
    }
}
