//! The controller's half of `synchronize`: says where each end of the transfer is, and has `rsync` run where it belongs.
//!
//! That is on the controller, or where the task is delegated to. The other end is the task's host, reached by ssh as its modules are.

use rustle_module::{as_bool, py_str};
use rustle_process::shell_quote;
use rustle_types::{ModuleResult, Object};

use super::ActionContext;
use crate::connection::connection_vars;
use crate::files::FilePlace;
use crate::result::TaskError;
use crate::unit::UnitError;
use crate::world::SshRoute;

const MODULE: &str = "ansible.posix.synchronize";

/// Where `rsync` runs if the task says nothing.
const CONTROLLER: &str = "localhost";

pub(crate) async fn run(context: &ActionContext<'_>) -> Result<ModuleResult, UnitError> {
    let mut args = context.args()?;
    let text = |args: &Object, name: &str| {
        let value = args.get(name).filter(|value| !value.is_null());
        value.map(py_str).filter(|text| !text.is_empty())
    };
    let (Some(src), Some(dest)) = (text(&args, "src"), text(&args, "dest")) else {
        let msg = "synchronize requires both src and dest parameters are set";
        return Err(TaskError::new(msg).into());
    };
    let route = route(context, &args)?;
    let pulls = text(&args, "mode").is_some_and(|mode| mode == "pull");
    let is_delegated = context.place != context.unit.host;
    let near = |path: &str, is_source: bool| match is_delegated {
        true => Ok(path.to_owned()),
        false => near_path(context, path, is_source),
    };
    let far = |path: &str| match &route {
        Some(route) => far_path(route, path),
        None => path.to_owned(),
    };
    let (src, dest) = match pulls {
        true => (far(&src), near(&dest, false)?),
        false => (near(&src, true)?, far(&dest)),
    };
    args.insert("src".into(), src.into());
    args.insert("dest".into(), dest.into());
    let mut call = context.invocation(MODULE, args, Vec::new());
    if let Some(route) = &route {
        let words = ssh_words(route, &call.args);
        call.args.insert("_ssh_args".into(), words.into());
        // The other end is where the task's user is wanted.
        if let Some(user) = call.as_user.take()
            && text(&call.args, "rsync_path").is_none()
        {
            if user.method != "sudo" {
                let msg = format!(
                    "`rsync` cannot become another user by `{}` on the other end: only by sudo, or by what `rsync_path` says",
                    user.method
                );
                return Err(TaskError::new(msg).into());
            }
            let path = format!("sudo -n -u {} rsync", shell_quote(&user.user));
            call.args.insert("rsync_path".into(), path.into());
        }
    }
    if !is_delegated {
        call.host = CONTROLLER.into();
        call.connection = Object::from_iter([("ansible_connection".to_owned(), "local".into())]);
    }
    Ok(context.unit.world.invoker.invoke(call).await?)
}

/// How ssh reaches the task's host; none where it is the machine that `rsync` runs on.
fn route(context: &ActionContext<'_>, args: &Object) -> Result<Option<SshRoute>, UnitError> {
    let unit = context.unit;
    let keywords = &unit.node.keywords;
    let mut connection = connection_vars(&context.cx, context.cx.scope, keywords)?;
    for (option, variable) in [
        ("dest_port", "ansible_port"),
        ("private_key", "ansible_ssh_private_key_file"),
    ] {
        if let Some(value) = args.get(option).filter(|value| !value.is_null()) {
            connection.insert(variable.into(), value.clone());
        }
    }
    if args.get("set_remote_user").and_then(as_bool) == Some(false) {
        connection.shift_remove("ansible_user");
        connection.shift_remove("ansible_ssh_user");
    }
    Ok(unit.world.invoker.ssh_route(unit.host, &connection)?)
}

/// The words of ssh as `rsync` splits them.
fn ssh_words(route: &SshRoute, args: &Object) -> String {
    let is_on = |name: &str| args.get(name).and_then(as_bool).unwrap_or(false);
    let mut words: Vec<String> = Vec::new();
    if !is_on("ssh_connection_multiplexing") {
        words.extend(["-S", "none"].map(str::to_owned));
    }
    if is_on("verify_host") {
        words.extend(["-o", "StrictHostKeyChecking=yes"].map(str::to_owned));
    }
    words.extend(route.words.iter().cloned());
    let words: Vec<String> = words.iter().map(|word| rsync_quote(word)).collect();
    words.join(" ")
}

/// A word as `rsync` reads it in its command for ssh: it knows quotes, doubled inside of themselves, and no backslashes.
fn rsync_quote(word: &str) -> String {
    if word.is_empty() || word.contains(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')) {
        return format!("\"{}\"", word.replace('"', "\"\""));
    }
    word.to_owned()
}

/// A path on the task's host.
fn far_path(route: &SshRoute, path: &str) -> String {
    if path.contains("://") {
        return path.to_owned();
    }
    match route.address.contains(':') {
        true => format!("[{}]:{path}", route.address),
        false => format!("{}:{path}", route.address),
    }
}

/// A path on the controller: a source is looked for where files of tasks are, and a slash at the end stays.
fn near_path(
    context: &ActionContext<'_>,
    path: &str,
    is_source: bool,
) -> Result<String, TaskError> {
    if path.contains("://") || path.starts_with('/') {
        return Ok(path.to_owned());
    }
    let base = &context.unit.world.settings.base_dir;
    let found = match is_source {
        true => FilePlace::Files.find(path, context.role_path(), base)?,
        false => base.join(crate::lookups::expand_home(path)),
    };
    let mut found = found.to_string_lossy().into_owned();
    if path.ends_with('/') && !found.ends_with('/') {
        found.push('/');
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_ssh_are_quoted_as_rsync_reads_them() {
        for (word, expected) in [
            ("-p", "-p"),
            (
                "ProxyCommand=ssh -W %h jump",
                "\"ProxyCommand=ssh -W %h jump\"",
            ),
            ("a\"b", "\"a\"\"b\""),
            ("", "\"\""),
        ] {
            assert_eq!(rsync_quote(word), expected);
        }
    }

    #[test]
    fn far_paths_name_their_host() {
        let route = |address: &str| SshRoute {
            words: Vec::new(),
            address: address.into(),
        };
        assert_eq!(far_path(&route("h"), "/x"), "h:/x");
        assert_eq!(far_path(&route("::1"), "x y"), "[::1]:x y");
        assert_eq!(far_path(&route("h"), "rsync://m/x"), "rsync://m/x");
    }
}
