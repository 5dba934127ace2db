//! `split_command` and `shell_quote` say what Python 3.11 says; the tables were written by its `shlex`.

use rustle_process::{shell_quote, split_command};

/// A line and the words that `shlex.split(line)` makes of it; `None` where it raises.
const SPLIT: &[(&str, Option<&[&str]>)] = &[
    ("", Some(&[])),
    ("   ", Some(&[])),
    ("\t\n", Some(&[])),
    ("a", Some(&["a"])),
    ("a b", Some(&["a", "b"])),
    ("  a   b  ", Some(&["a", "b"])),
    ("a\tb\nc\rd", Some(&["a", "b", "c", "d"])),
    ("a\u{b}b", Some(&["a\u{b}b"])),
    ("a\u{a0}b", Some(&["a\u{a0}b"])),
    ("'a b'", Some(&["a b"])),
    ("\"a b\"", Some(&["a b"])),
    ("a'b c'd", Some(&["ab cd"])),
    ("a\"b c\"d", Some(&["ab cd"])),
    ("''", Some(&[""])),
    ("\"\"", Some(&[""])),
    ("'' \"\"", Some(&["", ""])),
    ("a '' b", Some(&["a", "", "b"])),
    ("a''b", Some(&["ab"])),
    ("a\"\" b", Some(&["a", "b"])),
    ("'a\\b'", Some(&["a\\b"])),
    ("'a\\'", Some(&["a\\"])),
    ("\"a\\\"b\"", Some(&["a\"b"])),
    ("\"a\\\\b\"", Some(&["a\\b"])),
    ("\"a\\nb\"", Some(&["a\\nb"])),
    ("\"a\\$b\"", Some(&["a\\$b"])),
    ("\"a\\`b\"", Some(&["a\\`b"])),
    ("\"a\\'b\"", Some(&["a\\'b"])),
    ("'a\"b'", Some(&["a\"b"])),
    ("\"a'b\"", Some(&["a'b"])),
    ("a\\ b", Some(&["a b"])),
    ("a\\\\b", Some(&["a\\b"])),
    ("\\a", Some(&["a"])),
    ("\\\"", Some(&["\""])),
    ("\\'", Some(&["'"])),
    ("a\\\nb", Some(&["a\nb"])),
    ("\"a\\\nb\"", Some(&["a\\\nb"])),
    ("\\ ", Some(&[" "])),
    (" \\ x", Some(&[" x"])),
    ("\\\\", Some(&["\\"])),
    ("# not a comment", Some(&["#", "not", "a", "comment"])),
    ("a #b", Some(&["a", "#b"])),
    ("a#b", Some(&["a#b"])),
    ("a;b|c&&d>e<f", Some(&["a;b|c&&d>e<f"])),
    ("$HOME *.txt ~", Some(&["$HOME", "*.txt", "~"])),
    ("`date` $(date)", Some(&["`date`", "$(date)"])),
    ("a=b c=\"d e\"", Some(&["a=b", "c=d e"])),
    ("--x='y z'", Some(&["--x=y z"])),
    ("{{ a }} \"{{ b }}\"", Some(&["{{", "a", "}}", "{{ b }}"])),
    ("é ü \"日本 語\"", Some(&["é", "ü", "日本 語"])),
    ("it\\'s", Some(&["it's"])),
    ("\"it's\" ok", Some(&["it's", "ok"])),
    ("'a''b'", Some(&["ab"])),
    ("'a'\"b\"c", Some(&["abc"])),
    ("'a\nb'", Some(&["a\nb"])),
    ("\"a\tb\"", Some(&["a\tb"])),
    ("\\\t", Some(&["\t"])),
    ("C:\\dir\\file", Some(&["C:dirfile"])),
    ("\"C:\\dir\\file\"", Some(&["C:\\dir\\file"])),
    ("echo 'hi' > /tmp/x", Some(&["echo", "hi", ">", "/tmp/x"])),
    ("a\\", None),
    ("'a", None),
    ("\"a", None),
    ("a \"b c", None),
    ("a 'b \" c", None),
    ("\"a\\\"", None),
    ("\"a\\", None),
    ("\\", None),
    ("x '", None),
    ("x \"\\\\", None),
];

/// A text and what `shlex.quote(text)` makes of it.
const QUOTED: &[(&str, &str)] = &[
    ("", "''"),
    ("a", "a"),
    ("a b", "'a b'"),
    ("it's", "'it'\"'\"'s'"),
    ("'", "''\"'\"''"),
    ("''", "''\"'\"''\"'\"''"),
    ("\"", "'\"'"),
    ("$HOME", "'$HOME'"),
    ("a\nb", "'a\nb'"),
    ("/usr/bin/env", "/usr/bin/env"),
    ("user@host:/p", "user@host:/p"),
    ("a%b", "a%b"),
    ("a+b", "a+b"),
    ("a=b", "a=b"),
    ("a,b", "a,b"),
    ("a-b_c.d", "a-b_c.d"),
    ("a~", "'a~'"),
    ("~", "'~'"),
    ("#", "'#'"),
    ("é", "'é'"),
    ("日本", "'日本'"),
    ("a*", "'a*'"),
    ("[x]", "'[x]'"),
    ("{a}", "'{a}'"),
    ("a!b", "'a!b'"),
    ("a\\b", "'a\\b'"),
    ("\t", "'\t'"),
    ("a;b", "'a;b'"),
    ("^", "'^'"),
    ("?", "'?'"),
];

#[test]
fn lines_are_split_as_python_splits_them() {
    for (line, words) in SPLIT {
        let found = split_command(line).ok();
        let found: Option<Vec<&str>> = found
            .as_ref()
            .map(|words| words.iter().map(String::as_str).collect());
        assert_eq!(found.as_deref(), *words, "line {line:?}");
    }
}

#[test]
fn text_is_quoted_as_python_quotes_it() {
    for (text, quoted) in QUOTED {
        assert_eq!(shell_quote(text), *quoted, "text {text:?}");
    }
}

#[test]
fn what_is_quoted_is_split_into_itself() {
    for (text, _) in SPLIT {
        assert_eq!(split_command(&shell_quote(text)).unwrap(), [*text]);
    }
}

#[test]
fn unclosed_quote_says_where_it_was_opened() {
    let error = split_command("é 'b").unwrap_err();
    assert_eq!(
        error.to_string(),
        "no closing quotation for the `'` at character 3"
    );
}
