//! What `--dry-run` prints.

use insta::assert_snapshot;

use crate::{Desk, PLAN};

#[test]
fn schedule_is_printed_and_no_host_is_touched() {
    let desk = Desk::new();
    desk.write("hosts.ini", "[web]\nweb[1:3]\n[db]\ndb1\n");
    desk.write(
        "plan.json",
        r#"{"plays": [
            {"name": "web tier", "hosts": "web", "serial": 2,
             "tasks": [
                {"name": "greet", "module": "command", "args": {"_raw_params": "echo hi"}, "notify": "restart"},
                {"name": "both", "block": [{"name": "inner", "module": "ping"}]}],
             "handlers": [{"name": "restart", "module": "command", "args": {"_raw_params": "true"}}]},
            {"name": "databases", "hosts": "db", "strategy": "free", "tasks": [{"module": "ping"}]}]}"#,
    );
    assert_snapshot!(desk.refused(&["--dry-run", "-i", "hosts.ini", "plan.json"], 0), @"
    exit status: 0
    ----- stdout
    play 1: web tier (Linear)
      hosts (3): web1, web2, web3
      batch 1 of 2 (2): web1, web2
        greet (command)
          inner (ping)
      batch 2 of 2 (1): web3
        greet (command)
          inner (ping)
      handlers, where notified
        restart

    play 2: databases (Free)
      hosts (1): db1
        ping
    ");
    assert_snapshot!(desk.refused(&["--dry-run", "-i", "hosts.ini", "-l", "db1", "plan.json"], 0), @"
    exit status: 0
    ----- stdout
    play 1: web tier (Linear)
      no hosts

    play 2: databases (Free)
      hosts (1): db1
        ping
    ");
}

#[test]
fn plan_comes_from_standard_input_too() {
    let desk = Desk::new();
    for arguments in [
        &["--dry-run", "-"][..],
        &["--dry-run"][..],
        &["run", "--dry-run"][..],
    ] {
        let output = desk.exec(arguments).stdin(PLAN).run();
        output.success();
        assert!(output.stdout.starts_with("play 1: one"), "{output}");
    }
}

#[test]
fn plan_named_like_a_command_is_a_path() {
    let desk = Desk::new();
    desk.write("schema", PLAN);
    let output = desk.exec(&["--dry-run", "./schema"]).run();
    output.success();
    assert!(output.stdout.starts_with("play 1: one"), "{output}");
}

#[test]
fn limit_that_leaves_no_host_ends_with_8() {
    let desk = Desk::new();
    desk.write("hosts.ini", "web1\nweb2\n");
    desk.write("plan.json", PLAN);
    assert_snapshot!(desk.refused(&["-i", "hosts.ini", "-l", "db*", "plan.json"], 8), @"
    exit status: 8
    ----- stderr
    error: no hosts matched `web1` with `--limit db*`
    hint: check `--limit`, and the hosts of the plays against the inventory
    ");
}
