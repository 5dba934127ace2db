//! Compares values with what ansible-core 2.19.14 gives; `cases/generate.py` writes the expected ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustle_template::{Engine, Scope, TemplateErrorKind, Trust};
use serde_json::Value;

fn scope() -> Scope {
    let vars: Value = serde_json::from_str(include_str!("cases/vars.json")).unwrap();
    Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted)
}

fn problem(engine: &Engine, scope: &Scope, text: &str, expected: &Value) -> Option<String> {
    let found = match text.strip_prefix('%') {
        Some(condition) => engine.condition(condition, scope).map(Value::Bool),
        None => engine.render_value(&Value::String(text.to_owned()), scope),
    };
    match (found, expected.get("error").and_then(Value::as_str)) {
        (Ok(found), None) if found == *expected => None,
        (Ok(found), None) => Some(format!("{text}\n  ansible {expected}\n  here    {found}")),
        (Ok(found), Some(error)) => Some(format!(
            "{text}\n  ansible fails: {error}\n  here    {found}"
        )),
        (Err(error), None) => Some(format!(
            "{text}\n  ansible {expected}\n  here    fails: {error}"
        )),
        (Err(error), Some(expected)) => {
            let undefined =
                expected.contains("is undefined") || expected.contains("has no attribute");
            let same = !undefined
                || expected.contains(&error.to_string())
                || error.kind == TemplateErrorKind::NotImplemented;
            (!same)
                .then(|| format!("{text}\n  ansible fails: {expected}\n  here    fails: {error}"))
        }
    }
}

fn compare(cases: &str) {
    let cases: Vec<(String, Value)> = serde_json::from_str(cases).unwrap();
    let (engine, scope) = (Engine::new(), scope());
    // Cases that differ, each with the reason. One that does not differ any more has to leave the list.
    let different: Vec<(String, String)> =
        serde_json::from_str(include_str!("cases/different.json")).unwrap();
    let problems: Vec<String> = cases
        .iter()
        .filter_map(|(text, expected)| {
            let found = problem(&engine, &scope, text, expected);
            match different.iter().find(|(known, _)| known == text) {
                None => found,
                Some(_) if found.is_some() => None,
                Some((_, reason)) => Some(format!("{text}\n  is listed as different: {reason}")),
            }
        })
        .collect();
    assert!(
        problems.is_empty(),
        "{} of {} differ:\n{}",
        problems.len(),
        cases.len(),
        problems.join("\n")
    );
}

#[test]
fn the_language_gives_what_ansible_gives() {
    compare(include_str!("cases/core.json"));
}

#[test]
fn filters_give_what_ansible_s_give() {
    compare(include_str!("cases/filters.json"));
}

#[test]
fn tests_give_what_ansible_s_give() {
    compare(include_str!("cases/tests.json"));
}

#[test]
fn globals_chance_and_secrets_are_as_ansible_has_them() {
    compare(include_str!("cases/globals.json"));
}

#[test]
fn what_playbooks_do_with_them_gives_the_same() {
    compare(include_str!("cases/more.json"));
}

#[test]
fn what_is_done_with_texts_gives_the_same() {
    compare(include_str!("cases/texts.json"));
}

#[test]
fn what_is_done_with_numbers_gives_the_same() {
    compare(include_str!("cases/numbers.json"));
}

#[test]
fn what_is_done_with_lists_gives_the_same() {
    compare(include_str!("cases/lists.json"));
}

#[test]
fn what_is_done_with_mappings_and_data_formats_gives_the_same() {
    compare(include_str!("cases/mappings.json"));
}

#[test]
fn statements_and_operators_give_the_same() {
    compare(include_str!("cases/jinja.json"));
}

#[test]
fn methods_of_python_give_the_same() {
    compare(include_str!("cases/python.json"));
}

#[test]
fn versions_results_and_paths_give_the_same() {
    compare(include_str!("cases/versions.json"));
}
