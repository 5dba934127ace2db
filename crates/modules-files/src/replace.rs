//! The module `replace`: all that matches an expression in a text file.

use std::fs;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::python_regex::{Alphabet, Flags, PythonRegex, python_error};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::diff::show_text;
use crate::edited::{Edited, TextFile};
use crate::encoding::Encoding;
use crate::os_error::describe;

/// The module `replace`.
pub(crate) struct Replace;

/// The arguments of `replace`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    regexp: String,
    replace: String,
    after: Option<String>,
    before: Option<String>,
    encoding: String,
    #[serde(flatten)]
    file: TextFile,
}

/// What [`Replace`] found.
pub(crate) enum State {
    /// The part between `after` and `before` is not there; the pattern that did not match.
    NoSection(String),
    /// The content before and after.
    Edited(Box<Edited>),
}

const OPTIONS: &[Opt] = &[
    Opt::new("path", Type::Path)
        .required()
        .aliases(&["dest", "destfile", "name"]),
    Opt::new("regexp", Type::Str).required(),
    Opt::new("replace", Type::Str).default(Default::Str("")),
    Opt::new("after", Type::Str),
    Opt::new("before", Type::Str),
    Opt::new("backup", Type::Bool).default(Default::Bool(false)),
    Opt::new("encoding", Type::Str).default(Default::Str("utf-8")),
    Opt::new("validate", Type::Str),
];

#[async_trait]
impl Module for Replace {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("replace", OPTIONS).file_common();

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let path = Path::new(&args.file.path);
        if path.is_dir() {
            let msg = format!("Path {} is a directory !", args.file.path);
            return Err(Failure::new(msg).with("rc", 256));
        }
        if !path.exists() {
            let msg = format!("Path {} does not exist !", args.file.path);
            return Err(Failure::new(msg).with("rc", 257));
        }
        let unreadable = |why: String| {
            let msg = format!("Unable to read the contents of {}: {why}", args.file.path);
            Failure::new(msg)
        };
        let before =
            fs::read(path).map_err(|error| unreadable(describe(&error, &args.file.path)))?;
        let encoding = Encoding::named(&args.encoding)
            .map_err(|why| Failure::new(format!("Task failed: Module failed: {why}")))?;
        let text = encoding.decode(before.clone()).map_err(unreadable)?;
        let mut edited = match args.edit(&text)? {
            Ok((after, count)) => {
                let is_changed = count > 0 && after != text;
                Edited {
                    before,
                    after: encoding.encode(after).map_err(unreadable)?,
                    exists: true,
                    msg: if is_changed {
                        format!("{count} replacements made")
                    } else {
                        String::new()
                    },
                    ..Edited::default()
                }
            }
            Err(pattern) => return Ok(State::NoSection(pattern)),
        };
        args.file.look_at_attributes(target, &mut edited).await?;
        Ok(State::Edited(Box::new(edited)))
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let edited = match state {
            State::NoSection(pattern) => {
                let msg = format!(
                    "Pattern for before/after params did not match the given file: {pattern}"
                );
                return Verdict::unchanged(Output::new(result(msg)));
            }
            State::Edited(edited) => edited,
        };
        let output = Output::new(result(edited.message(edited.attributes.1)));
        if !edited.differs() {
            return Verdict::unchanged(output);
        }
        let diff = if edited.is_changed() {
            json!({
                "before_header": args.file.path,
                "before": show_text(&edited.before),
                "after_header": args.file.path,
                "after": show_text(&edited.after),
            })
        } else {
            Value::Null
        };
        Verdict::Change(Change {
            diff,
            predicted: output,
        })
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
        let settled = written.attributes.1;
        let mut result = result(edited.message(settled));
        if let Some(backup) = written.backup {
            result.insert("backup_file".into(), backup.into());
        }
        Ok(Output::new(result).changed(edited.is_changed() || settled))
    }
}

fn result(msg: String) -> Object {
    Object::from_iter([("rc".to_owned(), 0.into()), ("msg".to_owned(), msg.into())])
}

impl Args {
    /// The pattern of the part in which something is replaced, if that is not all.
    fn section(&self) -> Option<String> {
        let is_given = |text: &&str| !text.is_empty();
        let after = self.after.as_deref().filter(is_given);
        let before = self.before.as_deref().filter(is_given);
        match (after, before) {
            (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
            (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
            (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
            (None, None) => None,
        }
    }

    /// The new content and how often something was replaced; or the pattern of the part that is not there.
    fn edit(&self, text: &[u8]) -> Result<Result<(Vec<u8>, usize), String>, Failure> {
        let of_text = Flags {
            alphabet: Alphabet::Text,
            ..Flags::default()
        };
        let multiline = Flags {
            multiline: true,
            ..of_text
        };
        let Some(pattern) = self.section() else {
            let regexp = PythonRegex::with(&self.regexp, multiline)?;
            return self.replaced(&regexp, text).map(Ok);
        };
        let dot_all = Flags {
            dot_all: true,
            ..of_text
        };
        let Some(found) = PythonRegex::with(&pattern, dot_all)?.find(text) else {
            return Ok(Err(pattern));
        };
        let regexp = PythonRegex::with(&self.regexp, multiline)?;
        let Some((head, section, tail)) = found.split_at_group("subsection") else {
            return Ok(Err(pattern));
        };
        let (replaced, count) = self.replaced(&regexp, section)?;
        Ok(Ok(([head, &replaced, tail].concat(), count)))
    }

    fn replaced(&self, regexp: &PythonRegex, text: &[u8]) -> Result<(Vec<u8>, usize), Failure> {
        let replaced = regexp.replace_all(text, &self.replace);
        replaced.map_err(|failure| {
            let why = python_error(&failure);
            Failure::new(format!("Unable to process replace due to error: {why}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edited(regexp: &str, replace: &str, around: (&str, &str), text: &str) -> Option<String> {
        let args = json!({
            "path": "f", "regexp": regexp, "replace": replace, "after": around.0, "before": around.1,
            "backup": false, "encoding": "utf-8", "unsafe_writes": false,
        });
        let args: Args = serde_json::from_value(args).expect("arguments");
        let edited = args.edit(text.as_bytes()).expect("a pattern").ok()?;
        String::from_utf8(edited.0).ok()
    }

    #[test]
    fn only_the_part_between_after_and_before_is_edited() {
        let text = "x x\nbegin\nx\nend x end\n";
        for (around, expected) in [
            (("", ""), Some("y y\nbegin\ny\nend y end\n")),
            (("begin", ""), Some("x x\nbegin\ny\nend y end\n")),
            (("", "end"), Some("y y\nbegin\ny\nend y end\n")),
            (("begin", "end"), Some("x x\nbegin\ny\nend x end\n")),
            (("nope", ""), None),
        ] {
            let found = edited("x", "y", around, text);
            assert_eq!(found.as_deref(), expected, "{around:?}");
        }
    }

    #[test]
    fn groups_that_the_user_has_do_not_confuse_the_part() {
        let found = edited("x", "y", ("(?P<a>b)(c)?", "e"), "x b x e x");
        assert_eq!(found.as_deref(), Some("x b y e x"));
    }
}
