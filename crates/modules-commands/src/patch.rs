//! `patch`: a patch file, applied to files.
//!
//! The controller sends `_attachment` where the patch is its own.

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Attached, Change, Constraint, Default, Failure, Mode, Module, Opt, Output, Received, Spec,
    Target, Type, Verdict,
};
use serde::Deserialize;

/// Applies patches by the program `patch`.
pub(crate) struct Patch;

/// The arguments of `patch`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    src: String,
    dest: Option<String>,
    basedir: Option<String>,
    strip: i64,
    backup: bool,
    binary: bool,
    ignore_whitespace: bool,
    state: String,
    #[serde(rename = "_attachment")]
    attached: Option<Attached>,
}

/// Where the patch is, and whether it is applied already.
pub(crate) struct State {
    received: Option<Received>,
    is_done: bool,
}

#[async_trait]
impl Module for Patch {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new(
        "ansible.posix.patch",
        &[
            Opt::new("src", Type::Path)
                .required()
                .aliases(&["patchfile"]),
            Opt::new("dest", Type::Path).aliases(&["originalfile"]),
            Opt::new("basedir", Type::Path),
            Opt::new("strip", Type::Int).default(Default::Int(0)),
            Opt::new("remote_src", Type::Bool).default(Default::Bool(false)),
            Opt::new("backup", Type::Bool).default(Default::Bool(false)),
            Opt::new("binary", Type::Bool).default(Default::Bool(false)),
            Opt::new("ignore_whitespace", Type::Bool).default(Default::Bool(false)),
            Opt::new("state", Type::Str)
                .default(Default::Str("present"))
                .choices(&["absent", "present"]),
            Opt::new("_attachment", Type::Raw).internal(),
        ],
    )
    .constraints(&[Constraint::RequiredOneOf(&["dest", "basedir"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let received = match &args.attached {
            Some(attached) => Some(Received::fetch(target, attached, "patch", 0o600).await?),
            None => None,
        };
        let mut state = State {
            received,
            is_done: false,
        };
        // What can be taken back was applied, and the other way round.
        let ran = args.run(target, &state, !args.is_absent(), true).await?;
        state.is_done = ran.rc == 0;
        if !state.is_done {
            let ran = args.run(target, &state, args.is_absent(), true).await?;
            ended_well(&ran)?;
        }
        Ok(state)
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        match state.is_done {
            true => Verdict::unchanged(Output::default()),
            false => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let ran = args.run(target, &state, args.is_absent(), false).await?;
        ended_well(&ran)?;
        Ok(Output::default())
    }
}

fn ended_well(ran: &Ran) -> Result<(), Failure> {
    if ran.rc == 0 {
        return Ok(());
    }
    let said = if ran.stderr.is_empty() {
        &ran.stdout
    } else {
        &ran.stderr
    };
    Err(Failure::new(said.clone()))
}

impl Args {
    fn is_absent(&self) -> bool {
        self.state == "absent"
    }

    async fn run(
        &self,
        target: &dyn Target,
        state: &State,
        reverses: bool,
        only_tries: bool,
    ) -> Result<Ran, Failure> {
        let tool = Tool::find(target, "patch")?;
        let src = match &state.received {
            Some(received) => received.path().to_string_lossy().into_owned(),
            None => self.src.clone(),
        };
        let basedir = self.basedir.as_deref().unwrap_or("/");
        let mut words = vec![
            "--quiet".to_owned(),
            "--forward".to_owned(),
            "--strip".to_owned(),
            self.strip.to_string(),
            "--directory".to_owned(),
            basedir.to_owned(),
            "--input".to_owned(),
            src,
        ];
        let mut add = |is_wanted: bool, option: &str| {
            if is_wanted {
                words.push(option.to_owned());
            }
        };
        add(!only_tries, "--reject-file=-");
        add(reverses, "--reverse");
        add(only_tries, "--dry-run");
        add(self.binary, "--binary");
        add(self.ignore_whitespace, "--ignore-whitespace");
        if self.backup && !only_tries {
            words.extend([
                "--backup".to_owned(),
                "--version-control=numbered".to_owned(),
            ]);
        }
        if let Some(dest) = &self.dest {
            words.extend(["--".to_owned(), dest.clone()]);
        }
        tool.run(&words).await
    }
}
