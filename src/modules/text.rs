//! Modules as people read them.

use std::fmt::Write as _;

use rustle_report::escape_for_terminal;
use serde_json::{Map, Value};

/// A line a module.
pub(super) fn list(known: &[Value]) -> String {
    let text = |module: &Value, field: &str| {
        let text = module.get(field).and_then(Value::as_str);
        escape_for_terminal(text.unwrap_or_default()).into_owned()
    };
    let width = known.iter().map(|module| text(module, "name").len()).max();
    let width = width.unwrap_or_default().min(50);
    let mut out = String::new();
    for module in known {
        let (name, from) = (text(module, "name"), text(module, "from"));
        let what = match module.get("summary") {
            Some(_) => text(module, "summary"),
            None => text(module, "path"),
        };
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{name:width$}  {from:10}  {what}");
    }
    out
}

/// One module with all that is known of it.
pub(super) fn module(shown: &Value) -> String {
    let mut out = String::new();
    let text = |field: &str| plain(shown.get(field).unwrap_or(&Value::Null));
    let _ = writeln!(out, "{} ({})", text("name"), text("from"));
    for field in ["summary", "path"] {
        if shown.get(field).is_some_and(|value| !value.is_null()) {
            let _ = writeln!(out, "  {}", text(field));
        }
    }
    if let Some(Value::Object(options)) = shown.get("options") {
        let _ = writeln!(out, "\nOptions (* has to be given):");
        write_options(&mut out, options, 2);
    }
    if shown.get("any_option") == Some(&Value::Bool(true)) {
        let _ = writeln!(out, "  and any others");
    }
    if shown.get("free_form") == Some(&Value::Bool(true)) {
        let _ = writeln!(out, "  or free text");
    }
    if let Some(Value::Array(rules)) = shown.get("constraints").filter(|rules| has_any(rules)) {
        let _ = writeln!(out, "\nRules:");
        for rule in rules {
            let _ = writeln!(out, "  {}", plain(rule));
        }
    }
    if shown.get("check_mode").is_some() {
        let _ = writeln!(out, "\nCheck mode: {}", text("check_mode"));
    }
    if let Some(Value::Object(returns)) = shown.get("returns") {
        let _ = writeln!(out, "\nReturns:");
        for (name, about) in returns {
            let _ = writeln!(out, "  {}  {}", escape_for_terminal(name), line_of(about));
        }
    }
    match shown.get("example") {
        Some(Value::String(example)) => {
            let _ = writeln!(out, "\nExamples:");
            for line in example.lines() {
                let _ = writeln!(out, "  {}", escape_for_terminal(line));
            }
        }
        Some(example) => _ = writeln!(out, "\nExample:\n  {example}"),
        None => {}
    }
    out
}

fn has_any(rules: &Value) -> bool {
    rules.as_array().is_some_and(|rules| !rules.is_empty())
}

fn write_options(out: &mut String, options: &Map<String, Value>, indent: usize) {
    let width = options.keys().map(|name| name.len() + 1).max().unwrap_or(0);
    for (name, about) in options {
        let mark = if about.get("required") == Some(&Value::Bool(true)) {
            "*"
        } else {
            ""
        };
        let name = format!("{}{mark}", escape_for_terminal(name));
        let _ = writeln!(out, "{:indent$}{name:width$}  {}", "", facts(about));
        let inner = about.get("suboptions");
        if let Some(Value::Object(inner)) = inner {
            write_options(out, inner, indent + 4);
        }
    }
}

/// The type of an option, and what restricts it.
fn facts(about: &Value) -> String {
    let kind = about.get("type").map_or_else(|| "str".to_owned(), plain);
    let kind = match about.get("elements") {
        Some(elements) => format!("{kind} of {}", plain(elements)),
        None => kind,
    };
    let mut facts = vec![kind];
    if let Some(default) = about.get("default").filter(|default| !default.is_null()) {
        facts.push(format!("default {}", plain(default)));
    }
    for (field, word) in [("choices", "one of"), ("aliases", "also")] {
        if let Some(listed) = about.get(field) {
            facts.push(format!("{word} {}", names(listed)));
        }
    }
    if about.get("no_log") == Some(&Value::Bool(true)) {
        facts.push("secret".to_owned());
    }
    facts.join("; ")
}

fn names(listed: &Value) -> String {
    let names: Vec<String> = match listed {
        Value::Array(names) => names.iter().map(plain).collect(),
        Value::Object(names) => names
            .keys()
            .map(|name| escape_for_terminal(name).into_owned())
            .collect(),
        one => vec![plain(one)],
    };
    names.join(", ")
}

/// What a key of a result is.
fn line_of(about: &Value) -> String {
    let part = |field: &str| {
        let first = |value: &Value| value.get(0).map_or_else(|| plain(value), plain);
        about.get(field).map(first).unwrap_or_default()
    };
    format!("{}  {}", part("type"), part("description"))
        .trim()
        .to_owned()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => escape_for_terminal(text).into_owned(),
        other => other.to_string(),
    }
}
