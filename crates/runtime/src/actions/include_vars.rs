//! `include_vars`: reads variables from files of the controller as the plan runs.

use std::path::{Path, PathBuf};

use rustle_module::python_regex::{PythonRegex, python_error};
use rustle_module::{Default, Opt, Spec, Type, as_bool, py_str};
use rustle_types::{ModuleResult, Object};
use serde_json::Value;

use super::ActionContext;
use crate::files::FilePlace;
use crate::outcome::SECRET;
use crate::result::TaskError;

pub(crate) const SPEC: Spec = Spec::new(
    "include_vars",
    &[
        Opt::new("file", Type::Path).aliases(&["_raw_params"]),
        Opt::new("dir", Type::Path),
        Opt::new("name", Type::Str),
        Opt::new("depth", Type::Int).default(Default::Int(0)),
        Opt::new("files_matching", Type::Str),
        Opt::new("ignore_files", Type::List(&Type::Str)),
        Opt::new("extensions", Type::List(&Type::Str)),
        Opt::new("ignore_unknown_extensions", Type::Bool).default(Default::Bool(false)),
        Opt::new("hash_behaviour", Type::Str).choices(&["replace", "merge"]),
    ],
)
.free_form();

/// The endings of files of variables where `extensions` says nothing.
const EXTENSIONS: &[&str] = &["json", "yaml", "yml"];

/// Folders inside of folders beyond this are a loop of links.
const DEEPEST: u64 = 40;

/// What stands in `msg` where the reason is in `message`.
const FAILED: &str = "Task failed: Action failed: Unknown error.";

pub(crate) fn run(context: &ActionContext<'_>) -> Result<ModuleResult, TaskError> {
    let args = context.check(&SPEC, context.args()?)?.args;
    let text = |name: &str| {
        args.get(name)
            .filter(|value| !value.is_null())
            .map(py_str)
            .filter(|value| !value.is_empty())
    };
    let mut files = Vec::new();
    let mut read = Object::new();
    let mut is_secret = false;
    let done = match (text("dir"), text("file")) {
        (Some(_), Some(_)) => {
            return Err(TaskError::new(
                "`dir` and `file` (or free-form) cannot be used together",
            ));
        }
        (None, None) => return Err(TaskError::new("names neither a file nor a folder")),
        (Some(dir), None) => folder(context, &dir, &args, &mut files).and_then(|found| {
            is_secret = found.iter().any(|file| is_encrypted(file));
            add_all(context, &found, &mut read)
        }),
        (None, Some(file)) => find(context, &file).and_then(|path| {
            if !has_extension(&path, &extensions(&args)) {
                return Err(wrong_extension(&path, &extensions(&args)));
            }
            files.push(path.display().to_string());
            is_secret = is_encrypted(&path);
            add_all(context, &[path], &mut read)
        }),
    };
    let mut result = ModuleResult::default();
    if let Err(message) = done {
        result.failed = true;
        result.msg = Some(FAILED.into());
        result.result.insert("message".into(), message.into());
        read.clear();
    } else {
        if let Some(name) = text("name") {
            read = [(name, Value::Object(read))].into_iter().collect();
        }
        if text("hash_behaviour").as_deref() == Some("merge") {
            read = merged(known(context, &read)?, read);
        }
    }
    result
        .result
        .insert("ansible_facts".into(), Value::Object(read));
    result
        .result
        .insert("ansible_included_var_files".into(), files.into());
    if is_secret {
        result.result.insert(SECRET.into(), Value::Bool(true));
    }
    Ok(result)
}

/// Whether a file is encrypted as a whole; what is in it is not shown.
fn is_encrypted(path: &Path) -> bool {
    std::fs::read(path).is_ok_and(|content| rustle_vault::is_encrypted(&content))
}

/// Reads the files, later ones win.
fn add_all(
    context: &ActionContext<'_>,
    files: &[PathBuf],
    into: &mut Object,
) -> Result<(), String> {
    for file in files {
        into.extend(context.unit.world.library.vars(file)?);
    }
    Ok(())
}

/// A file: in the role's `vars`, then where the plan is.
fn find(context: &ActionContext<'_>, name: &str) -> Result<PathBuf, String> {
    let role = context.unit.node.role.as_ref();
    let role = role.and_then(|(_, path)| path.as_deref());
    let base_dir = &context.unit.world.settings.base_dir;
    FilePlace::Vars.find(name, role, base_dir).map_err(|_| {
        format!(
            "Could not find or access '{name}' on the Ansible Controller.\nIf you are using a module and expect the \
             file to exist on the remote, see the remote_src option"
        )
    })
}

/// The files of a folder in order, down to `depth`.
fn folder(
    context: &ActionContext<'_>,
    dir: &str,
    args: &Object,
    shown: &mut Vec<String>,
) -> Result<Vec<PathBuf>, String> {
    let root = find(context, dir).map_err(|_| format!("{dir} directory does not exist"))?;
    if !root.is_dir() {
        return Err(format!("{} is not a directory", root.display()));
    }
    let depth = args.get("depth").and_then(Value::as_u64).unwrap_or(0);
    let matching = args.get("files_matching").filter(|text| !text.is_null());
    let matching = matching.map(|text| pattern(&py_str(text))).transpose()?;
    let ignored = list(args.get("ignore_files"))
        .iter()
        .map(|name| pattern(&format!("{name}$")))
        .collect::<Result<Vec<_>, _>>()?;
    let wanted = extensions(args);
    let is_lenient = args
        .get("ignore_unknown_extensions")
        .and_then(as_bool)
        .unwrap_or(false);
    let role_main = context.unit.node.role.as_ref().and_then(|(_, path)| {
        let base_dir = &context.unit.world.settings.base_dir;
        Some(base_dir.join(path.as_ref()?).join("vars/main.yml"))
    });
    let mut found = Vec::new();
    for file in walk(&root, depth)? {
        let name = file
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let is_main = role_main.as_ref() == Some(&file);
        let is_ignored = ignored.iter().any(|known| known.is_match(name.as_bytes()));
        let is_other = matching
            .as_ref()
            .is_some_and(|wanted| !wanted.is_match(name.as_bytes()));
        if is_main || is_ignored || is_other {
            continue;
        }
        if !has_extension(&file, &wanted) {
            if is_lenient {
                continue;
            }
            return Err(wrong_extension(&file, &wanted));
        }
        shown.push(file.display().to_string());
        found.push(file);
    }
    Ok(found)
}

fn pattern(text: &str) -> Result<PythonRegex, String> {
    PythonRegex::new(text).map_err(|error| python_error(&error).to_owned())
}

/// The files below a folder, by folder and name, down to so many levels; 0 is all of them.
fn walk(root: &Path, depth: u64) -> Result<Vec<PathBuf>, String> {
    let mut files = Vec::new();
    let mut folders = vec![(root.to_owned(), 1)];
    while let Some((folder, level)) = folders.pop() {
        let wrong = |error: std::io::Error| format!("cannot read `{}`: {error}", folder.display());
        let mut entries = std::fs::read_dir(&folder)
            .map_err(wrong)?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<Vec<_>, _>>()
            .map_err(wrong)?;
        entries.sort();
        for entry in entries {
            if !entry.is_dir() {
                files.push(entry);
            } else if (depth == 0 || level < depth) && level < DEEPEST {
                folders.push((entry, level + 1));
            }
        }
    }
    files.sort_by(|a, b| (a.parent(), a.file_name()).cmp(&(b.parent(), b.file_name())));
    Ok(files)
}

fn extensions(args: &Object) -> Vec<String> {
    let given = list(args.get("extensions"));
    if given.is_empty() {
        return EXTENSIONS.iter().map(|&known| known.to_owned()).collect();
    }
    given
}

fn list(value: Option<&Value>) -> Vec<String> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.iter().map(py_str).collect(),
        Some(other) => py_str(other)
            .split_whitespace()
            .map(str::to_owned)
            .collect(),
    }
}

/// Whether a file has one of these endings, or none.
fn has_extension(path: &Path, wanted: &[String]) -> bool {
    path.extension().is_none_or(|ending| {
        wanted
            .iter()
            .any(|wanted| ending.to_string_lossy() == wanted.trim_start_matches('.'))
    })
}

fn wrong_extension(path: &Path, wanted: &[String]) -> String {
    format!(
        "{} does not have a valid extension: {}",
        path.display(),
        wanted.join(", ")
    )
}

/// What the host has of these variables now.
fn known(context: &ActionContext<'_>, vars: &Object) -> Result<Object, TaskError> {
    let mut known = Object::new();
    for name in vars.keys() {
        if context.cx.scope.contains(name) {
            let value = context.cx.engine.evaluate(name, context.cx.scope);
            let value = value.map_err(|error| TaskError::template(name, &error))?;
            known.insert(name.clone(), value);
        }
    }
    Ok(known)
}

/// Mappings are joined at every level, other values replaced.
fn merged(mut below: Object, above: Object) -> Object {
    for (name, value) in above {
        let value = match (below.shift_remove(&name), value) {
            (Some(Value::Object(old)), Value::Object(new)) => Value::Object(merged(old, new)),
            (_, value) => value,
        };
        below.insert(name, value);
    }
    below
}
