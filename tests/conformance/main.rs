//! What ansible-core 2.19 did with a playbook, done again from the same playbook as a plan.
//!
//! A case is a folder of `fixtures/conformance`: `site.yml`, its files, the plan made of it, and what Ansible left (`expect.json`, or
//! one a run). To add one, copy its folder there. How cases are compared is told in [`expectation`]. Every case is a test of its own by
//! each way to run it.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod expectation;
mod local;
mod results;
mod tree;

use std::borrow::Cow;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use rustle_testkit::{Invocation, Output, World};
use serde_json::Value;

use expectation::{Found, differences};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/conformance");

/// The folders of all cases, by name.
fn cases() -> Vec<PathBuf> {
    let entries = fs::read_dir(FOLDER).expect("the cases are checked in");
    let mut folders: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be read").path())
        .collect();
    folders.sort_unstable();
    folders
}

fn read(path: &Path) -> Value {
    let text = fs::read_to_string(path);
    let text = text.unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The arguments of each run of a case.
fn runs(case: &Path) -> Vec<Vec<String>> {
    serde_json::from_value(read(&case.join("case.json"))["runs"].clone())
        .unwrap_or_else(|error| panic!("{}: runs: {error}", case.display()))
}

/// The file with what Ansible left after a run.
fn expectation_of(case: &Path, runs: usize, run: usize) -> PathBuf {
    case.join(if runs == 1 {
        "expect.json".to_owned()
    } else {
        format!("expect-{}.json", run + 1)
    })
}

/// Makes one run of a case with these arguments, in a world whose scratch folder is there, and writes its report.
type Execute = dyn Fn(&World, &Path, &Path, &[String]) -> Output;

/// Does all runs of a case, on one scratch folder, and returns what differs from that part of what Ansible left.
fn execute_by(case: &Path, execute: &Execute, part: &dyn Fn(Value) -> Value) -> Vec<String> {
    let mut world = World::new();
    tree::make_scratch(&world.path("scratch"));
    let plan = read(&case.join("plan.json"));
    let runs = runs(case);
    let mut differing = Vec::new();
    for (number, arguments) in runs.iter().enumerate() {
        world.set_env("KIT_RUN", number.to_string());
        let report = world.path(format!("report-{number}.json"));
        let output = execute(&world, case, &report, arguments);
        let found = Found {
            code: output.code,
            report: report.exists().then(|| read(&report)),
            scratch: world.path("scratch"),
            case: case.to_owned(),
        };
        let expected = part(read(&expectation_of(case, runs.len(), number)));
        let run = differences(&expected, &found, &plan);
        if !run.is_empty() && found.report.is_none() {
            differing.push(format!("run {}: {}", number + 1, output.stderr));
        }
        differing.extend(
            run.into_iter()
                .map(|it| format!("run {}: {it}", number + 1)),
        );
    }
    differing
}

/// A run of `program` with what every case counts on.
fn in_the_kits_environment(world: &World, case: &Path, program: &Path) -> Invocation {
    let more = read(&case.join("case.json"))["env"].clone();
    let mut command = world
        .command("sh")
        .args(["-c", r#"umask 022; exec "$0" "$@""#])
        .arg(program)
        .current_dir(case)
        .timeout(Duration::from_secs(180))
        .env("KIT_ENV", "from-env")
        .env("KIT_CASE", case);
    for (name, value) in more.as_object().into_iter().flatten() {
        command = command.env(name, value.as_str().expect("variables are texts"));
    }
    command
}

/// Makes a run by the program.
fn by_the_program(world: &World, case: &Path, report: &Path, arguments: &[String]) -> Output {
    in_the_kits_environment(world, case, Path::new(env!("CARGO_BIN_EXE_rustle-exec")))
        .args(["plan.json", "-e"])
        .arg(format!("scratch={}", world.path("scratch").display()))
        .args(arguments)
        .arg("--report-file")
        .arg(report)
        .run()
}

/// Does all runs of a case as `execute` does one, and fails with everything that differs from that part of what Ansible left.
fn compare(case: &Path, execute: &Execute, part: &dyn Fn(Value) -> Value) -> Result<(), Failed> {
    let differing = execute_by(case, execute, part);
    if differing.is_empty() {
        Ok(())
    } else {
        Err(differing.join("\n").into())
    }
}

/// One test a case, called by the way it runs and the case's name.
fn each(
    way: &str,
    cases: Vec<PathBuf>,
    test: fn(&Path) -> Result<(), Failed>,
) -> impl Iterator<Item = Trial> {
    cases.into_iter().map(move |case| {
        let name = format!("{way}::{}", name(&case));
        Trial::test(name, move || test(&case))
    })
}

fn name(case: &Path) -> Cow<'_, str> {
    case.file_name().unwrap_or_default().to_string_lossy()
}

fn main() {
    if local::is_a_child() {
        return local::run_in_this_process();
    }
    let mut trials = vec![Trial::test("every_folder_is_a_whole_case", || {
        every_folder_is_a_whole_case();
        Ok(())
    })];
    trials.extend(each("by_the_program", cases(), |case| {
        compare(case, &by_the_program, &|expected| expected)
    }));
    trials.extend(local::trials());
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}

fn every_folder_is_a_whole_case() {
    let cases = cases();
    assert!(cases.len() >= 94, "cases are missing: {}", cases.len());
    for case in cases {
        let runs = runs(&case);
        assert!(!runs.is_empty(), "{} has no runs", case.display());
        let mut files = vec![case.join("plan.json"), case.join("site.yml")];
        files.extend((0..runs.len()).map(|run| expectation_of(&case, runs.len(), run)));
        for file in files {
            assert!(file.is_file(), "{} is missing", file.display());
        }
    }
}
