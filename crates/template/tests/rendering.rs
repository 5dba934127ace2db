//! Trust, laziness, `omit` and hooks.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::sync::Arc;

use rustle_template::{
    Engine, Layer, LazyEntries, LazyVar, LookupCall, Lookups, Notices, Scope, TemplateErrorKind,
    Trust, Var, Vault,
};
use serde_json::{Value, json};

fn object(value: &Value) -> rustle_types::Object {
    value.as_object().unwrap().clone()
}

fn scope(trusted: &Value, untrusted: &Value) -> Scope {
    Scope::builder()
        .push_layer(Arc::new(object(trusted)), Trust::Trusted)
        .push_layer(Arc::new(object(untrusted)), Trust::Untrusted)
        .build()
}

fn render(text: &str, scope: &Scope) -> Value {
    Engine::new().render_str(text, scope).unwrap()
}

#[test]
fn text_from_a_host_is_never_rendered() {
    let scope = scope(
        &json!({"echo": "{{ out.stdout }}", "one": 1}),
        &json!({"out": {"stdout": "{{ one }}", "lines": ["{{ one }}"]}}),
    );
    assert_eq!(render("{{ out.stdout }}", &scope), "{{ one }}");
    assert_eq!(render("{{ echo }}", &scope), "{{ one }}");
    assert_eq!(
        render("x{{ echo ~ out.lines[0] }}", &scope),
        "x{{ one }}{{ one }}"
    );
    assert_eq!(
        render("{{ out.lines | map('upper') | first }}", &scope),
        "{{ ONE }}"
    );
    assert_eq!(render("{{ '{{' ~ ' one }}' }}", &scope), "{{ one }}");
}

#[test]
fn the_markers_of_a_host_s_data_mean_nothing() {
    let scope = scope(&json!({}), &json!({"out": {"__ansible_vault": "x"}}));
    assert_eq!(render("{{ out }}", &scope), json!({"__ansible_vault": "x"}));
}

#[test]
fn unsafe_text_is_kept_as_it_is() {
    let scope = scope(
        &json!({"a": {"__ansible_unsafe": "{{ b }}"}, "l": [{"__ansible_unsafe": "{{ c }}"}, "{{ a }}"]}),
        &json!({}),
    );
    assert_eq!(render("{{ a }}", &scope), "{{ b }}");
    assert_eq!(render("{{ l }}", &scope), json!(["{{ c }}", "{{ b }}"]));
    let value = Engine::new()
        .render_value(&json!({"k": {"__ansible_unsafe": "{{ x }}"}}), &scope)
        .unwrap();
    assert_eq!(value, json!({"k": "{{ x }}"}));
}

#[derive(Debug)]
struct Rot;

impl Vault for Rot {
    fn decrypt(&self, encrypted: &str) -> Result<String, String> {
        if encrypted == "bad" {
            Err("wrong password".to_owned())
        } else {
            Ok(encrypted.chars().rev().collect())
        }
    }
}

#[test]
fn an_encrypted_value_needs_a_vault() {
    let scope = scope(
        &json!({"secret": {"__ansible_vault": "cba"}, "bad": {"__ansible_vault": "bad"}, "use": "x{{ secret }}"}),
        &json!({}),
    );
    let error = Engine::new().render_str("{{ use }}", &scope).unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Vault);
    assert_eq!(
        error.to_string(),
        "encrypted value: no vault password was given"
    );
    let engine = Engine::builder().vault(Arc::new(Rot)).build();
    assert_eq!(engine.render_str("{{ use }}", &scope).unwrap(), "xabc");
    assert_eq!(
        engine
            .render_str("{{ bad }}", &scope)
            .unwrap_err()
            .to_string(),
        "encrypted value: wrong password"
    );
}

#[test]
fn a_higher_layer_wins_and_is_seen_by_templates_of_lower_ones() {
    let scope = Scope::builder()
        .push_layer(
            Arc::new(object(
                &json!({"greeting": "hello {{ who }}", "who": "world"}),
            )),
            Trust::Trusted,
        )
        .push_layer(Arc::new(object(&json!({"who": "you"}))), Trust::Untrusted)
        .build();
    assert_eq!(render("{{ greeting }}", &scope), "hello you");
    let inner = scope
        .extend()
        .push_shared(Layer::new(
            Arc::new(object(&json!({"who": "{{ 1 + 1 }}"}))),
            Trust::Trusted,
        ))
        .build();
    assert_eq!(render("{{ greeting }}", &inner), "hello 2");
    assert_eq!(inner.names(), ["greeting", "who"]);
}

#[test]
fn variables_in_a_circle_are_named() {
    let scope = scope(
        &json!({"a": "{{ b }}", "b": "{{ c.d }}", "c": {"d": "{{ a }}"}, "fine": {"x": "{{ fine.y }}", "y": 1}}),
        &json!({}),
    );
    let error = Engine::new().render_str("{{ a }}", &scope).unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Recursion);
    assert_eq!(
        error.to_string(),
        "recursive loop in variables: `a` → `b` → `c.d` → `a`"
    );
    assert_eq!(render("{{ fine.x }}", &scope), 1);
}

#[test]
fn a_long_chain_of_variables_holds_and_a_longer_one_is_refused() {
    let chain = |length: usize| {
        let mut vars = rustle_types::Object::new();
        for at in 0..length {
            vars.insert(
                format!("v{at}"),
                json!(format!("{{{{ v{} | default(v{}) }}}}", at + 1, at + 1)),
            );
        }
        vars.insert(format!("v{length}"), json!(7));
        Scope::of(vars, Trust::Trusted)
    };
    let run = move || {
        (
            Engine::new().render_str("{{ v0 }}", &chain(40)),
            Engine::new().render_str("{{ v0 }}", &chain(200)),
        )
    };
    // The stack that a worker of tokio has.
    let (short, long) = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
    assert_eq!(short.unwrap(), 7);
    assert_eq!(long.unwrap_err().kind, TemplateErrorKind::Recursion);
}

#[test]
fn the_name_of_what_is_undefined_is_told() {
    let scope = scope(&json!({"a": "{{ b.c }}", "b": {"x": 1}}), &json!({}));
    let error = Engine::new().render_str("{{ nope }}", &scope).unwrap_err();
    assert_eq!(
        (error.undefined.as_deref(), error.to_string().as_str()),
        (Some("nope"), "'nope' is undefined")
    );
    let error = Engine::new().render_str("x{{ a }}", &scope).unwrap_err();
    assert_eq!(
        error.to_string(),
        "object of type 'dict' has no attribute 'c'"
    );
    assert_eq!(error.undefined.as_deref(), Some("c"));
    let error = Engine::new().render_str("x{{ [a] }}", &scope).unwrap_err();
    assert!(error.is_undefined());
}

#[test]
fn an_error_inside_a_printed_mapping_is_an_error() {
    let scope = scope(&json!({"d": {"x": "{{ nope }}", "y": 1}}), &json!({}));
    assert_eq!(
        Engine::new()
            .render_str("x{{ d }}", &scope)
            .unwrap_err()
            .to_string(),
        "'nope' is undefined"
    );
    assert_eq!(
        Engine::new()
            .render_str("{{ d }}", &scope)
            .unwrap_err()
            .to_string(),
        "'nope' is undefined"
    );
    assert_eq!(render("{{ d.y }}", &scope), 1);
}

#[test]
fn omit_takes_an_argument_out() {
    let scope = scope(&json!({"m": "{{ mode | default(omit) }}"}), &json!({}));
    let args = json!({"path": "/x", "mode": "{{ m }}", "opts": {"a": "{{ omit }}", "b": [1, "{{ omit }}"]}, "x": "{{ omit }}y"});
    let value = Engine::new().render_value(&args, &scope).unwrap();
    assert_eq!(value, json!({"path": "/x", "opts": {"b": [1]}, "x": "y"}));
    assert_eq!(
        Engine::new()
            .render_optional(&json!("{{ omit }}"), &scope)
            .unwrap(),
        None
    );
    assert_eq!(
        Engine::new()
            .render_value(&json!("{{ omit }}"), &scope)
            .unwrap_err()
            .kind,
        TemplateErrorKind::Omitted
    );
}

#[derive(Debug)]
struct Hosts;

impl LazyVar for Hosts {
    fn value(&self) -> Var {
        Var::Entries(Arc::new(Self))
    }
}

impl LazyEntries for Hosts {
    fn entry(&self, key: &str) -> Option<Var> {
        let vars = json!({"inventory_hostname": key, "url": "http://{{ inventory_hostname }}/"});
        (key != "nobody").then(|| Var::Scope(Scope::of(object(&vars), Trust::Trusted)))
    }

    fn keys(&self) -> Vec<String> {
        vec!["web1".to_owned(), "web2".to_owned()]
    }
}

#[test]
fn another_host_s_variables_are_rendered_with_its_own() {
    let scope = scope(&json!({"inventory_hostname": "me"}), &json!({}))
        .extend()
        .push_lazy("hostvars", Arc::new(Hosts))
        .build();
    assert_eq!(render("{{ hostvars.web1.url }}", &scope), "http://web1/");
    assert_eq!(
        render("{{ hostvars['web2']['url'] }}", &scope),
        "http://web2/"
    );
    assert_eq!(
        render("{{ hostvars | list }}", &scope),
        json!(["web1", "web2"])
    );
    assert_eq!(
        render(
            "{{ ['web1', 'web2'] | map('extract', hostvars, 'url') | list }}",
            &scope
        ),
        json!(["http://web1/", "http://web2/"])
    );
    assert_eq!(
        render("{{ hostvars.nobody.x | default('none') }}", &scope),
        "none"
    );
    assert_eq!(render("{{ 'nobody' in hostvars }}", &scope), false);
    assert_eq!(
        render("{{ hostvars.web1 }}", &scope),
        json!({"inventory_hostname": "web1", "url": "http://web1/"})
    );
}

#[derive(Debug)]
struct Env;

impl Lookups for Env {
    fn lookup(&self, call: &LookupCall<'_>) -> Option<Result<Vec<Value>, String>> {
        match call.name {
            "env" => Some(Ok(call.terms.clone())),
            "broken" => Some(Err("it is broken".to_owned())),
            "rendered" => Some(
                call.engine
                    .render_str("{{ one }}", call.scope)
                    .map(|value| vec![value])
                    .map_err(|error| error.to_string()),
            ),
            _ => None,
        }
    }
}

#[test]
fn lookups_are_asked_of_the_caller() {
    let scope = scope(&json!({"one": 1}), &json!({}));
    let engine = Engine::builder().lookups(Arc::new(Env)).build();
    let ask = |text: &str| {
        engine
            .render_str(text, &scope)
            .map_err(|error| error.to_string())
    };
    assert_eq!(ask("{{ lookup('env', 'A', 'B') }}").unwrap(), "A,B");
    assert_eq!(ask("{{ query('env', 'A') }}").unwrap(), json!(["A"]));
    assert_eq!(
        ask("{{ lookup('env', 'A', wantlist=true) }}").unwrap(),
        json!(["A"])
    );
    assert_eq!(ask("{{ lookup('ansible.builtin.rendered') }}").unwrap(), 1);
    assert_eq!(
        ask("{{ lookup('broken') }}").unwrap_err(),
        "lookup `broken` failed: it is broken"
    );
    assert_eq!(
        ask("{{ lookup('broken', errors='ignore') }}").unwrap(),
        Value::Null
    );
    assert_eq!(
        ask("{{ lookup('dig', 'x') }}").unwrap_err(),
        "lookup `dig` is not implemented in rustle-exec"
    );
    let error = Engine::new()
        .render_str("{{ lookup('env', 'A') }}", &scope)
        .unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::NotImplemented);
}

#[test]
fn what_is_missing_is_found_when_a_plan_loads() {
    let engine = Engine::new();
    let message = |text: &str| engine.compile_check(text).unwrap_err().to_string();
    assert_eq!(
        message("{{ a | ipaddr }}"),
        "filter `ipaddr` is not implemented in rustle-exec"
    );
    assert_eq!(
        message("{% if a is prime %}{% endif %}"),
        "test `prime` is not implemented in rustle-exec"
    );
    assert_eq!(
        message("{% do x.append(1) %}"),
        "syntax error in template: the statement `{% do %}` is not supported here; write `{% set _ = … %}` instead, in `{% do x.append(1) %}`"
    );
    assert_eq!(
        message("{% if a %}{% extends 'x' %}{% endif %}"),
        "syntax error in template: the statement `{% extends %}` is not supported inside another tag, in `{% if a %}{% extends 'x' %}{% endif %}`"
    );
    assert!(
        engine
            .compile_check("{{ a | ansible.builtin.combine(b) | default(c is defined) }}")
            .is_ok()
    );
    assert!(
        engine
            .compile_check_expression("a is version('1', '>') and b | bool")
            .is_ok()
    );
    assert_eq!(
        engine.compile_check_expression("a ==").unwrap_err().kind,
        TemplateErrorKind::Syntax
    );
}

#[test]
fn a_condition_gives_a_boolean_or_an_error_that_says_so() {
    let scope = scope(&json!({"n": 5}), &json!({}));
    let error = Engine::new().condition("n", &scope).unwrap_err();
    assert_eq!(error.kind, TemplateErrorKind::Condition);
    assert_eq!(
        error.to_string(),
        "the condition gave a value of type `int` (True), and a condition must give a boolean"
    );
    assert_eq!(
        Engine::new()
            .condition(" ", &scope)
            .unwrap_err()
            .to_string(),
        "the condition is empty"
    );
}

#[test]
fn plain_text_and_keys_pass_untouched() {
    let scope = Scope::default();
    let value = json!({"{{ k }}": "plain", "n": 1.5, "l": [null, true, "100%", "{ not }"]});
    assert_eq!(Engine::new().render_value(&value, &scope).unwrap(), value);
    assert_eq!(Engine::new().render_text("{{ none }}", &scope).unwrap(), "");
    assert_eq!(
        Engine::new().render_text("{{ [1, 'a'] }}", &scope).unwrap(),
        "[1, 'a']"
    );
}

#[test]
fn an_engine_and_a_scope_may_be_shared_by_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Engine>();
    shared::<Scope>();
    let error = Engine::new()
        .render_str("{{ 1 | ipaddr }}", &Scope::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "filter `ipaddr` is not implemented in rustle-exec"
    );
}

#[test]
fn dict_takes_pairs_a_mapping_and_keywords() {
    let scope = Scope::default();
    let value = |text: &str| Engine::new().render_str(text, &scope);
    for (text, expected) in [
        (
            "{{ dict([['a', 1], ('b', 2)], c=3) }}",
            json!({"a": 1, "b": 2, "c": 3}),
        ),
        (
            "{{ dict(['k', 'l'] | zip([1, 2])) }}",
            json!({"k": 1, "l": 2}),
        ),
        (
            "{{ dict({'a': 1}, a=3, b=none) }}",
            json!({"a": 3, "b": null}),
        ),
        ("{{ dict() }}", json!({})),
    ] {
        assert_eq!(value(text).unwrap(), expected, "{text}");
    }
    assert!(value("{{ dict([[1, 2, 3]]) }}").is_err() && value("{{ dict(5) }}").is_err());
}

#[test]
fn whoever_asks_is_told_once_that_groups_become_lists() {
    let notices = Arc::new(Notices::default());
    let vars = json!({"users": [{"name": "a", "age": 1}, {"name": "b", "age": 1}]});
    let scope = Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted);
    let scope = scope.extend().notices(Arc::clone(&notices)).build();
    let engine = Engine::new();
    let render = |text: &str| engine.render_value(&json!(text), &scope).unwrap();

    render("{% for age, who in users | groupby('age') %}{{ age }}{% endfor %}");
    assert!(notices.told().is_empty(), "nothing was stored");

    let groups = render("{{ users | groupby('age') }}");
    assert_eq!(groups[0][0], json!(1));
    render("{{ users | groupby('name') | first }}");
    let told = notices.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("GroupTuple"), "{told:?}");
}
