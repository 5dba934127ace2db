//! Hosts, and the controller's side of them.

use std::path::PathBuf;

use rustle_testkit::{Invocation, Output, Sshd, SshdOptions, World, ini_inventory};
use serde_json::{Value, json};

/// A controller's world and its hosts, `node1` and up.
pub(crate) struct Site {
    pub(crate) world: World,
    pub(crate) hosts: Vec<Sshd>,
}

impl Site {
    /// A site with a host for each of the options.
    pub(crate) fn with(options: impl IntoIterator<Item = SshdOptions>) -> Self {
        let hosts: Vec<Sshd> = options.into_iter().map(Sshd::start).collect();
        let mut world = World::new();
        for host in &hosts {
            world.mask_host(host);
            world.mask(format!("{}@", host.user()), "$USER@");
            world.mask(format!("`{}`", host.user()), "`$USER`");
        }
        let site = Self { world, hosts };
        site.world.write("hosts.ini", site.inventory());
        site
    }

    /// A site with so many usual hosts.
    pub(crate) fn of(count: usize) -> Self {
        Self::with(std::iter::repeat_with(SshdOptions::default).take(count))
    }

    /// The INI inventory of all hosts, which `hosts.ini` holds at first.
    pub(crate) fn inventory(&self) -> String {
        let names: Vec<String> = (1..=self.hosts.len()).map(|n| format!("node{n}")).collect();
        ini_inventory(names.iter().map(String::as_str).zip(&self.hosts))
    }

    /// Describes a run with `hosts.ini` and a report. Passing failures of connections are not tried again.
    pub(crate) fn exec(&self, arguments: &[&str]) -> Invocation {
        self.world
            .command(env!("CARGO_BIN_EXE_rustle-exec"))
            .args(["-i", "hosts.ini", "--report-file", "report.json"])
            .args(["--progress", "lines"])
            .env("RUSTLE_MAX_RETRIES", "0")
            .args(arguments)
    }

    /// Runs these tasks on all hosts.
    pub(crate) fn run(&self, tasks: &Value) -> Output {
        self.world
            .write("plan.json", plan("hosts", tasks).to_string());
        self.exec(&["plan.json"]).run()
    }

    /// The report of the last run.
    pub(crate) fn report(&self) -> Value {
        serde_json::from_str(&self.world.read("report.json")).expect("the report is JSON")
    }

    /// What the report says of hosts that could not be reached, in one text with masks.
    pub(crate) fn failures(&self, output: &Output) -> String {
        let report = self.report();
        let mut lines = vec![format!("exit status: {}", output.code)];
        for failure in report["failures"].as_array().expect("a list") {
            let part = |key: &str| failure[key].as_str().unwrap_or_default().to_owned();
            lines.push(format!(
                "{} {}: {}",
                part("host"),
                part("kind"),
                part("error")
            ));
            lines.extend(failure["hint"].as_str().map(|hint| format!("hint: {hint}")));
        }
        output.masked(&(lines.join("\n") + "\n"))
    }

    /// The agents in the cache of a host's user.
    pub(crate) fn agents(&self, host: usize) -> Vec<PathBuf> {
        let cache = self.hosts[host].home().join(".cache/rustle");
        let entries = std::fs::read_dir(cache).into_iter().flatten();
        entries
            .map(|entry| entry.expect("the folder can be read").path())
            .collect()
    }
}

/// A plan of one play.
pub(crate) fn plan(hosts: &str, tasks: &Value) -> Value {
    json!({ "plays": [{ "name": "play", "hosts": hosts, "tasks": tasks }] })
}

/// A task that only reaches the host.
pub(crate) fn ping() -> Value {
    json!([{ "name": "reach", "module": "ping" }])
}
