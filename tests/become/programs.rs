//! Programs that ask in their own ways: in another language, at a terminal, for more than a password, or not at all.
//!
//! They stand in for `su`, `sudo` and `doas` by `become_exe`, so that the tests need no user and no rule on this machine. Their last
//! arguments are the line to run, and for `su` the user.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::desk::Desk;

/// A password that a shell, a terminal or a quote could spoil.
const PASSWORD: &str = "pä$s'\"w\\ord `x` ";

/// Finds `-c LINE` among the arguments, and then lets in.
const LET_IN: &str = r#"while [ "$1" != -c ]; do shift; done; exec /bin/sh -c "$2""#;

/// Becomes by a program of our own; the result of the task.
fn become_by(desk: &Desk, method: &str, script: &str, vars: &Value) -> Value {
    let program = desk.open("program");
    let word = desk.open("word");
    fs::write(&word, PASSWORD).expect("the folder is ours");
    let script = format!(
        "#!/bin/sh\nexpected=$(cat {}; echo x); expected=${{expected%x}}\n{script}\n{LET_IN}\n",
        word.display()
    );
    fs::write(&program, script).expect("the folder is ours");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    let mut all = json!({
        "ansible_become_exe": program,
        "ansible_become_password": PASSWORD,
        "ansible_become_method": method,
    });
    for (name, value) in vars.as_object().expect("a mapping") {
        all[name] = value.clone();
    }
    let tasks = json!([{ "name": "t", "module": "command", "args": { "_raw_params": "echo in" }, "become": true, "vars": all }]);
    // Whether it worked is for the caller to see.
    let _ = desk.run(&tasks, &[]);
    let report = desk.world.path("report.json");
    let text = fs::read_to_string(&report).expect("a report was written");
    assert!(!text.contains("ord `x`"), "the password is in the report");
    desk.results(&report).remove(0)
}

fn told(result: &Value) -> &str {
    result["result"]["msg"].as_str().unwrap_or_default()
}

#[test]
fn prompts_of_every_language_are_answered_once() {
    for prompt in [
        "Passwort: ",
        "パスワード: ",
        "密码：",
        "Mot de passe : ",
        "Enter LDAP Password:",
    ] {
        let script = format!(
            "printf '%s' '{prompt}' >&2; IFS= read -r given; [ \"$given\" = \"$expected\" ] || exit 1"
        );
        let result = become_by(&Desk::new(), "su", &script, &json!({}));
        assert_eq!(result["stdout"], "in", "{prompt}: {}", told(&result));
    }
}

#[test]
fn complaint_that_comes_in_pieces_is_no_prompt() {
    let script = "printf 'su: ' >&2; echo 'you are too late: the office is closed' >&2; exit 1";
    let result = become_by(&Desk::new(), "su", script, &json!({}));
    assert_eq!(
        told(&result),
        "cannot become `root` by su: it ended: su: you are too late: the office is closed"
    );
}

#[test]
fn doas_is_answered_at_its_terminal_and_the_task_has_none() {
    let script = r#"exec 3<>/dev/tty; stty -echo <&3; printf 'doas (me) password: ' >&3
IFS= read -r given <&3; stty echo <&3; exec 3>&-; [ "$given" = "$expected" ] || { echo 'doas: Authentication failed' >&2; exit 1; }"#;
    let desk = Desk::new();
    let result = become_by(&desk, "doas", script, &json!({}));
    assert_eq!(result["stdout"], "in", "{}", told(&result));
    let wrong = become_by(&desk, "doas", script, &json!({ "ansible_doas_pass": "no" }));
    assert_eq!(
        told(&wrong),
        "cannot become `root` by doas: the password is wrong: doas: Authentication failed"
    );
}

#[test]
fn sudo_that_wants_a_terminal_gets_one() {
    let script = r#"(: </dev/tty) 2>/dev/null || { echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1; }"#;
    let result = become_by(&Desk::new(), "sudo", script, &json!({}));
    assert_eq!(result["stdout"], "in", "{}", told(&result));
}

#[test]
fn program_that_asks_for_more_is_not_told_the_password_twice() {
    let script = "printf 'Password: ' >&2; IFS= read -r given; printf 'Verification code: ' >&2; IFS= read -r code";
    let result = become_by(&Desk::new(), "su", script, &json!({}));
    assert_eq!(
        told(&result),
        "cannot become `root` by su: it asks for more than a password: `Verification code:`"
    );
}

#[test]
fn program_that_never_answers_is_given_up_in_time() {
    let script = "echo 'waiting for the director' >&2; exec sleep 600";
    let vars = json!({ "ansible_become_timeout": 0.5 });
    let result = become_by(&Desk::new(), "sudo", script, &vars);
    assert_eq!(
        told(&result),
        "cannot become `root` by sudo: it did not answer within 0.5 s (ansible_become_timeout): waiting for the director"
    );
}

#[test]
fn program_that_is_not_there_is_named() {
    let vars = json!({ "ansible_become_exe": "/opt/no/such/sudo" });
    let result = become_by(&Desk::new(), "sudo", "", &vars);
    assert_eq!(
        told(&result),
        "cannot become `root` by sudo: program `/opt/no/such/sudo` was not found"
    );
}

#[test]
fn method_that_is_not_there_is_refused_before_any_host_is_touched() {
    let desk = Desk::new();
    let tasks = json!([{ "name": "t", "module": "command", "args": { "_raw_params": "true" }, "become": true, "become_method": "machinectl" }]);
    let output = desk.run(&tasks, &[]);
    output.expect_code(3);
    assert!(
        output.stderr.contains("plays[0].tasks[0].become_method (task `t`): become method `machinectl` is not supported; the methods are sudo, su, doas, runuser"),
        "{output}"
    );
}
