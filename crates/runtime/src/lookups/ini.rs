//! `ini`: values of INI files and of Java's properties.

use rustle_module::{as_bool, py_str};
use rustle_template::{LookupCall, Scope, Trust};
use rustle_types::Object;
use serde_json::{Value, json};

use super::config_parser::{Config, Options};
use super::{ControllerLookups, Found, texts};

const OPTIONS: &[&str] = &[
    "type",
    "file",
    "section",
    "re",
    "encoding",
    "default",
    "case_sensitive",
    "allow_no_value",
    "allow_none",
    "interpolation",
];

/// The section that properties get, which have none.
const PROPERTIES: &str = "java_properties";

/// The values of keys.
pub(super) fn ini(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let mut options = call.options.clone();
    let mut found = Vec::new();
    for term in texts(&call.terms) {
        let key = read_term(&term, &mut options)?;
        found.extend(values(lookups, call, &key, &options)?);
    }
    Ok(found)
}

/// Takes `name=value` words out of a term into the options; what is before them is the key.
fn read_term(term: &str, options: &mut Object) -> Result<String, String> {
    let mut key = Vec::new();
    let mut last: Option<&str> = None;
    for word in term.split_whitespace() {
        let option = word
            .split_once('=')
            .filter(|(name, _)| OPTIONS.contains(name));
        match (option, last) {
            (Some((name, value)), _) => {
                options.insert(name.to_owned(), Value::String(value.to_owned()));
                last = Some(name);
            }
            (None, Some(name)) => {
                let before = options.get(name).map(py_str).unwrap_or_default();
                options.insert(name.to_owned(), Value::String(format!("{before} {word}")));
            }
            (None, None) => key.push(word),
        }
    }
    if key.is_empty() {
        return Err(format!("no key is named in `{term}`"));
    }
    Ok(key.join(" "))
}

fn values(
    lookups: &ControllerLookups,
    call: &LookupCall<'_>,
    key: &str,
    options: &Object,
) -> Found {
    let given = |name: &str| options.get(name).filter(|value| !value.is_null());
    let flag = |name: &str, default: bool| given(name).and_then(as_bool).unwrap_or(default);
    let text = |name: &str, default: &str| given(name).map_or_else(|| default.to_owned(), py_str);
    let file = text("file", "ansible.ini");
    let path = lookups.find_file(call, "files", &file)?;
    let mut body = lookups.text_in(call, &path, &text("encoding", "utf-8"))?;
    let is_properties = text("type", "ini") == "properties";
    if is_properties {
        body.insert_str(0, &format!("[{PROPERTIES}]\n"));
    }
    let section = if is_properties {
        PROPERTIES.to_owned()
    } else {
        text("section", "global")
    };
    let config = Config::parse(
        &body,
        Options {
            case_sensitive: flag("case_sensitive", false),
            allow_no_value: flag("allow_no_value", flag("allow_none", false)),
        },
    )
    .map_err(|reason| format!("cannot read `{file}`, {reason}"))?;
    if !config.has_section(&section) && section != "DEFAULT" {
        return Err(format!("no section '{section}' in '{file}'"));
    }
    let shown = |value: String| {
        let value = if flag("interpolation", true) {
            config.interpolated(&section, &value)?
        } else {
            value
        };
        Ok(Value::String(value))
    };
    if flag("re", false) {
        let matching = config
            .entries(&section)
            .into_iter()
            .filter(|(name, _)| is_match(call, name, key));
        return matching.filter_map(|(_, value)| value).map(shown).collect();
    }
    match config.raw(&section, key) {
        Some(value) => value.into_iter().map(shown).collect(),
        None => Ok(
            match options.get("default").cloned().unwrap_or_else(|| json!("")) {
                Value::Null => Vec::new(),
                Value::Array(items) => items,
                default => vec![default],
            },
        ),
    }
}

/// Whether a pattern matches at the beginning of a name, decided by the engine, which knows Python's patterns.
fn is_match(call: &LookupCall<'_>, name: &str, pattern: &str) -> bool {
    let vars: Object = [("name", name), ("pattern", pattern)]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .collect();
    let scope = Scope::of(vars, Trust::Untrusted);
    call.engine
        .condition("name is match(pattern)", &scope)
        .unwrap_or(false)
}
