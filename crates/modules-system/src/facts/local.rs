//! The facts that the host's owner puts into `facts.d`.

use std::path::Path;

use serde_json::{Map, Value};

use super::root::is_executable;
use super::{Facts, Root, Runner, ini, insert};

/// Gathers `local`: each `*.fact` file is JSON or INI, or a program that prints such.
///
/// A bad file fails nothing: its fact is the text of a warning, which is also given back.
pub(super) fn collect(root: &Root, folder: &Path, runner: &Runner) -> (Facts, Vec<String>) {
    let mut local = Map::new();
    let mut warnings = Vec::new();
    for name in root.names(folder) {
        let Some(key) = name
            .strip_suffix(".fact")
            .filter(|key| !key.starts_with('.'))
        else {
            continue;
        };
        let path = root.path(folder).join(&name);
        if path.is_dir() {
            continue;
        }
        let value = fact(&path, runner).unwrap_or_else(|warning| {
            warnings.push(warning.clone());
            warning.into()
        });
        insert(&mut local, key, value);
    }
    let mut facts = Facts::new();
    insert(&mut facts, "local", local);
    (facts, warnings)
}

fn fact(path: &Path, runner: &Runner) -> Result<Value, String> {
    let text = if is_executable(path) {
        runner(path)
            .map_err(|reason| format!("fact script `{}` failed: {reason}", path.display()))?
    } else {
        let bytes = std::fs::read(path)
            .map_err(|error| format!("cannot read fact `{}`: {error}", path.display()))?;
        String::from_utf8_lossy(&bytes).into_owned()
    };
    value(&text).ok_or_else(|| format!("fact `{}` is neither JSON nor INI", path.display()))
}

/// The value of a fact's text: JSON, else INI. An empty text is an empty INI file.
fn value(text: &str) -> Option<Value> {
    serde_json::from_str(text)
        .ok()
        .or_else(|| ini::parse(text).map(Value::Object))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use serde_json::json;

    use super::*;

    #[test]
    fn facts_are_json_ini_or_programs() {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [
            ("j.fact", "{\"a\": 1}"),
            ("i.fact", "[s]\nk=v\n"),
            ("empty.fact", ""),
            (".hid.fact", "1"),
            ("not.txt", "1"),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let script = folder.path().join("exe.fact");
        fs::write(&script, "").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        let runner = |_: &Path| Ok("{\"x\": 1}".to_owned());
        let (facts, warnings) = collect(&Root::host(), folder.path(), &runner);
        let expected = json!({"j": {"a": 1}, "i": {"s": {"k": "v"}}, "empty": {}, "exe": {"x": 1}});
        assert_eq!(facts["local"], expected);
        assert!(warnings.is_empty());
    }

    #[test]
    fn a_bad_fact_is_a_warning_and_its_text() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("bad.fact"), "garbage here\n").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling.fact")).unwrap();
        let (facts, warnings) = collect(&Root::host(), folder.path(), &|_| {
            Err("exit status 3".to_owned())
        });
        assert_eq!(warnings.len(), 2);
        assert_eq!(facts["local"]["bad"], json!(warnings[0]));
        assert!(
            warnings[1].starts_with("cannot read fact `"),
            "{warnings:?}"
        );
    }

    #[test]
    fn a_missing_folder_gives_no_facts() {
        let (facts, warnings) =
            collect(&Root::host(), Path::new("/nowhere"), &|_| Ok(String::new()));
        assert_eq!((&facts["local"], warnings.len()), (&json!({}), 0));
    }
}
