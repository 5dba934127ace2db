//! Facts that are kept between runs.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use crate::Desk;

/// Runs tasks on this machine with facts kept in `facts`, and gives what was told.
fn run(desk: &Desk, tasks: &serde_json::Value, more: &[&str], code: i32) -> String {
    let plan = json!({"plays": [{"hosts": ["localhost"], "tasks": tasks}]});
    desk.write("plan.json", plan.to_string());
    let output = desk
        .exec(&[&["--facts-cache", "facts", "plan.json"][..], more].concat())
        .run();
    output.expect_code(code);
    output.stderr.clone()
}

fn knows() -> serde_json::Value {
    json!([{"name": "knows", "assert": {"that": ["answer == 42", "ansible_facts.answer == 42", "ansible_system == 'Linux'"]}}])
}

#[test]
fn facts_and_cacheable_variables_are_there_in_the_next_run_until_they_are_cleared() {
    let desk = Desk::new();
    let gathers = json!([
        {"name": "gather", "setup": {"gather_subset": ["!all"]}},
        {"name": "keep", "set_fact": {"answer": 42, "cacheable": true}},
        {"name": "not kept", "set_fact": {"secret": 1}},
        {"name": "seen at once", "assert": {"that": ["answer == 42", "ansible_facts.answer == 42"]}},
    ]);
    run(&desk, &gathers, &[], 0);
    let mode = |name: &str| {
        let metadata = std::fs::metadata(desk.world.path(name)).expect("it was made");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(
        (mode("facts"), mode("facts/localhost.json")),
        (0o700, 0o600)
    );
    assert!(!desk.world.read("facts/localhost.json").contains("secret"));
    run(&desk, &knows(), &[], 0);
    run(&desk, &json!([{"meta": "clear_facts"}]), &[], 0);
    run(&desk, &knows(), &[], 2);
}

#[test]
fn facts_that_are_too_old_or_broken_count_as_not_there() {
    let desk = Desk::new();
    run(
        &desk,
        &json!([{"set_fact": {"answer": 42, "cacheable": true}}]),
        &[],
        0,
    );
    let unknown = json!([{"assert": {"that": "answer is not defined"}}]);
    let file = std::fs::OpenOptions::new()
        .write(true)
        .open(desk.world.path("facts/localhost.json"))
        .expect("it was made");
    let hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(hour_ago).expect("it is ours");
    run(&desk, &unknown, &["--facts-cache-timeout", "60"], 0);
    desk.write("facts/localhost.json", "{");
    let told = run(&desk, &unknown, &[], 0);
    assert!(
        told.contains("the facts of localhost in `facts/localhost.json` cannot be used"),
        "{told}"
    );
}
