//! Facts that are gathered because the plan uses them.

use serde_json::{Value, json};

use crate::Desk;

/// The facts that a plan gathers on this machine, with a task that shows a fact.
fn gathered(more: &[&str]) -> Value {
    let desk = Desk::new();
    let shown = json!({"name": "shown", "debug": {"msg": "{{ ansible_os_family }}"}});
    let used = json!({"assert": {"that": "ansible_os_family is defined"}});
    let play = json!({"hosts": ["localhost"], "gather_facts": true, "tasks": [used, shown]});
    desk.write("plan.json", json!({"plays": [play]}).to_string());
    let arguments = ["--report-file", "report.json", "plan.json"];
    desk.exec(&[&arguments[..], more].concat())
        .run()
        .expect_code(0);
    let report: Value =
        serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON");
    let results = report["task_results"].as_array().expect("there are some");
    let gathering = results
        .iter()
        .find(|result| result["task_name"] == "Gathering Facts");
    gathering.expect("it ran")["result"]["ansible_facts"].clone()
}

#[test]
fn plan_that_uses_one_fact_gathers_its_subset_alone_where_that_is_asked_for() {
    let full = gathered(&[]);
    assert!(full["ansible_kernel"].is_string() && full["ansible_os_family"].is_string());
    let lazy = gathered(&["--gather", "lazy"]);
    assert_eq!(
        lazy["gather_subset"],
        json!(["!all", "!min", "distribution"])
    );
    assert_eq!(lazy["ansible_os_family"], full["ansible_os_family"]);
    assert!(lazy.get("ansible_kernel").is_none(), "{lazy}");
}

#[test]
fn wrong_way_to_gather_is_told_with_the_choices() {
    let desk = Desk::new();
    let output = desk.refused(&["--gather", "some", "plan.json"], 5);
    assert!(
        output.stderr.contains("[possible values: full, lazy]"),
        "{output}"
    );
}
