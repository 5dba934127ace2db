//! What Ansible's own modules did, done again.

use std::process::Stdio;

use rustle_module::Catalogue;
use rustle_modules_packages::FAMILY;
use rustle_testkit::golden::{Call, Golden, Here, Outcome, is_sandbox};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");

const ARCHIVE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/packages/archive.sh");

/// Makes the archive that the sandbox installs from.
fn make_archive() {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox is set up by a script, which is not what is tested"
    )]
    let status = std::process::Command::new("sh")
        .arg(ARCHIVE)
        .stdin(Stdio::null())
        .status();
    assert!(
        status.expect("a shell").success(),
        "the archive can be made"
    );
}

fn run(call: &Call<'_>) -> Outcome {
    let catalogue = Catalogue::new(&[FAMILY]);
    let module = catalogue
        .find(call.module)
        .expect("a module of this family");
    let mut here = Here::new(call.mode());
    here.environment = call.env.iter().cloned().collect();
    here.call(module, call.object()).into()
}

fn check(test: &str, names: &[&str], exceptions: &[(&str, &str)]) {
    if is_sandbox(&format!("golden::{test}")) {
        make_archive();
        Golden::load(FOLDER, names).check(exceptions, run);
    }
}

#[test]
fn repositories_do_what_ansible_does() {
    let test = "repositories_do_what_ansible_does";
    let names = [
        "apt_repository-more",
        "deb822_repository-more",
        "yum_repository",
        "yum_repository-more",
    ];
    check(test, &names, REPOSITORIES);
}

const REPOSITORIES: &[(&str, &str)] = &[
    (
        "x-d8-key-url-bad",
        "the reason is what the program that fetches it says",
    ),
    ("x-repo-invalid-2", "the message says what is wrong"),
    (
        "x-repo-update-bad",
        "no warnings about waits: after the last failure nobody waits",
    ),
];

#[test]
fn package_does_what_ansible_does() {
    let test = "package_does_what_ansible_does";
    check(test, &["package", "package-more"], PACKAGE);
}

const PACKAGE: &[(&str, &str)] = &[(
    "x-package-bad-option",
    "the message names the module without Ansible's inner collection",
)];

#[test]
fn debconf_and_selections_do_what_ansible_does() {
    let test = "debconf_and_selections_do_what_ansible_does";
    let names = [
        "debconf",
        "debconf-more",
        "dpkg_selections",
        "dpkg_selections-more",
    ];
    check(test, &names, DEBCONF);
}

const DEBCONF: &[(&str, &str)] = &[
    (
        "x-dc-int",
        "a number is taken as its text, where Ansible fails",
    ),
    (
        "x-dc-list-string",
        "a list is taken as its text, where Ansible fails",
    ),
    (
        "x-dc-password",
        "a password is compared, where Ansible's second run fails",
    ),
];
