//! Actions that have a half on the controller and need a host: `fetch`, `reboot`.

use std::fs;

use serde_json::json;

use crate::site::Site;

#[test]
fn file_of_several_pieces_arrives_whole() {
    let site = Site::of(1);
    let content: Vec<u8> = (0..9_000_000_u32).map(|at| (at % 251) as u8).collect();
    let there = site.world.write("there", &content);
    let fetch = json!([{ "name": "fetch", "module": "fetch", "args": {"src": there, "dest": "here/", "flat": true} }]);
    site.run(&fetch).success();
    let here = fs::read(site.world.path("here/there")).expect("it was fetched");
    assert!(here == content, "the file is another one");
    site.run(&fetch).success();
    assert_eq!(site.report()["stats"]["node1"]["changed"], 0);
}

#[test]
fn reboot_waits_until_the_boot_id_is_another_one() {
    let site = Site::of(1);
    let id = site.world.write("boot_id", "one\n");
    let id = id.display();
    let args = json!({
        "boot_time_command": format!("cat {id}"),
        "reboot_command": format!("echo two >{id}"),
        "reboot_timeout": 60,
    });
    let task = json!({ "name": "restart", "module": "reboot", "args": args });
    site.run(&json!([task])).success();
    let result = &site.report()["task_results"][0]["result"];
    assert_eq!(
        (&result["rebooted"], &result["changed"]),
        (&json!(true), &json!(true))
    );

    let refused = json!({ "name": "restart", "module": "reboot", "args": {"reboot_command": "echo no; exit 3"} });
    let output = site.run(&json!([refused]));
    assert_eq!(output.code, 2, "{output}");
    let result = &site.report()["task_results"][0]["result"];
    assert_eq!(result["msg"], "Reboot command failed. Error was: 'no, '");
    assert_eq!(result["rebooted"], false);
}

#[test]
fn reboot_never_restarts_the_controller_and_in_check_mode_nothing() {
    let site = Site::of(1);
    let id = site.world.write("boot_id", "one\n");
    let args = json!({ "reboot_command": format!("echo two >{}", id.display()) });
    let plan = |hosts: &str| {
        let tasks = json!([{ "name": "restart", "module": "reboot", "args": args }]);
        crate::site::plan(hosts, &tasks).to_string()
    };
    site.world.write("plan.json", plan("hosts"));
    site.exec(&["plan.json", "--check"]).run().success();
    site.world
        .write("local.ini", "here ansible_connection=local\n");
    site.world.write("plan.json", plan("here"));
    let output = site.exec(&["plan.json", "-i", "local.ini"]).run();
    assert_eq!(output.code, 2, "{output}");
    assert_eq!(site.world.read("boot_id"), "one\n");
}
