//! The steps of `command` and `shell`.

use std::path::Path;

use rustle_module::{Change, Failure, Mode, Object, Output, Target, Verdict};

use crate::existence::exists;
use crate::failure::{no_command, no_folder, not_run};
use crate::invocation::Invocation;
use crate::options::Args;
use crate::outcome::judge;
use crate::report::Report;

/// What is to be run, and what keeps it from that.
pub(crate) struct State {
    invocation: Invocation,
    /// Why it need not run: something exists that should be created, or does not that should be removed.
    done: Option<Done>,
    /// What the user should know about the options.
    warning: Option<String>,
}

/// Why there is nothing to do.
struct Done {
    path: String,
    /// `exists` or `does not exist`.
    finding: &'static str,
}

/// Reads the command and looks at `chdir`, `creates` and `removes`.
pub(crate) fn inspect(
    target: &dyn Target,
    args: &Args,
    uses_shell: bool,
) -> Result<State, Failure> {
    let warning = ignored_executable(args, uses_shell);
    inspect_silently(target, args, uses_shell)
        .map(|(invocation, done)| State {
            invocation,
            done,
            warning: warning.clone(),
        })
        .map_err(|failure| warned(failure, warning.as_deref()))
}

fn inspect_silently(
    target: &dyn Target,
    args: &Args,
    uses_shell: bool,
) -> Result<(Invocation, Option<Done>), Failure> {
    let invocation = Invocation::new(args, uses_shell, target)?.ok_or_else(no_command)?;
    let folder = folder(args);
    if folder.is_some_and(|folder| !can_enter(folder)) {
        return Err(no_folder(&invocation.shown));
    }
    let given = |option: &Option<String>| option.clone().filter(|path| !path.is_empty());
    let created = given(&args.creates)
        .filter(|path| exists(path, folder))
        .map(|path| Done {
            path,
            finding: "exists",
        });
    let removed = || {
        given(&args.removes)
            .filter(|path| !exists(path, folder))
            .map(|path| Done {
                path,
                finding: "does not exist",
            })
    };
    let done = created.or_else(removed);
    Ok((invocation, done))
}

/// Says what would happen. A command is a change, and in check mode one that can be told only by `creates` and `removes`.
pub(crate) fn diff(args: &Args, state: &State, mode: Mode) -> Verdict {
    let report = |stdout: String, msg: String| {
        let report = Report {
            stdout,
            rc: Some(0),
            ..Report::of(&state.invocation.shown)
        };
        let mut result: Object = report.into_object();
        result.insert("msg".to_owned(), msg.into());
        let warnings = state.warning.iter().cloned().collect();
        Output {
            result,
            changed: None,
            warnings,
        }
    };
    if let Some(Done { path, finding }) = &state.done {
        let did = if mode.check { "Would" } else { "Did" };
        return Verdict::unchanged(report(
            format!("skipped, since {path} {finding}"),
            format!("{did} not run command since '{path}' {finding}"),
        ));
    }
    let predicted = report(
        String::new(),
        "Command would have run if not in check mode".to_owned(),
    );
    if mode.check && args.creates.is_none() && args.removes.is_none() {
        return Verdict::Skipped(predicted);
    }
    Verdict::Change(Change {
        predicted,
        ..Change::default()
    })
}

/// Runs the command.
pub(crate) async fn apply(
    target: &dyn Target,
    args: &Args,
    state: &State,
) -> Result<Output, Failure> {
    let State {
        invocation,
        warning,
        ..
    } = state;
    let mut command = invocation.to_command();
    if let Some(folder) = folder(args) {
        command = command.current_dir(folder);
    }
    if let Some(stdin) = args.stdin.clone().filter(|stdin| !stdin.is_empty()) {
        let end = if args.stdin_add_newline { "\n" } else { "" };
        command = command.stdin(stdin + end);
    }
    let judged = match target.run(command).await {
        Ok(finished) => judge(&finished, &invocation.shown, args.strip_empty_ends),
        Err(error) => Err(not_run(&error, &invocation.shown, invocation.line())),
    };
    match judged {
        Ok(output) => Ok(warning.iter().fold(output, Output::warning)),
        Err(failure) => Err(warned(failure, warning.as_deref())),
    }
}

fn folder(args: &Args) -> Option<&str> {
    args.chdir.as_deref().filter(|folder| !folder.is_empty())
}

/// Whether `folder` is one that we may enter: looking up the dot in it needs just that.
fn can_enter(folder: &str) -> bool {
    Path::new(folder)
        .join("./.")
        .metadata()
        .is_ok_and(|found| found.is_dir())
}

fn ignored_executable(args: &Args, uses_shell: bool) -> Option<String> {
    let executable = args
        .executable
        .as_deref()
        .filter(|shell| !shell.is_empty() && !uses_shell)?;
    Some(format!(
        "As of Ansible 2.4, the parameter 'executable' is no longer supported with the 'command' module. Not using '{executable}'."
    ))
}

fn warned(mut failure: Failure, warning: Option<&str>) -> Failure {
    failure.warnings.extend(warning.map(str::to_owned));
    failure
}
