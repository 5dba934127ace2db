//! What the Linux Standard Base says of the distribution.

use serde_json::{Map, Value};

use super::release_file::ReleaseFile;
use super::{Facts, Root, insert};

/// Gathers `lsb`: from lsb-release, or from os-release where the `lsb_release` program would read that.
///
/// A host with neither the file nor the program has an empty `lsb`.
pub(super) fn collect(root: &Root) -> Facts {
    let mut facts = Facts::new();
    insert(&mut facts, "lsb", lsb(root));
    facts
}

fn lsb(root: &Root) -> Map<String, Value> {
    if let Some(text) = root.text("/etc/lsb-release") {
        let file = ReleaseFile::parse(&text);
        let value = |key: &str| file.value(key).map(str::to_owned);
        let id = value("DISTRIB_ID");
        return described(
            id,
            value("DISTRIB_RELEASE"),
            value("DISTRIB_DESCRIPTION"),
            value("DISTRIB_CODENAME"),
        );
    }
    let installed = ["/usr/bin/lsb_release", "/bin/lsb_release"]
        .iter()
        .any(|path| root.is_executable(path));
    let Some(text) = installed
        .then(|| {
            root.text("/etc/os-release")
                .or_else(|| root.text("/usr/lib/os-release"))
        })
        .flatten()
    else {
        return Map::new();
    };
    let file = ReleaseFile::parse(&text);
    let value = |key: &str| Some(file.value(key).unwrap_or("n/a").to_owned());
    described(
        value("ID").map(|id| capitalised(&id)),
        value("VERSION_ID"),
        value("PRETTY_NAME"),
        value("VERSION_CODENAME"),
    )
}

fn described(
    id: Option<String>,
    release: Option<String>,
    description: Option<String>,
    codename: Option<String>,
) -> Map<String, Value> {
    let mut lsb = Map::new();
    if let Some(release) = &release {
        insert(
            &mut lsb,
            "major_release",
            release.split('.').next().unwrap_or_default(),
        );
    }
    for (key, value) in [
        ("id", id),
        ("release", release),
        ("description", description),
        ("codename", codename),
    ] {
        if let Some(value) = value {
            insert(&mut lsb, key, value);
        }
    }
    lsb
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lsb_release_file_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("etc")).unwrap();
        let text = "DISTRIB_ID=Ubuntu\nDISTRIB_RELEASE=24.04\nDISTRIB_CODENAME=noble\nDISTRIB_DESCRIPTION=\"Ubuntu 24.04.1 LTS\"\n";
        std::fs::write(folder.path().join("etc/lsb-release"), text).unwrap();
        let expected = json!({"lsb": {
            "id": "Ubuntu", "release": "24.04", "major_release": "24", "codename": "noble",
            "description": "Ubuntu 24.04.1 LTS",
        }});
        assert_eq!(Value::Object(collect(&Root::new(folder.path()))), expected);
    }

    #[test]
    fn a_host_without_lsb_has_an_empty_one() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(
            Value::Object(collect(&Root::new(folder.path()))),
            json!({"lsb": {}})
        );
    }
}
