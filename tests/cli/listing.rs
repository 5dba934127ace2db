//! What `--list-hosts`, `--list-tasks` and `--list-tags` print.

use insta::assert_snapshot;

use crate::Desk;

/// A desk with an inventory and a plan of two plays.
fn desk() -> Desk {
    let desk = Desk::new();
    desk.write("hosts.ini", "[web]\nweb[1:3]\n[db]\ndb1\n");
    desk.write(
        "plan.json",
        r#"{"plays": [
            {"name": "web tier", "hosts": "web:!web3", "tags": ["tier"], "gather_facts": true, "serial": 1,
             "tasks": [
                {"name": "greet", "module": "command", "args": {"_raw_params": "echo hi"}, "tags": ["b", "a"]},
                {"role": "proxy", "block": [{"name": "install", "module": "ping"}], "rescue": [{"module": "ping"}]},
                {"name": "seldom", "module": "ping", "tags": ["never", "rare"]},
                {"module": "meta", "args": {"_raw_params": "flush_handlers"}, "implicit": true}],
             "handlers": [{"name": "restart", "module": "command", "args": {"_raw_params": "true"}}]},
            {"hosts": ["db1"], "tasks": [{"module": "ping"}]}]}"#,
    );
    desk
}

#[test]
fn hosts_tasks_and_tags_are_listed_together() {
    let all = ["--list-hosts", "--list-tasks", "--list-tags"];
    let arguments = [&all[..], &["-i", "hosts.ini", "plan.json"]].concat();
    assert_snapshot!(desk().refused(&arguments, 0), @"
    exit status: 0
    ----- stdout
    plan: plan.json

      play #1 (web:!web3): web tier	TAGS: [tier]
        pattern: ['web:!web3']
        hosts (2):
          web1
          web2
        tasks:
          greet	TAGS: [a, b, tier]
          proxy : install	TAGS: [tier]
          seldom	TAGS: [never, rare, tier]
          TASK TAGS: [a, b, never, rare, tier]

      play #2 (db1): db1	TAGS: []
        pattern: ['db1']
        hosts (1):
          db1
        tasks:
          ping	TAGS: []
          TASK TAGS: []
    ");
}

#[test]
fn limit_and_tags_leave_out_what_they_leave_out_of_a_run() {
    let desk = desk();
    let hosts = ["--list-hosts", "-i", "hosts.ini", "-l", "web1", "plan.json"];
    assert_snapshot!(desk.refused(&hosts, 0), @"
    exit status: 0
    ----- stdout
    plan: plan.json

      play #1 (web:!web3): web tier	TAGS: [tier]
        pattern: ['web:!web3']
        hosts (1):
          web1

      play #2 (db1): db1	TAGS: []
        pattern: ['db1']
        hosts (0):
    ");
    let tasks = [
        "--list-tasks",
        "-i",
        "hosts.ini",
        "-t",
        "a,rare",
        "plan.json",
    ];
    assert_snapshot!(desk.refused(&tasks, 0), @"
    exit status: 0
    ----- stdout
    plan: plan.json

      play #1 (web:!web3): web tier	TAGS: [tier]
        tasks:
          greet	TAGS: [a, b, tier]
          seldom	TAGS: [never, rare, tier]

      play #2 (db1): db1	TAGS: []
        tasks:
    ");
    let tags = [
        "--list-tags",
        "-i",
        "hosts.ini",
        "--skip-tags",
        "a",
        "plan.json",
    ];
    assert_snapshot!(desk.refused(&tags, 0), @"
    exit status: 0
    ----- stdout
    plan: plan.json

      play #1 (web:!web3): web tier	TAGS: [tier]
          TASK TAGS: [tier]

      play #2 (db1): db1	TAGS: []
          TASK TAGS: []
    ");
    let nobody = ["--list-hosts", "-i", "hosts.ini", "-l", "web9", "plan.json"];
    assert_snapshot!(desk.refused(&nobody, 8), @"
    exit status: 8
    ----- stderr
    error: no hosts matched `db1`, `web:!web3` with `--limit web9`
    hint: check `--limit`, and the hosts of the plays against the inventory
    ");
}
