//! The module `assemble`: one file of the fragments in a folder of the machine.
//!
//! With `remote_src: false` the fragments are the controller's, which sends what it made of them by `copy`.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::fragments::Fragments;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::attributes::{AttributeArgs, Pass, add_path_info, restore_context};
use crate::checksum::{Algorithm, Sums, of_file};
use crate::diff::BeforeAfter;
use crate::staged::Staged;
use crate::{backup, validate};

/// The module `assemble`.
pub(crate) struct Assemble;

/// The arguments of `assemble`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    src: String,
    dest: String,
    delimiter: Option<String>,
    regexp: Option<String>,
    ignore_hidden: bool,
    remote_src: bool,
    backup: bool,
    validate: Option<String>,
    unsafe_writes: bool,
    #[serde(flatten)]
    attributes: AttributeArgs,
}

/// What [`Assemble`] found.
pub(crate) struct State {
    fragments: Fragments,
    /// Whether there is a file already.
    exists: bool,
    /// Whether it has another content.
    differs: bool,
    /// Whether it has other attributes.
    unsettled: bool,
    /// What results say, as far as nothing was written.
    result: Object,
}

const OPTIONS: &[Opt] = &[
    Opt::new("src", Type::Path).required(),
    Opt::new("dest", Type::Path).required(),
    Opt::new("delimiter", Type::Str),
    Opt::new("remote_src", Type::Bool).default(Default::Bool(true)),
    Opt::new("regexp", Type::Str),
    Opt::new("ignore_hidden", Type::Bool).default(Default::Bool(false)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate", Type::Str),
    Opt::new("decrypt", Type::Bool).default(Default::Bool(true)),
];

#[async_trait]
impl Module for Assemble {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("assemble", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let fragments = args.fragments()?;
        let mut sums = Sums::default();
        fragments.each_part(&mut |part| {
            sums.update(part);
            Ok(())
        })?;
        let (sha1, md5) = sums.finish();
        let dest = Path::new(&args.dest);
        if dest.is_dir() {
            let msg = format!("attempted to take checksum of directory: {}", args.dest);
            return Err(Failure::new(msg));
        }
        let exists = dest.exists();
        let differs = of_file(dest, Algorithm::Sha1).ok().as_ref() != Some(&sha1);
        let mut result = Object::new();
        for (key, value) in [
            ("src", args.src.as_str()),
            ("dest", &args.dest),
            ("checksum", &sha1),
            ("md5sum", &md5),
            ("msg", "OK"),
        ] {
            result.insert(key.into(), value.into());
        }
        let mut state = State {
            fragments,
            exists,
            differs,
            unsettled: false,
            result,
        };
        if differs && target.mode().check {
            state.predict(target, args).await?;
        }
        if exists && (!differs || target.mode().check) {
            let mut unshown = BeforeAfter::default();
            let attributes = &args.attributes;
            let look = attributes.settle(target, &args.dest, Pass::Look, &mut unshown);
            state.unsettled = look.await?;
        }
        add_path_info(target, &mut state.result, &args.dest).await;
        Ok(state)
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = Output::new(state.result.clone());
        Verdict::change_if(state.differs || state.unsettled, output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut result = state.result;
        if state.differs {
            let mut staged = args.stage(target, &state.fragments)?;
            if let Some(validation) = args.validated(target, &staged).await? {
                result.insert("validation".into(), validation);
            }
            if args.backup && state.exists {
                result.insert("backup_file".into(), backup::make(&args.dest)?.into());
            }
            staged.settle(target, &args.attributes).await;
            staged.commit()?;
            if !state.exists {
                restore_context(target, Path::new(&args.dest)).await;
            }
        }
        let mut unshown = BeforeAfter::default();
        args.attributes
            .settle(target, &args.dest, Pass::Set, &mut unshown)
            .await?;
        add_path_info(target, &mut result, &args.dest).await;
        Ok(Output::new(result))
    }
}

impl State {
    /// Adds what a run would return besides: a validation really takes place, in a file beside the destination.
    async fn predict(&mut self, target: &dyn Target, args: &Args) -> Result<(), Failure> {
        if args.validate.is_some() {
            let staged = args.stage(target, &self.fragments)?;
            if let Some(validation) = args.validated(target, &staged).await? {
                self.result.insert("validation".into(), validation);
            }
        }
        if args.backup && self.exists {
            let name = backup::free_name(&args.dest);
            self.result.insert("backup_file".into(), name.into());
        }
        Ok(())
    }
}

impl Args {
    fn fragments(&self) -> Result<Fragments, Failure> {
        if !self.remote_src {
            let msg = "with remote_src=false the controller assembles the fragments and sends them as `copy` does";
            return Err(Failure::new(msg));
        }
        let src = Path::new(&self.src);
        if !src.exists() {
            return Err(Failure::new(format!(
                "Source ({}) does not exist",
                self.src
            )));
        }
        if !src.is_dir() {
            return Err(Failure::new(format!(
                "Source ({}) is not a directory",
                self.src
            )));
        }
        Fragments::find(
            src,
            self.regexp.as_deref(),
            self.ignore_hidden,
            self.delimiter.as_deref(),
        )
    }

    /// Writes the fragments to a file that is to take the destination's place.
    fn stage(&self, target: &dyn Target, fragments: &Fragments) -> Result<Staged, Failure> {
        let dest = Path::new(&self.dest);
        let mut staged = Staged::for_dest(target, dest, self.unsafe_writes)?;
        fragments.each_part(&mut |part| staged.write(part))?;
        staged.take_attributes(std::fs::metadata(dest).ok().as_ref());
        Ok(staged)
    }

    /// Judges the new content, and tells what the command said about it.
    async fn validated(
        &self,
        target: &dyn Target,
        staged: &Staged,
    ) -> Result<Option<Value>, Failure> {
        let Some(command) = self.validate.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let finished = validate::run(target, command, staged.path()).await?;
        let rc = finished.status.to_return_code();
        let stderr = finished.stderr.to_string_lossy();
        if !finished.is_success() {
            let msg = format!("failed to validate: rc:{rc} error:{stderr}");
            return Err(Failure::new(msg));
        }
        let stdout = finished.stdout.to_string_lossy();
        Ok(Some(json!({"rc": rc, "stdout": stdout, "stderr": stderr})))
    }
}
