//! What `rustle-plan` writes, on three hosts.
//!
//! The hosts share one file system, so each plan works in a folder that is a variable of the host, in place of `/tmp/rx`.
//! Nothing else of the plans is changed.

use std::fs;

use serde_json::Value;

use crate::site::Site;

const PLANS: [&str; 5] = [
    "linear",
    "free",
    "rolling",
    "binary-hybrid",
    "plan.opt-force-binary",
];

/// A real plan, with the folder of each host in place of `/tmp/rx`.
fn plan(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/rustle-plan");
    let text = fs::read_to_string(format!("{folder}/14a_local_smoke_all.{name}.json"));
    text.expect("a plan of the fixtures")
        .replace("/tmp/rx", "{{ rx }}")
}

/// Three hosts, with a folder each.
fn three() -> Site {
    let site = Site::of(3);
    let with_folder = |(number, line): (usize, &str)| match number {
        0 => format!("{line}\n"),
        _ => format!(
            "{line} rx={}\n",
            site.world.path(format!("rx{number}")).display()
        ),
    };
    let inventory: String = site
        .inventory()
        .lines()
        .enumerate()
        .map(with_folder)
        .collect();
    site.world.write("hosts.ini", inventory);
    site
}

/// The names of the tasks that changed something on a host, in their order.
fn changed(report: &Value, host: &str) -> Vec<String> {
    let results = report["task_results"].as_array().expect("a list");
    results
        .iter()
        .filter(|result| result["host"] == host && result["changed"] == true)
        .map(|result| result["task_name"].as_str().unwrap_or_default().to_owned())
        .collect()
}

/// The files and their texts in a host's folder are those that the plan describes.
fn require_files(site: &Site) {
    for number in 1..=3 {
        assert_eq!(
            site.world.read(format!("rx{number}/motd")),
            "managed by rustle\nsecond line\n"
        );
        assert_eq!(site.world.read(format!("rx{number}/handled")), "");
    }
}

#[test]
fn real_plans_change_three_hosts() {
    for name in PLANS {
        let site = three();
        site.world.write("plan.json", plan(name));
        site.exec(&["plan.json"]).run().success();
        require_files(&site);
        let report = site.report();
        for host in ["node1", "node2", "node3"] {
            let names = changed(&report, host);
            let expected = [
                "Work directory",
                "Put a file",
                "Add a line",
                "Read it back",
                "Count lines",
                "note",
            ];
            let mut sorted = names.clone();
            sorted.sort_unstable();
            let mut all = expected.map(str::to_owned);
            all.sort_unstable();
            assert_eq!(sorted, all, "{name} on {host}");
            assert_eq!(report["stats"][host]["changed"], 6, "{name} on {host}");
        }
        let read: Vec<&Value> = report["task_results"]
            .as_array()
            .expect("a list")
            .iter()
            .filter(|result| result["task_name"] == "Count lines")
            .map(|result| &result["stdout"])
            .collect();
        assert_eq!(read, ["2", "2", "2"], "{name}");
    }
}

#[test]
fn second_run_changes_only_what_commands_do() {
    // `copy` puts its content back, since `lineinfile` adds to the same file: so the plan never rests, in Ansible too.
    // Without that line it does.
    let site = three();
    let text = plan("linear").replace("managed by rustle\\n", "managed by rustle\\nsecond line\\n");
    site.world.write("plan.json", text);
    site.exec(&["plan.json"]).run().success();
    let marks: Vec<_> = (1..=3)
        .map(|n| site.world.path(format!("rx{n}/handled")))
        .collect();
    for mark in &marks {
        fs::remove_file(mark).expect("the handler ran");
    }
    site.exec(&["plan.json"]).run().success();
    let report = site.report();
    for host in ["node1", "node2", "node3"] {
        assert_eq!(changed(&report, host), ["Read it back", "Count lines"]);
        assert_eq!(report["host_connections"][host]["agent_uploaded"], false);
    }
    assert!(
        marks.iter().all(|mark| !mark.exists()),
        "no handler was notified"
    );
}

#[test]
fn plan_comes_by_a_pipe_with_and_without_a_dash() {
    for arguments in [&["-"][..], &[]] {
        let site = three();
        site.exec(arguments).stdin(plan("linear")).run().success();
        require_files(&site);
        assert_eq!(site.report()["summary"]["successful_hosts"], 3);
    }
}

#[test]
fn check_run_reports_what_would_change_and_touches_nothing() {
    let site = three();
    site.world.write("plan.json", plan("linear"));
    let output = site.exec(&["--check", "--diff", "plan.json"]).run();
    let report = site.report();
    for number in 1..=3 {
        assert!(!site.world.path(format!("rx{number}")).exists(), "{output}");
        let names = changed(&report, &format!("node{number}"));
        assert_eq!(names.first().map(String::as_str), Some("Work directory"));
    }
}
