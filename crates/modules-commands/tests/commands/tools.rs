//! Modules that drive programs of developers, against what Ansible's own did with the same programs.

use rustle_modules_commands::FAMILY;
use rustle_testkit::golden::{Golden, check_spec};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");
const ARGS: &str = include_str!("../../../../fixtures/modules/args.json");

/// The modules whose specifications are compared here.
const NAMES: [&str; 7] = [
    "subversion",
    "ansible.posix.synchronize",
    "expect",
    "git",
    "community.general.git_config",
    "community.general.make",
    "ansible.posix.patch",
];

#[test]
fn specifications_of_tools_equal_ansibles() {
    let all = serde_json::from_str(ARGS).unwrap();
    let specs = FAMILY.iter().map(|module| module.spec());
    let found: Vec<_> = specs.filter(|spec| NAMES.contains(&spec.name)).collect();
    assert_eq!(found.len(), NAMES.len());
    for spec in found {
        check_spec(spec, &all);
    }
}

fn check(name: &str, exceptions: &[(&str, &str)]) {
    Golden::load(FOLDER, &[name]).check(exceptions, |call| {
        let mut outcome = call.run(FAMILY);
        let mut text = outcome.result.to_string();
        for (program, recorded) in [("git", "/usr/local/bin/git"), ("gmake", "/usr/bin/gmake")] {
            text = text.replace(&place_of(program), recorded);
        }
        outcome.result = serde_json::from_str(&text).unwrap();
        outcome
    });
}

/// Where a program is here, which need not be where it was for the recordings.
fn place_of(program: &str) -> String {
    let path = std::env::var("PATH").unwrap_or_default();
    let mut places = path.split(':').map(|folder| format!("{folder}/{program}"));
    let place = places.find(|place| std::path::Path::new(place).is_file());
    place.unwrap_or_else(|| panic!("{program} is not installed"))
}

#[test]
fn expect_does_what_ansible_does() {
    let exceptions = [
        ("expect-list-short", SAYS_MORE),
        ("expect-chdir-missing", SAYS_MORE),
        ("expect-bad-regex", SAYS_MORE),
        (
            "expect-signal",
            "a signal is told by its number; Ansible takes it for a timeout",
        ),
    ];
    check("expect", &exceptions);
}

#[test]
fn synchronize_does_what_ansible_does() {
    let exceptions = [
        ("synchronize-no-src", BY_THE_CONTROLLER),
        ("synchronize-no-dest", BY_THE_CONTROLLER),
        ("synchronize-link-dest", LINKED),
        ("synchronize-link-dest-twice", LINKED),
    ];
    check("synchronize", &exceptions);
}

#[test]
fn subversion_does_what_ansible_does() {
    let exceptions = [
        (
            "subversion-local-changes",
            "changed files are told before anything is brought; Ansible merges first",
        ),
        (
            "subversion-update-revision",
            "an older revision is a change in check mode too",
        ),
        (
            "subversion-in-place",
            "nothing is brought in check mode, where Ansible does it",
        ),
    ];
    check("subversion", &exceptions);
}

const LINKED: &str =
    "files that were linked are a change; Ansible says unchanged where anything at all stayed";

const BY_THE_CONTROLLER: &str = "the controller's half says so";

const SAYS_MORE: &str = "the message says more";

#[test]
fn git_does_what_ansible_does() {
    check("git", &[]);
}

#[test]
fn git_config_does_what_ansible_does() {
    check("git_config", &[]);
}

#[test]
fn make_does_what_ansible_does() {
    check("make", &[]);
}

#[test]
fn patch_does_what_ansible_does() {
    check("patch", &[]);
}
