//! Inventories on disk, compared with what ansible-core 2.19.14 makes of them.
//!
//! `fixtures/NAME.json` is the output of `ansible-inventory -i SOURCE --list` in `fixtures/NAME`, with
//! `--playbook-dir playbook` where there is one.

use std::path::{Path, PathBuf};

use rustle_inventory::{
    Disk, Inventory, InventoryError, InventorySource, Loaded, from_value, load,
};
use rustle_types::HostName;
use serde_json::{Value, json};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

fn load_path(path: &Path) -> Result<Loaded, InventoryError> {
    load(&[InventorySource::Path(path.to_owned())], None, &Disk)
}

/// An inventory as `ansible-inventory --list` writes it.
fn listed(inventory: &Inventory) -> Value {
    let mut listing = serde_json::Map::new();
    let mut hostvars = serde_json::Map::new();
    for host in inventory.hosts() {
        let mut vars = inventory.host_vars(host);
        vars.retain(|key, _| key != "inventory_file" && key != "inventory_dir");
        if !vars.is_empty() {
            hostvars.insert(host.to_string(), Value::Object(vars));
        }
    }
    listing.insert("_meta".to_owned(), json!({"hostvars": hostvars}));
    for (name, group) in &inventory.parsed().groups {
        let mut entry = serde_json::Map::new();
        if !group.children.is_empty() {
            entry.insert("children".to_owned(), json!(group.children));
        }
        if !group.hosts.is_empty() && name != "all" {
            entry.insert("hosts".to_owned(), json!(group.hosts));
        }
        if !entry.is_empty() {
            listing.insert(name.clone(), Value::Object(entry));
        }
    }
    Value::Object(listing)
}

#[test]
fn inventories_load_as_ansible_loads_them() {
    let cases = [
        ("ini", "hosts.ini"),
        ("yaml", "hosts.yml"),
        ("layers", "hosts"),
        ("prod", "hosts.ini"),
        ("folder", "."),
    ];
    for (name, file) in cases {
        let folder = fixture(name);
        let playbook = folder.join("playbook");
        let loaded = load(
            &[InventorySource::Path(folder.join(file))],
            Some(&playbook),
            &Disk,
        )
        .unwrap();
        let listing = listed(&Inventory::new(loaded.inventory).unwrap());
        let expected: Value =
            serde_json::from_slice(&std::fs::read(fixture(&format!("{name}.json"))).unwrap())
                .unwrap();
        assert_eq!(sorted(&listing), sorted(&expected), "{name}");
    }
}

/// Keys in order, for messages that can be read; the order of lists counts.
fn sorted(value: &Value) -> String {
    let keyed: std::collections::BTreeMap<&String, &Value> =
        value.as_object().into_iter().flatten().collect();
    let mut lines = Vec::new();
    for (key, value) in keyed {
        match value {
            Value::Object(_) => lines.push(format!("{key}: {{\n{}\n}}", sorted(value))),
            other => lines.push(format!("{key}: {other}")),
        }
    }
    lines.join("\n")
}

#[test]
fn what_ansible_lists_loads_again() {
    for name in ["ini", "yaml", "layers", "prod"] {
        let path = fixture(&format!("{name}.json"));
        let inventory = Inventory::new(load_path(&path).unwrap().inventory).unwrap();
        let expected: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let hostvars = expected["_meta"]["hostvars"].as_object().unwrap();
        for (host, vars) in hostvars {
            let mut found = inventory.host_vars(&HostName::from(&**host));
            found.retain(|key, _| key != "inventory_file" && key != "inventory_dir");
            assert_eq!(Value::Object(found), *vars, "{name} {host}");
        }
    }
}

#[test]
fn all_three_json_shapes_name_the_same_hosts() {
    let shapes = [
        json!({"_meta": {"hostvars": {"h1": {"x": 1}}}, "web": {"hosts": ["h1", "h2"]}}),
        json!({"hosts": {"h1": {"vars": {"x": 1}, "groups": ["web"], "address": null}, "h2": {"groups": ["web", "all"]}},
            "groups": {"web": {"name": "web", "hosts": ["h1", "h2"], "children": [], "vars": {}}}, "variables": {}}),
        json!({"metadata": {}, "plays": [], "inventory": {"hosts": {"h1": {"vars": {"x": 1}}, "h2": {}}, "groups": {"web": {"hosts": ["h1", "h2"]}}}}),
        json!({"hosts": ["h1", "h2"], "groups": {"web": ["h1", "h2"]}, "vars": {"x": 1}, "host_facts": {"h1": {"ansible_os_family": "Debian"}}}),
        json!({"web": {"hosts": {"h1": {"x": 1}, "h2": null}}}),
    ];
    for shape in shapes {
        let inventory = Inventory::new(from_value(&shape, "plan.json").unwrap().inventory).unwrap();
        let names: Vec<&str> = inventory.hosts().iter().map(HostName::as_str).collect();
        assert_eq!(names, ["h1", "h2"], "{shape}");
        assert_eq!(inventory.group_names(&"h1".into()), ["web"], "{shape}");
        assert_eq!(inventory.host_vars(&"h1".into())["x"], 1, "{shape}");
    }
}

#[test]
fn facts_of_a_json_inventory_are_kept_apart() {
    let value = json!({"hosts": ["h1"], "host_facts": {"h1": {"ansible_os_family": "Debian"}}});
    let loaded = from_value(&value, "plan.json").unwrap();
    assert_eq!(loaded.host_facts["h1"]["ansible_os_family"], "Debian");
    assert!(
        Inventory::new(loaded.inventory)
            .unwrap()
            .host_vars(&"h1".into())
            .is_empty()
    );
}

#[test]
fn later_sources_win() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        InventorySource::Path(path)
    };
    let sources = [
        InventorySource::Value {
            value: json!({"web": {"hosts": {"h1": {"x": "plan", "y": "plan"}}}}),
            origin: "plan".to_owned(),
        },
        write("a.ini", "h1 x=ini z=ini\n"),
        write("b.yml", "web: {hosts: {h1: {z: yaml}}}"),
        InventorySource::from_argument("h1,h3:22,"),
    ];
    let loaded = load(&sources, None, &Disk).unwrap();
    let inventory = Inventory::new(loaded.inventory).unwrap();
    let vars = inventory.host_vars(&"h1".into());
    assert_eq!(
        [&vars["x"], &vars["y"], &vars["z"]],
        ["ini", "plan", "yaml"]
    );
    assert_eq!(inventory.host_vars(&"h3".into())["ansible_port"], 22);
    assert_eq!(
        inventory.host_vars(&"h3".into())["inventory_file"],
        "h1,h3:22,"
    );
    assert_eq!(
        inventory.host_vars(&"h3".into())["inventory_dir"],
        Value::Null
    );
    assert_eq!(inventory.group_names(&"h1".into()), ["web"]);
}

#[test]
fn files_that_cannot_be_inventories_say_why() {
    let folder = tempfile::tempdir().unwrap();
    let error = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let error = load_path(&path).unwrap_err();
        let told = error
            .to_string()
            .replace(&*folder.path().to_string_lossy(), "");
        error
            .hint()
            .map_or(told.clone(), |hint| format!("{told}\nhint: {hint}"))
    };
    insta::assert_snapshot!(error("a.yml", "all:\n  hosts:\n    h1: 5\n"), @"inventory `/a.yml`, line 3: all.hosts.h1: expected the host's variables as a mapping, found the number `5`");
    insta::assert_snapshot!(error("b.yml", "all:\n  children:\n    web:\n      hosts: [h1, h2]\n"), @r"
    inventory `/b.yml`, line 4: all.children.web.hosts: expected a mapping (`name:` lines), found a list
    hint: hosts are keys, not items of a list: `web01:`, not `- web01`
    ");
    insta::assert_snapshot!(error("c.yml", "all:\n  hosts:\n   h1:\n  vars: {\n"), @"inventory `/c.yml`, line 4, column 9: unclosed bracket '{'");
    insta::assert_snapshot!(error("d.yml", "- h1\n"), @"inventory `/d.yml`, line 1: the document: expected groups (`name:` lines), found a list");
    insta::assert_snapshot!(error("e.yml", "plugin: amazon.aws.aws_ec2\n"), @r"
    inventory `/e.yml`, line 1: is the configuration of the inventory plugin `amazon.aws.aws_ec2`, and plugins are not supported
    hint: save what Ansible makes of it and give that: `ansible-inventory -i FILE --list > hosts.json`
    ");
    insta::assert_snapshot!(error("f.json", "{\"web\": {\n\"hosts\": [5]}}"), @"inventory `/f.json`, line 2: web.hosts: expected names, found the number `5`");
    insta::assert_snapshot!(error("g.json", "{\"web\": {\n\"hosts\": [\"h1\"]}"), @"inventory `/g.json`, line 2, column 16: EOF while parsing an object");
    insta::assert_snapshot!(error("h.ini", "$ANSIBLE_VAULT;1.1;AES256\n61\n"), @r"
    inventory `/h.ini`: is encrypted with ansible-vault
    hint: decrypt it, or give a vault password
    ");
    insta::assert_snapshot!(error("hosts", "[web]\nh1\n[db\n"), @"inventory `/hosts`, line 3: expected a section such as `[web]`, `[web:vars]` or `[web:children]`, found `[db`");
    insta::assert_snapshot!(error("hosts2", "---\nall:\n  hosts: [\n"), @"inventory `/hosts2`, line 3, column 10: unclosed bracket '['");
    insta::assert_snapshot!(error("i.yml", "all:\n  hosts:\n    web[1:x]:\n"), @"inventory `/i.yml`, line 3: range in `web[1:x]`: start and end are either both numbers or both single letters");
}

#[test]
fn missing_files_are_refused() {
    let error = load_path(Path::new("/nowhere/hosts")).unwrap_err();
    insta::assert_snapshot!(format!("{error}\nhint: {}", error.hint().unwrap()), @r"
    inventory `/nowhere/hosts`: cannot be read
    hint: a list of hosts ends with a comma: `-i web01,`
    ");
}

/// A program of the shell in a folder.
fn program(folder: &Path, script: &str) -> std::io::Result<PathBuf> {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("hosts.sh");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n"))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(path)
}

#[test]
fn programs_are_asked_for_their_inventory() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"
        if [ "$1" = --list ]; then
            echo careful >&2
            echo '{"web": {"hosts": ["w1", "w2"], "vars": {"t": "{{ 1 }}"}}, "old": ["w3"], "h4": {"x": 1}, "h5": {}, "top": {"children": ["web", "later"]}}'
        elif [ "$2" != w1 ]; then
            echo "{\"of\": \"$2\"}"
        fi"#;
    let loaded = load_path(&program(folder.path(), script).unwrap()).unwrap();
    let warnings: Vec<_> = loaded
        .warnings
        .iter()
        .map(|it| it.message.clone())
        .collect();
    assert_eq!(
        warnings,
        [
            "the program says: careful",
            "`h4` is the name of a group and of a host",
            "`h5` is the name of a group and of a host",
        ]
    );
    let inventory = Inventory::new(loaded.inventory).unwrap();
    assert_eq!(
        listed(&inventory),
        json!({
            "_meta": {"hostvars": {
                "w1": {"t": "{{ 1 }}"},
                "w2": {"t": "{{ 1 }}", "of": "w2"},
                "w3": {"of": "w3"},
                "h4": {"x": 1, "of": "h4"},
                "h5": {"of": "h5"},
            }},
            "all": {"children": ["ungrouped", "old", "h4", "h5", "top"]},
            "web": {"hosts": ["w1", "w2"]},
            "old": {"hosts": ["w3"]},
            "h4": {"hosts": ["h4"]},
            "h5": {"hosts": ["h5"]},
            "top": {"children": ["web", "later"]},
        })
    );
}

#[test]
fn hosts_that_a_program_puts_in_no_group_are_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let script = r#"[ "$1" = --list ] && echo '{"_meta": {"hostvars": {"lost": {"a": 1}, "w1": {"a": 2}}}, "web": {"hosts": ["w1", "w2"]}}'"#;
    // In a folder it is read like any other file.
    program(folder.path(), script).unwrap();
    let inventory = load_path(folder.path()).unwrap().inventory;
    assert!(!inventory.hosts.contains_key("lost"));
    assert_eq!(inventory.hosts["w1"].vars["a"], 2);
}

#[test]
fn programs_that_give_no_inventory_are_told_of() {
    let folder = tempfile::tempdir().unwrap();
    let error = |script: &str| {
        let error = load_path(&program(folder.path(), script).unwrap()).unwrap_err();
        let told = format!("{error}\nhint: {}", error.hint().unwrap());
        told.replace(&*folder.path().to_string_lossy(), "")
    };
    insta::assert_snapshot!(error("echo no cloud >&2; exit 3"), @"
    inventory `/hosts.sh`: the program with `--list` ended with exit code 3: no cloud
    hint: it has to print one JSON object and to end with 0; try it by hand
    ");
    insta::assert_snapshot!(error("echo web1"), @"
    inventory `/hosts.sh`: the program with `--list` printed no JSON: expected value at line 1 column 1; the output begins with `web1`
    hint: it has to print one JSON object and to end with 0; try it by hand
    ");
    insta::assert_snapshot!(error("echo '[1]'"), @"
    inventory `/hosts.sh`: the program with `--list` printed a list, and not a mapping
    hint: it has to print one JSON object and to end with 0; try it by hand
    ");
    let no_variables = "[ $1 = --list ] && echo '{\"web\": [\"w1\"]}'";
    insta::assert_snapshot!(error(no_variables), @"
    inventory `/hosts.sh`: the program with `--host w1` ended with exit code 1
    hint: it has to print one JSON object and to end with 0; try it by hand
    ");
}

#[test]
fn broken_variable_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hosts"), "[web]\nh1\n").unwrap();
    std::fs::create_dir(folder.path().join("group_vars")).unwrap();
    let vars = folder.path().join("group_vars/web.yml");
    std::fs::write(&vars, "a: 1\nb: {{ x }}\n").unwrap();
    let error = load_path(&folder.path().join("hosts")).unwrap_err();
    assert_eq!(
        (&*error.origin, error.line),
        (&*vars.to_string_lossy(), Some(2))
    );
    std::fs::write(&vars, "just text\n").unwrap();
    let error = load_path(&folder.path().join("hosts"))
        .unwrap_err()
        .to_string();
    insta::assert_snapshot!(error.replace(&*folder.path().to_string_lossy(), ""), @"inventory `/group_vars/web.yml`, line 1: the document: expected variables (`name: value` lines), found the text `just text`");
}

#[test]
fn odd_but_usable_inventories_warn() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hosts.yml");
    std::fs::write(
        &path,
        "web-1:\n  hosts: {web-1: }\n  colour: {}\nnote: hello\n",
    )
    .unwrap();
    let warnings = load_path(&path).unwrap().warnings;
    let told: Vec<String> = warnings
        .iter()
        .map(|warning| {
            warning
                .to_string()
                .replace(&*folder.path().to_string_lossy(), "")
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    /hosts.yml: the group name `web-1` has characters that variables cannot have; it works, but not as `groups.web-1`
    /hosts.yml: web-1.colour: skipped, for a group has only `hosts`, `children` and `vars`
    /hosts.yml: note: skipped, for it is no group
    `web-1` is the name of a group and of a host
    ");
}

#[test]
fn variables_of_groups_that_come_later_are_read_on_demand() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("hosts"), "h1\n").unwrap();
    for (kind, name) in [
        ("group_vars", "os_debian"),
        ("host_vars", "localhost"),
        ("host_vars", "h9"),
    ] {
        std::fs::create_dir_all(folder.path().join(kind)).unwrap();
        std::fs::write(
            folder.path().join(kind).join(name),
            format!("from: {name}\n"),
        )
        .unwrap();
    }
    let loaded = load_path(&folder.path().join("hosts")).unwrap();
    let mut inventory = Inventory::new(loaded.inventory).unwrap();
    let localhost = inventory.host_vars(&"localhost".into());
    assert_eq!(
        (&localhost["from"], &localhost["ansible_connection"]),
        (&json!("localhost"), &json!("local"))
    );

    inventory.add_group("os_debian", &[]).unwrap();
    inventory
        .add_host_to_group(&"h1".into(), "os_debian")
        .unwrap();
    inventory
        .read_group_vars("os_debian", &loaded.var_folders, &Disk)
        .unwrap();
    assert_eq!(inventory.host_vars(&"h1".into())["from"], "os_debian");
    inventory
        .add_host(&"h9".into(), serde_json::Map::new(), &[])
        .unwrap();
    inventory
        .read_host_vars(&"h9".into(), &loaded.var_folders, &Disk)
        .unwrap();
    assert_eq!(inventory.host_vars(&"h9".into())["from"], "h9");
}
