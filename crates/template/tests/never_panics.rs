//! Whatever text is given, the engine answers.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use rustle_template::{Engine, FileOptions, Scope, Trust};
use serde_json::{Value, json};

fn scope() -> Scope {
    let vars = json!({"a": 1, "b": "text", "c": [1, "x", null, 2.5], "d": {"k": "{{ a }}", "e": {"f": []}}, "n": null, "t": true});
    Scope::of(vars.as_object().unwrap().clone(), Trust::Trusted)
}

fn run_all(text: &str) {
    let (engine, scope) = (Engine::new(), scope());
    let _ = engine.render_value(&Value::String(text.to_owned()), &scope);
    let _ = engine.render_text(text, &scope);
    let _ = engine.evaluate(text, &scope);
    let _ = engine.condition(text, &scope);
    let _ = engine.compile_check(text);
    let _ = engine.render_file(text, &scope, &FileOptions::default());
}

/// Pieces that templates are made of, in any order.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(PIECES);
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

/// A value sent through a chain of filters.
fn chains() -> impl Strategy<Value = String> {
    let filter = prop::sample::select(FILTERS);
    let value = prop::sample::select(vec![
        "a",
        "b",
        "c",
        "d",
        "n",
        "t",
        "''",
        "[]",
        "{}",
        "2.5",
        "-1",
        "'é☃'",
        "'10 GB'",
        "'a: [1, 2]'",
        "1e300",
        "c + c",
        "[[1], [2]]",
        "'%s%d%('",
    ]);
    (value, prop::collection::vec(filter, 1..6))
        .prop_map(|(value, filters)| format!("{{{{ {value} | {} }}}}", filters.join(" | ")))
}

const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    " ",
    "a",
    "b",
    "c",
    "d",
    "n",
    "t",
    ".k",
    ".e.f",
    "[0]",
    "[-1]",
    "[1:]",
    "[::-1]",
    "['k']",
    "|",
    "default(",
    "int",
    "upper",
    "join(','",
    "map(",
    "'upper'",
    "select(",
    "regex_replace('(a)', '\\\\2')",
    "regex_search('[')",
    "combine(d)",
    "to_json",
    "to_nice_yaml",
    "from_yaml",
    "format(1)",
    "'%s %d'",
    "%",
    "+",
    "-",
    "*",
    "/",
    "//",
    "**",
    "~",
    "==",
    "<",
    " in ",
    " not ",
    " is ",
    "defined",
    "mapping",
    "version('1', '>')",
    "(",
    ")",
    ",",
    ":",
    "1",
    "99999999999999999999",
    "2.5",
    "-7",
    "1e300",
    "'x'",
    "\"",
    "'",
    "\\",
    "if ",
    "else ",
    "endif",
    "for i in c",
    "endfor",
    "set x = ",
    "macro m(a)",
    "endmacro",
    "m(1)",
    "loop.index",
    "none",
    "true",
    "[",
    "]",
    "{",
    "}",
    "lookup('x')",
    "range(9)",
    "raw",
    "endraw",
    "\n",
    "é",
    "human_to_bytes",
    "hash('md5')",
    "b64decode",
    "splitext",
    "round(400)",
    "pow(999)",
    "log",
    "slice(2)",
    "batch(2)",
    "flatten",
    "product(c)",
    "urlsplit",
    "strftime",
    "to_datetime",
    "comment('c')",
    "indent(3)",
    "truncate(2)",
    "wordwrap(1)",
    "center(9)",
    ".split(",
    ".format(",
    ".zfill(9",
    "namespace(a=1)",
    "items",
    "dictsort",
    "include 'x'",
];

const FILTERS: &[&str] = &[
    "int",
    "float",
    "string",
    "list",
    "length",
    "first",
    "last",
    "sum",
    "min",
    "max",
    "sort",
    "unique",
    "flatten",
    "reverse",
    "join('-')",
    "upper",
    "title",
    "trim",
    "split",
    "to_json",
    "to_yaml",
    "to_nice_yaml",
    "from_json",
    "from_yaml",
    "dict2items",
    "items2dict",
    "combine",
    "b64encode",
    "b64decode",
    "md5",
    "hash('sha256')",
    "quote",
    "basename",
    "dirname",
    "splitext",
    "path_join",
    "human_readable",
    "human_to_bytes",
    "filesizeformat",
    "round(2)",
    "abs",
    "log",
    "pow(3)",
    "root",
    "bool",
    "regex_escape",
    "regex_findall('.')",
    "regex_search('(.)', '\\1')",
    "regex_replace('', '-')",
    "urlencode",
    "urlsplit",
    "type_debug",
    "comment",
    "indent",
    "truncate(3)",
    "wordwrap(2)",
    "wordcount",
    "batch(2)",
    "slice(3)",
    "zip([1])",
    "zip_longest([1, 2])",
    "permutations(1)",
    "combinations(2)",
    "subelements('x')",
    "groupby('x')",
    "map('int')",
    "select",
    "reject('none')",
    "to_datetime",
    "strftime",
    "to_uuid",
    "dictsort",
    "items",
    "pprint",
    "tojson",
    "ternary(1, 2)",
    "mandatory",
    "default('x')",
    "win_basename",
    "win_splitdrive",
    "normpath",
    "relpath('/a')",
    "commonpath",
    "striptags",
    "escape",
    "format(1, 2)",
    "capitalize",
    "center(7)",
    "extract(c)",
    "to_nice_json",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_is_answered(text in any::<String>()) {
        run_all(&text);
        run_all(&format!("{{{{ {text} }}}}"));
    }

    #[test]
    fn pieces_of_templates_are_answered(text in pieces()) {
        run_all(&text);
        run_all(&format!("{{{{ {text} }}}}"));
    }

    #[test]
    fn any_chain_of_filters_is_answered(text in chains()) {
        run_all(&text);
    }
}

#[test]
fn deep_nesting_is_refused_not_overflown() {
    for text in [
        "(".repeat(5000),
        "[".repeat(5000),
        format!("{}1", "not ".repeat(5000)),
        format!("a{}", "|upper".repeat(5000)),
        format!("1{}", " + 1".repeat(5000)),
        format!("a{}", ".b".repeat(5000)),
        "-".repeat(5000) + "1",
        format!("a{}", " if a else b".repeat(3000)),
        format!("1{}", " ~ 1".repeat(5000)),
        format!("a{}", " and a".repeat(5000)),
        format!("a{}", "[0]".repeat(5000)),
        format!("a{}", " ** 2".repeat(3000)),
    ] {
        let run = move || run_all(&format!("{{{{ {text} }}}}"));
        std::thread::Builder::new()
            .stack_size(2 << 20)
            .spawn(run)
            .unwrap()
            .join()
            .unwrap();
    }
    let ladder = format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}x".repeat(5000));
    let nested = "{% if a %}".repeat(5000);
    let run = move || [ladder, nested].iter().for_each(|text| run_all(text));
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap()
        .join()
        .unwrap();
}
