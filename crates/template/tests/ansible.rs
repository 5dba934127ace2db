//! Compares values with what ansible-core 2.19.14 gives; `cases/generate.py` writes the expected ones.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustle_template::{Engine, Scope, TemplateErrorKind, Trust};
use serde_json::Value;

/// Cases that differ on purpose, with the reason.
const DIFFERENT: &[(&str, &str)] = &[
    (
        "{{ 'a: 1e3' | from_yaml }}",
        "the YAML reader takes 1e3 for a number",
    ),
    (
        "{{ '1e400' | from_json | string }}",
        "JSON numbers out of range are refused",
    ),
    (
        "{{ '{!r}'.format('a') }}",
        "conversions in format strings are not supported",
    ),
    (
        "{{ users | groupby('shell.path', default='none') | map('first') | list }}",
        "the default is used at any depth",
    ),
    (
        "{{ dict[missing] | default('x') }}",
        "an undefined key is undefined too",
    ),
    (
        "{{ [missing] | length }}",
        "undefined items of a list literal fail at once",
    ),
    (
        "{{ {'a': missing} | length }}",
        "undefined values of a mapping literal fail at once",
    ),
    (
        "{% macro f(x) %}{{ x * 2 }}{% endmacro %}{{ f(4) }}",
        "macros give text",
    ),
    (
        "{% macro h(a, b=a) %}{{ b }}{% endmacro %}{{ h(1) }}",
        "defaults do not see other arguments",
    ),
    (
        "{% macro v() %}{{ varargs | length }}{% endmacro %}{{ v(1, 2) }}",
        "no varargs",
    ),
    (
        "{% set c = cycler('a', 'b') %}{{ c.next() }}{{ c.next() }}{{ c.next() }}{{ c.current }}",
        "a cycler has no `current`",
    ),
    (
        "{{ undef(hint='give it') | default('d') }}",
        "`undef` with a hint fails wherever it is used",
    ),
    (
        "{% macro k() %}{{ kwargs.a }}{% endmacro %}{{ k(a=5) }}",
        "no kwargs",
    ),
];

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
    let different = |text: &str| DIFFERENT.iter().any(|(known, _)| *known == text);
    let problems: Vec<String> = cases
        .iter()
        .filter(|(text, _)| !different(text))
        .filter_map(|(text, expected)| problem(&engine, &scope, text, expected))
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
