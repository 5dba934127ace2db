//! Files of YAML: variables, and the tasks and roles that a plan includes.

use std::path::Path;

use rustle_template::Engine;
use rustle_types::Object;
use serde_json::Value;

use crate::execution::error::ExecutionError;

/// The value of a file, which may be encrypted; or why there is none.
pub(crate) fn value(path: &Path, engine: &Engine) -> Result<Value, String> {
    let mut text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    if rustle_vault::is_encrypted(text.as_bytes()) {
        text = engine.decrypt(&text).map_err(|error| error.to_string())?;
    }
    rustle_inventory::yaml::parse(&text, &path.display().to_string())
        .map_err(|error| error.to_string())
}

/// The variables of one file.
pub(crate) fn read(path: &Path, engine: &Engine) -> Result<Object, ExecutionError> {
    let wrong = |reason: String| ExecutionError::VarsFile {
        path: path.to_owned(),
        reason,
    };
    match value(path, engine).map_err(wrong)? {
        Value::Object(vars) => Ok(vars),
        Value::Null => Ok(Object::new()),
        _ => Err(wrong("it has to be a mapping".into())),
    }
}
