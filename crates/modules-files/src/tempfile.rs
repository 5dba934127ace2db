//! The module `tempfile`: a new, empty file or folder that only its owner can read.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};

use async_trait::async_trait;
use rustle_module::{
    Change, CheckSupport, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, random_name,
};
use serde::Deserialize;

use crate::attributes::add_path_info;
use crate::os_error::describe_bare;
use crate::paths::join;

/// How many names are tried before giving up.
const TRIES: usize = 100;

/// The module `tempfile`.
pub(crate) struct TempFile;

/// What is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TempState {
    Directory,
    File,
}

/// The arguments of `tempfile`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    state: TempState,
    path: Option<String>,
    prefix: String,
    suffix: String,
}

const OPTIONS: &[Opt] = &[
    Opt::new("state", Type::Str)
        .default(Default::Str("file"))
        .choices(&["directory", "file"]),
    Opt::new("path", Type::Path),
    Opt::new("prefix", Type::Str).default(Default::Str("ansible.")),
    Opt::new("suffix", Type::Str).default(Default::Str("")),
];

#[async_trait]
impl Module for TempFile {
    type Args = Args;
    type State = ();
    const SPEC: Spec = Spec::new("tempfile", OPTIONS).check_mode(CheckSupport::None);

    async fn inspect(&self, _target: &dyn Target, _args: &Args) -> Result<(), Failure> {
        Ok(())
    }

    fn diff(&self, _args: &Args, (): &(), _mode: Mode) -> Verdict {
        Verdict::Change(Change::default())
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        (): (),
        _change: Change,
    ) -> Result<Output, Failure> {
        let folder = match &args.path {
            Some(path) => path.clone(),
            None => target
                .variable("TMPDIR")
                .filter(|folder| !folder.is_empty())
                .unwrap_or_else(|| "/tmp".to_owned()),
        };
        let path = args.make_in(&folder)?;
        let mut result = Object::new();
        result.insert("path".into(), path.as_str().into());
        add_path_info(target, &mut result, &path).await;
        Ok(Output::new(result))
    }
}

impl Args {
    fn make_in(&self, folder: &str) -> Result<String, Failure> {
        let mut tries = 0;
        loop {
            tries += 1;
            let random = random_name().map_err(|error| Failure::new(describe_bare(&error)))?;
            let path = join(folder, &format!("{}{random}{}", self.prefix, self.suffix));
            let made = match self.state {
                TempState::File => {
                    let mut options = OpenOptions::new();
                    options.write(true).create_new(true).mode(0o600);
                    options.open(&path).map(drop)
                }
                TempState::Directory => DirBuilder::new().mode(0o700).create(&path),
            };
            match made {
                Ok(()) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && tries < TRIES => {}
                Err(error) => {
                    let text = describe_bare(&error);
                    return Err(Failure::new(format!("{text}: '{path}'")));
                }
            }
        }
    }
}
