//! The module `slurp`: the content of a file, as base64.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustle_module::{
    Change, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;

/// The module `slurp`.
pub(crate) struct Slurp;

/// The arguments of `slurp`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    src: String,
    #[serde(rename = "_offset")]
    offset: Option<u64>,
    #[serde(rename = "_length")]
    length: Option<u64>,
}

impl Args {
    /// The content, or the piece of it that the controller's `fetch` asks for.
    fn read(&self) -> io::Result<Vec<u8>> {
        let Some(length) = self.length else {
            return fs::read(&self.src);
        };
        let mut file = File::open(&self.src)?;
        let offset = self.offset.unwrap_or(0);
        if offset > 0 {
            file.seek(SeekFrom::Start(offset))?;
        }
        let mut content = Vec::new();
        file.take(length).read_to_end(&mut content)?;
        Ok(content)
    }
}

#[async_trait]
impl Module for Slurp {
    type Args = Args;
    type State = String;
    const SPEC: Spec = Spec::new(
        "slurp",
        &[
            Opt::new("src", Type::Path).required().aliases(&["path"]),
            Opt::new("_offset", Type::Int).internal(),
            Opt::new("_length", Type::Int).internal(),
        ],
    );

    async fn inspect(&self, _target: &dyn Target, args: &Args) -> Result<String, Failure> {
        let content = args.read().map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::NotFound => "File not found",
                io::ErrorKind::PermissionDenied => "File is not readable",
                io::ErrorKind::IsADirectory => "Source is a directory and must be a file",
                _ => "Unable to slurp file",
            };
            Failure::new(format!("{what}: {}", args.src))
        })?;
        Ok(STANDARD.encode(content))
    }

    fn diff(&self, args: &Args, content: &String, _mode: Mode) -> Verdict {
        let result = [
            ("content", content.as_str()),
            ("source", &args.src),
            ("encoding", "base64"),
        ];
        let result = result.map(|(key, value)| (key.to_owned(), value.into()));
        Verdict::unchanged(Output::new(Object::from_iter(result)))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _content: String,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}
