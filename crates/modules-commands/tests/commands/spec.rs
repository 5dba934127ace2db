//! The specifications against `tests/data/args.json`, Ansible's own.

use std::collections::BTreeMap;

use rustle_module::{CheckSupport, Constraint, Default, DynModule, Opt, Type};
use rustle_modules_commands::FAMILY;
use serde_json::{Value, json};

/// In the documentation, but not in the module: it stands for `_raw_params`.
const DOCUMENTED_ONLY: &str = "free_form";

fn ansible() -> BTreeMap<String, Value> {
    serde_json::from_str(include_str!("../data/args.json")).unwrap()
}

fn described(option: &Opt) -> Value {
    let mut described = match option.kind {
        Type::Str => json!({"type": "str"}),
        Type::Path => json!({"type": "path"}),
        Type::Bool => json!({"type": "bool"}),
        Type::List(Type::Str) => json!({"type": "list", "elements": "str"}),
        kind => panic!("no option here is {kind:?}"),
    };
    if let Default::Bool(value) = option.default {
        described["default"] = value.into();
    }
    described
}

fn options_of_ansible(module: &str) -> BTreeMap<String, Value> {
    let options = ansible()[module]["options"].as_object().unwrap().clone();
    options
        .into_iter()
        .filter(|(name, _)| name != DOCUMENTED_ONLY)
        .map(|(name, mut option)| {
            option.as_object_mut().unwrap().shift_remove("undocumented");
            (name, option)
        })
        .collect()
}

/// The modules that run commands.
fn commands() -> impl Iterator<Item = &'static &'static dyn DynModule> {
    FAMILY.iter().filter(|module| module.spec().free_form)
}

#[test]
fn names_are_these() {
    let names: Vec<&str> = FAMILY.iter().map(|module| module.spec().name).collect();
    assert_eq!(
        names,
        [
            "command",
            "shell",
            "expect",
            "git",
            "community.general.git_config",
            "community.general.make",
            "ansible.posix.patch",
            "raw",
            "script",
            "subversion",
            "ansible.posix.synchronize",
            "wait_for"
        ]
    );
    assert_eq!(commands().count(), 4);
}

#[test]
fn options_are_those_of_ansible() {
    for module in commands() {
        let spec = module.spec();
        let own: BTreeMap<String, Value> = spec
            .all_options()
            .filter(|option| !option.internal)
            .map(|option| (option.name.to_owned(), described(option)))
            .collect();
        let mut expected = options_of_ansible(spec.name);
        match spec.name {
            // Shell is documented with some of the options of the module that runs it, and a shell that is a path.
            "shell" => expected = options_of_ansible("command"),
            // These are no modules in Ansible, and have the text by no name.
            "raw" | "script" => {
                drop(expected.insert("_raw_params".to_owned(), json!({"type": "str"})))
            }
            _ => {}
        }
        assert_eq!(own, expected, "{}", spec.name);
    }
}

#[test]
fn constraints_are_those_of_ansible() {
    let all = ansible();
    for module in commands().filter(|module| module.spec().name != "raw") {
        let name = module.spec().name;
        let theirs = &all[if name == "shell" { "command" } else { name }];
        for constraint in module.spec().constraints {
            let (kind, names) = match constraint {
                Constraint::MutuallyExclusive(names) => ("mutually_exclusive", names),
                Constraint::RequiredOneOf(names) => ("required_one_of", names),
                other => panic!("not expected: {other:?}"),
            };
            assert_eq!(theirs[kind], json!([names]), "{kind}");
        }
        assert_eq!(module.spec().constraints.len(), 2);
    }
}

#[test]
fn check_mode_is_supported_where_ansible_supports_it() {
    for module in commands() {
        // Raw answers in check mode too, that it is skipped: without the message that an unsupported module gets.
        assert_eq!(module.spec().check_mode, CheckSupport::Full);
    }
    assert_eq!(ansible()["raw"]["supports_check_mode"], "none");
}
