//! Modules of the family, called on this machine.

use rustle_module::{Catalogue, Mode, ModuleResult};
use rustle_modules_system::FAMILY;
use rustle_testkit::golden::Here;
use serde_json::Value;

/// Calls a module with the programs of the machine.
pub(crate) fn call(module: &str, args: &Value, check: bool) -> ModuleResult {
    run(&Here::new(Mode { check, diff: false }), module, args)
}

/// As [`call`], with programs looked for in these folders first.
pub(crate) fn call_with_path(path: &str, module: &str, args: &Value, check: bool) -> ModuleResult {
    let mut here = Here::new(Mode { check, diff: false });
    here.environment.insert("PATH".into(), path.into());
    run(&here, module, args)
}

fn run(here: &Here, module: &str, args: &Value) -> ModuleResult {
    let catalogue = Catalogue::new(&[FAMILY]);
    let module = catalogue.find(module).expect("a module");
    here.call(module, args.as_object().expect("an object").clone())
}
