//! Every name that `ansible.builtin` has is known here, and stands on the page about compatibility.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use rustle_template::{Engine, Scope, TemplateErrorKind};
use serde_json::Value;

const PAGE: &str = include_str!("../../../docs/COMPATIBILITY.md");

fn names(kind: &str) -> Vec<String> {
    let all: Value =
        serde_json::from_str(include_str!("../../../fixtures/templates.json")).unwrap();
    let names: Vec<String> = serde_json::from_value(all[kind].clone()).unwrap();
    assert!(!names.is_empty());
    names
}

/// The part of the page under a heading.
fn section(heading: &str) -> &'static str {
    let (_, rest) = PAGE.split_once(&format!("\n### {heading}\n")).unwrap();
    rest.split("\n##").next().unwrap()
}

#[test]
fn every_name_of_ansible_builtin_is_on_the_page() {
    for (kind, heading) in [
        ("filters", "Filters"),
        ("tests", "Tests"),
        ("lookups", "Lookups"),
        ("globals", "Globals"),
    ] {
        for name in names(kind) {
            let row = format!("\n| `{name}` | ");
            assert!(section(heading).contains(&row), "{kind}: `{name}`");
        }
    }
}

#[test]
fn every_filter_and_test_is_known() {
    let engine = Engine::new();
    for name in names("filters") {
        let checked = engine.compile_check(&format!("{{{{ x | {name} }}}}"));
        assert_eq!(checked, Ok(()), "filter `{name}`");
    }
    let of_disk = |name: &str| {
        engine
            .compile_check(&format!("{{{{ 'x' is {name} }}}}"))
            .is_ok()
    };
    for name in names("tests") {
        let text = format!("{{{{ ['x'] | select('{name}', 'x') | list }}}}");
        let found = engine.render_str(&text, &Scope::default());
        let unknown = found.is_err_and(|error| error.kind == TemplateErrorKind::NotImplemented);
        assert!(!unknown || of_disk(&name), "test `{name}`");
    }
}
