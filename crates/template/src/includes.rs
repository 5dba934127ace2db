//! `{% include %}` and `{% import %}`: other templates, which are looked for when the tag is reached.

use std::sync::Arc;

use minijinja::value::Object;
use minijinja::{Error, ErrorKind, State, Value};

use crate::FileOptions;
use crate::error::{TemplateError, raise};
use crate::filters::items;
use crate::lazy::Rendering;
use crate::part::{Frame, nested, rendering};
use crate::python::{is_list, py_str};

/// Writes another template, with the names that are set around the tag.
#[derive(Debug)]
pub(crate) struct Include {
    pub(crate) options: Arc<FileOptions>,
    pub(crate) ignore_missing: bool,
}

impl Object for Include {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let rendering = rendering(state)?;
        let (name, source) = match find(&rendering, &self.options, args) {
            Err(error) if self.ignore_missing && error.kind() == ErrorKind::TemplateNotFound => {
                return Ok(Value::from(""));
            }
            other => other?,
        };
        let included = rendering.engine.inner.cache.file(&source, &self.options);
        let included = within(&name, included)?;
        let root = Value::from_object(included.part.frame(state));
        within(
            &name,
            nested(|| included.run(state.env(), root)).and_then(|text| text),
        )
    }
}

/// Runs another template for what it sets: a mapping of its macros and variables.
#[derive(Debug)]
pub(crate) struct Import {
    pub(crate) options: Arc<FileOptions>,
}

impl Object for Import {
    fn call(self: &Arc<Self>, state: &mut State<'_, '_>, args: &[Value]) -> Result<Value, Error> {
        let rendering = rendering(state)?;
        let (name, source) = find(&rendering, &self.options, args)?;
        let module = rendering.engine.inner.cache.module(&source, &self.options);
        let module = within(&name, module)?;
        let root = Value::from_object(Frame::capture(state, module.names.iter().copied()));
        let run = nested(|| module.run(state.env(), root)).and_then(|result| result);
        Ok(within(&name, run)?.0.unwrap_or_default())
    }
}

/// The first template that a tag names and that is there, with its name.
pub(crate) fn find(
    rendering: &Rendering,
    options: &FileOptions,
    args: &[Value],
) -> Result<(String, String), Error> {
    let named = args.first().cloned().unwrap_or_default();
    crate::filters::defined(&named)?;
    let names: Vec<String> = if is_list(&named) {
        items(&named)?.iter().map(py_str).collect()
    } else {
        vec![py_str(&named)]
    };
    let includes = rendering.engine.inner.includes.as_ref();
    let found = names.iter().find_map(|name| {
        let source = includes?.source(name, &options.folders)?;
        Some((name.clone(), source))
    });
    let (name, source) = found.ok_or_else(|| not_found(&names))?;
    Ok((name, source.replace("\r\n", "\n").replace('\r', "\n")))
}

/// Tells of an error in which template it is.
pub(crate) fn within<T>(name: &str, result: Result<T, Error>) -> Result<T, Error> {
    result.map_err(|error| {
        if error.kind() == ErrorKind::TemplateNotFound {
            return error;
        }
        let mut own = TemplateError::from(error);
        let line = own
            .line
            .take()
            .map_or_else(String::new, |line| format!("line {line} of "));
        own.detail = format!("{} ({line}included `{name}`)", own.detail);
        raise(own)
    })
}

fn not_found(names: &[String]) -> Error {
    Error::new(
        ErrorKind::TemplateNotFound,
        format!(
            "the included template `{}` was not found",
            names.join("`, `")
        ),
    )
}
