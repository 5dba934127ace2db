//! The variables of `--extra-vars`: `key=value` text, JSON or YAML, or a file of them.

use rustle_inventory::yaml;
use rustle_types::{JsonValue, Object, TaskPlan};
use rustle_vault::VaultSecrets;
use serde_json::json;

use crate::errors::CliError;

/// Reads all of them; where two set one variable, the later wins. Files may be encrypted.
///
/// # Errors
/// When one is neither of the forms, or names a file that cannot be read.
pub(crate) fn read(texts: &[String], secrets: &VaultSecrets) -> Result<Object, CliError> {
    let mut vars = Object::new();
    for text in texts {
        let read = read_one(text.trim(), secrets).map_err(|reason| CliError::ExtraVars {
            text: text.clone(),
            reason,
        })?;
        vars.extend(read);
    }
    Ok(vars)
}

fn read_one(text: &str, secrets: &VaultSecrets) -> Result<Object, String> {
    if let Some(path) = text.strip_prefix('@') {
        let content = std::fs::read(path).map_err(|error| error.to_string())?;
        let content = secrets.reveal(content).map_err(|error| error.to_string())?;
        let content = String::from_utf8(content).map_err(|_| "it is not UTF-8 text".to_owned())?;
        return document(&content, path);
    }
    if text.starts_with(['{', '[']) {
        return document(text, "--extra-vars");
    }
    pairs(text)
}

fn document(text: &str, origin: &str) -> Result<Object, String> {
    match yaml::parse(text, origin).map_err(|error| error.to_string())? {
        JsonValue::Object(vars) => Ok(vars),
        JsonValue::Null => Ok(Object::new()),
        _ => Err("expected variables by name".into()),
    }
}

/// Splits `key=value` words as Ansible does: exactly as the free-form arguments of a task.
fn pairs(text: &str) -> Result<Object, String> {
    let task = json!({ "module": "set_fact", "args": { "_raw_params": text } });
    let task: TaskPlan = serde_json::from_value(task).map_err(|error| error.to_string())?;
    let vars = task
        .module_call()
        .map(|call| call.args.clone())
        .unwrap_or_default();
    match vars.get("_raw_params") {
        None => Ok(vars),
        Some(rest) => Err(format!(
            "expected `key=value`, found `{}`",
            rest.as_str().unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_texts(texts: &[&str]) -> Result<JsonValue, String> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        read(&texts, &VaultSecrets::default())
            .map(JsonValue::Object)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn each_form_is_read_as_ansible_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("vars.yml");
        std::fs::write(&file, "port: 80\nnames: [a, b]\n").unwrap();
        let at_file = format!("@{}", file.display());
        let cases = [
            (vec!["a=1 b='x y'"], json!({"a": "1", "b": "x y"})),
            (
                vec!["msg={{ one + two }}"],
                json!({"msg": "{{ one + two }}"}),
            ),
            (
                vec![r#"{"a": 1, "b": [true]}"#],
                json!({"a": 1, "b": [true]}),
            ),
            (vec!["{a: yes}"], json!({"a": true})),
            (vec![&*at_file], json!({"port": 80, "names": ["a", "b"]})),
            (
                vec![&*at_file, "port=81"],
                json!({"port": "81", "names": ["a", "b"]}),
            ),
        ];
        for (texts, expected) in cases {
            assert_eq!(read_texts(&texts).as_ref(), Ok(&expected), "{texts:?}");
        }
    }

    #[test]
    fn what_is_no_variable_is_told() {
        assert_eq!(
            read_texts(&["verbose"]).unwrap_err(),
            "`--extra-vars verbose` cannot be read: expected `key=value`, found `verbose`"
        );
        assert!(
            read_texts(&["[1, 2]"])
                .unwrap_err()
                .ends_with("expected variables by name")
        );
        assert!(read_texts(&["@/nowhere/at/all"]).is_err());
    }
}
