//! The module `copy`: content that the controller sends, or that is on the machine already, put in its place.
//!
//! Also the second half of `template`, which is a copy of what the controller rendered.
//!
//! # What the controller sends
//!
//! The controller reads `src` and `content` (and `decrypt`), which never come here but with `remote_src`. Besides the task's other options
//! it sends one of two sets of internal ones.
//!
//! For one file:
//!
//! | option | |
//! |---|---|
//! | `_attachment` | the content: `{"id", "size", "checksum", "md5"?, "mode"?}`, see below |
//! | `_original_basename` | the file's name, used where `dest` is a folder or ends in a slash; none for a `content` |
//! | `_source` | the controller's path of the file, which results and differences name; for a template that of the rendered file; none for a `content` |
//!
//! For a folder, whose `dest` is a folder whether it ends in a slash or not:
//!
//! | option | |
//! |---|---|
//! | `_tree` | all that is in it, as a list in the order in which the controller's walk found it |
//! | `_source` | the folder as the task names it (with its slash, if it has one) |
//!
//! An entry of the tree has a `path` below `dest` (it starts with the folder's own name where the task's `src` does not end in
//! a slash, and then the folder itself is an entry too) and a `kind`:
//!
//! * `{"path", "kind": "file", "source"?, "attachment": {…}}`; `source` is the controller's path of it;
//! * `{"path", "kind": "dir"}`, for each folder, empty or not;
//! * `{"path", "kind": "link", "target"}`, only with `local_follow: false`: otherwise the controller sends what the link leads to.
//!
//! An attachment's `size` is in bytes, `checksum` its SHA-1 and `md5` its MD5 in hexadecimal digits, `mode` the octal mode of the
//! controller's file (`"0644"`), needed with `mode: preserve`. The content is fetched only where the file that is there differs from
//! `checksum`, and once more before that to show a difference, if it has at most 104448 bytes. So it must stay available until the call has ended.
//!
//! `mode`, `directory_mode`, `owner`, `group`, `force`, `backup`, `validate`, `follow`, `checksum` are sent as the task has them, `preserve` included.
//!
//! Failures that are only the controller's are not repeated here: a missing `src`, `src` beside `content`, a `content` for a `dest` that ends in a slash.

mod place;
mod remote;
mod remote_tree;
mod sent;
mod shown;
mod tree;

use async_trait::async_trait;
use rustle_module::{
    Attached, Change, Default, Failure, Mode, Module, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use crate::attributes::AttributeArgs;
use remote::Remote;
use sent::{Sent, Step, temporary};
use tree::{Entry, Tree};

/// The module `copy`.
pub(crate) struct Copy;

/// How files are put in place.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Options {
    backup: bool,
    checksum: Option<String>,
    #[serde(default)]
    directory_mode: Value,
    follow: bool,
    force: bool,
    unsafe_writes: bool,
    validate: Option<String>,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

impl Options {
    /// The attributes of folders that are made: those of the files, with a mode of their own.
    fn of_folders(&self) -> AttributeArgs {
        self.attributes.with_mode(self.directory_mode.clone())
    }
}

/// The arguments of `copy`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    dest: String,
    src: Option<String>,
    remote_src: bool,
    local_follow: Option<bool>,
    _original_basename: Option<String>,
    _source: Option<String>,
    _attachment: Option<Attached>,
    _tree: Option<Vec<Entry>>,
    #[serde(flatten)]
    options: Options,
}

/// What [`Copy`] found.
pub(crate) struct State {
    plan: Plan,
    /// What the result names as the source of a `content`.
    contents: String,
}

enum Plan {
    Sent(Box<Sent>, Step),
    Tree(Tree),
    Remote(Box<Remote>),
}

const OPTIONS: &[Opt] = &[
    Opt::new("src", Type::Path),
    Opt::new("content", Type::Str).no_log(),
    Opt::new("dest", Type::Path).required(),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("checksum", Type::Str),
    Opt::new("decrypt", Type::Bool).default(Default::Bool(true)),
    Opt::new("directory_mode", Type::Raw),
    Opt::new("follow", Type::Bool).default(Default::Bool(false)),
    Opt::new("force", Type::Bool).default(Default::Bool(true)),
    Opt::new("local_follow", Type::Bool),
    Opt::new("remote_src", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate", Type::Str),
    Opt::new("_original_basename", Type::Str),
    Opt::new("_source", Type::Str).internal(),
    Opt::new("_attachment", Type::Raw).internal(),
    Opt::new("_tree", Type::Raw).internal(),
];

#[async_trait]
impl Module for Copy {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("copy", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let options = args.options.clone();
        let name = args._original_basename.as_deref();
        let plan = if let Some(attached) = &args._attachment {
            let sent = Sent {
                dest: args.dest.clone(),
                name: args._original_basename.clone(),
                source: args._source.clone(),
                attached: attached.clone(),
                options,
            };
            let step = sent.plan(target).await?;
            Plan::Sent(Box::new(sent), step)
        } else if let Some(entries) = &args._tree {
            let source = args._source.as_deref().unwrap_or_default();
            Plan::Tree(Tree::plan(target, (&args.dest, source), entries.clone(), &options).await?)
        } else if let Some(src) = args.src.as_deref().filter(|_| args.remote_src) {
            let local_follow = args.local_follow.unwrap_or(false);
            let remote = Remote::plan(target, (src, &args.dest), name, options, local_follow);
            Plan::Remote(Box::new(remote.await?))
        } else {
            return Err(Failure::new("src (or content) is required"));
        };
        Ok(State {
            plan,
            contents: temporary(target),
        })
    }

    fn diff(&self, _args: &Args, state: &State, mode: Mode) -> Verdict {
        match &state.plan {
            Plan::Sent(sent, step) => sent.verdict(&state.contents, step, mode),
            Plan::Tree(tree) => tree.verdict(&state.contents, mode),
            Plan::Remote(remote) => remote.verdict(),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        match state.plan {
            Plan::Sent(sent, step) => sent.carry_out(target, step).await,
            Plan::Tree(tree) => tree.carry_out(target).await,
            Plan::Remote(remote) => remote.carry_out(target).await,
        }
    }
}
