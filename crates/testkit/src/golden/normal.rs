//! Masks what differs from run to run, as the recordings have it masked.

use std::path::Path;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// What stands in the place of what differs.
pub(super) const VOLATILE: &str = "<volatile>";

const VOLATILE_KEYS: [&str; 19] = [
    "atime",
    "mtime",
    "ctime",
    "start",
    "end",
    "delta",
    "inode",
    "dev",
    "elapsed",
    "pid",
    "version_inode",
    "ansible_job_id",
    "results_file",
    "_original_basename",
    "exception",
    "jid",
    "remote_date",
    "ansible_date_time",
    "cache_update_time",
];

/// Ids that are the same on each machine, or that cases choose themselves.
const FIXED_IDS: [i64; 5] = [0, 65534, 54321, 54322, 54323];

/// Longer texts are cut, with their length kept.
const MAX_TEXT: usize = 4000;
const KEPT_TEXT: usize = 200;

/// Dates that a case itself fixes stay readable.
static KEPT: LazyLock<Regex> = LazyLock::new(|| pattern(r"2020-01-0\d|01 Jan 2020"));
static VERSION: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\d{7,}$"));

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    [
        (r#"(/root|/tmp/golds/ah)/\.?(ansible/)?tmp/ansible-(tmp|local)-[^/\s"',\]]+(/tmp[a-z0-9_]{8})?"#, "<tmp>"),
        (r"<tmp>/\.[a-z0-9_]{8}\b", "<tmp>/.<volatile>"),
        (r"/tmp/crontab[a-z0-9_]{8}", "/tmp/crontab<volatile>"),
        (r#"("(?:atime|mtime)": )\d+\.\d+"#, "${1}<volatile>"),
        (r"\.\d+\.\d{4}-\d\d-\d\d@\d\d:\d\d:\d\d~", ".<volatile>~"),
        (r"/tmp/ansible_[\w.]+_payload_[a-z0-9_]+(/[\w.]+zip)?", "<payload>"),
        (r#"\.ansible_tmp[A-Za-z0-9_]{8}[^\s"']*"#, ".ansible_tmp<volatile>"),
        (r"\b(?P<prefix>ansible\.|tmp)(?P<random>[a-z0-9_]{8})\b", "${prefix}<volatile>"),
        (r#"boundary="?=+\d+=+"?"#, "boundary=<volatile>"),
        (r"(Valid booleans include: ).*", "${1}<volatile>"),
        (r"\bpre\.[a-z0-9_]{8}\.suf\b", "pre.<volatile>.suf"),
        (r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", "<date>"),
        (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?", "<datetime>"),
        (r"0x[0-9a-f]{8,}", "0x<addr>"),
    ]
    .into_iter()
    .map(|(text, mask)| (pattern(text), mask))
    .collect()
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns above are well formed")
}

/// The masks of one case.
pub(super) struct Normal {
    folder: String,
    port: Option<u16>,
    volatile: Vec<String>,
}

impl Normal {
    /// The masks of `case`, which ran in `folder`.
    pub(super) fn of(case: &Value, folder: &Path, port: Option<u16>) -> Self {
        let volatile = case["volatile"].as_array().into_iter().flatten();
        Self {
            folder: folder.to_string_lossy().into_owned(),
            port,
            volatile: volatile
                .filter_map(Value::as_str)
                .map(ToOwned::to_owned)
                .collect(),
        }
    }

    /// A result with masks.
    pub(super) fn result(&self, result: Value) -> Value {
        let mut result = self.value(result, None);
        cut(&mut result);
        result
    }

    /// A text with masks.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.replace(&self.folder, "@S@");
        if let Some(port) = self.port {
            text = text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:@PORT@");
        }
        for (pattern, mask) in PATTERNS.iter() {
            let masked = pattern.replace_all(&text, |found: &Captures<'_>| {
                let has_digit =
                    |random: &str| random.contains(|c: char| c == '_' || c.is_ascii_digit());
                let is_word = found
                    .name("random")
                    .is_some_and(|random| !has_digit(random.as_str()));
                if is_word || KEPT.is_match(&found[0]) {
                    return found[0].to_owned();
                }
                let mut out = String::new();
                found.expand(mask, &mut out);
                out
            });
            text = masked.into_owned();
        }
        text
    }

    fn value(&self, value: Value, key: Option<&str>) -> Value {
        if let Some(key) = key {
            let named = self.volatile.iter().any(|volatile| volatile == key);
            if named || (VOLATILE_KEYS.contains(&key) && !value.is_null()) {
                return VOLATILE.into();
            }
        }
        match value {
            Value::Object(fields) => fields
                .into_iter()
                .filter(|(name, _)| !name.starts_with("_ansible_"))
                .map(|(name, value)| (self.text(&name), self.value(value, Some(&name))))
                .collect(),
            Value::Array(items) => items
                .into_iter()
                .map(|item| self.value(item, None))
                .collect(),
            Value::String(text) if key == Some("version") && VERSION.is_match(&text) => {
                VOLATILE.into()
            }
            Value::String(text) => self.text(&text).into(),
            Value::Number(number) if number.is_i64() || number.is_u64() => {
                let is_id = matches!(key, Some("uid" | "gid" | "pw_uid" | "group" | "owner"));
                let is_fixed = number.as_i64().is_some_and(|id| FIXED_IDS.contains(&id));
                let masked = (is_id && !is_fixed) || key == Some("version");
                if masked {
                    VOLATILE.into()
                } else {
                    Value::Number(number)
                }
            }
            other => other,
        }
    }
}

fn cut(value: &mut Value) {
    match value {
        Value::Object(fields) => fields.values_mut().for_each(cut),
        Value::Array(items) => items.iter_mut().for_each(cut),
        Value::String(text) => {
            let length = text.chars().count();
            if length > MAX_TEXT {
                let kept: String = text.chars().take(KEPT_TEXT).collect();
                *text = format!("{kept}<cut:{length}>");
            }
        }
        _ => {}
    }
}

/// Whether an id is the same on each machine.
pub(super) fn shown_id(id: u32) -> Value {
    if FIXED_IDS.contains(&id.into()) {
        id.into()
    } else {
        VOLATILE.into()
    }
}
