//! Which variables say how a host is reached, and as whom.

use rustle_template::Scope;
use rustle_types::{Keywords, Object, Secret, Tmpl};
use serde_json::Value;

use crate::evaluate::Evaluator;
use crate::result::TaskError;
use crate::world::{AsUser, RunSettings};

/// Variables about the way to a host.
const CONNECTION: &[&str] = &[
    "ansible_connection",
    "ansible_host",
    "ansible_ssh_host",
    "ansible_port",
    "ansible_ssh_port",
    "ansible_user",
    "ansible_ssh_user",
    "ansible_password",
    "ansible_ssh_pass",
    "ansible_ssh_password",
    "ansible_ssh_private_key_file",
    "ansible_private_key_file",
    "ansible_ssh_args",
    "ansible_ssh_common_args",
    "ansible_ssh_extra_args",
    "ansible_host_key_checking",
    "ansible_ssh_host_key_checking",
    "ansible_remote_tmp",
];

/// Variables about the user to become.
const BECOME: &[&str] = &[
    "ansible_become",
    "ansible_become_user",
    "ansible_become_method",
    "ansible_become_password",
    "ansible_become_pass",
    "ansible_become_flags",
    "ansible_become_exe",
];

/// Whether facts must not set this variable.
pub(crate) fn is_connection_var(name: &str) -> bool {
    CONNECTION.contains(&name)
        || BECOME.contains(&name)
        || matches!(
            name,
            "ansible_shell_executable" | "ansible_python_interpreter" | "ansible_shell_type"
        )
}

/// The connection variables of the host whose variables `scope` holds, rendered; keywords of the task fill in what the host
/// leaves open.
pub(crate) fn connection_vars(
    cx: &Evaluator<'_>,
    host: &Scope,
    keywords: &Keywords,
) -> Result<Object, TaskError> {
    let mut vars = Object::new();
    for name in CONNECTION.iter().filter(|name| host.contains(name)) {
        let value = cx
            .engine
            .evaluate(name, host)
            .map_err(|error| TaskError::template(name, &error))?;
        vars.insert((*name).to_owned(), value);
    }
    let mut fill = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            vars.entry(name).or_insert(value);
        }
    };
    fill(
        "ansible_connection",
        cx.text_keyword("connection", keywords.connection.as_deref())?
            .map(Value::String),
    );
    fill(
        "ansible_user",
        cx.text_keyword("remote_user", keywords.remote_user.as_deref())?
            .map(Value::String),
    );
    let port = match &keywords.port {
        None => None,
        Some(Tmpl::Value(port)) => Some(Value::from(*port)),
        Some(Tmpl::Template(text)) => Some(cx.value("port", &Value::String(text.clone()))?),
    };
    fill("ansible_port", port);
    Ok(vars)
}

/// The user that the task is to become, if any. Variables beat keywords, and those the command line.
pub(crate) fn as_user(
    cx: &Evaluator<'_>,
    host: &Scope,
    keywords: &Keywords,
    settings: &RunSettings,
) -> Result<Option<AsUser>, TaskError> {
    let var = |name: &str| -> Result<Option<Value>, TaskError> {
        if !host.contains(name) {
            return Ok(None);
        }
        let value = cx
            .engine
            .evaluate(name, host)
            .map_err(|error| TaskError::template(name, &error))?;
        Ok(Some(value).filter(|value| !value.is_null()))
    };
    let text =
        |name: &str| Ok::<_, TaskError>(var(name)?.map(|value| rustle_module::py_str(&value)));
    let wanted = match var("ansible_become")? {
        Some(value) => rustle_module::as_bool(&value).ok_or_else(|| {
            TaskError::new(format!(
                "variable `ansible_become` is no truth value: {value}"
            ))
        })?,
        None => cx
            .flag("become", keywords.r#become.as_ref())?
            .unwrap_or(settings.r#become),
    };
    if !wanted {
        return Ok(None);
    }
    let user = text("ansible_become_user")?
        .or(cx.text_keyword("become_user", keywords.become_user.as_deref())?)
        .or_else(|| settings.become_user.clone());
    let method = text("ansible_become_method")?
        .or(cx.text_keyword("become_method", keywords.become_method.as_deref())?)
        .or_else(|| settings.become_method.clone());
    let flags = text("ansible_become_flags")?
        .or(cx.text_keyword("become_flags", keywords.become_flags.as_deref())?);
    let password = match text("ansible_become_password")? {
        Some(password) => Some(password),
        None => text("ansible_become_pass")?,
    };
    Ok(Some(AsUser {
        method: method.unwrap_or_else(|| "sudo".into()),
        user: user.unwrap_or_else(|| "root".into()),
        flags: flags
            .map(|flags| flags.split_whitespace().map(str::to_owned).collect())
            .unwrap_or_default(),
        exe: text("ansible_become_exe")?
            .or(cx.text_keyword("become_exe", keywords.become_exe.as_deref())?),
        password: password
            .map(Secret::new)
            .or_else(|| settings.become_password.clone()),
    }))
}
