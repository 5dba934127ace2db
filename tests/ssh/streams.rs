//! Much data in either direction.

use std::fs;

use rustle_testkit::Relay;
use serde_json::{Value, json};

use crate::site::Site;

const MEGABYTE: usize = 1 << 20;

#[test]
fn large_file_is_streamed_and_never_sent_again() {
    let site = Site::of(1);
    let port = site.hosts[0].port();
    let relay = Relay::to(port);
    let inventory = site
        .inventory()
        .replace(
            &format!("ansible_port={port}"),
            &format!("ansible_port={}", relay.port()),
        )
        .replace(
            "-F none",
            &format!("-F none -o HostKeyAlias=[127.0.0.1]:{port}"),
        );
    site.world.write("hosts.ini", inventory);
    // No two of its pieces are the same.
    let bytes: Vec<u8> = (0..20 * MEGABYTE / 8)
        .flat_map(|n: usize| n.to_le_bytes())
        .collect();
    let source = site.world.write("large", &bytes);
    let dest = site.world.path("there");
    let tasks = json!([{ "name": "put", "module": "copy", "args": { "src": source, "dest": dest, "mode": "0600" } }]);
    site.run(&tasks).success();
    assert!(
        fs::read(&dest).expect("it is there") == bytes,
        "the file came as it is"
    );
    assert_eq!(site.report()["stats"]["node1"]["changed"], 1);
    let sent = relay.take_sent();
    assert!(sent > 20 * MEGABYTE, "{sent} bytes");
    site.run(&tasks).success();
    assert_eq!(site.report()["stats"]["node1"]["changed"], 0);
    let sent = relay.take_sent();
    assert!(sent < MEGABYTE, "{sent} bytes");
}

#[test]
fn output_beyond_the_limit_is_cut_and_the_run_goes_on() {
    let site = Site::of(1);
    let tasks = json!([
        { "name": "much", "module": "shell", "args": { "_raw_params": "head -c 50000000 /dev/zero | tr '\\0' x; echo end" }, "register": "much" },
        { "name": "after", "module": "debug", "args": { "msg": "{{ much.stdout | length }}" } },
    ]);
    site.run(&tasks).success();
    let report = site.report();
    let results = report["task_results"].as_array().expect("a list");
    let text = results[0]["stdout"].as_str().expect("a text");
    assert!(text.len() < 11 * MEGABYTE, "{}", text.len());
    assert!(text.ends_with("end"), "its end is kept");
    assert_eq!(
        results[0]["result"]["stdout_truncated"],
        Value::Bool(true),
        "{:?}",
        results[0]["result"]
            .as_object()
            .map(|it| it.keys().collect::<Vec<_>>())
    );
    assert_eq!(report["stats"]["node1"]["ok"], 2);
}
