//! The module `lineinfile`: one line of a text file.

mod edit;

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;

use crate::edited::{Edited, TextFile};
use crate::os_error::describe_bare;
use edit::{Place, Search, Wanted, lines_of, remove};
use rustle_module::python_regex::PythonRegex;

const EMPTY_REGEXP: &str = "The regular expression is an empty string, which will match every line in the file. This may have unintended consequences, such as replacing the last line in the file rather than appending. If this is desired, use '^' to match every line in the file and avoid this warning.";
const EMPTY_SEARCH: &str = "The search string is an empty string, which will match every line in the file. This may have unintended consequences, such as replacing the last line in the file rather than appending.";

/// The module `lineinfile`.
pub(crate) struct LineInFile;

/// What shall be of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LineState {
    Absent,
    Present,
}

/// The arguments of `lineinfile`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    state: LineState,
    line: Option<String>,
    regexp: Option<String>,
    search_string: Option<String>,
    insertafter: Option<String>,
    insertbefore: Option<String>,
    backrefs: bool,
    firstmatch: bool,
    create: bool,
    #[serde(flatten)]
    file: TextFile,
}

/// What [`LineInFile`] found.
pub(crate) enum State {
    /// There is no file to remove a line from.
    NoFile,
    /// The content before and after, and how many lines were removed, where that was asked for.
    Edited(Box<Edited>, Option<usize>),
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path)
        .required()
        .aliases(&["dest", "destfile", "name"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("line", Type::Str).aliases(&["value"]),
    Opt::new("regexp", Type::Str).aliases(&["regex"]),
    Opt::new("search_string", Type::Str),
    Opt::new("insertafter", Type::Str),
    Opt::new("insertbefore", Type::Str),
    Opt::new("backrefs", Type::Bool).default(Default::Bool(false)),
    Opt::new("firstmatch", Type::Bool).default(Default::Bool(false)),
    Opt::new("create", Type::Bool).default(Default::Bool(false)),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate", Type::Str),
];

const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(&["insertbefore", "insertafter"]),
    Constraint::MutuallyExclusive(&["regexp", "search_string"]),
    Constraint::MutuallyExclusive(&["backrefs", "search_string"]),
];

#[async_trait]
impl Module for LineInFile {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("lineinfile", OPTIONS)
        .file_common()
        .constraints(CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let warnings = args.warnings();
        let path = Path::new(&args.file.path);
        if path.is_dir() {
            let msg = format!("Path {} is a directory !", args.file.path);
            return Err(Failure {
                warnings,
                ..Failure::new(msg).with("rc", 256)
            });
        }
        args.check_required().map_err(|failure| Failure {
            warnings: warnings.clone(),
            ..failure
        })?;
        let exists = path.exists();
        if !exists {
            if args.state == LineState::Absent {
                return Ok(State::NoFile);
            }
            if !args.create {
                let msg = format!("Destination {} does not exist !", args.file.path);
                return Err(Failure {
                    warnings,
                    ..Failure::new(msg).with("rc", 257)
                });
            }
        }
        let before = if exists {
            read(&args.file.path)?
        } else {
            Vec::new()
        };
        let (mut edited, found) = args.edit(before, exists)?;
        edited.warnings = warnings;
        args.file.look_at_attributes(target, &mut edited).await?;
        Ok(State::Edited(Box::new(edited), found))
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        let State::Edited(edited, found) = state else {
            let mut result = Object::new();
            result.insert("msg".into(), "file not present".into());
            return Verdict::unchanged(Output {
                warnings: args.warnings(),
                ..Output::new(result)
            });
        };
        let result = edited.predicted(&args.file.path, mode);
        let output = finish(result, edited, *found, None);
        Verdict::change_if(edited.differs(), output)
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let State::Edited(edited, found) = state else {
            return Ok(Output::default().changed(false));
        };
        let written = args.file.carry_out(target, &edited).await?;
        let changed = edited.is_changed() || written.attributes.1;
        let result = edited.result(&args.file.path, target.mode(), written.attributes);
        Ok(finish(result, &edited, found, written.backup).changed(changed))
    }
}

/// Adds what only this module returns.
fn finish(
    mut result: Object,
    edited: &Edited,
    found: Option<usize>,
    backup: Option<String>,
) -> Output {
    result.insert("backup".into(), backup.unwrap_or_default().into());
    if let Some(found) = found {
        result.insert("found".into(), found.into());
    }
    Output {
        warnings: edited.warnings.clone(),
        ..Output::new(result)
    }
}

impl Args {
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.regexp.as_deref() == Some("") {
            warnings.push(EMPTY_REGEXP.into());
        }
        if self.search_string.as_deref() == Some("") {
            warnings.push(EMPTY_SEARCH.into());
        }
        warnings
    }

    fn check_required(&self) -> Result<(), Failure> {
        let missing = match self.state {
            LineState::Present if self.backrefs && self.regexp.is_none() => {
                Some("regexp is required with backrefs=true")
            }
            LineState::Present if self.line.is_none() => {
                Some("line is required with state=present")
            }
            LineState::Absent
                if self.regexp.is_none() && self.search_string.is_none() && self.line.is_none() =>
            {
                Some("one of line, search_string, or regexp is required with state=absent")
            }
            _ => None,
        };
        missing.map_or(Ok(()), |msg| Err(Failure::new(msg)))
    }

    fn search(&self) -> Result<Search, Failure> {
        Ok(match (&self.regexp, &self.search_string) {
            (Some(regexp), _) => Search::Regexp(PythonRegex::new(regexp)?),
            (None, Some(text)) => Search::Text(text.clone()),
            (None, None) => Search::Line,
        })
    }

    fn place(&self) -> Result<Place, Failure> {
        Ok(
            match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
                (Some("BOF"), _) | (None, Some("BOF")) => Place::Beginning,
                (Some("EOF"), _) | (None, None) => Place::End,
                (Some(regexp), _) => Place::After(PythonRegex::new(regexp)?),
                (None, Some(regexp)) => Place::Before(PythonRegex::new(regexp)?),
            },
        )
    }

    /// Makes the new content of the present one.
    fn edit(&self, before: Vec<u8>, exists: bool) -> Result<(Edited, Option<usize>), Failure> {
        let mut lines = lines_of(&before);
        let search = self.search()?;
        let line = self.line.as_deref();
        let (msg, found) = match self.state {
            LineState::Absent => {
                let found = remove(&mut lines, &search, line);
                let msg = if found > 0 {
                    format!("{found} line(s) removed")
                } else {
                    String::new()
                };
                (msg, Some(found))
            }
            LineState::Present => {
                let wanted = Wanted {
                    line: line.unwrap_or_default(),
                    search,
                    place: self.place()?,
                    backrefs: self.backrefs,
                    firstmatch: self.firstmatch,
                };
                (wanted.ensure(&mut lines)?.to_owned(), None)
            }
        };
        let edited = Edited {
            before,
            after: lines.concat(),
            exists,
            msg,
            ..Edited::default()
        };
        Ok((edited, found))
    }
}

fn read(path: &str) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| {
        let text = describe_bare(&error);
        Failure::new(format!("Task failed: Module failed: {text}: b'{path}'"))
    })
}
