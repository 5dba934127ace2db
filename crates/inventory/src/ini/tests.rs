use serde_json::json;

use super::read;
use crate::Inventory;
use crate::draft::Draft;

fn error(text: &str) -> String {
    let error = read(text.as_bytes(), "hosts.ini", &mut Draft::new()).unwrap_err();
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

fn inventory(text: &str) -> Inventory {
    let mut draft = Draft::new();
    read(text.as_bytes(), "hosts.ini", &mut draft).unwrap();
    Inventory::new(draft.finish().0).unwrap()
}

#[test]
fn an_inventory_that_does_not_parse_names_its_file_and_line() {
    insta::assert_snapshot!(error("[web]\nweb1\n\n[web:variables]\nx=1\n"), @r"
    inventory `hosts.ini`, line 4: unknown kind of section `variables` in `[web:variables]`
    hint: sections are `[group]`, `[group:vars]` and `[group:children]`
    ");
    insta::assert_snapshot!(error("[web one]\n"), @"inventory `hosts.ini`, line 1: expected a section such as `[web]`, `[web:vars]` or `[web:children]`, found `[web one]`");
    insta::assert_snapshot!(error("[web]\nweb1 port\n"), @r#"
    inventory `hosts.ini`, line 2: expected `key=value` after the host, found `port`
    hint: values with spaces need quotes: `key="a b"`
    "#);
    insta::assert_snapshot!(error("[web]\nweb1 x='y\n"), @"inventory `hosts.ini`, line 2: an unclosed `'` in `web1 x='y`");
    insta::assert_snapshot!(error("[web]\nweb1\n[web:vars]\nhttp_port 80\n"), @"inventory `hosts.ini`, line 4: expected `key=value`, found `http_port 80`");
    insta::assert_snapshot!(error("[web:vars]\nx=1\n"), @r"
    inventory `hosts.ini`, line 1: `[web:vars]` sets variables of a group that is not defined
    hint: define it, even without hosts, by a line `[web]`
    ");
    insta::assert_snapshot!(error("h1\n[prod:children]\nweb\ndb\n[web]\n"), @r"
    inventory `hosts.ini`, line 4: `[prod:children]` names the group `db`, which is not defined
    hint: define it, even without hosts, by a line `[db]`
    ");
    insta::assert_snapshot!(error("[prod:children]\nweb db\n"), @"inventory `hosts.ini`, line 2: expected the name of a group, found `web db`");
    insta::assert_snapshot!(error("web[1:\n"), @"inventory `hosts.ini`, line 1: range in `web[1:`: the bracket is not closed");
    insta::assert_snapshot!(error("web:\n"), @"inventory `hosts.ini`, line 1: `web:` is not a host: after the colon belongs a port");
    insta::assert_snapshot!(error("---\nall:\n"), @"inventory `hosts.ini`, line 1: `---` is not a host: `---` starts a YAML file; give the file the ending `.yml`");
    insta::assert_snapshot!(error("[a:children]\nb\n[b:children]\na\n"), @"inventory `hosts.ini`, line 4: making `a` a child of `b` closes a loop of groups");
    insta::assert_snapshot!(error("[a]\n[a:vars]\nansible_group_priority=high\n"), @r#"inventory `hosts.ini`, line 3: `ansible_group_priority` of `a`: expected a whole number, found "high""#);
}

#[test]
fn bytes_that_are_no_text_are_an_error_outside_of_comments() {
    read(b"# caf\xe9\nh1\n", "t", &mut Draft::new()).unwrap();
    let error = read(b"h1\nh2 x=caf\xe9\n", "t", &mut Draft::new()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "inventory `t`, line 2: is not UTF-8 text"
    );
}

#[test]
fn sections_may_come_in_any_order() {
    let text = "h0\n[prod:children]\nweb # later\n[web:vars]\nx = 5 # five\ny=foo # bar\n[web] # now\r\nh1\r\nh2:2222 y='a b' # c\n; done\n";
    let inventory = inventory(text);
    assert_eq!(inventory.host_vars(&"h1".into())["x"], json!(5));
    assert_eq!(inventory.host_vars(&"h1".into())["y"], json!("foo # bar"));
    assert_eq!(inventory.host_vars(&"h2".into())["y"], json!("a b"));
    assert_eq!(
        inventory.host_vars(&"h2".into())["ansible_port"],
        json!(2222)
    );
    assert_eq!(inventory.group_names(&"h1".into()), ["prod", "web"]);
    assert_eq!(inventory.group_names(&"h0".into()), ["ungrouped"]);
}
