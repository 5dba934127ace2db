//! The controller's half of `script`: finds the file, and sends it with the text behind its name.

use rustle_module::{as_bool, py_str};
use rustle_process::{SplitError, split_command};
use rustle_types::ModuleResult;
use serde_json::Value;

use super::ActionContext;
use crate::result::TaskError;
use crate::unit::UnitError;

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let text = |name: &str| args.get(name).filter(|text| !text.is_null()).map(py_str);
    let Some(line) = text("_raw_params").or_else(|| text("cmd")) else {
        // The host says what is missing.
        return context.invoke("script", args, Vec::new()).await;
    };
    let line = line.trim();
    let words = split_command(line).map_err(|error| {
        TaskError::new(match error {
            SplitError::UnclosedQuote { .. } => "No closing quotation",
            SplitError::TrailingBackslash => "No escaped character",
        })
    })?;
    let Some(name) = words.first() else {
        return Err(TaskError::new("no script is named").into());
    };
    let decrypts = args.get("decrypt").and_then(as_bool).unwrap_or(true);
    let blob = match context.find_blob(name, decrypts).await? {
        Ok(blob) => blob,
        Err(missing) => {
            // It matters only where the script would run, which the host finds out.
            args.insert("_missing".into(), Value::String(missing));
            return context.invoke("script", args, Vec::new()).await;
        }
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    args.insert("_name".into(), name.into());
    args.insert("_arguments".into(), behind_first_word(line).into());
    args.insert("_attachment".into(), blob.describe());
    context.invoke("script", args, vec![blob.outgoing()]).await
}

/// What follows the first word of a line, as it is written.
fn behind_first_word(line: &str) -> &str {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, c) in line.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None, c) if c.is_whitespace() => return &line[at..],
            _ => {}
        }
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_stay_as_they_are_written() {
        for (line, rest) in [
            ("s.sh", ""),
            ("s.sh a 'b c'", " a 'b c'"),
            ("'my s.sh' \"$X\" | cat", " \"$X\" | cat"),
            (r#""a\" b" c"#, " c"),
            (r"my\ s.sh  x", "  x"),
        ] {
            assert_eq!(behind_first_word(line), rest, "{line}");
        }
    }
}
