//! Tasks of one host that run at the same time: each waits for the other at a pipe, so neither ends where they run in turn.

use serde_json::{Value, json};

use crate::Desk;

/// A command that may run beside others. Commands run in a folder with the pipes `there` and `back`.
fn beside(name: &str, text: &str) -> Value {
    json!({"task_id": name, "name": name, "shell": text, "register": name, "can_run_parallel": true})
}

/// Runs a play on this machine, which must end with `code`, and gives its report.
fn report_of(play: Value, code: i32) -> Value {
    let desk = Desk::new();
    let pipes = json!({"name": "pipes", "shell": "mkfifo there back"});
    let folder = desk.world.path("work");
    std::fs::create_dir(&folder).expect("the folder is new");
    let mut play = play;
    play["hosts"] = json!(["localhost"]);
    play["module_defaults"] = json!({"shell": {"chdir": folder}});
    let plan = json!({"plays": [{"hosts": ["localhost"], "module_defaults": play["module_defaults"], "tasks": [pipes]}, play]});
    desk.write("plan.json", plan.to_string());
    let arguments = [
        "--timeout",
        "60",
        "--report-file",
        "report.json",
        "plan.json",
    ];
    desk.exec(&arguments).run().expect_code(code);
    serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON")
}

fn result<'a>(report: &'a Value, name: &str) -> Option<&'a Value> {
    let mut results = report["task_results"].as_array()?.iter();
    results.find(|result| result["task_name"] == name)
}

#[test]
fn marked_tasks_of_one_host_overlap_and_what_follows_sees_both_results() {
    let play = json!({"strategy": "Parallel", "tasks": [
        beside("one", "echo question > there; cat back"),
        beside("two", "cat there; echo answer > back"),
        {"name": "both", "debug": {"msg": "{{ two.stdout }} {{ one.stdout }}"}},
    ]});
    let report = report_of(play, 0);
    assert_eq!(
        result(&report, "both").expect("it ran")["result"]["msg"],
        "question answer"
    );
}

#[test]
fn batches_that_do_not_wait_for_each_other_overlap_on_one_host() {
    let batch =
        |id: &str, text: &str| json!({"batch_id": id, "tasks": [{"name": id, "shell": text}]});
    let play = json!({"strategy": "Batch", "batches": [
        batch("one", "echo question > there; cat back"), batch("two", "cat there; echo answer > back"),
        {"batch_id": "last", "dependencies": ["one", "two"], "tasks": [{"name": "last", "ping": {}}]},
    ]});
    let report = report_of(play, 0);
    let names: Vec<&Value> = report["task_results"]
        .as_array()
        .expect("there are results")
        .iter()
        .map(|result| &result["task_name"])
        .collect();
    assert_eq!(names.last().expect("there are some"), &"last");
    assert_eq!(result(&report, "one").expect("it ran")["stdout"], "answer");
}

#[test]
fn a_task_that_fails_lets_those_beside_it_end_and_starts_no_other() {
    let mut fails = beside("fails", "cat there; exit 3");
    fails["dependencies"] = json!([]);
    let mut notifies = beside("notifies", "echo question > there; echo done");
    notifies["notify"] = json!(["handler"]);
    let play = json!({"name": "play", "strategy": "Free", "tasks": [notifies, fails, {"name": "after", "ping": {}}],
        "handlers": [{"name": "handler", "ping": {}}]});
    let report = report_of(play, 2);
    assert_eq!(
        result(&report, "notifies").expect("it ran")["stdout"],
        "done"
    );
    assert!(result(&report, "after").is_none() && result(&report, "handler").is_none());
    assert_eq!(
        report["not_run_handlers"],
        json!([{"host": "localhost", "handler": "handler", "reason": "a task failed on the host"}])
    );
    assert_eq!(report["stop_reasons"][0]["reason"], "no hosts are left");
}
