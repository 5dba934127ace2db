//! The command line from outside: help, usage, configuration, and what is told of bad input before any host is touched.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

mod ansible_modules;
mod bad_input;
mod configuration;
mod dry_run;
mod facts_cache;
mod failures;
mod inventory;
mod lazy_facts;
mod listing;
mod local_run;
mod modules;
mod own_modules;
mod resume;
mod side_by_side;
mod usage;
mod vault;

use std::os::unix::fs::PermissionsExt;

use rustle_testkit::{Invocation, Output, World};

/// A plan of one task that every controller can run.
const PLAN: &str = r#"{"plays": [{"name": "one", "hosts": ["web1"], "tasks": [{"name": "is there", "module": "ping"}]}]}"#;

/// A world in which `ssh` leaves a trace, so that a test can tell whether a host was touched.
struct Desk {
    world: World,
}

impl Desk {
    fn new() -> Self {
        let mut world = World::new();
        let ssh = world.write(
            "bin/ssh",
            "#!/bin/sh\ntouch \"$HOME/ssh-was-called\"\nexit 255\n",
        );
        std::fs::set_permissions(&ssh, PermissionsExt::from_mode(0o755))
            .expect("the script is ours");
        let path = std::env::var("PATH").expect("there is a PATH");
        world.set_env("PATH", format!("{}:{path}", world.path("bin").display()));
        // The machine's own Ansible has no say.
        world.set_env("RUSTLE_ANSIBLE_PATH", world.path("no-ansible"));
        Self { world }
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        self.world.write(name, content);
    }

    fn exec(&self, arguments: &[&str]) -> Invocation {
        self.world
            .command(env!("CARGO_BIN_EXE_rustle-exec"))
            .args(arguments)
    }

    /// Runs the program, which must end with `code` before it touches a host.
    #[track_caller]
    fn refused(&self, arguments: &[&str], code: i32) -> Output {
        let output = self.exec(arguments).run();
        output.expect_code(code);
        assert!(
            !self.world.home().join("ssh-was-called").exists(),
            "a host was touched"
        );
        assert!(!output.stderr.contains("panicked"), "{output}");
        output
    }

    /// As [`Desk::refused`], with `plan` as the file `plan.json`.
    #[track_caller]
    fn refused_plan(&self, plan: impl AsRef<[u8]>, arguments: &[&str]) -> Output {
        self.write("plan.json", plan);
        self.refused(&[arguments, &["plan.json"]].concat(), 3)
    }
}
