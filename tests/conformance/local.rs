//! The cases of one host once more, run by a `LocalExecutor` in one process: no controller, agent or connection. And of the
//! cases of several hosts the part of one, where that does not hang on the others.
//!
//! A case needs an environment and a umask of its own, so each run is a child: this test program again, told by a variable to
//! make one run.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libtest_mimic::Trial;
use rustle_events::EventKind;
use rustle_runtime::execution::ExecutionError;
use rustle_runtime::local::{LocalExecutor, ModuleRegistry, RuntimeConfig};
use rustle_runtime::world::EventSink;
use rustle_testkit::{Output, World};
use rustle_types::{ExecutionOptions, ExecutionPlan, ExecutionReport, ExitStatus, HostName};
use serde_json::{Value, json};

use crate::{cases, compare, each, name, read, tree};

/// The host that a run in one process is for.
const HOST: &str = "h1";

/// Names the run that a child is for: its arguments, scratch folder and report.
const RUN: &str = "KIT_LOCAL_RUN";

/// Cases in which a host cannot do without the others, and why.
const NEEDS_THE_OTHERS: [(&str, &str); 21] = [
    (
        "04-register-hostvars",
        "what others registered is asked for",
    ),
    (
        "20-any-errors-fatal-block",
        "a failure of another is fatal for all",
    ),
    ("26-run-once", "a task is delegated"),
    ("30-throttle-order", "all write one file, in their order"),
    (
        "54-add-host-group-by",
        "hosts are added, and asked for groups",
    ),
    ("64-magic-vars", "the hosts have other names"),
    ("65-gather-facts", "facts of others are asked for"),
    ("84-limit-cli", "the runs are for other hosts"),
    ("87-delegate-facts-runonce", "tasks are delegated"),
    ("107-aef-task", "a failure of another is fatal for all"),
    ("108-serial-list", "the hosts of batches are asked for"),
    ("109-delegate", "tasks are delegated"),
    ("126-set-fact", "what others have is asked for"),
    ("142-environment", "a task is delegated"),
    ("170-handlers-run-once", "a handler is delegated"),
    ("173-failed-effects", "a task is delegated"),
    ("175-meta-first-host", "the hosts of the play are asked for"),
    ("179-play-hosts", "the hosts of the play are asked for"),
    ("182-add-host-groups", "hosts are added"),
    ("183-unreachable-rescue", "a task is delegated"),
    (
        "190-templated-keywords",
        "the hosts of batches are asked for",
    ),
];

/// Cases whose hosts are those of an inventory beside the plan, which a run in one process does not read.
const WITH_AN_INVENTORY: [&str; 8] = [
    "90-inventory-folder",
    "91-inventory-program",
    "92-refresh-inventory",
    "93-precedence-roles",
    "94-connection-templates",
    "95-patterns",
    "97-vault",
    "180-precedence-files",
];

fn needs_the_others(case: &Path) -> bool {
    let name = name(case);
    NEEDS_THE_OTHERS.iter().any(|(other, _)| *other == name)
}

fn has_an_inventory(case: &Path) -> bool {
    WITH_AN_INVENTORY.contains(&&*name(case))
}

/// Whether Ansible ran tasks on other hosts too.
fn is_of_several_hosts(case: &Path) -> bool {
    let files = fs::read_dir(case).expect("the case is there");
    let expectations = files
        .map(|file| file.expect("it can be listed").path())
        .filter(|path| {
            let name = name(path);
            name.starts_with("expect") && name.ends_with(".json")
        });
    expectations.into_iter().any(|path| {
        let expected = read(&path);
        let stats = expected["stats"].as_object();
        stats.is_some_and(|stats| stats.keys().any(|host| host != HOST))
    })
}

fn is_of_one_host(case: &Path) -> bool {
    !has_an_inventory(case) && !needs_the_others(case) && !is_of_several_hosts(case)
}

fn has_part_of_its_own(case: &Path) -> bool {
    !has_an_inventory(case) && !needs_the_others(case) && is_of_several_hosts(case)
}

fn cases_that(is_wanted: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let all = cases().into_iter();
    all.filter(|case| is_wanted(case)).collect()
}

/// The cases of one host whole, of the others the part of one host, and none where a play is for another host.
pub(crate) fn trials() -> Vec<Trial> {
    let whole = cases_that(is_of_one_host);
    let shared = cases_that(has_part_of_its_own);
    assert!(!whole.is_empty(), "every case is of several hosts");
    assert!(!shared.is_empty(), "no case is of several hosts");
    let whole = each("in_one_process", whole, |case| {
        compare(case, &in_a_child, &|expected| expected)
    });
    let part = each("part_of_one_host", shared.clone(), |case| {
        compare(case, &in_a_limited_child, &part_of_the_host)
    });
    let refused = each("other_hosts_are_refused", shared, |case| {
        is_refused_before_anything_runs(case);
        Ok(())
    });
    whole.chain(part).chain(refused).collect()
}

fn in_a_limited_child(world: &World, case: &Path, report: &Path, arguments: &[String]) -> Output {
    let limit = ["--limit", HOST].map(str::to_owned);
    in_a_child(world, case, report, &[&limit, arguments].concat())
}

/// What Ansible did on the host alone.
fn part_of_the_host(mut expected: Value) -> Value {
    let keep = |by_host: &mut Value| {
        if let Some(by_host) = by_host.as_object_mut() {
            by_host.retain(|host, _| host == HOST);
        }
    };
    keep(&mut expected["stats"]);
    keep(&mut expected["order"]);
    for task in expected["tasks"].as_array_mut().into_iter().flatten() {
        keep(&mut task["hosts"]);
    }
    if let Some(tree) = expected["tree"].as_object_mut() {
        tree.retain(|path, _| {
            path.split_once('/')
                .is_none_or(|(folder, _)| !["h2", "h3", "h4"].contains(&folder))
        });
    }
    let lost = &expected["stats"][HOST];
    let is_lost = ["failed", "unreachable"]
        .iter()
        .any(|count| lost[count].as_u64() > Some(0));
    expected["rc"] = i32::from(is_lost).into();
    expected
}

fn is_refused_before_anything_runs(case: &Path) {
    let world = World::new();
    let scratch = world.path("scratch");
    tree::make_scratch(&scratch);
    let before = tree::list(&scratch);
    let outcome = run(case, &[], &scratch);
    assert!(
        matches!(outcome, Err(ExecutionError::OtherHosts { .. })),
        "{outcome:?}"
    );
    assert_eq!(tree::list(&scratch), before);
}

/// Whether this process is one of those that make a run each.
pub(crate) fn is_a_child() -> bool {
    std::env::var_os(RUN).is_some()
}

/// Makes the run that this process is for.
pub(crate) fn run_in_this_process() {
    let text = std::env::var(RUN).expect("the parent set it");
    let asked: Value = serde_json::from_str(&text).expect("the parent wrote it");
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
    let mut output = crate::in_the_kits_environment(world, case, &this)
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
        rustle_modules_packages::FAMILY,
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
            "--force-handlers" => options.force_handlers = true,
            "--tags" => {
                let tags = arguments.next().expect("tags follow");
                options.tags.extend(tags.split(',').map(str::to_owned));
            }
            "--limit" => options.limit = arguments.next().cloned(),
            other => panic!("no case of one host had `{other}` before"),
        }
    }
    options
}
