//! `csvfile`: a column of the first row with a key.

use rustle_module::py_str;
use rustle_template::LookupCall;
use rustle_types::Object;
use rustle_types::plan::key_values;
use serde_json::Value;

use super::{ControllerLookups, Found, texts};

const OPTIONS: &[&str] = &["col", "default", "delimiter", "file", "encoding", "keycol"];

/// The column of each key's row, or the default.
pub(super) fn csvfile(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    if call.terms.is_empty() {
        return Err("a key to search is needed".into());
    }
    let mut options = call.options.clone();
    let mut found = Vec::new();
    for term in texts(&call.terms) {
        let key = read_term(&term, &mut options)?;
        match value(lookups, call, &key, &options)? {
            Value::Null => {}
            Value::Array(items) => found.extend(items),
            single => found.push(single),
        }
    }
    Ok(found)
}

fn read_term(term: &str, options: &mut Object) -> Result<String, String> {
    let mut words = key_values(term);
    let key = words.shift_remove("_raw_params").as_ref().map(py_str);
    for (name, value) in words {
        if !OPTIONS.contains(&name.as_str()) {
            return Err(format!(
                "`{name}` is no option; there are {}",
                OPTIONS.join(", ")
            ));
        }
        options.insert(name, value);
    }
    key.ok_or_else(|| "a key to search is needed".into())
}

fn value(
    lookups: &ControllerLookups,
    call: &LookupCall<'_>,
    key: &str,
    options: &Object,
) -> Result<Value, String> {
    let given = |name: &str| {
        options
            .get(name)
            .filter(|value| !value.is_null())
            .map(py_str)
    };
    let column = |name: &str, default: usize| match given(name) {
        None => Ok(default),
        Some(text) => text
            .parse()
            .map_err(|_| format!("`{name}` has to be a whole number, not `{text}`")),
    };
    let delimiter = match given("delimiter").as_deref() {
        None | Some("TAB") => '\t',
        Some(text) => {
            let mut chars = text.chars();
            let single = chars.next().filter(|_| chars.next().is_none());
            single.ok_or_else(|| format!("`delimiter` has to be one character, not `{text}`"))?
        }
    };
    let (col, keycol) = (column("col", 1)?, column("keycol", 0)?);
    let file = given("file").unwrap_or_else(|| "ansible.csv".into());
    let path = lookups.find_file(call, "files", &file)?;
    let encoding = given("encoding").unwrap_or_else(|| "utf-8".into());
    let text = lookups.text_in(call, &path, &encoding)?;
    for row in rows(&text, delimiter) {
        let short = |number: usize| format!("a row of `{file}` has no column {number}");
        if row.get(keycol).ok_or_else(|| short(keycol))? == key {
            return row
                .get(col)
                .cloned()
                .map(Value::String)
                .ok_or_else(|| short(col));
        }
    }
    Ok(options.get("default").cloned().unwrap_or_default())
}

/// The rows that are not empty. A field in quotes may hold delimiters, line ends, and quotes written twice.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row: Vec<String> = Vec::new();
    let mut field = String::new();
    let (mut is_quoted, mut has_field) = (false, false);
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            other if is_quoted => field.push(other),
            '"' if field.is_empty() => (is_quoted, has_field) = (true, true),
            '\n' | '\r' => {
                if has_field || !field.is_empty() || !row.is_empty() {
                    row.push(std::mem::take(&mut field));
                    rows.push(std::mem::take(&mut row));
                }
                has_field = false;
            }
            other if other == delimiter => {
                row.push(std::mem::take(&mut field));
                has_field = true;
            }
            other => field.push(other),
        }
    }
    if has_field || !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_as_python_reads_them() {
        let text = "a,b,\r\n\n\"x, \"\"y\"\"\nz\",2,it's \"so\"\n\"\"\nlast,";
        assert_eq!(
            rows(text, ','),
            [
                vec!["a", "b", ""],
                vec!["x, \"y\"\nz", "2", "it's \"so\""],
                vec![""],
                vec!["last", ""]
            ]
        );
    }

    #[test]
    fn a_term_may_bring_its_options() {
        let mut options = Object::new();
        assert_eq!(
            read_term("bob col=2 file=u.csv", &mut options).unwrap(),
            "bob"
        );
        assert_eq!(options.get("col"), Some(&Value::String("2".into())));
        assert!(read_term("col=2", &mut options).is_err());
        assert!(read_term("bob colour=2", &mut options).is_err());
    }
}
