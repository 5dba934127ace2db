//! `raw`: runs a text as a login would, and returns what it wrote as it is.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::{
    Change, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use rustle_process::Command;
use serde::Deserialize;

use crate::outcome::{judge_plainly, not_run_plainly};

const DEFAULT_SHELL: &str = "/bin/sh";

/// Shells that take `-c TEXT`. Another login shell (`nologin`, a menu) would not run the text.
const SHELLS: &[&str] = &[
    "ash", "bash", "csh", "dash", "fish", "ksh", "mksh", "sh", "tcsh", "zsh",
];

/// Runs a text by the login shell, or by the `executable` that is given.
///
/// Options of `command` that are taken out of free-form text (`creates`, `chdir` …) are ignored, as Ansible does, but not silently.
pub(crate) struct Raw;

/// The checked options.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    #[serde(rename = "_raw_params")]
    text: String,
    executable: Option<String>,
    #[serde(flatten)]
    ignored: Object,
}

#[async_trait]
impl Module for Raw {
    type Args = Args;
    type State = ();
    // Check mode is handled here: a skip by the specification would say more than Ansible does.
    const SPEC: Spec = Spec::new(
        "raw",
        &[
            Opt::new("_raw_params", Type::Str).required(),
            Opt::new("executable", Type::Str),
        ],
    )
    .free_form()
    .any_option();

    async fn inspect(&self, _target: &dyn Target, _args: &Args) -> Result<(), Failure> {
        Ok(())
    }

    fn diff(&self, _args: &Args, (): &(), mode: Mode) -> Verdict {
        match mode.check {
            true => Verdict::Skipped(Output::default()),
            false => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        (): (),
        _change: Change,
    ) -> Result<Output, Failure> {
        let shell = args.executable.clone().filter(|shell| !shell.is_empty());
        let shell = shell.unwrap_or_else(|| login_shell(target.variable("SHELL")));
        let run = target
            .run(Command::new(&shell).args(["-c", &args.text]))
            .await;
        let mut judged = match run {
            Ok(finished) => judge_plainly(&finished),
            Err(error) => Err(not_run_plainly(&error)),
        };
        let warnings = match &mut judged {
            Ok(output) => &mut output.warnings,
            Err(failure) => &mut failure.warnings,
        };
        warnings.extend(
            args.ignored
                .keys()
                .map(|name| format!("raw ignores the option '{name}'")),
        );
        judged
    }
}

fn login_shell(shell: Option<String>) -> String {
    let is_shell = |path: &String| {
        let path = Path::new(path);
        let name = path.file_name().and_then(|name| name.to_str());
        path.is_absolute() && path.exists() && name.is_some_and(|name| SHELLS.contains(&name))
    };
    shell
        .filter(is_shell)
        .unwrap_or_else(|| DEFAULT_SHELL.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_shell_is_one_that_runs_texts() {
        for (given, expected) in [
            (None, "/bin/sh"),
            (Some("/bin/bash"), "/bin/bash"),
            (Some("/usr/sbin/nologin"), "/bin/sh"),
            (Some("/no/such/zsh"), "/bin/sh"),
            (Some("bash"), "/bin/sh"),
        ] {
            assert_eq!(login_shell(given.map(str::to_owned)), expected, "{given:?}");
        }
    }
}
