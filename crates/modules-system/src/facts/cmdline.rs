//! What the kernel was started with.

use serde_json::{Value, json};

use super::{Facts, Root, insert};

/// Gathers `cmdline` (of a key that comes twice, the last value) and `proc_cmdline` (all of them).
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    let Some(text) = root.text("/proc/cmdline") else {
        return facts;
    };
    let (mut last, mut all) = (Facts::new(), Facts::new());
    for word in words(&text) {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (key.to_owned(), json!(value)),
            None => (word, json!(true)),
        };
        last.insert(key.clone(), value.clone());
        add(&mut all, key, value);
    }
    insert(&mut facts, "cmdline", last);
    insert(&mut facts, "proc_cmdline", all);
    facts
}

/// A key that comes again with a text becomes a list.
fn add(all: &mut Facts, key: String, value: Value) {
    match all.get_mut(&key) {
        Some(_) if value == json!(true) => {
            all.insert(key, value);
        }
        Some(Value::Array(values)) => values.push(value),
        Some(earlier) => *earlier = json!([earlier.take(), value]),
        None => {
            all.insert(key, value);
        }
    }
}

/// Splits at white space. A word that starts with a quote ends with it, and keeps both.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let quoted = matches!(first, '"' | '\'')
            .then(|| rest[1..].find(first).map(|end| end + 2))
            .flatten();
        let end = quoted.unwrap_or_else(|| rest.find(char::is_whitespace).unwrap_or(rest.len()));
        words.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_and_values_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("proc")).unwrap();
        let text = "BOOT_IMAGE=/vm console=tty0 console=ttyS0,115200 \"a b=c d\" q=\"x y\" nokey= ro ro root=UUID=1=2\n";
        std::fs::write(folder.path().join("proc/cmdline"), text).unwrap();
        let facts = collect(&Root::new(folder.path()));
        let mut expected = json!({
            "BOOT_IMAGE": "/vm", "console": "ttyS0,115200", "\"a b": "c d\"", "q": "\"x", "y\"": true,
            "nokey": "", "ro": true, "root": "UUID=1=2",
        });
        assert_eq!(facts["cmdline"], expected);
        expected["console"] = json!(["tty0", "ttyS0,115200"]);
        assert_eq!(facts["proc_cmdline"], expected);
    }

    proptest! {
        #[test]
        fn any_command_line_is_survived(text in "(?s).*") {
            let folded = words(&text).iter().fold(Facts::new(), |mut all, word| {
                add(&mut all, word.clone(), json!("x"));
                all
            });
            prop_assert!(folded.len() <= text.len());
        }
    }
}
