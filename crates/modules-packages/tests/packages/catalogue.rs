//! The specifications of this family against Ansible's own.

use rustle_modules_packages::FAMILY;
use rustle_testkit::golden::check_spec;

const ARGS: &str = include_str!("../data/args.json");

#[test]
fn specifications_equal_ansibles() {
    let all = serde_json::from_str(ARGS).expect("data");
    let specs = FAMILY.iter().map(|module| module.spec());
    // `package` takes whatever the host's manager takes, and is tested by what it does.
    for spec in specs.filter(|spec| spec.name != "package") {
        check_spec(spec, &all);
    }
}
