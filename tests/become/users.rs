//! Root becomes somebody else.

use std::os::unix::fs::MetadataExt as _;

use serde_json::{Value, json};

use crate::desk::Desk;

/// `nobody`'s id on Debian, Fedora and all their kin.
const NOBODY: u32 = 65534;

fn who() -> Value {
    json!([{ "name": "who", "module": "command", "args": { "_raw_params": "id -un" } }])
}

#[test]
fn files_of_tasks_belong_to_the_user_that_was_become() {
    let desk = Desk::new();
    let tasks = json!([
        { "name": "copy", "module": "copy", "args": { "content": "x", "dest": desk.open("copy") } },
        { "name": "file", "module": "file", "args": { "path": desk.open("folder"), "state": "directory" } },
        { "name": "shell", "module": "shell", "args": { "_raw_params": format!("touch {}", desk.open("shell").display()) } },
        { "name": "own", "module": "file", "args": { "path": desk.open("own"), "state": "touch" }, "become": false },
    ]);
    desk.run(&tasks, &["--become", "--become-user", "nobody"])
        .success();
    for name in ["copy", "folder", "shell"] {
        let owner = desk.open(name).metadata().expect("it is there").uid();
        assert_eq!(owner, NOBODY, "{name}");
    }
    assert_eq!(desk.open("own").metadata().expect("it is there").uid(), 0);
}

#[test]
fn large_file_reaches_the_other_user() {
    let desk = Desk::new();
    let source = desk.world.write("large", vec![b'x'; 3 << 20]);
    let tasks = json!([{ "name": "copy", "module": "copy", "args": { "src": source, "dest": desk.open("large") }, "become": true, "become_user": "nobody" }]);
    desk.run(&tasks, &[]).success();
    let there = desk.open("large").metadata().expect("it is there");
    assert_eq!((there.uid(), there.len()), (NOBODY, 3 << 20));
}

#[test]
fn every_method_that_root_may_use_works() {
    for method in ["sudo", "su"] {
        let desk = Desk::new();
        desk.run(
            &who(),
            &["-b", "--become-user", "nobody", "--become-method", method],
        )
        .success();
        let results = desk.results(&desk.world.path("report.json"));
        assert_eq!(results[0]["stdout"], "nobody", "{method}");
    }
}

#[test]
fn user_that_does_not_exist_fails_the_task() {
    for (method, why) in [
        ("sudo", "sudo: unknown user nobody-here"),
        ("su", "su: user nobody-here does not exist"),
    ] {
        let desk = Desk::new();
        let options = [
            "-b",
            "--become-user",
            "nobody-here",
            "--become-method",
            method,
        ];
        desk.run(&who(), &options).expect_code(2);
        let result = desk.results(&desk.world.path("report.json")).remove(0);
        let told = result["result"]["msg"].as_str().expect("a message");
        let begin = format!("cannot become `nobody-here` by {method}: it ended: {why}");
        assert!(told.starts_with(&begin), "{told}");
        assert_eq!(result["failed"], true);
    }
}

#[test]
fn host_goes_on_as_itself_after_a_task_that_could_not_become() {
    let desk = Desk::new();
    let tasks = json!([
        { "name": "no", "module": "command", "args": { "_raw_params": "id -un" }, "become": true, "become_user": "nobody-here", "ignore_errors": true },
        { "name": "yes", "module": "command", "args": { "_raw_params": "id -un" } },
        { "name": "again", "module": "command", "args": { "_raw_params": "id -un" }, "become": true, "become_user": "nobody" },
    ]);
    desk.run(&tasks, &[]).success();
    let results = desk.results(&desk.world.path("report.json"));
    assert_eq!(results[1]["stdout"], "root");
    assert_eq!(results[2]["stdout"], "nobody");
}
