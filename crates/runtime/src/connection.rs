//! Which variables say how a host is reached, and as whom.

use std::time::Duration;

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

/// The programs by which tasks can become another user.
pub(crate) const BECOME_METHODS: [&str; 4] = ["sudo", "su", "doas", "runuser"];

/// What variables say of the user to become: `ansible_become_<of>`, and `ansible_<method>_<of>` for one method.
const BECOME_OF: [&str; 6] = ["user", "password", "pass", "flags", "exe", "timeout"];

/// Whether facts must not set this variable.
pub(crate) fn is_connection_var(name: &str) -> bool {
    CONNECTION.contains(&name)
        || is_become_var(name)
        || matches!(
            name,
            "ansible_shell_executable" | "ansible_python_interpreter" | "ansible_shell_type"
        )
}

/// Whether a variable is about becoming another user.
fn is_become_var(name: &str) -> bool {
    let Some(rest) = name.strip_prefix("ansible_") else {
        return false;
    };
    matches!(rest, "become" | "become_method")
        || rest.split_once('_').is_some_and(|(method, of)| {
            (method == "become" || BECOME_METHODS.contains(&method)) && BECOME_OF.contains(&of)
        })
}

/// The short name of a become method, if there is such a method.
///
/// # Errors
/// A text that names it and those that there are.
pub(crate) fn become_method(name: &str) -> Result<&str, String> {
    let short = name
        .strip_prefix("ansible.builtin.")
        .or_else(|| name.strip_prefix("community.general."))
        .unwrap_or(name);
    if BECOME_METHODS.contains(&short) {
        Ok(short)
    } else {
        Err(format!(
            "become method `{name}` is not supported; the methods are {}",
            BECOME_METHODS.join(", ")
        ))
    }
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
        Some(Tmpl::Template(text)) => cx.keyword("port", &Value::String(text.clone()))?,
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
    let method = text("ansible_become_method")?
        .or(cx.text_keyword("become_method", keywords.become_method.as_deref())?)
        .or_else(|| settings.become_method.clone())
        .unwrap_or_else(|| "sudo".into());
    let method = become_method(&method).map_err(TaskError::new)?;
    // A variable of the method's own is the more exact one.
    let about = |of: &str| match text(&format!("ansible_{method}_{of}"))? {
        Some(value) => Ok(Some(value)),
        None => text(&format!("ansible_become_{of}")),
    };
    let user = about("user")?
        .or(cx.text_keyword("become_user", keywords.become_user.as_deref())?)
        .or_else(|| settings.become_user.clone());
    let flags = about("flags")?
        .or(cx.text_keyword("become_flags", keywords.become_flags.as_deref())?)
        .unwrap_or_default();
    let flags = rustle_process::split_command(&flags)
        .map_err(|error| TaskError::new(format!("become_flags `{flags}`: {error}")))?;
    let password = match about("pass")? {
        Some(password) => Some(password),
        None => about("password")?,
    };
    let timeout = about("timeout")?.map(|text| seconds(&text)).transpose()?;
    Ok(Some(AsUser {
        method: method.to_owned(),
        user: user.unwrap_or_else(|| "root".into()),
        flags,
        exe: about("exe")?
            .or(cx.text_keyword("become_exe", keywords.become_exe.as_deref())?)
            .filter(|exe| !exe.trim().is_empty()),
        // No password is as good as an empty one: there is nothing to type.
        password: password
            .map(Secret::new)
            .or_else(|| settings.become_password.clone())
            .filter(|password| !password.expose().is_empty()),
        timeout,
    }))
}

/// The value of `ansible_become_timeout`.
fn seconds(text: &str) -> Result<Duration, TaskError> {
    let number = text
        .trim()
        .parse::<f64>()
        .ok()
        .filter(|number| *number > 0.0);
    number
        .and_then(|number| Duration::try_from_secs_f64(number).ok())
        .ok_or_else(|| {
            TaskError::new(format!(
                "variable `ansible_become_timeout` is no number of seconds above 0: `{text}`"
            ))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_about_becoming_are_known_for_every_method() {
        for name in [
            "ansible_become",
            "ansible_become_pass",
            "ansible_su_pass",
            "ansible_doas_exe",
        ] {
            assert!(is_connection_var(name), "{name}");
        }
        for name in [
            "ansible_sudo",
            "ansible_become_x",
            "ansible_user_id",
            "become_user",
        ] {
            assert!(!is_connection_var(name), "{name}");
        }
    }

    #[test]
    fn methods_are_known_by_their_short_names_and_others_refused() {
        assert_eq!(become_method("ansible.builtin.su"), Ok("su"));
        assert_eq!(become_method("community.general.doas"), Ok("doas"));
        for other in [
            "machinectl",
            "pbrun",
            "pfexec",
            "dzdo",
            "ksu",
            "sesu",
            "sudosu",
        ] {
            let told = become_method(other).expect_err("it is refused");
            assert!(
                told.contains(other) && told.contains("sudo, su, doas, runuser"),
                "{told}"
            );
        }
    }
}
