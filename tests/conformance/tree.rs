//! The scratch folder that a case works in.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// Makes the folder with an empty folder for each of the four hosts.
pub(crate) fn make_scratch(scratch: &Path) {
    for folder in ["", "h1", "h2", "h3", "h4"].map(|name| scratch.join(name)) {
        fs::create_dir_all(&folder).expect("the world is ours");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755))
            .expect("the folder is ours");
    }
}

/// Everything below the folder: type, mode, hash, target of links; but nothing whose name begins with `volatile`.
pub(crate) fn list(scratch: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    let mut todo = vec![scratch.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(&folder).expect("the folder can be read") {
            let path = entry.expect("the folder can be read").path();
            let relative = path
                .strip_prefix(scratch)
                .expect("it is below")
                .to_string_lossy()
                .into_owned();
            if format!("/{relative}").contains("/volatile") {
                continue;
            }
            let metadata = path.symlink_metadata().expect("it is there");
            if metadata.is_dir() {
                todo.push(path.clone());
            }
            found.insert(relative, describe(&path, &metadata, scratch));
        }
    }
    found
}

fn describe(path: &Path, metadata: &fs::Metadata, scratch: &Path) -> Value {
    let mode = format!("{:04o}", metadata.permissions().mode() & 0o7777);
    if metadata.is_symlink() {
        let target = fs::read_link(path).expect("it is a link");
        let target = target
            .to_string_lossy()
            .replace(&*scratch.to_string_lossy(), "{{scratch}}");
        return json!({ "type": "link", "target": target });
    }
    if metadata.is_dir() {
        return json!({ "type": "dir", "mode": mode });
    }
    let bytes = fs::read(path).expect("tests run as somebody who can read it");
    let bytes = replaced(&bytes, scratch.to_string_lossy().as_bytes(), b"{{scratch}}");
    let hash: String = Sha256::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    json!({ "type": "file", "mode": mode, "sha256": hash, "text": String::from_utf8_lossy(&bytes) })
}

fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let (mut out, mut rest) = (Vec::new(), bytes);
    while let Some(at) = rest.windows(from.len()).position(|window| window == from) {
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(to);
        rest = &rest[at + from.len()..];
    }
    out.extend_from_slice(rest);
    out
}
