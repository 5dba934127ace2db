//! Plans and inventories that cannot be used: each is told, and none touches a host.

use insta::assert_snapshot;

use crate::{Desk, PLAN};

/// A plan of one play on `web1` with these tasks, and more of the play.
fn plan_of(tasks: &str, more: &str) -> String {
    format!(r#"{{"plays": [{{"hosts": ["web1"], "tasks": [{tasks}]{more}}}]}}"#)
}

#[test]
fn plan_that_is_not_there() {
    assert_snapshot!(Desk::new().refused(&["plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` cannot be read: No such file or directory (os error 2)
    ");
}

#[test]
fn empty_plan() {
    assert_snapshot!(Desk::new().refused_plan("", &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is empty
    hint: `rustle-plan` writes a plan to its standard output; was the step before this one successful?
    ");
    assert_snapshot!(Desk::new().refused(&["-"], 3), @"
    exit status: 3
    ----- stderr
    error: the plan is empty
    hint: `rustle-plan` writes a plan to its standard output; was the step before this one successful?
    ");
}

#[test]
fn plan_that_is_no_json() {
    let desk = Desk::new();
    assert_snapshot!(desk.refused_plan("plays:\n  - hosts: all\n", &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not JSON (line 1, column 1): expected value
    hint: a plan is one JSON object, as `rustle-plan` writes it
    ");
    assert_snapshot!(desk.refused_plan(&PLAN[..40], &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not JSON (line 1, column 40): EOF while parsing a string
    hint: a plan is one JSON object, as `rustle-plan` writes it
    ");
    assert_snapshot!(desk.refused_plan(b"\x00\xff\xfe", &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not JSON (line 1, column 1): expected value
    hint: a plan is one JSON object, as `rustle-plan` writes it
    ");
}

#[test]
fn hundred_megabytes_of_brackets() {
    assert_snapshot!(Desk::new().refused_plan(vec![b'['; 100 << 20], &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not JSON (line 1, column 128): recursion limit exceeded
    hint: a plan is one JSON object, as `rustle-plan` writes it
    ");
}

#[test]
fn json_that_is_no_plan() {
    let desk = Desk::new();
    assert_snapshot!(desk.refused_plan("{}", &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      missing field `plays`
    ");
    assert_snapshot!(desk.refused_plan("[]", &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      expected a plan (an object), found a list
    ");
    let parsed = r#"{"facts_required": false, "plays": [{"hosts": "all", "tasks": [{"id": "t", "module": "ping"}]}]}"#;
    assert_snapshot!(desk.refused_plan(parsed, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is the output of `rustle-parse`, not an execution plan
    hint: make a plan of it: rustle-parse playbook.yml | rustle-plan | rustle-exec
    ");
}

#[test]
fn plan_of_another_version() {
    assert_snapshot!(Desk::new().refused_plan(PLAN.replacen('{', r#"{"plan_version": 2, "#, 1), &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plan_version: version 2 is newer than what this program reads, 1
    hint: a newer rustle-exec may read it
    ");
}

#[test]
fn wrong_types_are_told_all_at_once() {
    let tasks = r#"{"module": "ping", "retries": "many", "register": 5}, {"module": ["ping"]}"#;
    assert_snapshot!(Desk::new().refused_plan(plan_of(tasks, r#", "strategy": "rollin""#), &[]), @r#"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].strategy: unknown strategy `rollin`
      plays[0].tasks[0].retries: expected a whole number ≥ 0, found "many"
      plays[0].tasks[1].module: expected text, found a list
      plays[0].tasks[1]: names no module and no block
      plays[0].tasks[0].register: `5` is no name of a variable
    hint: did you mean `rolling`? strategies are linear, rolling, parallel, free, batch, host-pinned, binary-hybrid, binary-only
    hint: a task has `module` and `args`, or `block`, or is written as in a playbook
    hint: names have letters, digits and `_`, and do not begin with a digit
    "#);
}

#[test]
fn unknown_fields_are_warned_of_and_refused_when_strict() {
    let desk = Desk::new();
    let plan = plan_of(r#"{"task_id": "task_3", "module": "ping", "lop": [1]}"#, "");
    assert_snapshot!(desk.refused_plan(&plan, &["--strict"]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].tasks[0]: unknown field `lop` in task `task_3`; did you mean `loop`?
    ");
    let output = desk.exec(&["--dry-run", "plan.json"]).run();
    output.success();
    assert_snapshot!(output.stderr, @"warning: plan `plan.json`: plays[0].tasks[0]: unknown field `lop` in task `task_3`; did you mean `loop`?");
}

#[test]
fn handler_that_nobody_defines() {
    let plan = plan_of(
        r#"{"module": "ping", "notify": "restart ngix"}"#,
        r#", "handlers": [{"name": "restart nginx", "module": "ping"}]"#,
    );
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].tasks[0].notify[0]: no handler has the name `restart ngix` or listens to it
    hint: did you mean `restart nginx`?
    ");
}

#[test]
fn batches_that_wait_for_each_other() {
    let batch = |id: &str, after: &str| {
        format!(
            r#"{{"batch_id": "{id}", "dependencies": ["{after}"], "tasks": [{{"module": "ping"}}]}}"#
        )
    };
    let plan = format!(
        r#"{{"plays": [{{"hosts": ["web1"], "batches": [{}, {}]}}]}}"#,
        batch("a", "b"),
        batch("b", "a")
    );
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].batches: batches wait for each other: `a` → `b` → `a`
    ");
}

#[test]
fn play_without_hosts() {
    assert_snapshot!(Desk::new().refused_plan(r#"{"plays": [{"name": "web", "hosts": [], "tasks": [{"module": "ping"}]}]}"#, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].hosts: play `web` names no hosts: neither it nor any of its batches
    hint: `rustle-plan` 0.1 resolves only `all` and literal names, and writes an empty list for a group or a pattern; give the `rustle-parse` output with `-i`, or a `hosts_pattern` in the play
    ");
}

#[test]
fn unknown_modules_are_told_with_the_nearest_names() {
    let plan = plan_of(
        r#"{"module": "comand", "args": {"cmd": "true"}}, {"module": "acme.cloud.vm"}"#,
        "",
    );
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].tasks[0].module: unknown module `comand`
      plays[0].tasks[1].module: unknown module `acme.cloud.vm`
    hint: did you mean `command`?
    hint: this version does not have it; nothing is run in its place (looked for it in Ansible, which is not here: `--ansible-path` names its place)
    ");
}

#[test]
fn unknown_and_missing_arguments_are_told() {
    let plan = plan_of(
        r#"{"module": "file", "args": {"path": "/tmp/x", "onwer": "root"}}, {"module": "copy", "args": {"content": "x"}}"#,
        "",
    );
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].tasks[0].args: unknown argument `onwer` of module `file`
      plays[0].tasks[1].args: missing argument `dest`
    hint: did you mean `owner`?
    ");
}

#[test]
fn inventory_that_does_not_parse() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    desk.write("hosts.ini", "web1\n\n[web:vrs]\nport=80\n");
    assert_snapshot!(desk.refused(&["-i", "hosts.ini", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: inventory `$DIR/hosts.ini`, line 3: unknown kind of section `vrs` in `[web:vrs]`
    hint: sections are `[group]`, `[group:vars]` and `[group:children]`
    ");
    desk.write("hosts.yml", "all:\n  hosts:\n    web1: [\n");
    assert_snapshot!(desk.refused(&["-i", "hosts.yml", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: inventory `$DIR/hosts.yml`, line 3, column 11: unclosed bracket '['
    ");
    assert_snapshot!(desk.refused(&["-i", "missing.ini", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: inventory `$DIR/missing.ini`: cannot be read: entity not found
    hint: a list of hosts ends with a comma: `-i web01,`
    ");
}

#[test]
fn limit_that_is_no_pattern() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    assert_snapshot!(desk.refused(&["-l", "~web(", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: the host pattern `~web(` cannot be read: the host pattern `~web(` is not a regular expression: Parsing error at position 9: Opening parenthesis without closing parenthesis
    ");
}

#[test]
fn mistakes_are_told_with_the_names_of_their_tasks_and_plays() {
    let plan = r#"{"plays": [{"name": "Web servers", "hosts": ["web1"], "serial": "many", "tasks": [
        {"name": "Roll out", "block": [{"name": "Restart", "module": "ping", "register": "my-result", "when": "a is definded"}]},
        {"name": "Restrt", "module": "servce"}]}]}"#;
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @r#"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].serial (play `Web servers`): expected a number of hosts or a percentage of them, found "many"
      plays[0].tasks[0].block[0].register (task `Restart`): `my-result` is no name of a variable
    hint: names have letters, digits and `_`, and do not begin with a digit
    "#);
    let plan =
        r#"{"plays": [{"hosts": ["web1"], "tasks": [{"name": "Restart", "module": "servce"}]}]}"#;
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].tasks[0].module (task `Restart`): unknown module `servce`
    hint: did you mean `service`?
    ");
}

#[test]
fn pattern_that_fits_no_host_is_named() {
    let desk = Desk::new();
    desk.write("hosts", "[web]\nweb1\n");
    desk.write(
        "plan.json",
        r#"{"plays": [{"hosts": "wbe", "tasks": [{"module": "ping"}]}]}"#,
    );
    assert_snapshot!(desk.refused(&["-i", "hosts", "plan.json"], 8), @"
    exit status: 8
    ----- stderr
    error: no hosts matched `wbe`
    hint: check `--limit`, and the hosts of the plays against the inventory
    ");
    assert_snapshot!(desk.refused(&["-i", "hosts", "-l", "db", "plan.json"], 8), @"
    exit status: 8
    ----- stderr
    error: no hosts matched `wbe` with `--limit db`
    hint: check `--limit`, and the hosts of the plays against the inventory
    ");
}

#[test]
fn failures_say_which_condition_it_was() {
    let desk = Desk::new();
    let tasks = r#"{"name": "Checked", "module": "assert", "args": {"that": ["1 == 1", "1 == 2"]}, "ignore_errors": true},
        {"name": "Judged", "module": "shell", "args": {"_raw_params": "echo bad"}, "register": "r", "failed_when": "'bad' in r.stdout"}"#;
    desk.write("plan.json", plan_of(tasks, "").replace("web1", "localhost"));
    let output = desk.exec(&["plan.json"]).run();
    output.expect_code(2);
    assert!(output.stderr.contains("condition  1 == 2"), "{output}");
    assert!(
        output
            .stderr
            .contains("message  the condition of `failed_when` holds"),
        "{output}"
    );
}

#[test]
fn run_that_cannot_go_on_does_not_say_that_it_is_done() {
    let desk = Desk::new();
    let plan = plan_of(
        r#"{"module": "ping"}"#,
        r#", "name": "Web", "vars_files": ["secrets.yml"]"#,
    );
    desk.write("plan.json", plan.replace("web1", "localhost"));
    let output = desk.exec(&["plan.json"]).run();
    output.expect_code(3);
    assert!(!output.stderr.contains("done: "), "{output}");
    assert!(
        output
            .stderr
            .contains("error: play `Web`: cannot read variables from"),
        "{output}"
    );
}

#[test]
fn mistakes_in_what_tasks_bring_in_for_sure() {
    let plan = r#"{
        "plays": [{"hosts": ["web1"], "tasks": [
            {"include_tasks": "tasks/a.yml"},
            {"include_role": {"name": "web"}},
            {"include_tasks": "windows.yml", "when": "ansible_os_family == 'Windows'"},
            {"include_tasks": "{{ kind }}.yml"}
        ]}],
        "includes": {
            "tasks/a.yml": [{"pingg": {}}, {"include_tasks": "b.yml"}],
            "tasks/b.yml": [{"module": "file", "args": {"path": "/x", "onwer": "root"}}],
            "windows.yml": [{"module": "win_ping"}], "linux.yml": [{"module": "nothing"}]
        },
        "roles": {"web": {
            "tasks": {"main.yml": [{"module": "copyy"}], "other.yml": [{"module": "unreached"}]},
            "handlers": [{"name": "h", "module": "servicee"}], "dependencies": ["base"]
        }, "base": {"tasks": {"main.yml": [{"module": "fil"}]}}}
    }"#;
    assert_snapshot!(Desk::new().refused_plan(plan, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      includes.tasks/a.yml[0].module: unknown module `pingg`
      roles.web.handlers[0].module: unknown module `servicee`
      roles.web.tasks.main.yml[0].module: unknown module `copyy`
      includes.tasks/b.yml[0].args: unknown argument `onwer` of module `file`
      roles.base.tasks.main.yml[0].module: unknown module `fil`
    hint: did you mean `ping`?
    hint: did you mean `service`?
    hint: did you mean `copy`?
    hint: did you mean `owner`?
    hint: did you mean `fail` or `file`?
    ");
}
