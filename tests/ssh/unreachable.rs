//! Hosts that cannot be reached: what is told, and that the others go on.

use std::fs;

use insta::assert_snapshot;
use rustle_testkit::{Output, Sshd, SshdOptions};
use serde_json::json;

use crate::site::{Site, ping, plan};

/// Runs a ping, which must find no host, and returns what the report says.
#[track_caller]
fn refused(site: &Site) -> String {
    let output = site.run(&ping());
    output.expect_code(4);
    site.failures(&output)
}

/// Fingerprints are new in each test.
fn without_fingerprints(text: &str) -> String {
    let pattern = regex::Regex::new("SHA256:[A-Za-z0-9+/]+").expect("well formed");
    pattern.replace_all(text, "SHA256:[key]").into_owned()
}

#[test]
fn host_with_another_key_than_the_known_one() {
    let site = Site::of(1);
    site.hosts[0].rotate_host_key();
    assert_snapshot!(without_fingerprints(&refused(&site)), @"
    exit status: 4
    node1 Unreachable: authenticating failed: the key of 127.0.0.1 is not the one that is known for it SHA256:[key]
    hint: if the host was installed anew remove its old key with `ssh-keygen -f '$HOST_DIR/known_hosts' -R '[127.0.0.1]:$PORT'`; if not, somebody may be in between
    ");
}

#[test]
fn host_whose_key_is_not_known() {
    let site = Site::of(1);
    fs::write(site.hosts[0].known_hosts(), "").expect("the file is ours");
    assert_snapshot!(without_fingerprints(&refused(&site)), @"
    exit status: 4
    node1 Unreachable: authenticating failed: No ED25519 host key is known for [127.0.0.1]:$PORT and you have requested strict checking.
    hint: log in once by hand to compare and keep its key, or accept new keys with --accept-new-host-keys
    ");
}

#[test]
fn unknown_key_is_accepted_and_kept_only_when_asked_for() {
    let site = Site::of(1);
    let known = site.hosts[0].known_hosts();
    fs::write(&known, "").expect("the file is ours");
    // The inventory of the test kit insists on known keys, and what a user says comes first.
    let inventory = site
        .inventory()
        .replace("-o StrictHostKeyChecking=yes ", "");
    site.world.write("hosts.ini", inventory);
    site.run(&ping()).expect_code(4);
    assert_eq!(fs::read_to_string(&known).expect("it is there"), "");
    site.exec(&["--accept-new-host-keys", "plan.json"])
        .run()
        .success();
    assert!(
        fs::read_to_string(&known)
            .expect("it is there")
            .contains("ssh-ed25519")
    );
    site.run(&ping()).success();
    site.hosts[0].rotate_host_key();
    let output = site.exec(&["--accept-new-host-keys", "plan.json"]).run();
    output.expect_code(4);
    let told = site.failures(&output);
    assert!(
        told.contains("is not the one that is known"),
        "a changed key is never accepted: {told}"
    );
}

#[test]
fn key_that_is_not_allowed() {
    let site = Site::with([SshdOptions {
        refuse_key: true,
        ..SshdOptions::default()
    }]);
    assert_snapshot!(refused(&site), @"
    exit status: 4
    node1 Unreachable: authenticating failed: $USER@127.0.0.1: Permission denied (publickey).
    hint: check that user `$USER` exists there and that one of your keys is allowed (ansible_user, ansible_ssh_private_key_file)
    ");
}

#[test]
fn user_that_does_not_exist() {
    let site = Site::of(1);
    let user = format!("ansible_user={}", site.hosts[0].user());
    let inventory = site.inventory().replace(&user, "ansible_user=nobody-here");
    site.world.write("hosts.ini", inventory);
    assert_snapshot!(refused(&site), @"
    exit status: 4
    node1 Unreachable: authenticating failed: nobody-here@127.0.0.1: Permission denied (publickey).
    hint: check that user `nobody-here` exists there and that one of your keys is allowed (ansible_user, ansible_ssh_private_key_file)
    ");
}

#[test]
fn port_that_nobody_listens_on() {
    let mut site = Site::of(1);
    site.hosts[0].stop();
    assert_snapshot!(refused(&site), @"
    exit status: 4
    node1 Unreachable: connecting failed: ssh: connect to host 127.0.0.1 port $PORT: Connection refused
    ");
}

#[test]
fn name_that_has_no_address() {
    let site = Site::of(1);
    let inventory = site.inventory().replace(
        "ansible_host=127.0.0.1",
        "ansible_host=no-such-host.invalid",
    );
    site.world.write("hosts.ini", inventory);
    let told = refused(&site);
    // The resolver's own words differ from one machine to the next.
    assert!(
        told.contains("connecting failed: ssh: Could not resolve hostname no-such-host.invalid: "),
        "{told}"
    );
    assert!(
        told.contains("hint: check the name, or set ansible_host to its address"),
        "{told}"
    );
}

#[test]
fn connection_variables_that_make_no_sense() {
    for (bad, part) in [
        (
            "ansible_port=many",
            "`ansible_port` is `many`; expected a number from 1 to 65535",
        ),
        (
            "ansible_connection=winrm",
            "`ansible_connection` is `winrm`; the connections are ssh and local",
        ),
    ] {
        let site = Site::of(1);
        site.world
            .write("hosts.ini", format!("[hosts]\nnode1 {bad}\n"));
        let told = refused(&site);
        assert!(told.contains(part), "{told}");
    }
}

#[test]
fn ssh_option_that_does_not_exist() {
    let site = Site::of(1);
    let inventory = site
        .inventory()
        .replace("-F none", "-F none -o NoSuchOption=1");
    site.world.write("hosts.ini", inventory);
    assert_snapshot!(refused(&site), @"
    exit status: 4
    node1 Unreachable: reading the connection variables failed: command-line: line 0: Bad configuration option: nosuchoption
    hint: check ansible_ssh_common_args
    ");
}

#[test]
fn command_line_and_terminal_tell_of_it_too() {
    let site = Site::with([SshdOptions {
        refuse_key: true,
        ..SshdOptions::default()
    }]);
    let output = site.run(&ping());
    assert_snapshot!(output, @"
    exit status: 4
    ----- stderr

    play play: 1 host, Linear
     unreachable  reach  [node1]
                  message  authenticating failed: $USER@127.0.0.1: Permission denied (publickey).
                  hint     check that user `$USER` exists there and that one of your keys is allowed (ansible_user, ansible_ssh_private_key_file)
         warning  stopped early: no hosts are left

    failures
     unreachable  reach  [node1]
                  message  authenticating failed: $USER@127.0.0.1: Permission denied (publickey).
                  hint     check that user `$USER` exists there and that one of your keys is allowed (ansible_user, ansible_ssh_private_key_file)

    stopped early
      play play: no hosts are left

    recap
      host     ok  changed  unreachable  failed  skipped  rescued  ignored
      node1     0        0            1       0        0        0        0

    unreachable: 1 of 1 host in [time]; 0 ok, 0 changed, 1 unreachable
    ");
}

#[test]
fn passing_failures_are_tried_again() {
    let mut site = Site::of(1);
    site.hosts[0].stop();
    site.world
        .write("plan.json", plan("hosts", &ping()).to_string());
    let output = site
        .exec(&["--retries", "2", "--retry-delay", "1", "plan.json"])
        .run();
    output.expect_code(4);
    assert_eq!(site.report()["performance_metrics"]["reconnects"], 2);
}

/// Three hosts, of which the second refuses our key, and a plan of two tasks.
fn with_one_bad() -> Site {
    let bad = SshdOptions {
        refuse_key: true,
        ..SshdOptions::default()
    };
    Site::with([SshdOptions::default(), bad, SshdOptions::default()])
}

/// Requires that the good hosts did everything, and the bad one nothing.
fn require_others(site: &Site, output: &Output) {
    let report = site.report();
    for host in ["node1", "node3"] {
        assert_eq!(report["stats"][host]["ok"], 2, "{output}");
    }
    assert_eq!(report["stats"]["node2"]["unreachable"], 1, "{output}");
    assert_eq!(report["stats"]["node2"]["ok"], 0, "{output}");
    assert_eq!(report["summary"]["unreachable_hosts"], 1);
}

#[test]
fn others_go_on_without_the_unreachable_host() {
    let site = with_one_bad();
    let output = site.run(&json!([
        { "name": "one", "module": "command", "args": { "_raw_params": "true" } },
        { "name": "two", "module": "command", "args": { "_raw_params": "true" } },
    ]));
    output.expect_code(4);
    require_others(&site, &output);
}

#[test]
fn failed_task_and_unreachable_host_together_end_with_6() {
    let site = with_one_bad();
    let output = site.run(&json!([
        { "name": "one", "module": "command", "args": { "_raw_params": "true" } },
        { "name": "two", "module": "command", "args": { "_raw_params": "true" } },
        { "name": "three", "module": "fail", "when": "inventory_hostname == 'node3'" },
    ]));
    output.expect_code(6);
    require_others(&site, &output);
}

#[test]
fn unreachable_host_keeps_no_server_busy() {
    let site = with_one_bad();
    site.run(&ping()).expect_code(4);
    let refused: &Sshd = &site.hosts[1];
    assert_eq!(
        refused.log().matches("Connection from").count(),
        2,
        "ours, and the greeting: {}",
        refused.log()
    );
}
