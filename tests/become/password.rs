//! A user without rights becomes root, by a password.

use insta::assert_snapshot;
use rustle_testkit::Output;
use serde_json::{Value, json};

use crate::desk::Desk;

/// Covers the user database and sudo's rules, makes a user `carol` who may do anything by her password `secret`, and runs the rest as her.
///
/// `/root` is covered too, since an agent of root's is kept there.
const AS_CAROL: &str = r#"set -e
cover=$OPEN/cover; mkdir "$cover"
cp /etc/passwd /etc/group /etc/shadow "$cover/"
echo "carol:x:54321:54321::$OPEN/carol:/bin/sh" >>"$cover/passwd"
echo "carol:x:54321:" >>"$cover/group"
echo "carol:$HASH:19000:0:99999:7:::" >>"$cover/shadow"
printf 'Defaults !lecture\nroot ALL=(ALL:ALL) ALL\n%s\n' "$RULE" >"$cover/sudoers"
chmod 0440 "$cover/sudoers"; chmod 0640 "$cover/shadow"
for name in passwd group shadow sudoers; do mount --bind "$cover/$name" "/etc/$name"; done
mount -t tmpfs -o mode=0700 none /root
mount -t tmpfs -o mode=0755 none /run
mkdir -p "$OPEN/carol"; chown 54321:54321 "$OPEN/carol"
cd "$OPEN/carol"
exec setpriv --reuid 54321 --regid 54321 --clear-groups env -i PATH="$PATH" HOME="$OPEN/carol" LOGNAME=carol USER=carol NO_COLOR=1 COLUMNS=100 \
  "$PROGRAM" --report-file report.json "$PLAN" "$@"
"#;

/// `secret`, by SHA-512.
const HASH: &str = "$6$rustle$WS4xTZxMdeneHmzlb5Afbw5F.7hry5OuVk.kt34D0ciPi5JKctvtB55oKqbvMIVtOY2nLmpiR5ZTOummFwIdv0";

const BY_PASSWORD: &str = "carol ALL=(ALL:ALL) ALL";

fn as_carol(desk: &Desk, rule: &str, arguments: &[&str]) -> (Output, Value) {
    let tasks = json!([{ "name": "who", "module": "command", "args": { "_raw_params": "id -un" }, "become": true }]);
    let plan = desk.write_plan(&tasks);
    std::fs::copy(plan, desk.open("plan.json")).expect("everybody can write there");
    std::fs::copy(env!("CARGO_BIN_EXE_rustle-exec"), desk.open("program"))
        .expect("everybody can write there");
    let output = desk
        .world
        .command("unshare")
        .args(["--mount", "sh", "-c", AS_CAROL, "sh"])
        .args(arguments)
        .env("OPEN", desk.open(""))
        .env("PROGRAM", desk.open("program"))
        .env("PLAN", desk.open("plan.json"))
        .env("RULE", rule)
        .env("HASH", HASH)
        .run();
    let report = desk.open("carol/report.json");
    assert!(
        report.exists(),
        "this test needs a machine where root may mount: {output}"
    );
    let result = desk.results(&report).remove(0);
    (output, result)
}

fn message(desk: &Desk, rule: &str, arguments: &[&str]) -> String {
    let (output, result) = as_carol(desk, rule, arguments);
    output.expect_code(2);
    let report = std::fs::read_to_string(desk.open("carol/report.json")).expect("it is there");
    assert!(
        !report.contains("not-her-word"),
        "a password is in the report"
    );
    output.masked(result["result"]["msg"].as_str().unwrap_or_default())
}

#[test]
fn right_password_lets_her_in() {
    let desk = Desk::new();
    let (output, result) = as_carol(
        &desk,
        BY_PASSWORD,
        &["-e", "ansible_become_password=secret"],
    );
    output.success();
    assert_eq!(result["stdout"], "root");
    let report = std::fs::read_to_string(desk.open("carol/report.json")).expect("it is there");
    assert!(!report.contains("secret"), "the password is in the report");
}

#[test]
fn wrong_password_is_told() {
    let desk = Desk::new();
    assert_snapshot!(message(&desk, BY_PASSWORD, &["-e", "ansible_become_password=not-her-word"]), @"cannot become `root` by sudo: the password is wrong");
}

#[test]
fn missing_password_is_told() {
    assert_snapshot!(message(&Desk::new(), BY_PASSWORD, &[]), @"cannot become `root` by sudo: it asks for a password and none was given (by ansible_become_password or --ask-become-pass)");
}

#[test]
fn rule_that_is_missing_is_told() {
    let told = message(&Desk::new(), "", &["-e", "ansible_become_password=secret"]);
    assert!(told.contains("carol is not in the sudoers file"), "{told}");
}

#[test]
fn rule_without_a_password_needs_none() {
    let (output, result) = as_carol(&Desk::new(), "carol ALL=(ALL:ALL) NOPASSWD: ALL", &[]);
    output.success();
    assert_eq!(result["stdout"], "root");
}
