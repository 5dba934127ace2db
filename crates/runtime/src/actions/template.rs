//! The controller's half of `template`: renders, and sends the text as `copy` does.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustle_module::{Default, Opt, Spec, Type, as_bool, py_str};
use rustle_template::{FileOptions, Trust};
use rustle_types::{ModuleResult, Object};
use serde_json::{Value, json};

use super::{ActionContext, copy};
use crate::files::{Blob, FilePlace};
use crate::result::{TaskError, object};
use crate::unit::UnitError;

pub(crate) const SPEC: Spec = Spec::new(
    "template",
    &[
        Opt::new("src", Type::Path).required(),
        Opt::new("dest", Type::Path).required(),
        Opt::new("backup", Type::Bool).default(Default::Bool(false)),
        Opt::new("force", Type::Bool).default(Default::Bool(true)),
        Opt::new("follow", Type::Bool).default(Default::Bool(false)),
        Opt::new("validate", Type::Str),
        Opt::new("newline_sequence", Type::Str)
            .default(Default::Str("\\n"))
            .choices(NEWLINES),
        Opt::new("trim_blocks", Type::Bool).default(Default::Bool(true)),
        Opt::new("lstrip_blocks", Type::Bool).default(Default::Bool(false)),
        Opt::new("block_start_string", Type::Str).default(Default::Str("{%")),
        Opt::new("block_end_string", Type::Str).default(Default::Str("%}")),
        Opt::new("variable_start_string", Type::Str).default(Default::Str("{{")),
        Opt::new("variable_end_string", Type::Str).default(Default::Str("}}")),
        Opt::new("comment_start_string", Type::Str),
        Opt::new("comment_end_string", Type::Str),
        Opt::new("output_encoding", Type::Str).default(Default::Str("utf-8")),
    ],
)
.file_common();

/// The line ends, as their two characters or as what YAML makes of these.
const NEWLINES: &[&str] = &["\\n", "\\r", "\\r\\n", "\n", "\r", "\r\n"];

/// The options that are about rendering, and stay on the controller.
const RENDERING: &[&str] = &[
    "newline_sequence",
    "trim_blocks",
    "lstrip_blocks",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "output_encoding",
];

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.cx.args(&without_delimiters(context))?;
    args.extend(delimiters(context));
    let checked = context.check(&SPEC, normal_newlines(args.clone()))?.args;
    let mut options = file_options(&checked)?;
    let world = context.unit.world;
    let src = py_str(checked.get("src").unwrap_or(&Value::Null));
    let role = context.role_path();
    let path = FilePlace::Templates.find(&src, role, &world.settings.base_dir)?;
    options.folders = folders(&path, role, &world.settings.base_dir);
    let mut source = world.files.text(&path).await?;
    if rustle_vault::is_encrypted(source.as_bytes()) {
        let decrypted = context.cx.engine.decrypt(&source);
        source =
            decrypted.map_err(|error| TaskError::template(&format!("template `{src}`"), &error))?;
    }
    let dest = py_str(checked.get("dest").unwrap_or(&Value::Null));
    let scope = context
        .cx
        .scope
        .extend()
        .push_layer(Arc::new(template_vars(&path, &dest)), Trust::Untrusted)
        .build();
    let text = context
        .cx
        .engine
        .render_file(&source, &scope, &options)
        .map_err(|error| {
            TaskError::template(&format!("template `{src}`{}", line(error.line)), &error)
        })?;
    for name in RENDERING {
        args.shift_remove(*name);
    }
    let mut blob = Blob::of_bytes(text.into_bytes().into());
    blob.mode = crate::files::mode_of(&path);
    copy::send(context, args, &blob, Some(&path)).await
}

/// The delimiters are no templates, though they look like the beginning of one.
fn delimiters(context: &ActionContext<'_>) -> Object {
    context
        .raw_args()
        .into_iter()
        .filter(|(name, _)| name.ends_with("_string"))
        .collect()
}

fn without_delimiters(context: &ActionContext<'_>) -> Object {
    context
        .raw_args()
        .into_iter()
        .filter(|(name, _)| !name.ends_with("_string"))
        .collect()
}

fn line(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" line {line}"))
}

/// YAML may have turned the two characters into the line end that they stand for.
fn normal_newlines(mut args: Object) -> Object {
    if let Some(Value::String(text)) = args.get_mut("newline_sequence") {
        *text = text.replace('\r', "\\r").replace('\n', "\\n");
    }
    args
}

fn file_options(args: &Object) -> Result<FileOptions, TaskError> {
    let mut options = FileOptions::default();
    let text = |name: &str| args.get(name).and_then(Value::as_str).map(str::to_owned);
    let flag = |name: &str| args.get(name).and_then(as_bool);
    if let Some(encoding) = text("output_encoding")
        .filter(|e| !matches!(e.to_ascii_lowercase().as_str(), "utf-8" | "utf8"))
    {
        return Err(TaskError::new(format!(
            "output_encoding `{encoding}` is not available; templates are written as utf-8"
        )));
    }
    if let Some(on) = flag("trim_blocks") {
        options.trim_blocks = on;
    }
    if let Some(on) = flag("lstrip_blocks") {
        options.lstrip_blocks = on;
    }
    if let Some(sequence) = text("newline_sequence") {
        options.newline_sequence = sequence.replace("\\r", "\r").replace("\\n", "\n");
    }
    for (name, field) in [
        ("block_start_string", &mut options.block_start_string),
        ("block_end_string", &mut options.block_end_string),
        ("variable_start_string", &mut options.variable_start_string),
        ("variable_end_string", &mut options.variable_end_string),
        ("comment_start_string", &mut options.comment_start_string),
        ("comment_end_string", &mut options.comment_end_string),
    ] {
        if let Some(delimiter) = text(name) {
            *field = delimiter;
        }
    }
    Ok(options)
}

/// Where templates that a template includes are looked for: in its role, beside the plan, then beside itself.
pub(crate) fn folders(path: &Path, role: Option<&str>, base_dir: &Path) -> Vec<PathBuf> {
    let roots = role.map(|role| base_dir.join(role)).into_iter();
    let roots = roots.chain([base_dir.to_owned()]);
    let beside = path.parent().map(Path::to_owned);
    roots
        .chain(beside)
        .flat_map(|root| [root.join("templates"), root])
        .collect()
}

/// The variables that only templates have.
pub(crate) fn template_vars(path: &Path, dest: &str) -> Object {
    let shown = path.display().to_string();
    let metadata = std::fs::metadata(path).ok();
    let modified = metadata
        .as_ref()
        .and_then(|m| m.modified().ok())
        .map(chrono::DateTime::<chrono::Local>::from);
    let format =
        |time: chrono::DateTime<chrono::Local>| time.format("%Y-%m-%d %H:%M:%S%.6f").to_string();
    object(json!({
        "ansible_managed": "Ansible managed",
        "template_host": std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim(),
        "template_path": shown,
        "template_fullpath": path.canonicalize().map_or(shown.clone(), |full| full.display().to_string()),
        "template_destpath": dest,
        "template_uid": crate::files::owner_of(path),
        "template_run_date": format(chrono::Local::now()),
        "template_mtime": modified.map(format),
    }))
}
