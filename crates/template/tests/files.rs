//! Whole files, with what they include.

use std::path::PathBuf;
use std::sync::Arc;

use rustle_template::{Engine, FileOptions, Includes, Scope, Trust};
use serde_json::json;

#[derive(Debug)]
struct Parts;

impl Includes for Parts {
    fn source(&self, name: &str, _: &[PathBuf]) -> Option<String> {
        match name {
            "head.j2" => Some("# {{ title }}\n".to_owned()),
            "macros.j2" => {
                Some("{% macro tag(n) %}<{{ n }}>{% endmacro %}{% set v = 3 %}ignored".to_owned())
            }
            "base.j2" => Some(
                "<{% block head %}base {{ title }}{% endblock %}|{% block body required %}{% endblock %}|{{ self.head() }}>\n"
                    .to_owned(),
            ),
            "middle.j2" => Some(
                "{% extends 'base.j2' %}\n{% block head %}middle-{{ super() }}{% endblock %}\n".to_owned(),
            ),
            "one.j2" => Some("{{ x | default('no x') }}{{ m(1) if m is defined }}".to_owned()),
            "wrong.j2" => Some("\n{{ nope }}".to_owned()),
            "self.j2" => Some("{% include 'self.j2' %}".to_owned()),
            _ => None,
        }
    }
}

#[test]
fn files_are_rendered_as_the_template_module_does() {
    let vars = json!({"title": "T", "items": [1, 2], "none": null});
    let scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted);
    let engine = Engine::builder().includes(Arc::new(Parts)).build();
    let file = |text: &str| {
        engine
            .render_file(text, &scope, &FileOptions::default())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        file("a {{ title }}\n{% for i in items %}\n- {{ i }}\n{% endfor %}\n").unwrap(),
        "a T\n- 1\n- 2\n"
    );
    assert_eq!(file("no newline").unwrap(), "no newline");
    assert_eq!(
        file("{{ none }}|{{ [none] }}|{{ true }}\n\n").unwrap(),
        "|[None]|True\n\n"
    );
    assert_eq!(file("{{ 5 }}").unwrap(), "5");
    assert_eq!(file("#jinja2: lstrip_blocks: True, variable_start_string: '[%', variable_end_string: '%]'\n  {% if true %}\n[% title %]\n  {% endif %}\n").unwrap(), "T\n");
    assert_eq!(file("{% include 'head.j2' %}|{% import 'macros.j2' as m %}{{ m.tag(1) }}{{ m.v }}{% from 'macros.j2' import tag as t %}{{ t(2) }}").unwrap(), "# T|<1>3<2>");
    assert!(
        file("{% include 'nope' %}")
            .unwrap_err()
            .contains("`nope` was not found")
    );
    assert_eq!(file("{% include 'nope' ignore missing %}x").unwrap(), "x");
    assert!(
        file("{% include 'self.j2' %}")
            .unwrap_err()
            .contains("levels deep")
    );
    assert_eq!(file("{{ 'a\\tb' }}").unwrap(), "a\tb");
    let crlf = FileOptions {
        newline_sequence: "\r\n".to_owned(),
        ..FileOptions::default()
    };
    assert_eq!(
        engine.render_file("a\nb\r\n", &scope, &crlf).unwrap(),
        "a\r\nb\r\n"
    );
    assert_eq!(
        engine
            .render_file("a\n\n{{ nope }}", &scope, &FileOptions::default())
            .unwrap_err()
            .line,
        Some(3)
    );
}

#[test]
fn templates_extend_others() {
    let vars = json!({"title": "T", "layout": "middle.j2"});
    let scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted);
    let engine = Engine::builder().includes(Arc::new(Parts)).build();
    let file = |text: &str| {
        engine
            .render_file(text, &scope, &FileOptions::default())
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        file("{% extends 'base.j2' %}\n{% set x = 5 %}\nlost\n{% block body %}b{{ x }}{% endblock %}\n").unwrap(),
        "<base T|b5|base T>\n"
    );
    assert_eq!(
        file("{% extends layout %}{% block body %}{% for i in [1, 2] %}{{ i }}{% endfor %}{% endblock %}{% block head %}[{{ super() | upper }}]{% endblock %}").unwrap(),
        "<[MIDDLE-BASE T]|12|[MIDDLE-BASE T]>"
    );
    assert!(
        file("{% extends 'base.j2' %}")
            .unwrap_err()
            .starts_with("block `body` is required")
    );
    assert_eq!(
        file("{% block a %}x{% endblock %}{{ self.a() }}").unwrap(),
        "xx"
    );
}

#[test]
fn included_templates_see_what_is_set_around_them() {
    let scope = Scope::of(
        json!({"which": "one"}).as_object().unwrap().clone(),
        Trust::Trusted,
    );
    let engine = Engine::builder().includes(Arc::new(Parts)).build();
    let file = |text: &str| {
        engine
            .render_file(text, &scope, &FileOptions::default())
            .map_err(|error| error.to_string())
    };
    assert_eq!(file("{% include which ~ '.j2' %}").unwrap(), "no x");
    assert_eq!(
        file(
            "{% set x = 1 %}{% macro m(a) %}<{{ a }}>{% endmacro %}{% include ['nope', 'one.j2'] %}"
        )
        .unwrap(),
        "1<1>"
    );
    assert_eq!(
        file("{% for x in [1, 2] %}{% include 'one.j2' with context %}{% endfor %}").unwrap(),
        "12"
    );
    assert_eq!(
        file("{% if false %}{% include 'nope' %}{% endif %}x").unwrap(),
        "x"
    );
    assert_eq!(
        file("{% include 'wrong.j2' %}").unwrap_err(),
        "'nope' is undefined (line 2 of included `wrong.j2`)"
    );
    assert!(
        file("{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(1) }}")
            .unwrap_err()
            .contains("levels deep")
    );
}
