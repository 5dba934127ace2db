//! The agent on its way to a host: put there once, found again, in spite of what the host prints and where it cannot be kept.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use insta::assert_snapshot;
use rustle_testkit::{SshdOptions, World};
use serde_json::{Value, json};

use crate::site::{Site, ping, plan};

fn is_uploaded(site: &Site) -> Value {
    site.report()["host_connections"]["node1"]["agent_uploaded"].clone()
}

#[test]
fn agent_is_put_once_into_a_private_folder() {
    let site = Site::of(1);
    site.run(&ping()).success();
    assert_eq!(is_uploaded(&site), true);
    let agents = site.agents(0);
    assert_eq!(agents.len(), 1, "{agents:?}");
    for path in [agents[0].as_path(), agents[0].parent().expect("a folder")] {
        let mode = fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{}", path.display());
    }
    let inode =
        |path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).expect("it is there"));
    let first = inode(&agents[0]);
    site.run(&ping()).success();
    assert_eq!(is_uploaded(&site), false);
    assert_eq!(site.agents(0), agents);
    assert_eq!(inode(&agents[0]), first, "it was not written again");
}

#[test]
fn broken_agent_is_replaced() {
    let site = Site::of(1);
    site.run(&ping()).success();
    let agent = site.agents(0).remove(0);
    fs::remove_file(&agent).expect("the agent is ours");
    fs::write(&agent, "half of it").expect("the folder is ours");
    fs::set_permissions(&agent, fs::Permissions::from_mode(0o700)).expect("the agent is ours");
    site.run(&ping()).success();
    assert_eq!(is_uploaded(&site), true);
    assert!(fs::metadata(&agent).expect("it is there").len() > 100_000);
}

#[test]
fn banner_and_noise_of_login_scripts_do_no_harm() {
    let noise = "Welcome!\n@@rustle-0000 start\nlast login: today\n\x1b[31mno newline at the end: ";
    let site = Site::with([SshdOptions {
        banner: Some("Authorised use only.\n".repeat(50)),
        noise: Some(noise.into()),
        ..SshdOptions::default()
    }]);
    let tasks =
        json!([{ "name": "speak", "module": "command", "args": { "_raw_params": "echo clear" } }]);
    for _ in 0..2 {
        site.run(&tasks).success();
        assert_eq!(site.report()["task_results"][0]["stdout"], "clear");
    }
}

#[test]
fn host_that_prints_without_end_is_unreachable() {
    let site = Site::with([SshdOptions {
        noise: Some("ten bytes\n".repeat(20_000)),
        ..SshdOptions::default()
    }]);
    let output = site.run(&ping());
    output.expect_code(4);
    let told = site.failures(&output);
    assert!(
        told.contains("the host printed more than 65536 bytes and the agent did not start"),
        "{told}"
    );
    assert!(told.len() < 4000, "what it printed is cut");
}

#[test]
fn remote_tmp_that_cannot_be_made_leads_to_the_next_folder() {
    let site = Site::of(1);
    let inventory = site.inventory() + "\n[hosts:vars]\nansible_remote_tmp=/proc/none\n";
    site.world.write("hosts.ini", inventory);
    site.run(&ping()).success();
    assert_eq!(site.agents(0).len(), 1);
}

#[test]
fn remote_tmp_of_the_user_is_the_first_choice() {
    let site = Site::of(1);
    let inventory = site.inventory() + "\n[hosts:vars]\nansible_remote_tmp=~/.ansible/tmp\n";
    site.world.write("hosts.ini", inventory);
    site.run(&ping()).success();
    let own = site.hosts[0].home().join(".ansible/tmp");
    assert_eq!(fs::read_dir(own).expect("it is there").count(), 1);
    assert!(site.agents(0).is_empty());
}

/// A controller that runs as `LOGNAME=WORD` in a file system of its own, where the four folders that an agent may be kept in
/// can be spoilt.
struct Spoilt {
    world: World,
    user: String,
    _folders: Vec<tempfile::TempDir>,
}

impl Spoilt {
    fn new() -> Self {
        let mut world = World::new();
        let first = tempfile::Builder::new()
            .prefix("rustle-")
            .tempdir_in("/tmp")
            .expect("/tmp can be written to");
        let name = first
            .path()
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let user = name.trim_start_matches("rustle-").to_owned();
        let rest = ["/var/tmp", "/dev/shm"].map(|folder| {
            let mut builder = tempfile::Builder::new();
            builder
                .prefix(&name)
                .rand_bytes(0)
                .tempdir_in(folder)
                .expect("it can be written to")
        });
        world.set_env("LOGNAME", &user);
        world.mask(&user, "USER");
        world.write("plan.json", plan("localhost", &ping()).to_string());
        let folders = std::iter::once(first).chain(rest).collect();
        Self {
            world,
            user,
            _folders: folders,
        }
    }

    /// Runs the plan after these lines of shell, in which `$u` is the user's name.
    fn run(&self, spoil: &str) -> (i32, String) {
        let script = format!(
            r#"set -e; u={}; {spoil}; exec {} --connection-plugin local --report-file report.json plan.json"#,
            self.user,
            env!("CARGO_BIN_EXE_rustle-exec")
        );
        let output = self
            .world
            .command("unshare")
            .args(["--mount", "sh", "-c", &script])
            .run();
        assert!(
            self.world.path("report.json").exists(),
            "this test needs root, and a machine where root may mount: {output}"
        );
        let report: Value = serde_json::from_str(&self.world.read("report.json")).expect("JSON");
        let told = report["failures"][0]["error"].as_str().unwrap_or_default();
        (output.code, output.masked(told))
    }
}

const NO_EXEC: &str = "mount -t tmpfs -o noexec,mode=700 none /tmp/rustle-$u";
const READ_ONLY: &str = "mount -t tmpfs -o ro,mode=700 none /var/tmp/rustle-$u";
const FULL: &str = "mount -t tmpfs -o size=64k,mode=700 none /dev/shm/rustle-$u";
const LINK: &str = "ln -sfn /tmp $XDG_CACHE_HOME/rustle";

#[test]
fn folder_that_cannot_hold_the_agent_leads_to_the_next() {
    for (bad, good) in [
        (&[LINK][..], "/var/tmp"),
        (&[LINK, READ_ONLY], "/tmp"),
        (&[LINK, READ_ONLY, NO_EXEC], "/dev/shm"),
        (
            &[
                "mkdir $XDG_CACHE_HOME/rustle; mount -t tmpfs -o size=64k,mode=700 none $XDG_CACHE_HOME/rustle",
            ],
            "/var/tmp",
        ),
    ] {
        let spoilt = Spoilt::new();
        let (code, told) = spoilt.run(&bad.join("; "));
        assert_eq!((code, told.as_str()), (0, ""), "{bad:?}");
        let folder = format!("{good}/rustle-{}", spoilt.user);
        let agents = fs::read_dir(&folder).expect("it is there").count();
        assert_eq!(agents, 1, "{folder} after {bad:?}");
    }
}

#[test]
fn where_no_folder_can_hold_the_agent_each_is_named_with_its_reason() {
    let spoilt = Spoilt::new();
    let (code, told) = spoilt.run(&[LINK, READ_ONLY, NO_EXEC, FULL].join("; "));
    assert_eq!(code, 4, "{told}");
    let counts = regex::Regex::new(r"\d+ of \d+ bytes").expect("well formed");
    assert_snapshot!(counts.replace(&told, "N of N bytes"), @"starting the agent failed: no folder on the host can hold the agent: /dev/shm/rustle-USER: only N of N bytes could be written; $HOME/.cache/rustle: is a symbolic link; /var/tmp/rustle-USER: cannot be written to; /tmp/rustle-USER: does not let programs run (noexec)");
}
