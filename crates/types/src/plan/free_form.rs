//! Arguments as text: `src=a dest="b c"`, and command lines with options among the words.

use serde_json::Value;

use super::task::short_module_name;
use crate::Object;

/// Modules whose text is a command line.
const COMMAND_LINES: [&str; 8] = [
    "command",
    "shell",
    "script",
    "raw",
    "ansible.windows.win_command",
    "ansible.windows.win_shell",
    "win_command",
    "win_shell",
];

/// The `key=value` words of text, as lookups take them; what is left is `_raw_params`.
#[must_use]
pub fn key_values(text: &str) -> Object {
    split("", text.to_owned())
}

/// The arguments that the free-form `text` of a module means; what is no option is `_raw_params`.
pub(super) fn split(module: &str, text: String) -> Object {
    let name = short_module_name(module);
    let (rest, mut args) = if COMMAND_LINES.contains(&name) {
        split_free_form(&text)
    } else {
        split_where(&text, &is_name)
    };
    if args.is_empty() {
        args.insert("_raw_params".to_owned(), Value::String(text));
    } else if !rest.trim().is_empty() {
        args.insert(
            "_raw_params".to_owned(),
            Value::String(rest.trim().to_owned()),
        );
    }
    args
}

/// Whether a word may be the name of an option.
fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && word
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The options that are taken out of a command line.
const COMMAND_LINE_OPTIONS: [&str; 8] = [
    "creates",
    "removes",
    "chdir",
    "executable",
    "warn",
    "stdin",
    "stdin_add_newline",
    "strip_empty_ends",
];

/// Takes the options (`creates=`, `chdir=` …) out of the words of a command line: gives what is left, and them.
///
/// This is for text as a person wrote it, so before templates in it are rendered: a rendered value that holds `chdir=/x` is no
/// option. Modules therefore never call it. What is left keeps its quotes and its white space, but a backslash that stands alone (a
/// continued line), and white space around the whole. Nothing fails: an open quote or `{{` reaches to the end of the text.
///
/// ```
/// let (line, options) = rustle_types::plan::split_free_form(r#"touch "a b" creates='a b'"#);
/// assert_eq!(line, r#"touch "a b""#);
/// assert_eq!(options["creates"], "a b");
/// ```
#[must_use]
pub fn split_free_form(text: &str) -> (String, Object) {
    split_where(text, &|name| COMMAND_LINE_OPTIONS.contains(&name))
}

/// Takes the words `name=value` whose name is one of an option out of a text.
fn split_where(text: &str, is_option: &dyn Fn(&str) -> bool) -> (String, Object) {
    let mut line = String::new();
    let mut options = Object::new();
    for word in words(text.trim()) {
        match read_word(&word, is_option) {
            Word::Option(name, value) => {
                options.insert(name, Value::String(value));
            }
            Word::Text(text) => {
                if !line.is_empty() && !line.ends_with('\n') {
                    line.push(' ');
                }
                line.push_str(&text);
            }
        }
    }
    (line, options)
}

enum Word {
    Option(String, String),
    Text(String),
}

fn read_word(word: &str, is_option: &dyn Fn(&str) -> bool) -> Word {
    if !word.contains('=') {
        return Word::Text(word.to_owned());
    }
    let decoded = decode_escapes(word);
    let mut signs = decoded.match_indices('=').map(|(at, _)| at);
    let Some(sign) = signs.find(|at| *at > 0 && !decoded[..*at].ends_with('\\')) else {
        // All of them are escaped, or there is but the one at the start.
        let is_escaped = decoded.contains("\\=");
        return Word::Text(if is_escaped {
            decoded.replace("\\=", "=")
        } else {
            word.to_owned()
        });
    };
    let (name, value) = (&decoded[..sign], &decoded[sign + 1..]);
    match is_option(name) {
        true => Word::Option(name.to_owned(), unquote(value.trim()).to_owned()),
        false => Word::Text(word.to_owned()),
    }
}

fn unquote(text: &str) -> &str {
    let inner = ['"', '\'']
        .iter()
        .find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.filter(|inner| !inner.ends_with('\\')).unwrap_or(text)
}

/// Cuts text into words, each with the white space that follows it but for one space.
fn words(text: &str) -> Vec<String> {
    let mut cutter = Cutter::default();
    for c in text.chars() {
        cutter.push(c);
    }
    cutter.finish()
}

#[derive(Default)]
struct Cutter {
    words: Vec<String>,
    current: String,
    previous: char,
    quote: Option<char>,
    /// How many `{{`, `{%` and `{#` are open.
    depth: usize,
    /// Whether the next space is the one that separates words.
    at_line_start: bool,
    is_continued: bool,
}

impl Cutter {
    fn push(&mut self, c: char) {
        let is_free = self.quote.is_none() && self.depth == 0;
        match c {
            ' ' if is_free => self.end_word(),
            '\n' if is_free => self.end_line(),
            _ => self.push_inside(c),
        }
    }

    fn push_inside(&mut self, c: char) {
        match (self.previous, c) {
            ('{', '{' | '%' | '#') => self.depth += 1,
            ('}' | '%' | '#', '}') => self.depth = self.depth.saturating_sub(1),
            ('\\', '"' | '\'') => {}
            (_, '"' | '\'') if self.quote == Some(c) => self.quote = None,
            (_, '"' | '\'') if self.quote.is_none() => self.quote = Some(c),
            _ => {}
        }
        // Two braces are one sign: the second is not the first of the next.
        let is_sign = matches!((self.previous, c), ('{', '{') | ('}', '}'));
        self.previous = if is_sign { '\0' } else { c };
        self.at_line_start = false;
        self.current.push(c);
    }

    fn end_word(&mut self) {
        self.previous = ' ';
        if self.current.is_empty() {
            if let Some(last) = self.words.last_mut().filter(|_| !self.at_line_start) {
                last.push(' ');
            }
            self.at_line_start = false;
            return;
        }
        let word = std::mem::take(&mut self.current);
        if word == "\\" {
            self.is_continued = true;
        } else {
            self.words.push(word);
        }
    }

    fn end_line(&mut self) {
        if !self.current.is_empty() {
            self.end_word();
        }
        self.previous = '\n';
        self.at_line_start = true;
        let is_continued = std::mem::take(&mut self.is_continued);
        if let Some(last) = self.words.last_mut().filter(|_| !is_continued) {
            last.push('\n');
        }
    }

    fn finish(mut self) -> Vec<String> {
        if !self.current.is_empty() {
            self.end_word();
        }
        self.words
    }
}

/// Text with its backslash escapes replaced; unknown ones stay.
fn decode_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        match escape(rest) {
            Some((c, length)) => {
                out.push(c);
                rest = &rest[length..];
            }
            None => out.push('\\'),
        }
    }
    out.push_str(rest);
    out
}

/// What an escape stands for, and its length after the backslash.
fn escape(after: &str) -> Option<(char, usize)> {
    let hex = |digits: usize| {
        let code = after.get(1..=digits)?;
        let is_hex = code.bytes().all(|byte| byte.is_ascii_hexdigit());
        let code = u32::from_str_radix(code, 16).ok().filter(|_| is_hex)?;
        Some((char::from_u32(code)?, digits + 1))
    };
    let c = match after.chars().next()? {
        c @ ('\\' | '\'' | '"') => c,
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        'x' => return hex(2),
        'u' => return hex(4),
        'U' => return hex(8),
        _ => return None,
    };
    Some((c, 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn options_are_taken_out_and_the_rest_stays_as_it_is() {
        for (text, line, options) in [
            ("echo hi", "echo hi", json!({})),
            (
                "echo $(( 1 + 2 )) chdir=/tmp",
                "echo $(( 1 + 2 ))",
                json!({"chdir": "/tmp"}),
            ),
            (
                "creates=/a touch  b   removes='c d' x",
                "touch  b   x",
                json!({"creates": "/a", "removes": "c d"}),
            ),
            ("FOO=1 dd if=a of=b", "FOO=1 dd if=a of=b", json!({})),
            (
                "echo \"chdir=/x y\" 'stdin=z'",
                "echo \"chdir=/x y\" 'stdin=z'",
                json!({}),
            ),
            (
                "cat stdin=\"a\\nb\" stdin_add_newline=no",
                "cat",
                json!({"stdin": "a\nb", "stdin_add_newline": "no"}),
            ),
            ("echo creates\\=x a\\=b", "echo creates=x a=b", json!({})),
            ("echo =x \\d", "echo =x \\d", json!({})),
            (
                "rm chdir={{ dir | default('a b') }} x",
                "rm x",
                json!({"chdir": "{{ dir | default('a b') }}"}),
            ),
            (
                "echo {{ 'chdir=/x' }} {% if a %} creates=y",
                "echo {{ 'chdir=/x' }} {% if a %}",
                json!({"creates": "y"}),
            ),
            ("", "", json!({})),
            ("  creates=x  ", "", json!({"creates": "x"})),
            ("echo it's chdir=/x", "echo it's chdir=/x", json!({})),
            ("x chdir=", "x", json!({"chdir": ""})),
            ("x chdir=\"a\\\"", "x", json!({"chdir": "a"})),
        ] {
            assert_eq!(
                split_free_form(text),
                (line.to_owned(), options.as_object().unwrap().clone()),
                "{text}"
            );
        }
    }

    #[test]
    fn lines_stay_lines_unless_they_are_continued() {
        for (text, line) in [
            (
                "a=1\nif x; then\n    echo 'y\n  z'\nfi\n",
                "a=1\nif x; then\n    echo 'y\n  z'\nfi",
            ),
            ("echo a \\\n  b", "echo a  b"),
            ("a\n\n\nb", "a\n\n\nb"),
            ("a creates=x\nb", "a b"),
            ("creates=x\na\tb", "a\tb"),
        ] {
            assert_eq!(split_free_form(text).0, line, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_without_options_is_kept(text in "[a-z|>$(){}'\"]{1,6}( {1,3}[a-z|>$()'\"]{1,6}){0,5}") {
            prop_assert_eq!(split_free_form(&text), (text.clone(), Object::new()));
        }

        #[test]
        fn any_text_is_survived(text in "[\\\\'\"{}%# =\na-zé]{0,40}|.{0,30}") {
            let _ = split_free_form(&text);
        }
    }
}

#[cfg(test)]
mod of_modules {
    use serde_json::{Value, json};

    use super::split;

    #[test]
    fn text_is_split_as_ansible_splits_it() {
        let cases = [
            (
                "file",
                "path=/tmp/kv state=directory mode=0750",
                json!({"path": "/tmp/kv", "state": "directory", "mode": "0750"}),
            ),
            (
                "debug",
                r#"msg="hello world""#,
                json!({"msg": "hello world"}),
            ),
            (
                "debug",
                "msg={{ a == b }} verbosity=1",
                json!({"msg": "{{ a == b }}", "verbosity": "1"}),
            ),
            (
                "debug",
                r#"msg="{{ x | default('a b') }} c" verbosity=1"#,
                json!({"msg": "{{ x | default('a b') }} c", "verbosity": "1"}),
            ),
            (
                "copy",
                r#"content="a\nb\\c" dest=x=y"#,
                json!({"content": "a\nb\\c", "dest": "x=y"}),
            ),
            ("include_tasks", "a.yml", json!({"_raw_params": "a.yml"})),
            (
                "ansible.builtin.set_fact",
                "one=1 two='2 3'",
                json!({"one": "1", "two": "2 3"}),
            ),
            (
                "command",
                "dd if=/dev/zero  of=x",
                json!({"_raw_params": "dd if=/dev/zero  of=x"}),
            ),
            (
                "shell",
                "echo  a creates=/tmp/x chdir='/a b' && ls",
                json!({"creates": "/tmp/x", "chdir": "/a b", "_raw_params": "echo  a && ls"}),
            ),
            (
                "ansible.builtin.command",
                r#"echo "chdir=/tmp""#,
                json!({"_raw_params": r#"echo "chdir=/tmp""#}),
            ),
            (
                "debug",
                "{{ all == 1 }}",
                json!({"_raw_params": "{{ all == 1 }}"}),
            ),
        ];
        for (module, text, expected) in cases {
            assert_eq!(
                Value::Object(split(module, text.to_owned())),
                expected,
                "{module}: {text}"
            );
        }
    }
}
