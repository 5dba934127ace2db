//! Help, version, and command lines that make no sense.

use insta::assert_snapshot;

use crate::{Desk, PLAN};

#[test]
fn help_names_every_option_with_its_default() {
    let output = Desk::new().exec(&["--help"]).run();
    output.success();
    assert_snapshot!("help", output.stdout);
}

#[test]
fn version_is_told() {
    let output = Desk::new().exec(&["--version"]).run();
    output.success();
    assert_eq!(
        output.stdout,
        format!("rustle-exec {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn wrong_usage_ends_with_5() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    assert_snapshot!(desk.refused(&["--fork", "3", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: unexpected argument '--fork' found

      tip: a similar argument exists: '--forks'

    Usage: rustle-exec [OPTIONS] [EXECUTION_PLAN]
           rustle-exec <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(desk.refused(&["--forks", "0", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: invalid value '0' for '--forks <NUM>': 0 is not in 1..=4294967295

    For more information, try '--help'.
    ");
    assert_snapshot!(desk.refused(&["--strategy", "rollin", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: invalid value 'rollin' for '--strategy <STRATEGY>': did you mean `rolling`? strategies are linear, rolling, parallel, free, batch, host-pinned, binary-hybrid, binary-only

    For more information, try '--help'.
    ");
    assert_snapshot!(desk.refused(&["--progress", "loud", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: invalid value 'loud' for '--progress <MODE>'
      [possible values: auto, bar, lines, none]

    For more information, try '--help'.
    ");
    assert_snapshot!(desk.refused(&["-i", "hosts.ini", "run", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: options or a plan stand before the command `run`
    hint: options stand after a command; a plan file of that name is `./NAME`
    ");
    assert_snapshot!(desk.refused(&["-e", "verbose", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: `--extra-vars verbose` cannot be read: expected `key=value`, found `verbose`
    hint: variables are given as `key=value`, as JSON or YAML in braces, or as `@FILE`
    ");
}

#[test]
fn what_comes_later_is_refused_by_its_name() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    assert_snapshot!(desk.refused(&["ctl", "pause", "--now"], 5), @"
    exit status: 5
    ----- stderr
    error: `rustle-exec ctl` is not available in this version
    ");
    assert_snapshot!(desk.refused(&["--connection-plugin", "docker", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: `--connection-plugin docker` is not available in this version
    ");
    for word in ["bundle", "collect", "adhoc"] {
        let _ = desk.refused(&[word], 5);
    }
}

#[test]
fn password_is_asked_for_on_a_terminal_only() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    assert_snapshot!(desk.refused(&["-K", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: cannot ask for the become password: standard error is no terminal
    ");
}

#[test]
fn schema_is_printed_for_other_tools() {
    let output = Desk::new().exec(&["schema"]).run();
    output.success();
    let schema: serde_json::Value =
        serde_json::from_str(&output.stdout).expect("the schema is JSON");
    assert_eq!(schema["type"], "object");
}

#[test]
fn reader_that_has_seen_enough_is_no_mistake() {
    let desk = Desk::new();
    let program = env!("CARGO_BIN_EXE_rustle-exec");
    let script = format!("set -o pipefail; '{program}' schema | head -n 1");
    let output = desk.world.command("bash").args(["-c", &script]).run();
    output.success();
    assert_eq!(output.stderr, "");
}
