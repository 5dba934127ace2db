//! Tasks that fail, and what is told of them: play, task, host, field, the piece of text, and a hint.

use insta::assert_snapshot;
use serde_json::{Value, json};

use crate::Desk;

/// What a run of these tasks says on the terminal, and its status.
fn told(tasks: &Value) -> String {
    let desk = Desk::new();
    let play = json!({
        "name": "local",
        "hosts": ["localhost"],
        "vars": { "text": "hello", "mapping": { "a": 1 } },
        "tasks": tasks,
    });
    desk.write("plan.json", json!({ "plays": [play] }).to_string());
    let output = desk.exec(&["plan.json"]).run();
    let stderr = output.masked(&output.stderr);
    let shown = stderr.split("\nrecap\n").next().unwrap_or_default();
    format!("exit status: {}\n{}\n", output.code, shown.trim_end())
}

#[test]
fn until_that_never_held_is_told_with_its_condition() {
    assert_snapshot!(told(&json!([{
        "name": "wait",
        "module": "command",
        "args": { "_raw_params": "echo hi" },
        "register": "answer",
        "until": ["answer.rc == 0", "answer.stdout == 'bye'"],
        "retries": 2,
        "delay": 0,
    }])));
}

#[test]
fn keyword_of_a_wrong_type_fails_the_task_before_it_does_anything() {
    for keyword in ["ignore_errors", "any_errors_fatal", "run_once", "throttle"] {
        let desk = Desk::new();
        let trace = desk.world.path("trace");
        let mut task = json!({ "name": "work", "module": "file", "args": { "path": trace, "state": "touch" } });
        task[keyword] = "{{ 'neither' }}".into();
        let plan = json!({ "plays": [{ "hosts": ["localhost"], "tasks": [task] }] });
        desk.write("plan.json", plan.to_string());
        let output = desk.exec(&["plan.json"]).run();
        output.expect_code(2);
        assert!(
            output.stderr.contains(&format!("`{keyword}` has to be ")),
            "{}",
            output.stderr
        );
        assert!(!trace.exists(), "{keyword}");
    }
}

#[test]
fn attribute_that_is_not_there_is_no_misspelled_variable() {
    let tasks = json!([{ "name": "show", "module": "debug", "args": { "msg": "{{ mapping.b }} {{ text }}" } }]);
    assert_snapshot!(told(&tasks));
}

#[test]
fn tag_that_cannot_be_rendered_ends_the_run_before_the_first_task() {
    let tasks = json!([
        { "name": "first", "module": "debug", "args": { "msg": "x" } },
        { "name": "second", "module": "debug", "args": { "msg": "x" }, "tags": ["{{ nowhere }}"] },
    ]);
    assert_snapshot!(told(&tasks));
}
