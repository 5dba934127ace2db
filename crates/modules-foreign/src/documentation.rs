//! What a module says of itself in its `DOCUMENTATION`, `EXAMPLES` and `RETURN`.

use std::path::Path;

use serde_json::{Map, Value};

/// The documentation of a module's file, as one object with the fields `documentation`, `examples` and `returns`; those that it does not
/// have, or that are no YAML, are left out.
#[must_use]
pub fn documentation(path: &Path) -> Map<String, Value> {
    let bytes = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let yaml = |name: &str| {
        let text = literal(&text, name)?;
        let value = rustle_inventory::yaml::parse(&text, name).ok()?;
        Some(value).filter(|value| !value.is_null())
    };
    let examples = literal(&text, "EXAMPLES").map(|text| Value::String(text.trim().to_owned()));
    let parts = [
        ("documentation", yaml("DOCUMENTATION")),
        ("examples", examples),
        ("returns", yaml("RETURN")),
    ];
    let there = parts
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    there.collect()
}

/// The text that a name is set to, at the beginning of a line. Of a module that is no Python there is none.
fn literal(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        let at = rest.find(name)?;
        let is_first = at == 0 || rest[..at].ends_with('\n');
        rest = &rest[at + name.len()..];
        let Some(value) = rest.trim_start().strip_prefix('=').filter(|_| is_first) else {
            continue;
        };
        let value = value.trim_start();
        let is_raw = value.starts_with(['r', 'R']);
        let value = value.trim_start_matches(['r', 'R', 'u']);
        let quote = ["'''", "\"\"\""]
            .into_iter()
            .find(|quote| value.starts_with(quote))?;
        let (inside, _) = value[3..].split_once(quote)?;
        return Some(if is_raw {
            inside.to_owned()
        } else {
            inside.replace("\\\\", "\\")
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_a_module_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("m.py");
        let text = "# DOCUMENTATION = 1\nDOCUMENTATION = r'''\nmodule: m\noptions: {a: {type: int}}\n'''\nEXAMPLES = \"\"\"\n- m:\n\"\"\"\nRETURN = '''# nothing'''\n";
        std::fs::write(&path, text).unwrap();
        let found = documentation(&path);
        assert_eq!(found["documentation"]["options"]["a"]["type"], "int");
        assert_eq!(found["examples"], "- m:");
        assert!(!found.contains_key("returns"));
        assert!(documentation(Path::new("/nowhere")).is_empty());
    }
}
