//! The cases of one host once more, run by a `LocalExecutor` in one process: no controller, agent or connection.
//!
//! A case needs an environment and a umask of its own, so each run is a child: this test program again, with
//! [`one_run_takes_place_in_this_process`] alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use rustle_events::EventKind;
use rustle_runtime::execution::ExecutionError;
use rustle_runtime::local::{LocalExecutor, ModuleRegistry, RuntimeConfig};
use rustle_runtime::world::EventSink;
use rustle_testkit::{Output, World};
use rustle_types::{ExecutionOptions, ExecutionPlan, ExecutionReport, ExitStatus, HostName};
use serde_json::{Value, json};

use crate::{FOLDER, cases, execute_by, in_parallel, read, tree};

/// The host that a run in one process is for.
const HOST: &str = "h1";

/// Names the run that a child is for: its arguments, scratch folder and report.
const RUN: &str = "KIT_LOCAL_RUN";

/// Cases whose plays address more hosts than one.
const OF_SEVERAL_HOSTS: [&str; 36] = [
    "01-when-basic",
    "04-register-hostvars",
    "11-failed-when",
    "12-ignore-errors",
    "14-ignore-unreachable",
    "15-block-rescue",
    "17-block-unrescued",
    "20-any-errors-fatal-block",
    "21-max-fail-percentage",
    "24-serial-failure",
    "26-run-once",
    "28-strategy-free",
    "30-throttle-order",
    "31-handlers-basic",
    "33-handlers-flush",
    "35-handlers-force",
    "36-handlers-when-loop",
    "38-handlers-missing",
    "42-check-mode",
    "43-include-tasks",
    "45-import-tasks",
    "46-roles-basic",
    "48-include-role",
    "49-import-role",
    "50-vars-precedence",
    "52-vars-files",
    "54-add-host-group-by",
    "55-environment",
    "60-meta-end",
    "64-magic-vars",
    "65-gather-facts",
    "67-multi-play",
    "84-limit-cli",
    "85-handlers-include",
    "86-inventory-patterns",
    "87-delegate-facts-runonce",
];

fn is_of_several_hosts(case: &Path) -> bool {
    let name = case.file_name().unwrap_or_default().to_string_lossy();
    OF_SEVERAL_HOSTS.contains(&&*name)
}

#[test]
fn cases_of_one_host_do_in_one_process_what_ansible_did() {
    let todo: Vec<PathBuf> = cases()
        .into_iter()
        .filter(|case| !is_of_several_hosts(case))
        .collect();
    assert!(!todo.is_empty(), "every case is of several hosts");
    in_parallel(todo, &|case| execute_by(case, &in_a_child));
}

#[test]
fn plays_that_address_other_hosts_are_refused_before_anything_runs() {
    let refused = cases().into_iter().filter(|case| is_of_several_hosts(case));
    let refused: Vec<PathBuf> = refused.collect();
    assert_eq!(refused.len(), OF_SEVERAL_HOSTS.len(), "a case is gone");
    for case in refused {
        let world = World::new();
        let scratch = world.path("scratch");
        tree::make_scratch(&scratch);
        let before = tree::list(&scratch);
        let outcome = run(&case, &[], &scratch);
        assert!(
            matches!(outcome, Err(ExecutionError::OtherHosts { .. })),
            "{}: {outcome:?}",
            case.display()
        );
        assert_eq!(tree::list(&scratch), before, "{}", case.display());
    }
}

/// What a child does; without a run of its own, one that needs nothing of the environment.
#[test]
fn one_run_takes_place_in_this_process() {
    let world = World::new();
    let asked = std::env::var(RUN).map_or_else(
        |_| {
            let scratch = world.path("scratch");
            tree::make_scratch(&scratch);
            let case = Path::new(FOLDER).join("03-when-nonbool");
            json!({"case": case, "arguments": [], "scratch": scratch, "report": world.path("report.json")})
        },
        |text| serde_json::from_str(&text).expect("the parent wrote it"),
    );
    let path = |name: &str| PathBuf::from(asked[name].as_str().expect("it is a path"));
    let arguments: Vec<String> =
        serde_json::from_value(asked["arguments"].clone()).expect("they are texts");
    let (report, exit) = run(&path("case"), &arguments, &path("scratch")).expect("the run begins");
    let text = serde_json::to_vec(&report).expect("a report is JSON");
    fs::write(path("report"), text).expect("the folder is there");
    let exit = exit.code().to_string();
    fs::write(exit_file(&path("report")), exit).expect("the folder is there");
    assert!(!report.task_results.is_empty(), "nothing ran");
}

/// Runs a case in a child, and says by its status whether a task failed.
fn in_a_child(world: &World, case: &Path, report: &Path, arguments: &[String]) -> Output {
    let this = std::env::current_exe().expect("this program has a path");
    let run = json!({"case": case, "arguments": arguments, "scratch": world.path("scratch"), "report": report});
    let test = "local::one_run_takes_place_in_this_process";
    let mut output = crate::in_the_kits_environment(world, case, &this)
        .args(["--exact", test, "--nocapture"])
        .env(RUN, run.to_string())
        .run();
    if output.code == 0 {
        output.code = read(&exit_file(report))
            .as_i64()
            .and_then(|code| i32::try_from(code).ok())
            .expect("the child wrote it");
    }
    output
}

/// Where a child writes how its run ended.
fn exit_file(report: &Path) -> PathBuf {
    report.with_extension("exit.json")
}

/// Reads from the last event how a run ended.
#[derive(Default)]
struct Exit(OnceLock<ExitStatus>);

impl EventSink for Exit {
    fn note(&self, event: EventKind) {
        if let EventKind::RunFinished { exit, .. } = event {
            assert_eq!(self.0.set(exit), Ok(()), "a run ends once");
        }
    }
}

fn run(
    case: &Path,
    arguments: &[String],
    scratch: &Path,
) -> Result<(ExecutionReport, ExitStatus), ExecutionError> {
    let text = fs::read(case.join("plan.json")).expect("the plan is there");
    let (plan, _) = ExecutionPlan::from_json(&text).expect("the plan is valid");
    let mut registry = ModuleRegistry::new();
    registry.register_builtin_modules(&[
        rustle_modules_commands::FAMILY,
        rustle_modules_files::FAMILY,
        rustle_modules_system::FAMILY,
    ]);
    let config = RuntimeConfig {
        host: HostName::from(HOST),
        options: options(&plan, arguments, scratch),
        base_dir: case.to_owned(),
        ..RuntimeConfig::default()
    };
    let executor = LocalExecutor::new(config, registry)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads can be made");
    let exit = Arc::new(Exit::default());
    executor.report_progress(Arc::clone(&exit) as _);
    let report = runtime.block_on(executor.execute_plan(plan))?;
    let exit = exit.0.get().expect("the last event tells it");
    Ok((report, *exit))
}

/// The options that the arguments of a case mean.
fn options(plan: &ExecutionPlan, arguments: &[String], scratch: &Path) -> ExecutionOptions {
    let mut options = ExecutionOptions::of_plan(plan);
    let scratch = Value::String(scratch.display().to_string());
    options.extra_vars.insert("scratch".into(), scratch);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--check" => options.check = true,
            "--diff" => options.diff = true,
            "--tags" => {
                let tags = arguments.next().expect("tags follow");
                options.tags.extend(tags.split(',').map(str::to_owned));
            }
            other => panic!("no case of one host had `{other}` before"),
        }
    }
    options
}
