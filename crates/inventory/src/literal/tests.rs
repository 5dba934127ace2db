use serde_json::json;

use super::value_of;

#[test]
fn literals_have_pythons_values() {
    let cases = [
        ("5", json!(5)),
        (" 5 # five", json!(5)),
        ("-5", json!(-5)),
        ("+ 5", json!(5)),
        ("0", json!(0)),
        ("00", json!(0)),
        ("1_000", json!(1000)),
        ("0x1F", json!(31)),
        ("0o17", json!(15)),
        ("0b101", json!(5)),
        ("1.5", json!(1.5)),
        ("1.", json!(1.0)),
        (".5", json!(0.5)),
        ("1e3", json!(1000.0)),
        ("1.5E-3", json!(0.0015)),
        (
            "18446744073709551615",
            json!(18_446_744_073_709_551_615_u64),
        ),
        ("18446744073709551616", json!("18446744073709551616")),
        ("True", json!(true)),
        ("False", json!(false)),
        ("None", json!(null)),
        ("'a b'", json!("a b")),
        ("\"a\\tb\"", json!("a\tb")),
        (r"'\x41\u00e9\101\q'", json!("A\u{e9}A\\q")),
        (r"r'\n'", json!("\\n")),
        ("b'x'", json!("x")),
        ("'a' 'b'", json!("ab")),
        ("'''it's'''", json!("it's")),
        ("80,443", json!([80, 443])),
        ("80,", json!([80])),
        ("()", json!([])),
        ("(1)", json!(1)),
        ("(1,)", json!([1])),
        ("[1, 'a', [None]]", json!([1, "a", [null]])),
        (
            "{'a': {'b': 1,}, 2: True}",
            json!({"a": {"b": 1}, "2": true}),
        ),
        ("{1, 2, 1}", json!([1, 2])),
        ("{}", json!({})),
    ];
    for (text, value) in cases {
        assert_eq!(value_of(text), value, "{text}");
    }
}

#[test]
fn what_is_no_literal_stays_text() {
    let cases = [
        "",
        "true",
        "yes",
        "0777",
        "0x",
        "1__0",
        "_1",
        "10.0.0.1",
        "2024-01-02",
        "--5",
        "-True",
        "1+2",
        "1j",
        "[1",
        "[a]",
        "'open",
        "5 6",
        "foo # bar",
        "f'x'",
        "nan",
        "{[1]: 2}",
        "a=b",
        "[,]",
        "1e999",
        "(,)",
        "~/.ssh/id",
    ];
    for text in cases {
        assert_eq!(value_of(text), json!(text), "{text}");
    }
    assert_eq!(value_of(&"[".repeat(10_000)), json!("[".repeat(10_000)));
}
