//! The controller's half of modules that are not native: what they are told beside their arguments, and what runs them.

use std::path::Path;
use std::sync::Arc;

use rustle_module::foreign::{FOREIGN, ForeignCall, Interpreter, Program};
use rustle_module::py_str;
use rustle_types::{AttachmentId, ModuleResult, Object};
use serde_json::{Value, json};

use super::ActionContext;
use crate::result::{TaskError, object};
use crate::unit::UnitError;
use crate::world::{FileBytes, ForeignModule, ModuleProgram, OutgoingFile};

/// The Pythons that are looked for on a host where nothing names one, the best first.
const PYTHONS: [&str; 8] = [
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "/usr/bin/python3",
    "python3",
];

/// Runs a module.
pub(crate) async fn run(
    context: &ActionContext<'_>,
    module: &ForeignModule,
) -> Result<ModuleResult, UnitError> {
    let args = context.args()?;
    if args.contains_key("_raw_params") {
        let why = format!(
            "the module `{}` takes arguments by their names, and no free text",
            module.name
        );
        return Err(TaskError::new(why).into());
    }
    send(context, module, args, false).await
}

/// Puts a module's program on the host, for a later call.
pub(super) async fn bring(
    context: &ActionContext<'_>,
    module: &ForeignModule,
) -> Result<ModuleResult, UnitError> {
    send(context, module, Object::new(), true).await
}

async fn send(
    context: &ActionContext<'_>,
    module: &ForeignModule,
    mut args: Object,
    is_fetched_only: bool,
) -> Result<ModuleResult, UnitError> {
    let program = program(context, module)?;
    let id = AttachmentId(format!("sha256:{}", program.sha256));
    args.extend(told(context, module));
    let call = ForeignCall {
        name: module.name.clone(),
        protocol: module.protocol,
        interpreter: interpreter(context, module)?,
        program: Program {
            id: id.clone(),
            size: program.bytes.len() as u64,
            sha256: program.sha256.clone(),
        },
        args,
        is_fetched_only,
    };
    let call = serde_json::to_value(call)
        .map_err(|error| TaskError::new(format!("cannot call `{}`: {error}", module.name)))?;
    let file = OutgoingFile {
        id,
        source: FileBytes::OnDemand(program.bytes.clone()),
    };
    context.invoke(FOREIGN, object(call), vec![file]).await
}

fn program(
    context: &ActionContext<'_>,
    module: &ForeignModule,
) -> Result<Arc<ModuleProgram>, TaskError> {
    let modules = context.unit.world.modules.as_ref();
    let program = modules.map(|modules| modules.program(module));
    program
        .unwrap_or_else(|| Err("no modules but native ones are known".into()))
        .map_err(TaskError::new)
}

/// What Ansible tells modules beside their arguments.
fn told(context: &ActionContext<'_>, module: &ForeignModule) -> Object {
    let text = |name: &str, usual: &str| {
        let value = variable(context, name).ok().flatten();
        value.map_or_else(|| usual.to_owned(), |value| py_str(&value))
    };
    let all = json!({
        "check_mode": context.mode.check,
        "no_log": context.no_log,
        "debug": false,
        "diff": context.mode.diff,
        "verbosity": context.unit.world.settings.verbosity,
        "version": module.ansible_version,
        "module_name": context.unit.node.call.module,
        "syslog_facility": "LOG_USER",
        "selinux_special_fs": ["fuse", "nfs", "vboxsf", "ramfs", "9p", "vfat"],
        "socket": null,
        "shell_executable": text("ansible_shell_executable", "/bin/sh"),
        "keep_remote_files": false,
        // The host knows it.
        "tmpdir": null,
        "remote_tmp": text("ansible_remote_tmp", "~/.ansible/tmp"),
        "ignore_unknown_opts": false,
        "target_log_info": null,
        "tracebacks_for": [],
    });
    let is_known = |name: &str| {
        let told = module.told.as_ref();
        told.is_none_or(|told| told.iter().any(|known| known == name))
    };
    let all = object(all).into_iter();
    all.filter(|(name, _)| is_known(name))
        .map(|(name, value)| (format!("_ansible_{name}"), value))
        .collect()
}

/// What runs a module: what its first line names, unless a variable of the host names another.
fn interpreter(
    context: &ActionContext<'_>,
    module: &ForeignModule,
) -> Result<Interpreter, TaskError> {
    let written = &module.interpreter;
    let Some(program) = written.first() else {
        return Ok(Interpreter::Itself);
    };
    let base = |path: &str| {
        let name = Path::new(path).file_name();
        name.map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    // `env` only looks for what it is told.
    let skipped = usize::from(base(program) == "env" && written.len() > 1);
    let (name, rest) = (base(&written[skipped]), &written[skipped + 1..]);
    let named = variable(context, &format!("ansible_{name}_interpreter"))?;
    let named = named.map(|value| py_str(&value));
    let mode = match named.as_deref() {
        Some("auto" | "auto_legacy") => Some(true),
        Some("auto_silent" | "auto_legacy_silent") => Some(false),
        None if name == "python" => Some(true),
        _ => None,
    };
    if let Some(is_told) = mode {
        return Ok(any_python(context, rest, is_told));
    }
    let Some(named) = named.filter(|named| !named.trim().is_empty()) else {
        return Ok(Interpreter::Words(written.clone()));
    };
    let words = rustle_process::split_command(&named).map_err(|error| {
        TaskError::new(format!(
            "variable `ansible_{name}_interpreter` (`{named}`): {error}"
        ))
    })?;
    Ok(Interpreter::Words(
        words.into_iter().chain(rest.iter().cloned()).collect(),
    ))
}

/// The Python that was found on the host before, else the one that will be found there.
fn any_python(context: &ActionContext<'_>, args: &[String], is_told: bool) -> Interpreter {
    let known = "(ansible_facts | default({})).discovered_interpreter_python | default('')";
    let known = context.cx.engine.evaluate(known, context.host_scope);
    if let Ok(Value::String(known)) = known
        && !known.is_empty()
    {
        let words = std::iter::once(known).chain(args.iter().cloned());
        return Interpreter::Words(words.collect());
    }
    Interpreter::AnyPython {
        candidates: PYTHONS.map(str::to_owned).to_vec(),
        args: args.to_vec(),
        is_told,
    }
}

/// A variable of the host that modules run on; none where it is not there.
fn variable(context: &ActionContext<'_>, name: &str) -> Result<Option<Value>, TaskError> {
    if !context.host_scope.contains(name) {
        return Ok(None);
    }
    let value = context.cx.engine.evaluate(name, context.host_scope);
    let value = value.map_err(|error| TaskError::template(name, &error))?;
    Ok(Some(value).filter(|value| !value.is_null()))
}
