//! The specifications of this family against Ansible's own.

use rustle_modules_system::FAMILY;
use rustle_testkit::golden::check_spec;

const ARGS: &str = include_str!("../../../../fixtures/modules/args.json");

/// Modules whose specifications are compared where they are.
const ELSEWHERE: [&str; 2] = ["ping", "setup"];

#[test]
fn specifications_equal_ansibles() {
    let all = serde_json::from_str(ARGS).expect("data");
    let specs = FAMILY.iter().map(|module| module.spec());
    for spec in specs.filter(|spec| !ELSEWHERE.contains(&spec.name)) {
        check_spec(spec, &all);
    }
}
