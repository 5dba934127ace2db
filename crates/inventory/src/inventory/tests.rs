use rustle_types::{HostName, Object};
use serde_json::json;

use super::Inventory;
use crate::{from_names, from_value};

fn inventory() -> Inventory {
    let value = json!({
        "_meta": {"hostvars": {"h1": {"n": 1}, "h2": {"n": 2}, "h3": {"n": 3, "lvl": "host"}}},
        "all": {"children": ["ungrouped", "east", "west"], "vars": {"lvl": "all", "only_all": true}},
        "east": {"children": ["web"], "vars": {"lvl": "east"}},
        "web": {"hosts": ["h1", "h2"]},
        "west": {"hosts": ["h2", "h3"], "vars": {"lvl": "west", "ansible_group_priority": 10}},
    });
    Inventory::new(from_value(&value, "plan.json").unwrap().inventory).unwrap()
}

fn names(hosts: &[HostName]) -> Vec<&str> {
    hosts.iter().map(HostName::as_str).collect()
}

fn object(value: &serde_json::Value) -> Object {
    value.as_object().unwrap().clone()
}

#[test]
fn nearer_groups_win_then_priority_then_name() {
    let inventory = inventory();
    assert_eq!(
        inventory.group_order(),
        ["all", "east", "ungrouped", "west", "web"]
    );
    for (host, lvl) in [("h1", "east"), ("h2", "west"), ("h3", "host")] {
        let vars = inventory.host_vars(&host.into());
        assert_eq!(vars["lvl"], lvl, "{host}");
        assert_eq!(vars["only_all"], true);
        assert!(!vars.contains_key("ansible_group_priority"));
    }
}

#[test]
fn hosts_of_all_come_level_by_level() {
    let inventory = inventory();
    assert_eq!(names(inventory.hosts()), ["h2", "h3", "h1"]);
    assert_eq!(inventory.group_names(&"h2".into()), ["east", "web", "west"]);
    assert_eq!(names(&inventory.groups()["east"]), ["h1", "h2"]);
}

#[test]
fn localhost_is_there_but_in_no_group() {
    let inventory = inventory();
    let localhost = HostName::from("localhost");
    assert!(inventory.has_host("localhost"));
    assert_eq!(
        inventory.host_vars(&localhost)["ansible_connection"],
        "local"
    );
    assert_eq!(inventory.host_vars(&localhost)["only_all"], true);
    assert_eq!(
        inventory.host_vars(&"127.0.0.1".into())["ansible_connection"],
        "local"
    );
    assert!(inventory.group_names(&localhost).is_empty());
    assert!(!inventory.hosts().contains(&localhost));
}

#[test]
fn localhost_that_a_source_names_is_a_host_as_any() {
    let inventory = Inventory::new(
        from_value(&json!({"web": ["localhost"]}), "t")
            .unwrap()
            .inventory,
    )
    .unwrap();
    assert_eq!(names(inventory.hosts()), ["localhost"]);
    assert!(
        !inventory
            .host_vars(&"localhost".into())
            .contains_key("ansible_connection")
    );
}

#[test]
fn names_alone_reach_this_machine_locally() {
    let inventory = Inventory::new(from_names(&["web1".into(), "127.0.0.1".into()])).unwrap();
    assert_eq!(names(inventory.hosts()), ["web1", "127.0.0.1"]);
    assert!(inventory.host_vars(&"web1".into()).is_empty());
    assert_eq!(
        inventory.host_vars(&"127.0.0.1".into())["ansible_connection"],
        "local"
    );
}

#[test]
fn hosts_and_groups_may_be_added() {
    let mut inventory = inventory();
    let new = HostName::from("new");
    assert!(
        inventory
            .add_host(&new, object(&json!({"n": 9})), &["west", "fresh"])
            .unwrap()
    );
    assert!(
        !inventory
            .add_host(&new, object(&json!({"n": 9})), &["west"])
            .unwrap()
    );
    assert_eq!(inventory.host_vars(&new)["lvl"], "west");
    assert_eq!(inventory.host_vars(&new)["n"], 9);
    assert_eq!(inventory.group_names(&new), ["fresh", "west"]);
    assert!(inventory.hosts().contains(&new));

    assert!(inventory.add_group("os_debian", &["os"]).unwrap());
    assert!(
        inventory
            .add_host_to_group(&"h1".into(), "os_debian")
            .unwrap()
    );
    assert!(
        !inventory
            .add_host_to_group(&"h1".into(), "os_debian")
            .unwrap()
    );
    assert_eq!(names(&inventory.members("os")), ["h1"]);
    assert_eq!(
        inventory
            .add_host_to_group(&"h1".into(), "nope")
            .unwrap_err()
            .to_string(),
        "inventory ``: no group is called `nope`"
    );
    inventory.add_group("os", &["os_debian"]).unwrap_err();
}

#[test]
fn localhost_may_join_a_group_and_stays_out_of_all() {
    let mut inventory = inventory();
    inventory.add_group("here", &[]).unwrap();
    inventory
        .add_host_to_group(&"localhost".into(), "here")
        .unwrap();
    assert_eq!(names(&inventory.members("here")), ["localhost"]);
    assert!(!inventory.hosts().contains(&"localhost".into()));
}

#[test]
fn a_loop_of_groups_is_an_error() {
    let value = json!({"a": {"children": ["b"]}, "b": {"children": ["a"]}});
    insta::assert_snapshot!(from_value(&value, "plan.json").unwrap_err(), @"inventory `plan.json`: making `a` a child of `b` closes a loop of groups");
}

#[test]
fn ten_thousand_hosts_are_no_matter() {
    let names: Vec<String> = (0..10_000).map(|number| format!("h{number}")).collect();
    let value = json!({"web": {"hosts": names}, "prod": {"children": ["web"], "vars": {"x": 1}}});
    let inventory = Inventory::new(from_value(&value, "t").unwrap().inventory).unwrap();
    assert_eq!(inventory.hosts().len(), 10_000);
    assert_eq!(inventory.host_vars(&"h9999".into())["x"], 1);
}
