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
    let text = with_long_numbers_quoted(&lines[first..=last].join("\n"));
    let object = serde_json::from_str(&text);
    let object = object.map_err(|error| error.to_string())?;
    let junk = lines[last + 1..].join("\n");
    Ok((object, Some(junk).filter(|junk| !junk.trim().is_empty())))
}

/// The JSON with whole numbers beyond 64 bits as texts: Python writes them as numbers, and nothing here could hold them.
fn with_long_numbers_quoted(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    let (mut rest, mut is_inside) = (json, false);
    while let Some(c) = rest.chars().next() {
        let mut taken = c.len_utf8();
        let starts_number = !is_inside && (c == '-' || c.is_ascii_digit());
        if starts_number {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
            taken = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
            let number = &rest[..taken];
            let is_whole = number.bytes().skip(1).all(|byte| byte.is_ascii_digit());
            let is_long =
                is_whole && number.parse::<i64>().is_err() && number.parse::<u64>().is_err();
            let quote = if is_long && number.len() > 1 {
                "\""
            } else {
                ""
            };
            out.extend([quote, number, quote]);
        } else {
            if c == '\\' && is_inside {
                taken += rest[1..].chars().next().map_or(0, char::len_utf8);
            } else if c == '"' {
                is_inside = !is_inside;
            }
            out.push_str(&rest[..taken]);
        }
        rest = &rest[taken..];
    }
    out
}

/// Values as users know them, of those that newer versions of Ansible's modules write with more about them.
fn plainly_told(object: &mut Object) {
    if let Some(exception) = object.get_mut("exception")
        && exception.is_object()
    {
        *exception = Value::String(text_of(exception));
    }
    let Some(Value::Array(told)) = object.get_mut("deprecations") else {
        return;
    };
    for deprecation in told.iter_mut().filter(|one| one.get("event").is_some()) {
        let mut plain =
            Object::from_iter([("msg".to_owned(), Value::String(text_of(deprecation)))]);
        for field in ["date", "version"] {
            if let Some(value) = deprecation.get(field).filter(|value| !value.is_null()) {
                plain.insert(field.to_owned(), value.clone());
            }
        }
        *deprecation = Value::Object(plain);
    }
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
    plainly_told(&mut object);
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

/// The text of a warning, which may be an object with more about it.
fn text_of(warning: &Value) -> String {
    let event = warning.get("event").unwrap_or(warning);
    event.get("msg").map_or_else(|| py_str(event), py_str)
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
    let is_class = |name: &str| {
        name.chars()
            .all(|c| c.is_alphanumeric() || "._".contains(c))
    };
    let reason = match reason.split_once(": ") {
        Some((class, reason)) if is_class(class) => reason,
        _ => reason,
    };
    let msg = match finished.outcome {
        Outcome::Exited if traceback => format!("Task failed: Module failed: {reason}"),
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
    fn numbers_that_nothing_holds_become_texts() {
        let long = "9".repeat(400);
        let json = format!(
            r#"{{"a": {long}, "b": -{long}, "c": [18446744073709551615, -5, 1.5e3], "d": "{long} \" {long}"}}"#
        );
        let Value::Object(read) = serde_json::from_str(&with_long_numbers_quoted(&json)).unwrap()
        else {
            unreachable!("an object")
        };
        assert_eq!(
            (&read["a"], &read["b"]),
            (&json!(long), &json!(format!("-{long}")))
        );
        assert_eq!(read["c"], json!([u64::MAX, -5, 1500.0]));
        assert_eq!(read["d"], json!(format!("{long} \" {long}")));
    }

    #[test]
    fn what_newer_modules_tell_with_more_about_it_is_plain() {
        let result = read_text(
            r#"{"exception": {"event": {"msg": "e"}}, "warnings": [{"event": {"msg": "w"}}],
                "deprecations": [{"event": {"msg": "d"}, "version": "9", "date": null}]}"#,
        );
        assert_eq!(result.warnings, ["w"]);
        let expected = json!({"exception": "e", "deprecations": [{"msg": "d", "version": "9"}]});
        assert_eq!(Value::Object(result.result), expected);
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
