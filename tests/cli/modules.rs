//! The command `modules`.

use serde_json::Value;

use crate::Desk;

const DOCUMENTED: &str = "#!/usr/bin/python
DOCUMENTATION = r'''
module: greet
short_description: Greets somebody
options:
  who: {type: str, required: true, aliases: [name]}
'''
RETURN = '''
greeting: {type: str, description: What was said.}
'''
from ansible.module_utils.basic import AnsibleModule
";

fn data(desk: &Desk, words: &[&str]) -> Value {
    let output = desk
        .exec(&[&["modules", "--json"][..], words].concat())
        .run();
    output.success();
    serde_json::from_str(&output.stdout).expect("JSON")
}

#[test]
fn native_module_is_shown_by_its_specification() {
    let desk = Desk::new();
    let shown = data(&desk, &["ansible.builtin.copy"]);
    assert_eq!(shown["options"]["dest"]["required"], true);
    assert_eq!(shown["options"]["dest"]["type"], "path");
    assert_eq!(shown["options"]["force"]["default"], true);
    assert!(shown["options"].get("_attachment").is_none(), "{shown}");
    let output = desk.exec(&["modules", "ini_file"]).run();
    output.success();
    for text in [
        "community.general.ini_file",
        "path*",
        "also dest",
        "Check mode: full",
    ] {
        assert!(output.stdout.contains(text), "{text}: {output}");
    }
}

#[test]
fn all_modules_are_listed_with_where_they_are_from() {
    let desk = Desk::new();
    desk.write("more/greet.py", DOCUMENTED);
    desk.write("site/ansible/release.py", "__version__ = '2.19.9'\n");
    desk.write("site/ansible/modules/copy.py", "");
    desk.write("site/ansible/modules/other.py", "");
    let places = ["--module-path", "more", "--ansible-path", "site"];
    let listed = data(&desk, &places);
    let from = |name: &str| {
        let listed = listed.as_array().expect("a list").iter();
        let mut from = listed
            .filter(|module| module["name"] == name)
            .map(|module| module["from"].clone());
        (from.next(), from.next())
    };
    for (name, expected) in [
        ("ansible.builtin.copy", "native"),
        ("ansible.builtin.debug", "controller"),
        ("greet", "path"),
        ("ansible.builtin.other", "ansible"),
    ] {
        assert_eq!(from(name), (Some(expected.into()), None), "{name}");
    }
    let output = desk.exec(&[&["modules"][..], &places].concat()).run();
    output.success();
    assert!(
        output.stdout.contains("puts a file or a folder there"),
        "{output}"
    );
}

#[test]
fn module_of_ones_own_is_shown_by_its_documentation() {
    let desk = Desk::new();
    desk.write("more/greet.py", DOCUMENTED);
    desk.write("site/ansible/release.py", "__version__ = '2.19.9'\n");
    let words = [
        "modules",
        "greet",
        "--module-path",
        "more",
        "--ansible-path",
        "site",
    ];
    let output = desk.exec(&words).run();
    output.success();
    for text in ["Greets somebody", "who*", "also name", "What was said."] {
        assert!(output.stdout.contains(text), "{text}: {output}");
    }
}

#[test]
fn module_that_is_not_there_is_told_with_the_nearest_name() {
    let desk = Desk::new();
    let output = desk.refused(&["modules", "coppy"], 5);
    assert!(output.stderr.contains("did you mean `copy`?"), "{output}");
}
