//! Python modules of the Ansible that the controller has. It is a small one that the tests make themselves.

use serde_json::{Value, json};

use crate::Desk;
use crate::own_modules::{results, task};

/// What every module uses of Ansible.
const BASIC: &str = r#"
import json, sys
from ansible.module_utils.common.text import shout
from .common import text as same
_ANSIBLE_ARGS = None
_ANSIBLE_PROFILE = None

class AnsibleModule:
    def __init__(self):
        self.params = json.loads(_ANSIBLE_ARGS)["ANSIBLE_MODULE_ARGS"]
        self.check_mode = self.params["_ansible_check_mode"]

    def exit_json(self, **result):
        result.update(shout=shout("a"), is_same=same.shout is shout, profile=_ANSIBLE_PROFILE)
        result.update(told=sorted(key for key in self.params if key.startswith("_ansible_")))
        print(json.dumps(result))
        sys.exit(0)
"#;

/// A module of Ansible's own, which needs a file only where it is.
const BUILTIN: &str = r"
DOCUMENTATION = '''
import no.such.thing
'''
import os
try:
    from ansible.module_utils.not_there import nothing
except ImportError:
    nothing = 'nothing'
from ansible.module_utils.basic import AnsibleModule

def main():
    module = AnsibleModule()
    changed = not os.path.exists(module.params['path'])
    if changed and not module.check_mode:
        open(module.params['path'], 'w').close()
    module.exit_json(changed=changed, nothing=nothing, name=__name__, path=_module_fqn)

if __name__ == '__main__':
    main()
";

/// A module of a collection, which uses what its collection shares.
const OF_COLLECTION: &str = r"#!/usr/bin/python
from ansible.module_utils.basic import AnsibleModule
from ..module_utils.parts import (
    one, two as second,
)
from ansible_collections.my.other.plugins.module_utils import moved
AnsibleModule().exit_json(parts=[one, second], moved=moved.what)
";

/// A desk with an Ansible and two collections.
fn desk() -> Desk {
    let desk = Desk::new();
    for (path, text) in [
        ("ansible/release.py", "__version__ = '2.19.9'\n"),
        ("ansible/module_utils/__init__.py", ""),
        ("ansible/module_utils/basic.py", BASIC),
        ("ansible/module_utils/common/__init__.py", ""),
        (
            "ansible/module_utils/common/text.py",
            "def shout(text):\n    return text.upper()\n",
        ),
        (
            "ansible/module_utils/common/parameters.py",
            "\nPASS_VARS = {\n    'check_mode': (),\n    'tmpdir': (),\n}\n",
        ),
        ("ansible/modules/toucher.py", BUILTIN),
        ("ansible/modules/half.py", BUILTIN),
        ("ansible/plugins/action/half.py", ""),
        (
            "ansible/config/ansible_builtin_runtime.yml",
            "plugin_routing:\n  modules:\n    old_name: {redirect: my.own.thing}\n    old_ping: {redirect: ansible.builtin.ping}\n    gone: {tombstone: {warning_text: Use another.}}\n",
        ),
        (
            "ansible_collections/my/own/plugins/modules/thing.py",
            OF_COLLECTION,
        ),
        (
            "ansible_collections/my/own/plugins/module_utils/parts.py",
            "from .deeper import one\nfrom . import deeper\ntwo = deeper.two\n",
        ),
        (
            "ansible_collections/my/own/plugins/module_utils/deeper/__init__.py",
            "one, two = 1, 2\n",
        ),
        (
            "ansible_collections/my/own/plugins/modules/lost.py",
            "from ansible.module_utils.basic import AnsibleModule\nfrom ansible.module_utils.lost import x\n",
        ),
        (
            "ansible_collections/my/other/meta/runtime.yml",
            "plugin_routing:\n  module_utils:\n    moved: {redirect: my.own.moved_here}\n",
        ),
        (
            "ansible_collections/my/own/plugins/module_utils/moved_here.py",
            "what = 'it moved'\n",
        ),
    ] {
        desk.write(format!("site/{path}").as_str(), text);
    }
    desk
}

fn run(desk: &Desk, options: &[&str], mut tasks: Vec<Value>) -> Vec<Value> {
    for task in &mut tasks {
        let vars = task["vars"].take();
        task["vars"] = if vars.is_null() {
            json!({"ansible_python_interpreter": "python3"})
        } else {
            vars
        };
    }
    results(
        desk,
        &[&["--ansible-path", "site"][..], options].concat(),
        &tasks,
    )
}

#[test]
fn module_of_ansible_runs_with_all_that_it_imports() {
    let desk = desk();
    let path = desk.world.path("touched").display().to_string();
    let toucher = |name: &str| task(name, &json!({ "path": path }));
    let checked = run(&desk, &["--check"], vec![toucher("toucher")]);
    assert_eq!(checked[0]["changed"], true, "{}", checked[0]);
    assert!(!desk.world.path("touched").exists());
    let run = run(
        &desk,
        &[],
        vec![toucher("toucher"), toucher("ansible.builtin.toucher")],
    );
    assert_eq!(
        (&run[0]["changed"], &run[1]["changed"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(run[0]["name"], "__main__");
    assert_eq!(run[0]["path"], "ansible.modules.toucher");
    assert_eq!(
        (&run[0]["shout"], &run[0]["is_same"]),
        (&json!("A"), &json!(true))
    );
    assert_eq!(run[0]["profile"], "legacy");
    assert_eq!(
        run[0]["told"],
        json!(["_ansible_check_mode", "_ansible_tmpdir"])
    );
    assert_eq!(run[0]["nothing"], "nothing");
}

#[test]
fn modules_of_collections_are_found_by_all_their_names() {
    let desk = desk();
    let tasks = ["my.own.thing", "old_name", "ansible.builtin.old_name"];
    let tasks = tasks.map(|name| task(name, &json!({}))).to_vec();
    for result in run(&desk, &[], tasks) {
        assert_eq!(result["parts"], json!([1, 2]), "{result}");
        assert_eq!(result["moved"], "it moved");
    }
    let native = run(&desk, &[], vec![task("old_ping", &json!({"data": "x"}))]);
    assert_eq!(native[0]["ping"], "x");
}

#[test]
fn python_that_was_found_becomes_a_fact_once() {
    let desk = desk();
    let mut first = task("my.own.thing", &json!({}));
    first["vars"] = json!({"ansible_python_interpreter": "auto_silent"});
    let run = run(&desk, &[], vec![first.clone(), first]);
    let found = &run[0]["ansible_facts"]["discovered_interpreter_python"];
    assert!(
        found.as_str().is_some_and(|path| path.contains("python3")),
        "{}",
        run[0]
    );
    assert_eq!(run[1].get("ansible_facts"), None, "{}", run[1]);
}

#[test]
fn module_of_the_plans_author_uses_ansible_and_files_beside_it() {
    let desk = desk();
    desk.write("module_utils/mine.py", "value = 5\n");
    let text = "from ansible.module_utils.basic import AnsibleModule\nfrom ansible.module_utils import mine\nAnsibleModule().exit_json(value=mine.value)\n";
    desk.write("library/uses_mine.py", text);
    let run = run(&desk, &[], vec![task("uses_mine", &json!({}))]);
    assert_eq!(run[0]["value"], 5, "{}", run[0]);
}

#[test]
fn what_cannot_be_run_is_refused_before_a_host_is_touched() {
    let desk = desk();
    desk.write(
        "library/uses_ansible.py",
        "from ansible.module_utils.basic import AnsibleModule\n",
    );
    for (module, site, why) in [
        ("half", "site", "does part of its work on the controller"),
        ("gone", "site", "Use another."),
        ("my.own.nothing", "site", "Ansible 2.19.9"),
        ("my.own.thing", "elsewhere", "Ansible, which is not here"),
        ("uses_ansible", "elsewhere", "Ansible, which is not here"),
    ] {
        let plan = json!({"plays": [{"name": "p", "hosts": ["localhost"], "tasks": [task(module, &json!({}))]}]});
        let output = desk.refused_plan(plan.to_string(), &["--ansible-path", site]);
        assert!(output.stderr.contains(why), "{module}: {output}");
    }
}

#[test]
fn import_that_is_nowhere_fails_the_task_and_names_it() {
    let desk = desk();
    let plan = json!({"plays": [{"name": "p", "hosts": ["localhost"], "tasks": [task("my.own.lost", &json!({}))]}]});
    desk.write("plan.json", plan.to_string());
    let output = desk.exec(&["--ansible-path", "site", "plan.json"]).run();
    output.expect_code(2);
    assert!(
        output
            .stderr
            .contains("imports `ansible.module_utils.lost.x`"),
        "{output}"
    );
}
