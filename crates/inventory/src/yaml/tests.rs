use serde_json::{Value, json};

use super::{parse, parse_noting};

fn error(text: &str) -> String {
    let error = parse(text, "vars.yml").unwrap_err();
    match error.hint {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

#[test]
fn plain_scalars_have_pyyamls_values() {
    let cases = [
        ("yes", json!(true)),
        ("Off", json!(false)),
        ("y", json!("y")),
        ("0644", json!(420)),
        ("09", json!("09")),
        ("0", json!(0)),
        ("0o17", json!("0o17")),
        ("0x1F", json!(31)),
        ("-0b11", json!(-3)),
        ("1_000", json!(1000)),
        ("+12", json!(12)),
        ("1:30", json!(90)),
        ("1:60", json!("1:60")),
        ("1:30.5", json!(90.5)),
        ("12345678901234567890123", json!("12345678901234567890123")),
        ("1.5", json!(1.5)),
        ("1.", json!(1.0)),
        (".5", json!(0.5)),
        ("-.5", json!("-.5")),
        ("1e5", json!("1e5")),
        ("1.0e5", json!("1.0e5")),
        ("1.5e+3", json!(1500.0)),
        (".inf", json!(".inf")),
        ("10.0.0.1", json!("10.0.0.1")),
        ("2024-01-02", json!("2024-01-02")),
        ("~", json!(null)),
        ("null", json!(null)),
        ("none", json!("none")),
        ("'0644'", json!("0644")),
        ("\"yes\"", json!("yes")),
        ("!!str 5", json!("5")),
        ("!!int '5'", json!(5)),
        ("! 5", json!("5")),
        ("|\n  a\n  b\n", json!("a\nb\n")),
        (">-\n  a\n  b\n", json!("a b")),
    ];
    for (text, value) in cases {
        assert_eq!(
            parse(&format!("v: {text}"), "t").unwrap(),
            json!({"v": value}),
            "{text}"
        );
    }
}

#[test]
fn structures_are_read_as_ansible_reads_them() {
    let cases: [(&str, Value); 13] = [
        ("", json!(null)),
        ("---\n", json!(null)),
        ("# only a comment\n", json!(null)),
        ("---\na: 1\n...\n", json!({"a": 1})),
        ("\u{feff}a: 1", json!({"a": 1})),
        (
            "a: {1: x, yes: y, ~: z, 1.5: w}",
            json!({"a": {"1": "x", "true": "y", "null": "z", "1.5": "w"}}),
        ),
        ("a: &x [1, 2]\nb: *x", json!({"a": [1, 2], "b": [1, 2]})),
        (
            "x: &x {a: 1, b: 2}\ny:\n  <<: *x\n  b: 3",
            json!({"x": {"a": 1, "b": 2}, "y": {"a": 1, "b": 3}}),
        ),
        ("<<: [{a: 1}, {a: 2, b: 2}]", json!({"a": 1, "b": 2})),
        (
            "k: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n",
            json!({"k": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256\n61\n"}}),
        ),
        (
            "k: !unsafe '{{ x }}'",
            json!({"k": {"__ansible_unsafe": "{{ x }}"}}),
        ),
        (
            "k: !unsafe [a, {b: c}, 5]",
            json!({"k": [{"__ansible_unsafe": "a"}, {"b": {"__ansible_unsafe": "c"}}, 5]}),
        ),
        ("q: !!set {a, b}", json!({"q": ["a", "b"]})),
    ];
    for (text, value) in cases {
        assert_eq!(parse(text, "t").unwrap(), value, "{text}");
    }
}

#[test]
fn json_is_read_as_json() {
    assert_eq!(
        parse("{\"a\": 1e5,\n\t\"b\": \"\\/\"}", "t.json").unwrap(),
        json!({"a": 1e5, "b": "/"})
    );
    assert_eq!(parse("{a: 1e5}", "t.json").unwrap(), json!({"a": "1e5"}));
    insta::assert_snapshot!(parse("{\"a\": 1,\n \"b\"}, {\n", "t.json").unwrap_err(), @"`t.json`, line 2, column 5: expected `:`");
}

#[test]
fn keys_keep_their_order_and_the_last_of_two_counts() {
    let mut warnings = Vec::new();
    let value = parse_noting("b: 1\na: 2\nb: 3\n", "vars.yml", &mut warnings).unwrap();
    assert_eq!(value.to_string(), r#"{"b":3,"a":2}"#);
    insta::assert_snapshot!(warnings[0], @"vars.yml: line 3: the key `b` is given twice, and the last one counts");
}

#[test]
fn errors_say_where_and_what_helps() {
    insta::assert_snapshot!(error("a: 1\nb: {{ x }}\n"), @r#"
    `vars.yml`, line 2, column 5: a key must be a plain value, not a list or a mapping
    hint: a value that starts with `{{` needs quotes: `"{{ name }}"`
    "#);
    insta::assert_snapshot!(error("a:\n\t- 1\n"), @r"
    `vars.yml`, line 2, column 2: tabs disallowed within this context (block indentation)
    hint: YAML is indented by spaces, not by tabs
    ");
    insta::assert_snapshot!(error("a: [1, 2\nb: 3\n"), @"`vars.yml`, line 2, column 2: illegal placement of ':' indicator");
    insta::assert_snapshot!(error("a: 1\n b: 2\n"), @"`vars.yml`, line 2, column 3: mapping values are not allowed in this context");
    insta::assert_snapshot!(error("a: !secret x\n"), @r"
    `vars.yml`, line 1, column 12: unknown tag `!secret`
    hint: tags that are known here: `!vault`, `!unsafe`, and `!!str` and its like
    ");
    insta::assert_snapshot!(error("a: 1\n---\nb: 2\n"), @"`vars.yml`, line 2, column 1: expected one document, found the start of a second one");
    insta::assert_snapshot!(error("a: *nobody\n"), @"`vars.yml`, line 1, column 4: while parsing node, found unknown anchor");
    insta::assert_snapshot!(error("a: !!int many\n"), @"`vars.yml`, line 1, column 10: `many` is not what its tag `!!int` says");
    insta::assert_snapshot!(error("<<: 5\n"), @"`vars.yml`, line 1, column 1: `<<` takes a mapping or a list of mappings");
    insta::assert_snapshot!(error("a: &x [*x]\n"), @"`vars.yml`, line 1, column 8: an alias stands inside of the value that it names");
}

#[test]
fn hostile_documents_end_early() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = level - 1;
        let aliases = vec![format!("*a{below}"); 10].join(", ");
        bomb.extend([format!("a{level}: &a{level} [{aliases}]\n")]);
    }
    assert!(error(&bomb).contains("more than 2000000 nodes"));
    assert!(error(&"[".repeat(100_000)).contains("line 1"));
    let deep: String = (0..230)
        .map(|depth| format!("{}a:\n", " ".repeat(depth)))
        .collect();
    assert!(error(&deep).contains("nested deeper than 100 levels"));
}
