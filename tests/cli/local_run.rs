//! Whole runs on this machine: exit status, report, log, signals.

use insta::assert_snapshot;
use rustle_testkit::Signal;

use crate::Desk;

/// A plan of one command on `localhost`.
fn command(text: &str) -> String {
    format!(
        r#"{{"plays": [{{"name": "local", "hosts": ["localhost"], "tasks": [
            {{"name": "work", "module": "shell", "args": {{"_raw_params": "{text}"}}}}]}}]}}"#
    )
}

#[test]
fn run_that_is_done_ends_with_0_and_leaves_report_log_and_journal() {
    let desk = Desk::new();
    desk.write("plan.json", command("echo {{ greeting }}"));
    let files = ["--report-file", "report.json", "--log-file", "run.log"];
    let output = desk
        .exec(&[&["-e", "greeting=hello", "plan.json"][..], &files].concat())
        .env("RUSTLE_STATE_DIR", desk.world.path("state"))
        .run();
    output.success();
    assert_eq!(output.stdout, "", "standard output is for data");
    let report: serde_json::Value =
        serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON");
    assert_eq!(report["summary"]["changed_tasks"], 1);
    assert_eq!(report["task_results"][0]["stdout"], "hello");
    assert!(desk.world.read("run.log").contains("run finished"));
    assert!(desk.world.path("state/runs").is_dir());
}

#[test]
fn extra_variables_of_a_plan_give_way_to_those_of_the_command_line() {
    let desk = Desk::new();
    let plan = command("echo {{ a }} {{ b }}");
    let plan = plan.replacen('{', r#"{"extra_vars": {"a": "plan", "b": "plan"}, "#, 1);
    desk.write("plan.json", plan);
    let options = ["-e", "b=line", "--report-file", "/dev/stdout", "plan.json"];
    let output = desk.exec(&options).run();
    output.success();
    let report: serde_json::Value =
        serde_json::from_str(&output.stdout).expect("the report is JSON");
    assert_eq!(report["task_results"][0]["stdout"], "plan line");
}

#[test]
fn check_run_changes_nothing() {
    let desk = Desk::new();
    let trace = desk.world.path("trace");
    desk.write("plan.json", command(&format!("touch {}", trace.display())));
    desk.exec(&["--check", "plan.json"]).run().success();
    assert!(!trace.exists());
}

#[test]
fn failed_task_ends_with_2() {
    let desk = Desk::new();
    desk.write("plan.json", command("exit 7"));
    desk.exec(&["plan.json"]).run().expect_code(2);
}

#[test]
fn host_that_cannot_be_reached_ends_with_4() {
    let desk = Desk::new();
    desk.write("plan.json", crate::PLAN);
    desk.exec(&["--retries", "0", "plan.json"])
        .run()
        .expect_code(4);
}

#[test]
fn report_that_cannot_be_written_ends_with_7_before_any_host_is_touched() {
    let desk = Desk::new();
    desk.write("plan.json", crate::PLAN);
    let report = desk.refused(&["--report-file", "none/report.json", "plan.json"], 7);
    // The name of the temporary file at its end differs from run to run.
    let told = "error: report `none/report.json` could not be written: No such file or directory";
    assert!(report.stderr.starts_with(told), "{report}");
    let log = desk.refused(&["--log-file", "none/run.log", "plan.json"], 7);
    assert_snapshot!(log, @"
    exit status: 7
    ----- stderr
    error: `none/run.log` cannot be written: No such file or directory (os error 2)
    ");
}

#[test]
fn interrupted_run_ends_with_130() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let desk = Desk::new();
        desk.write("plan.json", command("exec sleep 600"));
        let running = desk.exec(&["--progress", "lines", "plan.json"]).spawn();
        running.wait_for_stderr("play local");
        running.signal(signal);
        running.wait().expect_code(130);
    }
}

#[test]
fn what_an_include_or_a_file_of_secrets_says_of_itself_is_not_registered() {
    let desk = Desk::new();
    let show = |name: &str| serde_json::json!({"module": "debug", "args": {"msg": format!("{{{{ {name}.keys() | sort | join(' ') }}}}")}});
    let plan = serde_json::json!({"plays": [{"hosts": ["localhost"], "tasks": [
        {"block": [
            {"include_tasks": "{{ 'nothing' }}.yml", "register": "included", "ignore_errors": true}
        ], "rescue": [show("included")]}
    ]}]});
    desk.write("plan.json", plan.to_string());
    let output = desk
        .exec(&["--report-file", "/dev/stdout", "plan.json"])
        .run();
    let report: serde_json::Value =
        serde_json::from_str(&output.stdout).expect("the report is JSON");
    let shown = &report["task_results"][1]["result"]["msg"];
    assert_eq!(shown, "changed failed include include_args msg reason");
}

#[test]
fn content_that_is_no_text_becomes_json_as_python_writes_it() {
    let desk = Desk::new();
    let dest = desk.world.path("out.json");
    let plan = serde_json::json!({"plays": [{"hosts": ["localhost"], "tasks": [
        {"module": "copy", "args": {"dest": dest, "content": {"a": ["\u{fc}", 1, null, true]}}}
    ]}]});
    desk.write("plan.json", plan.to_string());
    desk.exec(&["plan.json"]).run().success();
    assert_eq!(
        desk.world.read("out.json"),
        r#"{"a": ["\u00fc", 1, null, true]}"#
    );
}
