//! `template`: a rendered file.

use std::path::Path;
use std::sync::Arc;

use rustle_template::{FileOptions, LookupCall, Trust};
use serde_json::Value;

use super::{ControllerLookups, Found, flag_option, text_option, texts};
use crate::actions::template_vars;

/// What each template gives: text, or another value where it is a single expression.
pub(super) fn template(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let usual = FileOptions::default();
    let options = FileOptions {
        trim_blocks: flag_option(call, "trim_blocks", usual.trim_blocks)?,
        variable_start_string: text_option(
            call,
            "variable_start_string",
            &usual.variable_start_string,
        ),
        variable_end_string: text_option(call, "variable_end_string", &usual.variable_end_string),
        comment_start_string: text_option(
            call,
            "comment_start_string",
            &usual.comment_start_string,
        ),
        comment_end_string: text_option(call, "comment_end_string", &usual.comment_end_string),
        ..usual
    };
    let given = match call.options.get("template_vars") {
        None | Some(Value::Null) => rustle_types::Object::new(),
        Some(Value::Object(vars)) => vars.clone(),
        Some(other) => return Err(format!("`template_vars` has to be a mapping, not {other}")),
    };
    let render = |name: &String| {
        let path = lookups.find_file(call, "templates", name)?;
        let source = lookups.text_of(call, &path)?;
        let scope = call
            .scope
            .extend()
            .push_layer(Arc::new(template_vars(&path, "")), Trust::Untrusted)
            .push_layer(Arc::new(given.clone()), Trust::Untrusted)
            .build();
        let mut options = options.clone();
        options.folders = lookups
            .folders(call)
            .into_iter()
            .chain(path.parent().map(Path::to_owned))
            .flat_map(|folder| [folder.join("templates"), folder])
            .collect();
        call.engine
            .render_file_value(&source, &scope, &options)
            .map_err(|error| {
                let line = error
                    .line
                    .map_or_else(String::new, |line| format!(" line {line}"));
                format!("template `{name}`{line}: {error}")
            })
    };
    texts(&call.terms).iter().map(render).collect()
}
