//! The least of the controller's half of `copy` and `template` that the recorded cases need.
//!
//! Templates are not rendered: what the real module wrote in the first run is taken for the rendered text.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustle_module::Object;
use rustle_testkit::golden::{Call, Here};
use serde_json::{Value, json};
use sha1::{Digest, Sha1};

/// What is left of the arguments once the controller has done its part, or why it ends there.
pub(crate) fn prepare(
    here: &mut Here,
    call: &Call<'_>,
    mut args: Object,
) -> Result<Object, String> {
    let content = args.remove("content");
    let src = args
        .get("src")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned);
    let dest = args.get("dest").and_then(Value::as_str).unwrap_or_default();
    check(src.is_some(), content.is_some(), dest)?;
    if content.is_none() && args.get("remote_src") == Some(&Value::Bool(true)) {
        return Ok(args);
    }
    args.retain(|name, _| !CONTROLLERS.contains(&name.as_str()) && !name.ends_with("_string"));
    if let Some(content) = content {
        let attached = attach(here, text_of(&content).into_bytes(), None);
        args.insert("_attachment".into(), attached);
        return Ok(args);
    }
    let src = src.unwrap_or_default();
    let is_template = call.module.ends_with("template");
    let Ok(metadata) = fs::metadata(&src) else {
        let prefix = if is_template {
            ""
        } else {
            "Unexpected AnsibleActionFail error: "
        };
        return Err(format!(
            "{prefix}Could not find or access '{src}' on the Ansible Controller.\nIf you are using a module and expect the file to exist on the remote, see the remote_src option"
        ));
    };
    if metadata.is_dir() {
        let follows = call.args["local_follow"] != false;
        args.insert("_tree".into(), tree(here, &src, follows));
        args.insert("_source".into(), src.into());
        return Ok(args);
    }
    let name = Path::new(&src)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut bytes = fs::read(&src).expect("readable");
    let mut source = src;
    if is_template {
        bytes = call
            .recorded_texts
            .values()
            .next()
            .map_or(bytes, |text| text.clone().into_bytes());
        source = format!("/root/.ansible/tmp/ansible-local-1xyz/tmpabcdefg1/{name}");
    }
    let mode = metadata.permissions().mode() & 0o7777;
    args.insert("_attachment".into(), attach(here, bytes, Some(mode)));
    args.insert("_original_basename".into(), name.into());
    args.insert("_source".into(), source.into());
    Ok(args)
}

/// Options that end with the controller.
const CONTROLLERS: [&str; 8] = [
    "src",
    "remote_src",
    "local_follow",
    "decrypt",
    "trim_blocks",
    "lstrip_blocks",
    "newline_sequence",
    "output_encoding",
];

fn check(has_src: bool, has_content: bool, dest: &str) -> Result<(), String> {
    let refused = match (has_src, has_content) {
        (false, false) => "src (or content) is required",
        _ if dest.is_empty() => "dest is required",
        (true, true) => "src and content are mutually exclusive",
        (false, true) if dest.ends_with('/') => "can not use content with a dir as dest",
        _ => return Ok(()),
    };
    Err(refused.into())
}

fn attach(here: &mut Here, bytes: Vec<u8>, mode: Option<u32>) -> Value {
    let id = format!("a{}", here.attachments.len());
    let checksum: String = Sha1::digest(&bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let mode = mode.map(|mode| format!("0{mode:03o}"));
    let attached = json!({"id": id, "size": bytes.len(), "checksum": checksum, "mode": mode});
    here.attachments.insert(id, bytes);
    attached
}

/// Content as text: what is no text becomes JSON with a space after each comma and colon.
fn text_of(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(Value::to_string).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field = |(name, value): (&String, &Value)| format!("{}: {value}", json!(name));
            let fields: Vec<String> = fields.iter().map(field).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

fn tree(here: &mut Here, src: &str, follows: bool) -> Value {
    let root = Path::new(src);
    let prefix = if src.ends_with('/') {
        PathBuf::new()
    } else {
        root.file_name().unwrap_or_default().into()
    };
    let mut entries = Vec::new();
    let mut todo = vec![(root.to_owned(), prefix)];
    while let Some((folder, below)) = todo.pop() {
        let mut found: Vec<_> = fs::read_dir(&folder).expect("readable").flatten().collect();
        found.sort_by_key(fs::DirEntry::file_name);
        for entry in found {
            let (path, below) = (entry.path(), below.join(entry.file_name()));
            let shown = below.to_string_lossy().into_owned();
            if path.is_symlink() && !follows {
                let target = fs::read_link(&path).expect("a link");
                entries.push(json!({"path": shown, "kind": "link", "target": target}));
            } else if path.is_dir() {
                entries.push(json!({"path": shown, "kind": "dir"}));
                todo.push((path, below));
            } else {
                let mode = fs::metadata(&path).expect("readable").permissions().mode() & 0o7777;
                let attachment = attach(here, fs::read(&path).expect("readable"), Some(mode));
                entries.push(json!({"path": shown, "kind": "file", "source": path, "attachment": attachment}));
            }
        }
    }
    entries.into()
}
