//! The module `blockinfile`: a block of lines between markers in a text file.

mod block;

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::python_regex::PythonRegex;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;

use crate::edited::{Edited, TextFile};
use crate::os_error::describe;
use block::{Anchor, Block, Place, lines_of};

/// The module `blockinfile`.
pub(crate) struct BlockInFile;

/// What shall be of the block.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BlockState {
    Absent,
    Present,
}

/// The arguments of `blockinfile`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    state: BlockState,
    marker: String,
    marker_begin: String,
    marker_end: String,
    block: String,
    insertafter: Option<String>,
    insertbefore: Option<String>,
    create: bool,
    append_newline: bool,
    prepend_newline: bool,
    #[serde(flatten)]
    file: TextFile,
}

/// What [`BlockInFile`] found.
pub(crate) enum State {
    /// There is no file to remove a block from.
    NoFile,
    /// The content before and after.
    Edited(Box<Edited>),
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path)
        .required()
        .aliases(&["dest", "destfile", "name"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("marker", Type::Str).default(Default::Str("# {mark} ANSIBLE MANAGED BLOCK")),
    Opt::new("marker_begin", Type::Str).default(Default::Str("BEGIN")),
    Opt::new("marker_end", Type::Str).default(Default::Str("END")),
    Opt::new("block", Type::Str)
        .default(Default::Str(""))
        .aliases(&["content"]),
    Opt::new("insertafter", Type::Str),
    Opt::new("insertbefore", Type::Str),
    Opt::new("create", Type::Bool).default(Default::Bool(false)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("append_newline", Type::Bool).default(Default::Bool(false)),
    Opt::new("prepend_newline", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate", Type::Str),
];

#[async_trait]
impl Module for BlockInFile {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("blockinfile", OPTIONS)
        .file_common()
        .constraints(&[Constraint::MutuallyExclusive(&[
            "insertbefore",
            "insertafter",
        ])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let path = Path::new(&args.file.path);
        if path.is_dir() {
            let msg = format!("Path {} is a directory !", args.file.path);
            return Err(Failure::new(msg).with("rc", 256));
        }
        let exists = path.exists();
        if !exists && !args.create {
            let msg = format!("Path {} does not exist !", args.file.path);
            return Err(Failure::new(msg).with("rc", 257));
        }
        if !exists && args.state == BlockState::Absent {
            return Ok(State::NoFile);
        }
        let before = if exists {
            fs::read(path).map_err(|error| {
                let text = describe(&error, &args.file.path);
                Failure::new(format!("Task failed: Module failed: {text}"))
            })?
        } else {
            Vec::new()
        };
        let mut edited = args.edit(before, exists)?;
        args.file.look_at_attributes(target, &mut edited).await?;
        Ok(State::Edited(Box::new(edited)))
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let State::Edited(edited) = state else {
            let msg = format!("File {} not present", args.file.path);
            let result = Object::from_iter([("msg".to_owned(), msg.into())]);
            return Verdict::unchanged(Output::new(result));
        };
        let output = Output::new(edited.predicted(&args.file.path, mode));
        Verdict::change_if(edited.differs(), output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let State::Edited(edited) = state else {
            return Ok(Output::default().changed(false));
        };
        let written = args.file.carry_out(target, &edited).await?;
        let changed = edited.is_changed() || written.attributes.1;
        let mut result = edited.result(&args.file.path, target.mode(), written.attributes);
        if let Some(backup) = written.backup {
            result.insert("backup_file".into(), backup.into());
        }
        Ok(Output::new(result).changed(changed))
    }
}

impl Args {
    fn marker(&self, mark: &str) -> Vec<u8> {
        format!("{}\n", self.marker.replace("{mark}", mark)).into_bytes()
    }

    fn block(&self) -> Result<Block, Failure> {
        let (begin, end) = (
            self.marker(&self.marker_begin),
            self.marker(&self.marker_end),
        );
        let is_present = self.state == BlockState::Present;
        let mut lines = Vec::new();
        if is_present && !self.block.is_empty() {
            let mut text = self.block.clone();
            if !text.ends_with('\n') {
                text.push('\n');
            }
            lines.push(begin.clone());
            lines.extend(lines_of(text.as_bytes()));
            lines.push(end.clone());
        }
        Ok(Block {
            begin,
            end,
            lines,
            place: self.place()?,
            prepend_newline: self.prepend_newline && is_present,
            append_newline: self.append_newline && is_present,
        })
    }

    fn place(&self) -> Result<Place, Failure> {
        let anchor = |pattern: &str| {
            Ok(Anchor {
                regexp: PythonRegex::new(pattern)?,
                is_multiline: has_multiline_flag(pattern),
            })
        };
        Ok(
            match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
                (None | Some("EOF"), None) => Place::End,
                (Some(pattern), _) if pattern != "EOF" => Place::After(anchor(pattern)?),
                (_, Some("BOF")) => Place::Beginning,
                (_, Some(pattern)) => Place::Before(anchor(pattern)?),
                (Some(_), None) => Place::End,
            },
        )
    }

    /// Makes the new content of the present one.
    fn edit(&self, before: Vec<u8>, exists: bool) -> Result<Edited, Failure> {
        let block = self.block()?;
        let after = block.put_into(&before);
        let msg = if !exists {
            "File created"
        } else if before == after {
            ""
        } else if block.lines.is_empty() {
            "Block removed"
        } else {
            "Block inserted"
        };
        Ok(Edited {
            before,
            after,
            exists,
            msg: msg.to_owned(),
            ..Edited::default()
        })
    }
}

/// Whether the pattern begins with inline flags of which one makes it about several lines.
fn has_multiline_flag(pattern: &str) -> bool {
    let flags = pattern
        .strip_prefix("(?")
        .and_then(|rest| rest.split_once(')'));
    flags.is_some_and(|(flags, _)| {
        flags.contains('m') && flags.bytes().all(|byte| byte.is_ascii_alphabetic())
    })
}
