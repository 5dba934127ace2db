//! `firewalld` and switches of SELinux, under programs that keep what they are told in files.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use rustle_module::ModuleResult;
use rustle_testkit::golden::{is_sandbox, said};
use serde_json::{Value, json};

use crate::calls::call_with_path;

const FOLDER: &str = "/var/fake-bin";

/// Keeps a file for each thing that a zone has, apart for what is permanent.
const FIREWALL_CMD: &str = r#"#!/bin/sh
state=/var/fake-firewall; mkdir -p $state
kind=now; zone=public
for word; do
    word=$(echo "$word" | tr / _)
    case $word in
    --state) [ -e $state/stopped ] && exit 252; exit 0 ;;
    --get-default-zone) echo public; exit ;;
    --permanent) kind=permanent ;;
    --get-zones) echo "block public $(ls $state/zones 2>/dev/null)"; exit ;;
    --new-zone=*) mkdir -p $state/zones/${word#*=}; exit ;;
    --zone=nosuch) echo "Error: INVALID_ZONE: nosuch" >&2; exit 112 ;;
    --zone=*) zone=${word#*=} ;;
    --get-target) cat $state/target 2>/dev/null || echo default; exit ;;
    --set-target=*) echo "${word#*=}" >$state/target; exit ;;
    --query-*) [ -e "$state/$kind $zone ${word#--query-}" ]; exit ;;
    --add-*) : >"$state/$kind $zone ${word#--add-}" ;;
    --change-*) : >"$state/$kind $zone ${word#--change-}" ;;
    --remove-*) rm "$state/$kind $zone ${word#--remove-}" ;;
    --timeout=*) echo "$word" >$state/timeout ;;
    esac
done
"#;

/// Switches that are off, until they are turned.
const SELINUX: [(&str, &str); 4] = [
    ("getenforce", "#!/bin/sh\necho Enforcing\n"),
    (
        "getsebool",
        "#!/bin/sh\n[ $2 = can_x ] || exit 1\n[ -e /var/fake-bin/now ] && echo \"$2 --> on\" || echo \"$2 --> off\"\n",
    ),
    (
        "semanage",
        "#!/bin/sh\n[ -e /var/fake-bin/kept ] && v=on || v=off\necho \"can_x_more    (off  ,  off)  Other\"\necho \"can_x    (off  ,   $v)  Allow x\"\n",
    ),
    (
        "setsebool",
        "#!/bin/sh\n[ \"$1\" = -P ] && : >/var/fake-bin/kept\n: >/var/fake-bin/now\n",
    ),
];

fn put(name: &str, text: &str) {
    fs::create_dir_all(FOLDER).expect("a folder");
    let path = format!("{FOLDER}/{name}");
    fs::write(&path, text).expect("a program");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("its mode");
}

fn call(module: &str, args: &Value, check: bool) -> ModuleResult {
    call_with_path("/var/fake-bin:/usr/bin:/bin", module, args, check)
}

#[test]
fn zones_get_what_they_lack_and_no_more() {
    if !is_sandbox("firewalls::zones_get_what_they_lack_and_no_more") {
        return;
    }
    put("firewall-cmd", FIREWALL_CMD);
    let module = "ansible.posix.firewalld";
    let kept = "ls /var/fake-firewall 2>/dev/null | cat";
    let both = "Permanent and Non-Permanent(immediate) operation";
    for (args, told) in [
        (
            json!({"service": "http"}),
            "Changed service http to enabled",
        ),
        (
            json!({"port": "8081/tcp"}),
            "Changed port 8081/tcp to enabled",
        ),
        (
            json!({"rich_rule": "rule service name=\"ftp\" accept"}),
            "Changed rich_rule rule service name=\"ftp\" accept to enabled",
        ),
        (
            json!({"source": "192.0.2.0/24"}),
            "Added 192.0.2.0/24 to zone public",
        ),
        (
            json!({"interface": "e7", "zone": "public"}),
            "Changed e7 to zone public",
        ),
        (
            json!({"masquerade": true}),
            "Added masquerade to zone public",
        ),
        (
            json!({"port_forward": [{"port": "443", "proto": "tcp", "toport": "8443"}], "timeout": 60}),
            "Changed port_forward port=443:proto=tcp:toport=8443:toaddr= to enabled",
        ),
    ] {
        let mut args = args;
        args["state"] = "enabled".into();
        args["permanent"] = true.into();
        args["immediate"] = true.into();
        let before = said(kept);
        let checked = call(module, &args, true);
        assert!(checked.changed && said(kept) == before, "{checked:?}");
        let result = call(module, &args, false);
        assert_eq!(result.msg, Some(format!("{both}, {told}").into()));
        assert!(result.changed && !result.failed, "{result:?}");
        let again = call(module, &args, false);
        assert_eq!((again.changed, again.msg), (false, Some(both.into())));
    }
    assert_eq!(said("cat /var/fake-firewall/timeout"), "--timeout=60");
    let off = json!({"service": "http", "state": "disabled", "permanent": true});
    let result = call(module, &off, false);
    let told = "Permanent operation, Changed service http to disabled";
    assert_eq!(result.msg, Some(told.into()));
    assert!(said(kept).contains("now public service=http"));
}

#[test]
fn zones_themselves_and_their_targets_are_permanent() {
    if !is_sandbox("firewalls::zones_themselves_and_their_targets_are_permanent") {
        return;
    }
    put("firewall-cmd", FIREWALL_CMD);
    let module = "ansible.posix.firewalld";
    let zone = json!({"zone": "mine", "state": "present", "permanent": true});
    assert!(call(module, &zone, true).changed && call(module, &zone, false).changed);
    assert!(!call(module, &zone, false).changed);
    let target = json!({"zone": "public", "target": "DROP", "state": "enabled", "permanent": true});
    assert!(call(module, &target, false).changed && !call(module, &target, false).changed);
    for (args, msg) in [
        (
            json!({"service": "http", "state": "present", "permanent": true}),
            "absent and present state can only be used in zone level operations",
        ),
        (
            json!({"zone": "mine", "state": "present"}),
            "Zone operations must be permanent. Make sure you didn't set the 'permanent' flag to 'false' or the 'immediate' flag to 'true'.",
        ),
        (
            json!({"port": "8081", "state": "enabled", "permanent": true}),
            "improper port format (missing protocol?)",
        ),
        (
            json!({"service": "http", "zone": "nosuch", "state": "enabled", "permanent": true}),
            "ERROR: Exception caught: INVALID_ZONE: nosuch",
        ),
        (
            json!({"service": "http", "port": "1/tcp", "state": "enabled"}),
            "parameters are mutually exclusive: icmp_block|icmp_block_inversion|service|protocol|port|port_forward|rich_rule|interface|forward|masquerade|source|target",
        ),
    ] {
        let result = call(module, &args, false);
        assert_eq!((result.failed, result.msg), (true, Some(msg.into())));
    }
    let nothing = json!({"zone": "mine", "state": "enabled", "permanent": true});
    let result = call(module, &nothing, false);
    assert_eq!(
        (result.changed, result.failed, result.msg),
        (false, false, Some("".into()))
    );
    let now = json!({"zone": "public", "target": "DROP", "state": "enabled", "immediate": true});
    assert!(call(module, &now, false).failed);
    fs::write("/var/fake-firewall/stopped", "").expect("a file");
    let stopped = json!({"service": "http", "state": "enabled", "permanent": true});
    assert!(call(module, &stopped, false).failed);
}

#[test]
fn switches_are_turned_where_they_are_not_kept_so() {
    if !is_sandbox("firewalls::switches_are_turned_where_they_are_not_kept_so") {
        return;
    }
    for (name, text) in SELINUX {
        put(name, text);
    }
    let module = "ansible.posix.seboolean";
    let now = json!({"name": "can_x", "state": true});
    let kept = json!({"name": "can_x", "state": true, "persistent": true});
    assert!(call(module, &now, true).changed && call(module, &now, false).changed);
    assert!(!call(module, &now, false).changed);
    assert!(call(module, &kept, true).changed && call(module, &kept, false).changed);
    let again = call(module, &kept, false);
    assert!(!again.changed && !again.failed, "{again:?}");
    let unknown = call(module, &json!({"name": "nosuch", "state": true}), false);
    let msg = "SELinux boolean nosuch does not exist.";
    assert_eq!((unknown.failed, unknown.msg), (true, Some(msg.into())));
}
