//! Logging in by a password, which is seen nowhere.

use rustle_testkit::{Sshd, SshdOptions};
use serde_json::{Value, json};

use crate::site::{Site, ping, plan};

/// A host that takes no key of ours, but a password.
fn site() -> Site {
    Site::with([SshdOptions {
        refuse_key: true,
        takes_password: true,
        ..SshdOptions::default()
    }])
}

/// Sets the variable for all hosts.
fn set(site: &Site, name: &str, value: &str) {
    let inventory = format!("{}\n[all:vars]\n{name}='{value}'\n", site.inventory());
    site.world.write("hosts.ini", inventory);
}

/// The command lines and environments of the processes that the task finds, but for what this test itself runs.
fn seen() -> Value {
    let look = "for p in /proc/[0-9]*; do tr '\\0' ' ' <$p/cmdline; tr '\\0' ' ' <$p/environ; done 2>/dev/null; true";
    json!([{ "name": "look", "module": "shell", "args": { "_raw_params": look } }])
}

#[test]
fn password_of_a_variable_logs_in_and_is_seen_nowhere() {
    for name in ["ansible_password", "ansible_ssh_pass"] {
        let site = site();
        set(&site, name, Sshd::PASSWORD);
        site.run(&seen()).success();
        let report = site.world.read("report.json");
        assert!(
            report.contains("SSH_ASKPASS"),
            "the master's environment is among what was seen"
        );
        assert!(!report.contains(Sshd::PASSWORD), "{report}");
        site.hosts[0].wait_for_log("Accepted password for ", 1);
    }
}

#[test]
fn password_of_a_file_or_of_a_program_logs_in() {
    let site = site();
    site.world
        .write("plan.json", plan("hosts", &ping()).to_string());
    site.world.write("word", format!("{}\n", Sshd::PASSWORD));
    site.exec(&["plan.json", "--connection-password-file", "word"])
        .run()
        .success();
    let script = format!("#!/bin/sh\necho '{}'\n", Sshd::PASSWORD);
    let program = site.world.write("ring", script);
    let may_run = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(program, may_run).expect("it is ours");
    site.exec(&["plan.json", "--connection-password-file", "ring"])
        .run()
        .success();
}

#[test]
fn wrong_password_is_told_at_once_and_tried_once() {
    let site = site();
    set(&site, "ansible_password", "wrong");
    let output = site.run(&ping());
    insta::assert_snapshot!(site.failures(&output), @"
    exit status: 4
    node1 Unreachable: authenticating failed: the password was not accepted: $USER@127.0.0.1: Permission denied (publickey,password).
    hint: check the password of user `$USER` (ansible_password, --ask-pass)
    ");
    assert_eq!(site.hosts[0].log().matches("Failed password").count(), 1);
}

#[test]
fn host_that_takes_no_passwords_says_so() {
    let site = Site::with([SshdOptions {
        refuse_key: true,
        ..SshdOptions::default()
    }]);
    set(&site, "ansible_password", Sshd::PASSWORD);
    let output = site.run(&ping());
    insta::assert_snapshot!(site.failures(&output), @"
    exit status: 4
    node1 Unreachable: authenticating failed: the host takes no passwords: $USER@127.0.0.1: Permission denied (publickey).
    hint: log in by a key, or set `PasswordAuthentication yes` in the host's sshd_config
    ");
}

#[test]
fn password_is_no_answer_to_the_question_about_an_unknown_key() {
    let site = site();
    site.hosts[0].rotate_host_key();
    set(&site, "ansible_password", Sshd::PASSWORD);
    let inventory = site.world.read("hosts.ini");
    let asking = inventory.replace("StrictHostKeyChecking=yes", "StrictHostKeyChecking=ask");
    site.world.write(
        "hosts.ini",
        asking.replace("UserKnownHostsFile=", "UserKnownHostsFile=/nowhere"),
    );
    let output = site.run(&ping());
    output.expect_code(4);
    assert!(
        !site.hosts[0].log().contains("password for"),
        "{}",
        site.hosts[0].log()
    );
}
