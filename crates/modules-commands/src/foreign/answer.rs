//! What a module printed, as its result.

use rustle_module::{ModuleResult, Object, as_bool, py_str};
use rustle_process::{Finished, Outcome};
use serde_json::Value;

/// Reads the result of a module that has ended. Lines around the JSON are left out; those behind it are told of.
pub(super) fn read(finished: &Finished) -> ModuleResult {
    let stdout = finished.stdout.to_string_lossy();
    let rc = finished.status.to_return_code();
    let found = match finished.stdout.truncated {
        true => Err("it is longer than 40 MiB".to_owned()),
        false => result_in(&stdout),
    };
    match found {
        Ok((object, junk)) => {
            let mut result = of_object(object);
            if let Some(junk) = junk {
                let warning = format!("Module invocation had junk after the JSON data: {junk}");
                result.warnings.insert(0, warning);
            }
            result
        }
        Err(why) => {
            let stderr = finished.stderr.to_string_lossy();
            unreadable(&why, finished, (&stdout, &stderr), rc)
        }
    }
}

/// The JSON object in a module's output, and what follows it.
fn result_in(stdout: &str) -> Result<(Object, Option<String>), String> {
    let lines: Vec<&str> = stdout.lines().collect();
    let first = lines
        .iter()
        .position(|line| line.trim_start().starts_with('{'));
    let first = first.ok_or("No start of json char found")?;
    let last = lines
        .iter()
        .rposition(|line| line.trim_end().ends_with('}'));
    let last = last
        .filter(|last| *last >= first)
        .ok_or("No end of json char found")?;
    let object = serde_json::from_str(&lines[first..=last].join("\n"));
    let object = object.map_err(|error| error.to_string())?;
    let junk = lines[last + 1..].join("\n");
    Ok((object, Some(junk).filter(|junk| !junk.trim().is_empty())))
}

fn of_object(mut object: Object) -> ModuleResult {
    let mut warnings = Vec::new();
    let internal: Vec<String> = object
        .keys()
        .filter(|key| key.starts_with("_ansible_"))
        .cloned()
        .collect();
    for key in internal {
        object.shift_remove(&key);
        // Modules of Ansible's own tell so that they were parsed; nobody needs to hear of it.
        if key != "_ansible_parsed" {
            warnings.push(format!(
                "removed the internal key `{key}` from what the module returned"
            ));
        }
    }
    // It repeats the arguments.
    object.shift_remove("invocation");
    if let Some(Value::Object(facts)) = object.get_mut("ansible_facts") {
        // Which Python a host has is ours to tell.
        facts.shift_remove("discovered_interpreter_python");
    }
    match object.shift_remove("warnings") {
        Some(Value::Array(told)) => warnings.extend(told.iter().map(text_of)),
        Some(Value::Null) | None => {}
        Some(one) => warnings.push(text_of(&one)),
    }
    let flag = |object: &mut Object, name: &str| {
        let value = object.shift_remove(name);
        value.map(|value| as_bool(&value).unwrap_or(false))
    };
    let is_error =
        |rc: &Value| !matches!(rc.as_i64(), Some(0)) && rc.as_str() != Some("0") && !rc.is_null();
    let failed =
        flag(&mut object, "failed").unwrap_or_else(|| object.get("rc").is_some_and(is_error));
    ModuleResult {
        changed: flag(&mut object, "changed").unwrap_or(false),
        failed,
        skipped: flag(&mut object, "skipped").unwrap_or(false),
        msg: object.shift_remove("msg"),
        diff: object.shift_remove("diff"),
        warnings,
        result: object,
    }
}

/// The text of a warning, which newer versions of Ansible's modules write as an object with more about it.
fn text_of(warning: &Value) -> String {
    warning.get("msg").map_or_else(|| py_str(warning), py_str)
}

fn unreadable(
    why: &str,
    finished: &Finished,
    (stdout, stderr): (&str, &str),
    rc: i32,
) -> ModuleResult {
    // The last line of a Python traceback is its reason.
    let traceback = stderr.contains("Traceback (most recent call last)");
    let reason = stderr.trim_end().lines().next_back().unwrap_or_default();
    let msg = match finished.outcome {
        Outcome::Exited if traceback => format!("Module failed: {reason}"),
        Outcome::Exited => format!("Module result deserialization failed: {why}"),
        _ => format!(
            "the module was stopped before it told its result ({})",
            finished.status
        ),
    };
    let mut result = ModuleResult::failure(msg);
    for (name, text) in [("module_stdout", stdout), ("module_stderr", stderr)] {
        result.result.insert(name.into(), text.into());
    }
    result.result.insert("rc".into(), rc.into());
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read_text(stdout: &str) -> ModuleResult {
        let (object, _) = result_in(stdout).unwrap();
        of_object(object)
    }

    #[test]
    fn lines_around_the_json_do_not_count() {
        let (object, junk) = result_in("hello {\n{\"a\":\n 1}\n\nbye\n").unwrap();
        assert_eq!(Value::Object(object), json!({"a": 1}));
        assert_eq!(junk.as_deref(), Some("\nbye"));
        assert_eq!(
            result_in("[1]\n").unwrap_err(),
            "No start of json char found"
        );
        assert_eq!(
            result_in("{\"a\":\n").unwrap_err(),
            "No end of json char found"
        );
        assert!(result_in("{\"a\": }").is_err());
    }

    #[test]
    fn exit_status_in_the_result_decides_where_nothing_else_says_that_it_failed() {
        assert!(read_text(r#"{"rc": 3}"#).failed);
        assert!(!read_text(r#"{"rc": 3, "failed": false}"#).failed);
        assert!(!read_text(r#"{"rc": 0}"#).failed);
    }

    #[test]
    fn keys_that_are_not_for_users_are_removed() {
        let result = read_text(
            r#"{"_ansible_x": 1, "invocation": {"a": 1}, "changed": "yes", "msg": [1], "skipped": true,
                "warnings": [{"msg": "w", "x": 1}, "v"], "ansible_facts": {"f": 1, "discovered_interpreter_python": "/p"}}"#,
        );
        assert!(result.changed && result.skipped && !result.failed);
        assert_eq!(result.msg, Some(json!([1])));
        assert_eq!(
            Value::Object(result.result),
            json!({"ansible_facts": {"f": 1}})
        );
        assert_eq!(
            result.warnings,
            [
                "removed the internal key `_ansible_x` from what the module returned",
                "w",
                "v"
            ]
        );
    }
}
