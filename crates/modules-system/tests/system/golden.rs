//! What Ansible's own modules did, done again.

use rustle_modules_system::FAMILY;
use rustle_testkit::golden::{Call, Golden, Outcome, is_sandbox};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");

fn run(call: &Call<'_>) -> Outcome {
    call.run(FAMILY)
}

const DASH: &str = "Ansible hands a name that starts with `-` over as an option";

const GETENT_EXCEPTIONS: &[(&str, &str)] = &[("x-ge-dash", DASH)];

const GROUP_EXCEPTIONS: &[(&str, &str)] = &[("x-group-dash", DASH)];

const USER_EXCEPTIONS: &[(&str, &str)] = &[
    ("x-user-dashname", DASH),
    (
        "x-user-parents",
        "only the folders above the home are made beforehand, so that `useradd` has nothing to warn of",
    ),
];

#[test]
fn getent_does_what_ansible_does() {
    Golden::load(FOLDER, &["getent", "getent-more"]).check(GETENT_EXCEPTIONS, run);
}

#[test]
fn group_does_what_ansible_does() {
    if is_sandbox("golden::group_does_what_ansible_does") {
        Golden::load(FOLDER, &["group", "group-more"]).check(GROUP_EXCEPTIONS, run);
    }
}

#[test]
fn user_does_what_ansible_does() {
    if is_sandbox("golden::user_does_what_ansible_does") {
        Golden::load(FOLDER, &["user", "user-more"]).check(USER_EXCEPTIONS, run);
    }
}

const CRON_EXCEPTIONS: &[(&str, &str)] = &[];

#[test]
fn cron_does_what_ansible_does() {
    if is_sandbox("golden::cron_does_what_ansible_does") {
        Golden::load(FOLDER, &["cron", "cron-more"]).check(CRON_EXCEPTIONS, run);
    }
}
