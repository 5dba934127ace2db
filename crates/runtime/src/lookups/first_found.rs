//! `first_found`: the first of several files that is there.

use rustle_module::{as_bool, py_type};
use rustle_template::LookupCall;
use rustle_types::Object;
use serde_json::Value;

use super::{ControllerLookups, Found, list_option};

/// The path of the first file that is there, or nothing with `skip`.
pub(super) fn first_found(lookups: &ControllerLookups, call: &LookupCall<'_>) -> Found {
    let mut wanted = Wanted::default();
    wanted.set(&call.options);
    if call.terms.is_empty() {
        wanted.add_files(&list_option(&call.options, "files"));
    } else {
        wanted.add_terms(&call.terms)?;
    }
    let kind = call.with_of.map(folder_of);
    for name in &wanted.names {
        if let Some(found) = lookups.find(call, kind, name) {
            let absolute = std::path::absolute(&found).unwrap_or(found);
            let shown = absolute.to_string_lossy();
            return Ok(vec![Value::String(rustle_template::normal_path(&shown))]);
        }
    }
    if wanted.skip {
        return Ok(Vec::new());
    }
    Err("No file was found when using first_found.".into())
}

/// The folder that files for a module are in.
fn folder_of(module: &str) -> &'static str {
    if module.contains("template") {
        "templates"
    } else if module.contains("var") {
        "vars"
    } else {
        "files"
    }
}

#[derive(Default)]
struct Wanted {
    names: Vec<String>,
    paths: Vec<String>,
    skip: bool,
}

impl Wanted {
    fn set(&mut self, options: &Object) {
        self.paths = split(&list_option(options, "paths"), &[',', ':', ';']);
        self.skip = options.get("skip").and_then(as_bool).unwrap_or(false);
    }

    fn add_terms(&mut self, terms: &[Value]) -> Result<(), String> {
        for term in terms {
            match term {
                Value::String(name) => self.add_files(std::slice::from_ref(name)),
                Value::Array(terms) => self.add_terms(terms)?,
                Value::Object(options) => {
                    self.set(options);
                    self.add_files(&list_option(options, "files"));
                }
                other => {
                    return Err(format!(
                        "a file's name, a mapping or a list is needed, not a value of type '{}'",
                        py_type(other)
                    ));
                }
            }
        }
        Ok(())
    }

    fn add_files(&mut self, files: &[String]) {
        let files = split(files, &[',', ';']);
        if self.paths.is_empty() {
            self.names.extend(files);
            return;
        }
        for path in &self.paths {
            let joined = |file: &String| {
                std::path::Path::new(path)
                    .join(file)
                    .to_string_lossy()
                    .into_owned()
            };
            self.names.extend(files.iter().map(joined));
        }
    }
}

fn split(texts: &[String], separators: &[char]) -> Vec<String> {
    let pieces = texts.iter().flat_map(|text| text.split(separators));
    pieces.map(str::to_owned).collect()
}
