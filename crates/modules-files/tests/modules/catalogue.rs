//! The specifications of this family against Ansible's own.

use rustle_modules_files::FAMILY;
use rustle_testkit::golden::check_spec;

const ARGS: &str = include_str!("../../../../fixtures/modules/args.json");

#[test]
fn specifications_equal_ansibles() {
    let all = serde_json::from_str(ARGS).expect("data");
    for module in FAMILY {
        check_spec(module.spec(), &all);
    }
}

#[test]
fn names_are_unique() {
    let mut names: Vec<&str> = FAMILY.iter().map(|module| module.spec().name).collect();
    names.sort_unstable();
    let expected = [
        "ansible.posix.acl",
        "assemble",
        "blockinfile",
        "community.general.archive",
        "community.general.ini_file",
        "copy",
        "file",
        "find",
        "get_url",
        "known_hosts",
        "lineinfile",
        "replace",
        "slurp",
        "stat",
        "tempfile",
        "unarchive",
        "uri",
    ];
    assert_eq!(names, expected);
}
