//! The module `find`: files below folders, by name, kind, age, size, mode and content.

mod content;
mod filters;
mod walk;

use std::collections::HashMap;
use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use rustle_module::python_regex::{Alphabet, Flags, PythonRegex, python_error};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use crate::checksum::Algorithm;
use filters::{AgeStamp, Bound, FileType, check_mode_is_text, mode_fits};
use walk::{Found, Walk};

/// The module `find`.
pub(crate) struct Find;

/// The arguments of `find`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    paths: Vec<String>,
    patterns: Vec<String>,
    excludes: Option<Vec<String>>,
    contains: Option<String>,
    read_whole_file: bool,
    encoding: Option<String>,
    use_regex: bool,
    file_type: FileType,
    age: Option<String>,
    age_stamp: AgeStamp,
    size: Option<String>,
    #[serde(default)]
    mode: Value,
    exact_mode: bool,
    recurse: bool,
    depth: Option<i64>,
    hidden: bool,
    follow: bool,
    get_checksum: bool,
    checksum_algorithm: Algorithm,
    limit: Option<i64>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("paths", Type::List(&Type::Path))
        .required()
        .aliases(&["name", "path"]),
    Opt::new("patterns", Type::List(&Type::Str))
        .default(Default::List(&[]))
        .aliases(&["pattern"]),
    Opt::new("excludes", Type::List(&Type::Str)).aliases(&["exclude"]),
    Opt::new("contains", Type::Str),
    Opt::new("read_whole_file", Type::Bool).default(Default::Bool(false)),
    Opt::new("encoding", Type::Str),
    Opt::new("use_regex", Type::Bool).default(Default::Bool(false)),
    Opt::new("file_type", Type::Str)
        .default(Default::Str("file"))
        .choices(&["any", "directory", "file", "link"]),
    Opt::new("age", Type::Str),
    Opt::new("age_stamp", Type::Str)
        .default(Default::Str("mtime"))
        .choices(&["atime", "ctime", "mtime"]),
    Opt::new("size", Type::Str),
    Opt::new("mode", Type::Raw),
    Opt::new("exact_mode", Type::Bool).default(Default::Bool(true)),
    Opt::new("recurse", Type::Bool).default(Default::Bool(false)),
    Opt::new("depth", Type::Int),
    Opt::new("hidden", Type::Bool).default(Default::Bool(false)),
    Opt::new("follow", Type::Bool).default(Default::Bool(false)),
    Opt::new("get_checksum", Type::Bool).default(Default::Bool(false)),
    Opt::new("checksum_algorithm", Type::Str)
        .default(Default::Str("sha1"))
        .choices(&["md5", "sha1", "sha224", "sha256", "sha384", "sha512"])
        .aliases(&["checksum", "checksum_algo"]),
    Opt::new("limit", Type::Int),
];

#[async_trait]
impl Module for Find {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("find", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        check_mode_is_text(&args.mode)?;
        if args.limit == Some(0) {
            let msg = "limit cannot be 0 (use None for unlimited)";
            return Err(Failure::new(msg));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let walk = Walk {
            target,
            args,
            search: Search::new(args)?,
            now: now.unwrap_or_default().as_secs_f64(),
            found: Found::default(),
            names: HashMap::new(),
        };
        Ok(walk.run().await)
    }

    fn diff(&self, _args: &Args, found: &Found, _mode: Mode) -> Verdict {
        let msg = if found.is_full {
            "Limit of matches reached"
        } else if found.skipped.is_empty() {
            "All paths examined"
        } else {
            "Not all paths examined, check warnings for details"
        };
        let mut result = Object::new();
        result.insert("files".into(), found.files.clone().into());
        result.insert("msg".into(), msg.into());
        result.insert("matched".into(), found.files.len().into());
        result.insert("examined".into(), found.examined.into());
        result.insert("skipped_paths".into(), found.skipped.clone().into());
        let mut output = Output::new(result);
        for (path, why) in &found.skipped {
            let why = why.as_str().unwrap_or_default();
            output = output.warning(format!(
                "Skipped '{path}' path due to this access issue: {why}\n"
            ));
        }
        Verdict::unchanged(output)
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

/// What is looked for, read from the arguments.
struct Search {
    names: Names,
    age: Option<Bound>,
    size: Option<Bound>,
}

impl Search {
    fn new(args: &Args) -> Result<Self, Failure> {
        let bound = |name: &str, text: &Option<String>, read: fn(&str) -> Option<Bound>| {
            let Some(text) = text else { return Ok(None) };
            let failed =
                || Failure::new(format!("failed to process {name}")).with(name, text.as_str());
            read(text).map(Some).ok_or_else(failed)
        };
        Ok(Self {
            age: bound("age", &args.age, Bound::of_age)?,
            size: bound("size", &args.size, Bound::of_size)?,
            names: Names::new(args),
        })
    }

    /// Whether age, size and mode of a file are what is looked for.
    #[expect(
        clippy::cast_precision_loss,
        reason = "no file is so large that a byte more counts"
    )]
    fn fits(&self, args: &Args, metadata: &Metadata, now: f64) -> Result<bool, String> {
        let age = args.age_stamp.age(metadata, now);
        let fits = self.age.is_none_or(|bound| bound.holds(age))
            && (!metadata.is_file()
                || self
                    .size
                    .is_none_or(|bound| bound.holds(metadata.len() as f64)));
        Ok(fits && mode_fits(&args.mode, args.exact_mode, metadata)?)
    }
}

/// Which names are looked for.
enum Names {
    Shell(Vec<String>, Vec<String>),
    /// Expressions; one that is none is told when a name is compared.
    Regex(
        Vec<Result<PythonRegex, String>>,
        Vec<Result<PythonRegex, String>>,
    ),
}

impl Names {
    fn new(args: &Args) -> Self {
        let any = if args.use_regex { ".*" } else { "*" };
        let mut wanted = args.patterns.clone();
        if wanted.is_empty() {
            wanted.push(any.to_owned());
        }
        let unwanted = args.excludes.clone().unwrap_or_default();
        if !args.use_regex {
            return Self::Shell(wanted, unwanted);
        }
        let flags = Flags {
            alphabet: Alphabet::Text,
            anchored: true,
            ..Flags::default()
        };
        let compile = |patterns: Vec<String>| {
            let compiled = patterns.iter().map(|pattern| {
                let regex = PythonRegex::with(pattern, flags);
                regex.map_err(|failure| python_error(&failure).to_owned())
            });
            compiled.collect()
        };
        Self::Regex(compile(wanted), compile(unwanted))
    }

    /// Whether a name is looked for.
    ///
    /// # Errors
    /// When an expression is none.
    fn fit(&self, name: &str) -> Result<bool, String> {
        let (wanted, unwanted) = match self {
            Self::Shell(wanted, unwanted) => {
                let any = |patterns: &[String]| {
                    patterns
                        .iter()
                        .any(|pattern| crate::fnmatch::matches(pattern, name))
                };
                return Ok(any(wanted) && !any(unwanted));
            }
            Self::Regex(wanted, unwanted) => (wanted, unwanted),
        };
        let any = |patterns: &[Result<PythonRegex, String>]| {
            for pattern in patterns {
                if pattern
                    .as_ref()
                    .map_err(Clone::clone)?
                    .is_match(name.as_bytes())
                {
                    return Ok(true);
                }
            }
            Ok::<_, String>(false)
        };
        Ok(any(wanted)? && !any(unwanted)?)
    }
}
