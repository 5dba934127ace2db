//! Runs that are continued: after a failure that was mended, after an interruption, after any line of their journal.

use std::fs;
use std::path::PathBuf;

use insta::assert_snapshot;
use rustle_testkit::Signal;
use serde_json::{Value, json};

use crate::Desk;

/// A task that leaves a line behind each time it runs.
fn leaves(desk: &Desk, line: &str) -> Value {
    let log = desk.world.path("log");
    json!({"name": line, "module": "shell", "args": {"_raw_params": format!("echo {line} >> {}; echo {line}", log.display())}})
}

/// A task with further keywords.
fn with(mut task: Value, keywords: &Value) -> Value {
    let (task_fields, keywords) = (task.as_object_mut(), keywords.as_object());
    let (Some(fields), Some(keywords)) = (task_fields, keywords) else {
        panic!("both are objects");
    };
    fields.extend(keywords.clone());
    task
}

fn report(desk: &Desk) -> Value {
    serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON")
}

/// The folder of the only run.
fn folder(desk: &Desk) -> PathBuf {
    let runs = desk.world.home().join(".local/state/rustle/runs");
    let mut entries = fs::read_dir(runs).expect("a run was made");
    let entry = entries.next().expect("there is one").expect("it is listed");
    entry.path()
}

#[test]
fn what_was_done_before_a_failure_is_not_done_again_when_it_is_mended() {
    let desk = Desk::new();
    let mended = desk.world.path("mended");
    let plan = json!({"plays": [{"name": "Deploy", "hosts": ["localhost"], "tasks": [
        with(leaves(&desk, "first"), &json!({"register": "first", "notify": ["handler"]})),
        {"set_fact": {"color": "blue"}},
        {"name": "needs mending", "module": "command", "args": {"argv": ["test", "-e", mended]}},
        with(leaves(&desk, "{{ first.stdout }}-{{ color }}"), &json!({"name": "last"})),
    ], "handlers": [with(leaves(&desk, "handler"), &json!({}))]}]});
    desk.write("plan.json", plan.to_string());
    let arguments = ["--report-file", "report.json", "plan.json"];
    desk.exec(&arguments).run().expect_code(2);
    assert_eq!(desk.world.read("log"), "first\n");
    assert_eq!(report(&desk)["not_run_handlers"][0]["handler"], "handler");
    let listed = desk.exec(&["runs"]).run();
    assert!(listed.stdout.contains("failed"), "{listed}");

    fs::write(mended, "").expect("the folder is there");
    let output = desk.exec(&["resume"]).run();
    output.success();
    assert_snapshot!(output.masked_stderr(), @"
    continues where the run ended: 2 tasks on hosts done before

    play Deploy: 1 host, Linear
         changed  needs mending  [localhost]
         changed  last  [localhost]
         changed  handler (handler)  [localhost]

    recap
      host         ok  changed  unreachable  failed  skipped  rescued  ignored
      localhost     5        4            0       0        0        0        0

    done: 1 host in [time]; 5 ok, 4 changed
    ");
    assert_eq!(desk.world.read("log"), "first\nfirst-blue\nhandler\n");
    let results = report(&desk)["task_results"].clone();
    let names: Vec<&str> = results
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|result| result["task_name"].as_str())
        .collect();
    assert_eq!(
        names,
        ["first", "set_fact", "needs mending", "last", "handler"]
    );

    let again = desk.exec(&["resume", "last"]).run();
    again.expect_code(5);
    assert!(again.stderr.contains("ended well"), "{again}");
}

#[test]
fn task_that_was_under_way_when_the_run_was_killed_is_unknown() {
    let desk = Desk::new();
    let (begun, may_end) = (desk.world.path("begun"), desk.world.path("may-end"));
    let script = format!(
        "echo x >> {}; [ -e {} ] || exec sleep 600",
        begun.display(),
        may_end.display()
    );
    let plan = json!({"plays": [{"hosts": ["localhost"], "tasks": [
        leaves(&desk, "before"),
        {"name": "takes long", "module": "shell", "args": {"_raw_params": script}},
        leaves(&desk, "after"),
    ]}]});
    let running = desk
        .exec(&["--progress", "lines", "-v"])
        .stdin(plan.to_string())
        .spawn();
    running.wait_for_stderr("before");
    while !begun.exists() {
        std::thread::yield_now();
    }
    running.signal(Signal::KILL);
    let _ = running.wait();
    let listed = desk.exec(&["runs"]).run();
    assert!(listed.stdout.contains("interrupted"), "{listed}");

    fs::write(may_end, "").expect("the folder is there");
    for _ in 0..2 {
        let output = desk.exec(&["resume"]).run();
        output.expect_code(2);
        assert!(
            output
                .stderr
                .contains("it is not known whether this was done"),
            "{output}"
        );
    }
    assert_eq!(fs::read_to_string(&begun).expect("it was begun"), "x\n");
    desk.exec(&["resume", "--rerun-unknown"]).run().success();
    assert_eq!(fs::read_to_string(&begun).expect("it was begun"), "x\nx\n");
    assert_eq!(desk.world.read("log"), "before\nafter\n");
}

#[test]
fn run_of_another_plan_is_not_continued_unless_that_is_asked_for() {
    let desk = Desk::new();
    let plan = |command: &str| {
        let failing =
            json!({"name": "work", "module": "command", "args": {"_raw_params": command}});
        json!({"plays": [{"hosts": ["localhost"], "tasks": [leaves(&desk, "first"), failing]}]})
    };
    desk.write("plan.json", plan("false").to_string());
    desk.exec(&["plan.json"]).run().expect_code(2);
    desk.write("plan.json", plan("true").to_string());
    let refused = desk.exec(&["resume"]).run();
    refused.expect_code(3);
    assert_snapshot!(refused.masked_stderr(), @"
    error: the run began with another plan or inventory:
      plan.plays[0].tasks[1].args._raw_params is another
    hint: `--with-changes` continues with what is there now; tasks that were done are not done again
    ");
    desk.exec(&["resume", "--with-changes"]).run().success();
    assert_eq!(desk.world.read("log"), "first\n");
}

#[test]
fn secret_results_are_had_again_or_missed_by_name() {
    let desk = Desk::new();
    let mended = desk.world.path("mended");
    let secret = json!({"register": "token", "no_log": true});
    let plan = |safe: bool| {
        let asked = if safe {
            json!({"name": "secret", "set_fact": {"token": {"stdout": "hunter2"}}, "no_log": true})
        } else {
            with(leaves(&desk, "hunter2"), &secret)
        };
        json!({"plays": [{"hosts": ["localhost"], "tasks": [
            asked,
            {"module": "command", "args": {"argv": ["test", "-e", mended]}},
            {"module": "assert", "args": {"that": "token.stdout == 'hunter2'", "quiet": true}},
        ]}]})
    };
    desk.write("plan.json", plan(true).to_string());
    desk.exec(&["plan.json"]).run().expect_code(2);
    fs::write(&mended, "").expect("the folder is there");
    desk.exec(&["resume"]).run().success();

    fs::remove_file(&mended).expect("it is there");
    desk.write("plan.json", plan(false).to_string());
    desk.exec(&["plan.json"]).run().expect_code(2);
    fs::write(&mended, "").expect("the folder is there");
    let output = desk.exec(&["resume"]).run();
    output.expect_code(2);
    assert!(
        output.stderr.contains("its result is not known any more"),
        "{output}"
    );
    assert_eq!(desk.world.read("log"), "hunter2\n");
}

/// A plan with much of what brings hosts, tasks and handlers into a run.
fn crossroads(desk: &Desk) -> Value {
    let touch = |name: &str| {
        let path = desk.world.path("made").join(name);
        json!({"name": name, "module": "command", "args": {"argv": ["touch", path]}})
    };
    json!({
        "vars": {"ansible_connection": "local"},
        "plays": [
            {"name": "first", "hosts": ["h1", "h2"], "tasks": [
                {"module": "file", "args": {"path": desk.world.path("made"), "state": "directory"}},
                with(touch("{{ inventory_hostname }}"), &json!({"register": "made", "notify": ["told"]})),
                {"include_tasks": "{{ inventory_hostname }}.yml"},
                {"group_by": {"key": "of_{{ inventory_hostname }}"}},
                {"add_host": {"name": "h3", "groups": ["late"], "given": "{{ made.changed | type_debug }}"}},
                {"block": [
                    {"module": "fail", "args": {"msg": "on h2"}, "when": "inventory_hostname == 'h2'"},
                ], "rescue": [
                    {"set_fact": {"rescued": "{{ ansible_failed_result.msg }}"}},
                ]},
                {"meta": "flush_handlers"},
                {"name": "loop", "module": "debug", "args": {"msg": "{{ item }} {{ rescued | default('no') }}"}, "loop": [1, 2], "register": "looped"},
            ], "handlers": [{"name": "told", "module": "debug", "args": {"msg": "{{ made.cmd | last | basename }}"}}]},
            {"name": "second", "hosts": "late:of_h2", "tasks": [
                {"name": "sees", "module": "debug", "args": {"msg": "{{ hostvars.h1.looped.results | length }} {{ hostvars.h3.given }} {{ groups.of_h1 }}"}},
                with(touch("once"), &json!({"run_once": true, "register": "once"})),
                {"name": "end", "module": "debug", "args": {"msg": "{{ once.rc | default('there') is defined }}"}},
            ]},
        ],
        "includes": {
            "h1.yml": [touch("included-1"), {"set_fact": {"own": 1}}],
            "h2.yml": [touch("included-2"), touch("included-more"), {"set_fact": {"own": 2}}],
        },
    })
}

/// What a run came to: its tasks on hosts with their outcome, in no order.
fn outcome(report: &Value) -> Vec<String> {
    let results = report["task_results"].as_array().into_iter().flatten();
    let mut outcome: Vec<String> = results
        .map(|result| {
            let shown = &result["result"]["msg"];
            format!(
                "{} {} {} {shown}",
                result["host"], result["task_name"], result["status"]
            )
        })
        .collect();
    outcome.sort();
    outcome
}

#[test]
fn run_that_is_continued_after_any_line_of_its_journal_comes_to_the_same_end() {
    let desk = Desk::new();
    desk.write("plan.json", crossroads(&desk).to_string());
    let arguments = ["-i", "h1,h2", "--report-file", "report.json", "plan.json"];
    desk.exec(&arguments).run().success();
    let expected = outcome(&report(&desk));
    assert!(expected.len() > 20, "{expected:#?}");

    let journal = folder(&desk).join("journal.jsonl");
    let resume_after = |journal_so_far: &[u8]| {
        fs::write(&journal, journal_so_far).expect("the journal is there");
        let output = desk.exec(&["resume", "--rerun-unknown"]).run();
        output.success();
        let cut = String::from_utf8_lossy(journal_so_far);
        let last = cut.lines().last().unwrap_or_default();
        assert_eq!(outcome(&report(&desk)), expected, "after {last}: {output}");
        fs::read(&journal).expect("the journal is there")
    };
    let whole = fs::read(&journal).expect("the journal is there");
    let all = ends(&whole);
    let last = all.len();
    for (line, end) in all.iter().enumerate() {
        // Now and then the next line is there in part.
        let part = if line % 5 == 0 { 7 } else { 0 };
        let _ = resume_after(&whole[..end + part]);
    }
    // A run that was continued is continued once more.
    let twice = resume_after(&whole[..all[last / 2]]);
    for end in ends(&twice).iter().skip(last / 2).step_by(5) {
        let _ = resume_after(&twice[..*end]);
    }
}

/// Where the lines of a journal end, but for the last one.
fn ends(journal: &[u8]) -> Vec<usize> {
    let ends = journal
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    let mut ends: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
    ends.pop();
    ends
}
