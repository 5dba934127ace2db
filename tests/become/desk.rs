//! A controller's world, and a folder that every user can write to.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustle_testkit::{Output, World};
use serde_json::{Value, json};

pub(crate) struct Desk {
    pub(crate) world: World,
    open: tempfile::TempDir,
}

impl Desk {
    /// Panics where a test as root cannot be done, and says what is missing.
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let id = world.command("id").arg("-u").run();
        assert_eq!(id.stdout.trim(), "0", "tests of other users need root");
        for (program, package) in [
            ("sudo", "sudo"),
            ("su", "util-linux"),
            ("setpriv", "util-linux"),
        ] {
            let found = world
                .command("sh")
                .args(["-c", &format!("command -v {program}")])
                .run();
            assert!(
                found.code == 0,
                "`{program}` is missing: apt-get install -y {package} (Debian, Ubuntu)"
            );
        }
        let open = tempfile::Builder::new()
            .prefix("rustle-open-")
            .tempdir_in("/tmp")
            .expect("/tmp can be written to");
        fs::set_permissions(open.path(), fs::Permissions::from_mode(0o777))
            .expect("the folder is ours");
        world.mask(open.path().to_string_lossy(), "$OPEN");
        Self { world, open }
    }

    /// A path that every user can write to.
    pub(crate) fn open(&self, name: &str) -> PathBuf {
        self.open.path().join(name)
    }

    /// Runs tasks on this machine.
    pub(crate) fn run(&self, tasks: &Value, arguments: &[&str]) -> Output {
        self.write_plan(tasks);
        self.world
            .command(env!("CARGO_BIN_EXE_rustle-exec"))
            .args(["--report-file", "report.json", "plan.json"])
            .args(arguments)
            .run()
    }

    pub(crate) fn write_plan(&self, tasks: &Value) -> PathBuf {
        let plan = json!({ "plays": [{ "name": "play", "hosts": ["localhost"], "tasks": tasks }] });
        self.world.write("plan.json", plan.to_string())
    }

    /// The results of the last run.
    pub(crate) fn results(&self, report: &Path) -> Vec<Value> {
        let text = fs::read_to_string(report).expect("a report was written");
        let report: Value = serde_json::from_str(&text).expect("the report is JSON");
        report["task_results"].as_array().expect("a list").clone()
    }
}
