//! What inventories bring along besides hosts: facts, and variables of hosts and groups that a run adds.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use crate::Desk;

/// The messages of all `debug` tasks of a run that must end well.
#[track_caller]
fn messages(desk: &Desk, arguments: &[&str]) -> Vec<Value> {
    let report = ["--report-file", "report.json", "plan.json"];
    desk.exec(&[arguments, &report].concat()).run().success();
    let report: Value =
        serde_json::from_str(&desk.world.read("report.json")).expect("the report is JSON");
    let mut results = report["task_results"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    // The report has them in the order of their arrival, which is anybody's guess between hosts.
    results.sort_by_key(|result| {
        let host = result["host"].as_str().map(str::to_owned);
        (result["play_index"].as_u64(), host)
    });
    let messages = results.into_iter();
    messages
        .filter_map(|result| result["result"].get("msg").cloned())
        .collect()
}

fn debug(message: &str) -> Value {
    json!({"module": "debug", "args": {"msg": message}})
}

#[test]
fn facts_of_an_inventory_are_facts_of_its_hosts() {
    let desk = Desk::new();
    let inventory = json!({
        "hosts": ["h1", "h2"],
        "vars": {"ansible_connection": "local", "color": "red", "ansible_kernel": "of the inventory"},
        "host_facts": {"h2": {"ansible_kernel": "6.1", "ansible_distribution": null, "ansible_connection": "ssh"}},
    });
    desk.write("hosts.json", inventory.to_string());
    let message = "{{ ansible_kernel }} {{ ansible_facts.kernel | default('none') }} {{ ansible_distribution is defined }} {{ ansible_connection }}";
    let plan = json!({"plays": [{"hosts": "all", "tasks": [debug(message), debug("{{ hostvars.h2.ansible_facts.kernel }}")]}]});
    desk.write("plan.json", plan.to_string());
    assert_eq!(
        messages(&desk, &["-i", "hosts.json"]),
        [
            json!("of the inventory none False local"),
            json!("6.1"),
            json!("6.1 6.1 False local"),
            json!("6.1")
        ]
    );
}

#[test]
fn added_hosts_and_groups_have_the_variables_that_lie_on_the_disk() {
    let desk = Desk::new();
    desk.write("inventory/hosts", "h1 ansible_connection=local\n");
    desk.write(
        "inventory/group_vars/late.yml",
        "a: group\nb: group\nc: group\n",
    );
    desk.write("inventory/host_vars/h9.yml", "b: host\n");
    desk.write("group_vars/late/one.yml", "c: playbook\n");
    desk.write("group_vars/linux.yml", "grouped: true\n");
    let show = "{{ hostvars.h9.a }} {{ hostvars.h9.b }} {{ hostvars.h9.c }} {{ hostvars.h9.d }} {{ grouped }} {{ groups.linux }} {{ groups.late }}";
    let plan = json!({"plays": [{"hosts": "h1", "tasks": [
        {"module": "add_host", "args": {"name": "h9", "groups": ["late"], "d": "own"}},
        {"module": "group_by", "args": {"key": "linux"}},
        debug(show),
        {"module": "meta", "args": {"_raw_params": "refresh_inventory"}},
        debug(show),
    ]}]});
    desk.write("plan.json", plan.to_string());
    let expected = "group host playbook own True ['h1'] ['h9']";
    assert_eq!(
        messages(&desk, &["-i", "inventory"]),
        [json!(expected), json!(expected)]
    );
}

#[test]
fn programs_are_run_again_by_refresh_inventory() {
    let desk = Desk::new();
    let script = "#!/bin/sh\n\
        [ -e again ] && more=', \"h2\"'\n\
        touch again\n\
        echo \"{\\\"_meta\\\": {\\\"hostvars\\\": {}}, \\\"web\\\": {\\\"hosts\\\": [\\\"h1\\\"$more], \\\"vars\\\": {\\\"ansible_connection\\\": \\\"local\\\"}}}\"\n";
    let program = desk.world.write("hosts.sh", script);
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755))
        .expect("the script is ours");
    let show = debug("{{ groups.web | join(' ') }}");
    let plan = json!({"plays": [
        {"hosts": "h1", "tasks": [show, {"module": "meta", "args": {"_raw_params": "refresh_inventory"}}, show]},
        {"hosts": "web", "tasks": [debug("{{ inventory_hostname }}")]},
    ]});
    desk.write("plan.json", plan.to_string());
    assert_eq!(
        messages(&desk, &["-i", "hosts.sh"]),
        [json!("h1"), json!("h1 h2"), json!("h1"), json!("h2")]
    );
}
