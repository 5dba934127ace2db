//! Modules of the plan's author: programs that speak Ansible's protocols.

use std::os::unix::fs::PermissionsExt;

use rustle_testkit::Output;
use serde_json::{Value, json};

use crate::Desk;

/// A module that takes `key=value` words, and tells what it got.
const WORDS: &str = r#"#!/bin/sh
echo "something else"
. "$1"
if [ -e "$path" ]; then changed=false; else changed=true; [ "$_ansible_check_mode" = True ] || : > "$path"; fi
printf '{"changed": %s, "arguments": %d, "file": "%s"}\n' $changed $# "$(stat -c %a "$1")"
"#;

/// A module that takes JSON, and gives it back.
const JSON: &str = "#!/bin/sh\n# WANT_JSON\ncat \"$1\"\n";

/// A module whose text the arguments are put into.
const TEXT: &str = "#!/usr/bin/env -S sh\ncat <<'END'\n<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>\nEND\n";

pub(crate) fn task(module: &str, args: &Value) -> Value {
    json!({"module": module, "args": args})
}

/// Runs tasks on this machine, and gives their results.
#[track_caller]
pub(crate) fn results(desk: &Desk, options: &[&str], tasks: &[Value]) -> Vec<Value> {
    let plan = json!({"plays": [{"name": "own", "hosts": ["localhost"], "tasks": tasks}]});
    desk.write("plan.json", plan.to_string());
    let report = ["--report-file", "/dev/stdout", "plan.json"];
    let output = desk.exec(&[options, &report].concat()).run();
    output.success();
    let report: Value = serde_json::from_str(&output.stdout).expect("the report is JSON");
    let results = report["task_results"].as_array().expect("a list");
    results
        .iter()
        .map(|result| result["result"].clone())
        .collect()
}

/// The folder of the agent, where programs are kept.
fn kept(desk: &Desk) -> Vec<(String, u32)> {
    let folder = desk.world.home().join(".cache/rustle");
    let modules = std::fs::read_dir(folder.join("modules")).expect("the folder of programs");
    let mut kept: Vec<(String, u32)> = modules
        .map(|entry| entry.expect("an entry"))
        .map(|entry| {
            let mode = entry.metadata().expect("a file").permissions().mode();
            (
                entry.file_name().to_string_lossy().into_owned(),
                mode & 0o777,
            )
        })
        .collect();
    kept.sort();
    let mode = folder.join("modules").metadata().expect("a folder");
    assert_eq!(mode.permissions().mode() & 0o777, 0o700);
    let left = std::fs::read_dir(&folder).expect("the agent's folder");
    let left = left.map(|entry| entry.expect("an entry").file_name());
    let left: Vec<_> = left
        .filter(|name| name.to_string_lossy().starts_with("module-"))
        .collect();
    assert!(left.is_empty(), "{left:?} was left behind");
    kept
}

#[test]
fn module_beside_the_plan_changes_something_once_and_is_kept_once() {
    let desk = Desk::new();
    desk.write("library/mark.sh", WORDS);
    let path = desk.world.path("a mark").display().to_string();
    let mark = task("mark", &json!({ "path": path }));
    let checked = results(&desk, &["--check"], std::slice::from_ref(&mark));
    assert_eq!(checked[0]["changed"], true);
    assert!(!desk.world.path("a mark").exists());
    let run = results(&desk, &[], &[mark.clone(), mark]);
    assert_eq!(run[0]["changed"], true);
    assert_eq!(run[1]["changed"], false);
    assert_eq!(run[0]["arguments"], 1);
    assert_eq!(run[0]["file"], "600");
    let kept = kept(&desk);
    assert_eq!(kept.len(), 1, "{kept:?}");
    assert_eq!(kept[0].1, 0o600);
}

#[test]
fn every_protocol_is_spoken() {
    let desk = Desk::new();
    desk.write("library/by_file", JSON);
    desk.write("roles/r/library/by_text.sh", TEXT);
    desk.write("more/binary", std::fs::read("/bin/cat").expect("a binary"));
    let role = json!({"block": [], "role": "r", "role_path": "roles/r"});
    let args = json!({"a": "b c", "n": null, "l": [1, "x"]});
    let tasks = ["by_file", "by_text", "ansible.legacy.binary"].map(|name| task(name, &args));
    let tasks = [&[role][..], &tasks].concat();
    let run = results(&desk, &["--module-path", "more"], &tasks);
    for (result, name) in run.iter().zip(["by_file", "by_text", "binary"]) {
        assert_eq!(result["a"], "b c", "{name}: {result}");
        assert_eq!(
            (&result["n"], &result["l"]),
            (&json!(null), &json!([1, "x"]))
        );
        assert!(result.get("_ansible_check_mode").is_none(), "{result}");
    }
    assert_eq!(run.len(), 3);
}

#[test]
fn interpreter_is_that_of_a_variable() {
    let desk = Desk::new();
    desk.write(
        "library/odd",
        "#!/no/such/odd -x\n[ $# = 1 ] && echo '{\"ran\": true}'\n",
    );
    let mut odd = task("odd", &json!({}));
    odd["vars"] = json!({"ansible_odd_interpreter": "/bin/sh"});
    assert_eq!(results(&desk, &[], &[odd])[0]["ran"], true);
}

#[test]
fn module_runs_in_the_background() {
    let desk = Desk::new();
    desk.write("library/by_file", JSON);
    let mut slow = task("by_file", &json!({"a": 1}));
    slow["async"] = 60.into();
    slow["poll"] = json!(1);
    let run = results(&desk, &[], &[slow]);
    assert_eq!(
        (&run[0]["a"], &run[0]["finished"]),
        (&json!(1), &json!(true)),
        "{}",
        run[0]
    );
}

fn failed(desk: &Desk, module: &str) -> Output {
    let plan = json!({"plays": [{"name": "own", "hosts": ["localhost"], "tasks": [task(module, &json!({}))]}]});
    desk.write("plan.json", plan.to_string());
    desk.exec(&["plan.json"]).run()
}

#[test]
fn module_that_tells_no_result_fails_with_what_it_wrote() {
    let desk = Desk::new();
    desk.write(
        "library/broken",
        "#!/bin/sh\necho out; echo err >&2; exit 3\n",
    );
    let output = failed(&desk, "broken");
    output.expect_code(2);
    for text in ["No start of json char found", "out", "err"] {
        assert!(output.stderr.contains(text), "{text}: {output}");
    }
}

#[test]
fn module_that_cannot_run_is_refused_before_a_host_is_touched() {
    let desk = Desk::new();
    desk.write("library/plain", "echo\n");
    desk.write("library/split", "#!/bin/sh\n");
    desk.write("action_plugins/split.py", "");
    for (module, why) in [
        ("plain", "is missing interpreter line"),
        ("split", "does part of its work on the controller"),
        ("nothing_like_it", "/library`"),
    ] {
        let output = failed(&desk, module);
        output.expect_code(3);
        assert!(output.stderr.contains(why), "{why}: {output}");
    }
}
