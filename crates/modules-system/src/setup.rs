//! `setup`: gathers the facts of the host.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use rustle_process::{Command, Finished};
use serde::Deserialize;
use serde_json::Value;

use crate::facts::{FactsError, GatherRequest, Gathered, Root, gather};

const LOCAL_FACTS: &str = "ansible_local";

/// Gathers facts. Programs are started only for local facts that are executable.
pub(crate) struct Setup;

/// The checked options.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    gather_subset: Vec<String>,
    filter: Vec<String>,
    fact_path: PathBuf,
    gather_timeout: i64,
}

#[async_trait]
impl Module for Setup {
    type Args = Args;
    type State = Gathered;
    const SPEC: Spec = Spec::new(
        "setup",
        &[
            Opt::new("fact_path", Type::Path).default(Default::Str("/etc/ansible/facts.d")),
            Opt::new("filter", Type::List(&Type::Str)).default(Default::List(&[])),
            Opt::new("gather_subset", Type::List(&Type::Str)).default(Default::List(&["all"])),
            Opt::new("gather_timeout", Type::Int).default(Default::Int(10)),
        ],
    );

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Gathered, Failure> {
        let request = GatherRequest {
            subset: args.gather_subset.clone(),
            filter: args.filter.clone(),
            fact_path: args.fact_path.clone(),
            timeout: Duration::from_secs(args.gather_timeout.try_into().unwrap_or(0)),
        };
        let (mut gathered, scripts) = gather_but_scripts(&request).map_err(refused)?;
        if scripts.is_empty() {
            return Ok(gathered);
        }
        let mut answers = BTreeMap::new();
        for script in scripts {
            let answer = run_script(target, &script).await;
            answers.insert(script, answer);
        }
        let mut local = gather_local(request, &answers).map_err(refused)?;
        if let Some(facts) = local.facts.remove(LOCAL_FACTS) {
            gathered.facts.insert(LOCAL_FACTS.to_owned(), facts);
        }
        // Only local facts warn, and these are the same ones read again.
        gathered.warnings = local.warnings;
        Ok(gathered)
    }

    fn diff(&self, _args: &Args, state: &Gathered, _mode: Mode) -> Verdict {
        Verdict::unchanged(output(state.clone()))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        state: Gathered,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(output(state))
    }
}

fn output(gathered: Gathered) -> Output {
    let facts = Value::Object(gathered.facts);
    Output {
        warnings: gathered.warnings,
        ..Output::new(Object::from_iter([("ansible_facts".to_owned(), facts)]))
    }
}

/// Gathers everything, but only notes the fact scripts: they are run asynchronously, and gathering is not.
fn gather_but_scripts(request: &GatherRequest) -> Result<(Gathered, Vec<PathBuf>), FactsError> {
    let scripts = RefCell::new(Vec::new());
    let note = |script: &Path| {
        scripts.borrow_mut().push(script.to_owned());
        Err("it was not run yet".to_owned())
    };
    let gathered = gather(&Root::host(), request, &note)?;
    Ok((gathered, scripts.into_inner()))
}

/// Gathers the local facts alone, with what the scripts answered.
fn gather_local(
    request: GatherRequest,
    answers: &BTreeMap<PathBuf, Result<String, String>>,
) -> Result<Gathered, FactsError> {
    let subset = ["!all", "!min", "local"].map(str::to_owned).to_vec();
    let request = GatherRequest { subset, ..request };
    let answer = |script: &Path| {
        let answer = answers.get(script).cloned();
        answer.unwrap_or_else(|| Err("it appeared while facts were gathered".to_owned()))
    };
    gather(&Root::host(), &request, &answer)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "errors are handed over by `map_err`"
)]
fn refused(error: FactsError) -> Failure {
    Failure::new(error.to_string())
}

async fn run_script(target: &dyn Target, script: &Path) -> Result<String, String> {
    match target.run(Command::new(script)).await {
        Ok(finished) if finished.is_success() => Ok(finished.stdout.to_string_lossy()),
        Ok(finished) => Err(ending(&finished)),
        Err(error) => Err(error.to_string()),
    }
}

fn ending(finished: &Finished) -> String {
    let stderr = finished.stderr.to_string_lossy();
    format!("{}, stderr: {}", finished.status, stderr.trim_end())
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::task::{Context, Poll, Waker};

    use rustle_module::{Attachment, AttachmentId, DynModule, Expand, ModuleResult};
    use rustle_process::ProcessError;
    use serde_json::json;

    use super::*;

    /// The machine, where nothing can be started any more.
    struct Cancelled;

    impl Expand for Cancelled {
        fn variable(&self, _name: &str) -> Option<String> {
            None
        }
        fn home(&self, _user: Option<&str>) -> Option<String> {
            None
        }
    }

    #[async_trait]
    impl Target for Cancelled {
        fn mode(&self) -> Mode {
            Mode {
                check: true,
                diff: false,
            }
        }
        async fn run(&self, _command: Command) -> Result<Finished, ProcessError> {
            Err(ProcessError::CancelledBeforeStart {
                program: "x".to_owned(),
            })
        }
        async fn attachment(&self, _id: &AttachmentId) -> Result<Attachment, Failure> {
            Err(Failure::new("none"))
        }
        fn temp_dir(&self) -> &Path {
            Path::new("/tmp")
        }
    }

    /// Calls a module that never waits.
    pub(crate) fn call(module: &dyn DynModule, args: &Value) -> ModuleResult {
        let mut call = module.call(&Cancelled, args.as_object().unwrap().clone());
        match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => panic!("nothing here waits"),
        }
    }

    #[test]
    fn filtered_facts_come_alone_and_change_nothing() {
        let result = call(
            &Setup,
            &json!({"filter": "ansible_kernel", "gather_subset": "!all"}),
        );
        let facts = result.result["ansible_facts"].as_object().unwrap();
        assert_eq!(facts.keys().collect::<Vec<_>>(), ["ansible_kernel"]);
        assert!(!result.changed && !result.failed && !result.skipped);
        let result = call(
            &Setup,
            &json!({"filter": ["zzz"], "gather_subset": ["!all"]}),
        );
        assert_eq!(result.result["ansible_facts"], json!({}));
    }

    #[test]
    fn unknown_subset_fails() {
        let result = call(&Setup, &json!({"gather_subset": ["nosuch"]}));
        assert!(result.failed && !result.changed);
        assert!(result.msg.unwrap().as_str().unwrap().contains("nosuch"));
    }

    #[test]
    fn fact_scripts_are_started_by_the_target_and_only_for_local_facts() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("own.fact");
        fs::write(&script, "#!/bin/sh\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(folder.path().join("plain.fact"), "{\"a\": 1}").unwrap();
        let args = json!({"fact_path": folder.path(), "gather_subset": ["!all", "!min", "local"]});
        let result = call(&Setup, &args);
        let local = &result.result["ansible_facts"]["ansible_local"];
        assert_eq!(local["plain"], json!({"a": 1}));
        let [warning] = result.warnings.as_slice() else {
            panic!("{:?}", result.warnings)
        };
        assert!(
            warning.contains("was cancelled before it started"),
            "{warning}"
        );
        assert_eq!(local["own"], json!(warning));
        let args = json!({"fact_path": folder.path(), "gather_subset": ["!all", "!min", "env"]});
        assert!(call(&Setup, &args).warnings.is_empty());
    }

    #[test]
    fn options_are_those_of_ansible() {
        let kinds: Vec<_> = Setup::SPEC
            .options
            .iter()
            .map(|option| (option.name, option.kind))
            .collect();
        let texts = Type::List(&Type::Str);
        let expected = [
            ("fact_path", Type::Path),
            ("filter", texts),
            ("gather_subset", texts),
            ("gather_timeout", Type::Int),
        ];
        assert_eq!(kinds, expected);
    }
}
