//! The packet filter of a network of the test's own.

use rustle_testkit::golden::{is_sandbox, said};
use serde_json::json;

use crate::calls::call;

#[test]
fn rules_come_and_go_in_the_kernels_packet_filter() {
    if !is_sandbox("packet_filter::rules_come_and_go_in_the_kernels_packet_filter") {
        return;
    }
    let rules = || said("iptables -S");
    let empty = rules();
    let rule = json!({
        "chain": "INPUT", "protocol": "tcp", "destination_port": "22", "source": "!10.0.0.0/8",
        "ctstate": "NEW", "comment": "only from afar", "jump": "ACCEPT", "wait": "5",
    });
    let checked = call("iptables", &rule, true);
    assert!(checked.changed && rules() == empty, "{checked:?}");
    let added = call("iptables", &rule, false);
    assert!(added.changed && !added.failed, "{added:?}");
    let expected = "-A INPUT ! -s 10.0.0.0/8 -p tcp -m tcp --dport 22 -m conntrack --ctstate NEW -m comment --comment \"only from afar\" -j ACCEPT";
    assert!(rules().contains(expected), "{}", rules());
    assert!(!call("iptables", &rule, false).changed);
    let mut gone = rule.clone();
    gone["state"] = "absent".into();
    assert!(call("iptables", &gone, false).changed);
    assert!(!call("iptables", &gone, false).changed);
    assert_eq!(rules(), empty);
}

#[test]
fn chains_and_policies_are_set_for_both_versions() {
    if !is_sandbox("packet_filter::chains_and_policies_are_set_for_both_versions") {
        return;
    }
    let chain = json!({"chain": "OWN", "chain_management": true, "ip_version": "both"});
    assert!(call("iptables", &chain, false).changed);
    assert!(!call("iptables", &chain, false).changed);
    let policy = json!({"chain": "FORWARD", "policy": "DROP", "ip_version": "both", "wait": "2"});
    assert!(call("iptables", &policy, true).changed);
    assert!(call("iptables", &policy, false).changed);
    assert!(!call("iptables", &policy, false).changed);
    for program in ["iptables", "ip6tables"] {
        let rules = said(&format!("{program} -S"));
        assert!(rules.contains("-P FORWARD DROP\n") && rules.contains("-N OWN"));
    }
    let wrong = json!({"chain": "NONE", "policy": "DROP"});
    let refused = call("iptables", &wrong, false);
    assert!(refused.failed && refused.result["rc"] == 1, "{refused:?}");
}
