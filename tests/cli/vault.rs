//! Encrypted values and files, with and without their passwords.

use insta::assert_snapshot;
use rustle_vault::encrypt;

use crate::Desk;

fn vaulted(text: &str, password: &str, label: &str) -> String {
    encrypt(text.as_bytes(), password, b"a salt", Some(label)).expect("a salt is there")
}

/// A desk with a plan whose values, variables and files are encrypted.
fn desk() -> Desk {
    let desk = Desk::new();
    let plan = serde_json::json!({"plays": [{
        "name": "secrets",
        "hosts": ["localhost"],
        "vars": {"inline": {"__ansible_vault": vaulted("one", "pw", "default")}},
        "vars_files": ["vars.yml"],
        "tasks": [
            {"name": "show", "module": "debug", "args": {"msg": "{{ inline }} {{ of_file }} {{ of_group }} {{ of_extra }}"}},
            {"name": "send", "module": "copy", "args": {"src": "sent", "dest": desk.world.path("out")}},
        ],
    }]});
    desk.write("plan.json", plan.to_string());
    desk.write("hosts", "localhost ansible_connection=local\n");
    desk.write("vars.yml", vaulted("of_file: two", "pw", "default"));
    desk.write(
        "group_vars/all.yml",
        vaulted("of_group: three", "pw", "default"),
    );
    desk.write("extra.yml", vaulted("of_extra: four", "other", "dev"));
    desk.write("files/sent", vaulted("sent", "other", "dev"));
    desk.write("pass", "pw\n");
    desk.write("dev-pass", "other\n");
    desk
}

const PLAIN: [&str; 4] = ["-i", "hosts", "-e", "@extra.yml"];
const OF_DEFAULT: [&str; 2] = ["--vault-password-file", "pass"];
const OF_DEV: [&str; 2] = ["--vault-id", "dev@dev-pass"];

#[test]
fn values_and_files_are_decrypted_wherever_they_are() {
    let desk = desk();
    let report = ["--report-file", "report.json", "plan.json"];
    let arguments = [&PLAIN[..], &OF_DEFAULT, &OF_DEV, &report].concat();
    desk.exec(&arguments).run().success();
    let report: serde_json::Value =
        serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON");
    assert!(
        report.to_string().contains("one two three four"),
        "{report}"
    );
    assert_eq!(desk.world.read("out"), "sent");
}

#[test]
fn without_a_password_the_encrypted_thing_is_named() {
    let desk = desk();
    let inline = r#"{"plays": [{"hosts": ["localhost"], "vars": {"secret": {"__ansible_vault": "$ANSIBLE_VAULT;1.1;AES256"}},
        "tasks": [{"module": "ping"}]}]}"#;
    assert_snapshot!(Desk::new().refused_plan(inline, &[]), @"
    exit status: 3
    ----- stderr
    error: plan `plan.json` is not valid
      plays[0].vars.secret: the value is encrypted, and no vault password was given
    hint: give one by `--vault-password-file`, `--vault-id` or `--ask-vault-pass`
    ");
    assert_snapshot!(desk.refused(&["-i", "hosts", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: inventory `$DIR/group_vars/all.yml`: is encrypted with ansible-vault
    hint: decrypt it, or give a vault password
    ");
    assert_snapshot!(desk.refused(&[&PLAIN[..], &["plan.json"]].concat(), 5), @"
    exit status: 5
    ----- stderr
    error: `--extra-vars @extra.yml` cannot be read: the text is encrypted, and no vault password was given
    hint: variables are given as `key=value`, as JSON or YAML in braces, or as `@FILE`
    ");
    assert_snapshot!(desk.refused(&["-i", "hosts", "--vault-password-file", "dev-pass", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: inventory `$DIR/group_vars/all.yml`: cannot be read: no vault password fits; tried default
    ");
    assert_snapshot!(desk.refused(&["--vault-password-file", "none", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: no vault password from `none`: No such file or directory (os error 2)
    ");
    assert_snapshot!(desk.refused(&["--ask-vault-pass", "plan.json"], 5), @"
    exit status: 5
    ----- stderr
    error: cannot ask for the vault password: standard error is no terminal
    ");
}
