//! Services under a `systemctl` that answers from a folder: what is asked of it, and what comes back.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustle_module::ModuleResult;
use rustle_testkit::golden::is_sandbox;
use serde_json::{Value, json};

use crate::calls::call_with_path;

/// Keeps `active` and `enabled` in files beside it, and every call in `calls`.
const SYSTEMCTL: &str = r#"#!/bin/sh
here=/var/fake-systemctl
verb=$1
for unit; do :; done
echo "$*" >>$here/calls
case $verb in
show)
    [ "$unit" = web ] || { echo LoadState=not-found; echo ActiveState=inactive; exit 0; }
    echo "Id=web.service"; echo LoadState=loaded
    echo "ActiveState=$(cat $here/active)" ;;
is-enabled) cat $here/enabled; [ "$(cat $here/enabled)" = enabled ] ;;
start|restart) echo active >$here/active ;;
stop) echo inactive >$here/active ;;
reload) echo "Job failed" >&2; exit 1 ;;
enable) echo enabled >$here/enabled ;;
disable) echo disabled >$here/enabled ;;
mask) echo masked >$here/enabled ;;
esac
"#;

const FOLDER: &str = "/var/fake-systemctl";

fn set_up() {
    fs::create_dir_all(FOLDER).expect("a folder");
    fs::create_dir_all("/var/fake-bin").expect("a folder");
    fs::write(Path::new(FOLDER).join("active"), "inactive\n").expect("a file");
    fs::write(Path::new(FOLDER).join("enabled"), "disabled\n").expect("a file");
    let program = Path::new("/var/fake-bin/systemctl");
    fs::write(program, SYSTEMCTL).expect("a program");
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("its mode");
}

fn call(module: &str, args: &Value, check: bool) -> ModuleResult {
    call_with_path("/var/fake-bin:/usr/bin:/bin", module, args, check)
}

/// What `systemctl` was told to do, without what it was asked.
fn told() -> Vec<String> {
    let path = Path::new(FOLDER).join("calls");
    let calls = fs::read_to_string(&path).unwrap_or_default();
    let _ignored = fs::remove_file(path);
    let calls = calls.lines().map(ToOwned::to_owned);
    calls
        .filter(|call| !call.starts_with("show") && !call.starts_with("is-enabled"))
        .collect()
}

#[test]
fn units_are_told_only_what_is_needed() {
    if !is_sandbox("services::units_are_told_only_what_is_needed") {
        return;
    }
    set_up();
    let started = json!({"name": "web", "state": "started", "enabled": true});
    let checked = call("systemd", &started, true);
    assert!(checked.changed && told().is_empty(), "{checked:?}");
    let result = call("systemd", &started, false);
    assert!(result.changed && !result.failed, "{result:?}");
    assert_eq!(told(), ["enable -- web", "start -- web"]);
    assert_eq!(result.result["state"], "started");
    assert_eq!(result.result["enabled"], true);
    assert_eq!(result.result["status"]["Id"], "web.service");
    let again = call(
        "service",
        &json!({"name": "web", "state": "started", "use": "systemd"}),
        false,
    );
    assert!(!again.changed && told().is_empty(), "{again:?}");
    let restarted = json!({"name": "web", "state": "restarted", "daemon_reload": true});
    assert!(call("systemd_service", &restarted, false).changed);
    assert_eq!(told(), ["daemon-reload", "restart -- web"]);
    let masked = json!({"name": "web", "masked": true, "no_block": true});
    assert!(call("systemd", &masked, false).changed);
}

#[test]
fn units_that_fail_or_are_missing_say_so() {
    if !is_sandbox("services::units_that_fail_or_are_missing_say_so") {
        return;
    }
    set_up();
    assert!(
        !call(
            "systemd",
            &json!({"name": "web", "state": "started"}),
            false
        )
        .failed
    );
    for (args, msg) in [
        (
            json!({"name": "web", "state": "reloaded"}),
            "Unable to reload service web: Job failed\n",
        ),
        (
            json!({"name": "-x", "state": "started"}),
            "Could not find the requested service -x: host",
        ),
        (
            json!({"name": "w*", "state": "started"}),
            "This module does not currently support using glob patterns, found '*' in service name: w*",
        ),
        (
            json!({"enabled": true}),
            "missing parameter(s) required by 'enabled': name",
        ),
    ] {
        let result = call("systemd", &args, false);
        assert_eq!((result.failed, result.msg), (true, Some(msg.into())));
    }
}
