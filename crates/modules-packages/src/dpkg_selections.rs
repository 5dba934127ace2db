//! The module `dpkg_selections`: what dpkg shall do with a package, such as hold it back.

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

/// The module `dpkg_selections`.
pub(crate) struct DpkgSelections;

/// The arguments of `dpkg_selections`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    selection: String,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("selection", Type::Str)
        .required()
        .choices(&["install", "hold", "deinstall", "purge"]),
];

#[async_trait]
impl Module for DpkgSelections {
    type Args = Args;
    type State = String;
    const SPEC: Spec = Spec::new("dpkg_selections", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<String, Failure> {
        let ran = Tool::find(target, "dpkg")?
            .run(["--get-selections", "--", &args.name])
            .await?;
        selection(&ran.stdout)
            .map(ToOwned::to_owned)
            .ok_or_else(|| {
                Failure::new(format!(
                    "Failed to find package '{}' to perform selection '{}'.",
                    args.name, args.selection
                ))
            })
    }

    fn diff(&self, args: &Args, state: &String, _mode: Mode) -> Verdict {
        let mut result = Object::new();
        result.insert("before".into(), state.as_str().into());
        result.insert("after".into(), args.selection.as_str().into());
        if *state == args.selection {
            return Verdict::unchanged(Output::new(result));
        }
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: Output::new(result),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _state: String,
        change: Change,
    ) -> Result<Output, Failure> {
        let tool = Tool::find(target, "dpkg")?;
        let line = format!("{} {}", args.name, args.selection);
        let command = tool.command(["--set-selections"]).stdin(line);
        let ran = tool.run_command(command).await?;
        if ran.is_success() {
            return Ok(change.predicted);
        }
        Err(Failure::new(ran.stderr.trim()).with("rc", ran.rc))
    }
}

/// The selection of the first package that dpkg lists.
fn selection(output: &str) -> Option<&str> {
    output.lines().next()?.split_whitespace().nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selection_is_the_second_word_that_dpkg_prints() {
        assert_eq!(selection("hello\t\t\t\thold\n"), Some("hold"));
        assert_eq!(selection(""), None);
    }
}
