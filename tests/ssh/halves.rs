//! Actions that have a half on the controller and need a host: `assemble`, `fetch`, `reboot`, `synchronize`.

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
fn synchronize_goes_both_ways_over_the_ssh_that_modules_use() {
    let site = Site::of(1);
    let source = site.world.write("files/from/sub/b b", "b\n");
    site.world.write("files/from/a", "a\n");
    let there = site.world.path("there here");
    let push = json!({"src": "from/", "dest": format!("{}/", there.display())});
    let task =
        |args| json!([{ "name": "sync", "module": "ansible.posix.synchronize", "args": args }]);
    let plan = crate::site::plan("hosts", &task(push.clone())).to_string();
    site.world.write("plan.json", plan);
    site.exec(&["plan.json", "--check"]).run().success();
    assert!(!there.exists(), "check mode changes nothing");
    site.run(&task(push.clone())).success();
    let result = &site.report()["task_results"][0]["result"];
    assert_eq!(result["changed"], true, "{result}");
    let cmd = result["cmd"].as_str().expect("the command");
    assert!(cmd.contains("--rsh='ssh -S none "), "{cmd}");
    assert_eq!(fs::read(there.join("sub/b b")).expect("pushed"), b"b\n");
    site.run(&task(push)).success();
    assert_eq!(site.report()["stats"]["node1"]["changed"], 0);

    let pull = json!({"src": there, "dest": "back", "mode": "pull"});
    site.run(&task(pull)).success();
    let back = site.world.path("back/there here/sub/b b");
    let (one, other) = (fs::read(back), fs::read(source));
    assert_eq!(one.expect("pulled"), other.expect("the source"));

    let nothing = json!({"src": "none/", "dest": there});
    let output = site.run(&task(nothing));
    assert_eq!(output.code, 2, "{output}");
}

#[test]
fn fragments_of_the_controller_make_one_file_on_the_host() {
    let site = Site::of(1);
    for (name, text) in [("1", "a"), ("2", "b\n"), (".hidden", "h\n")] {
        site.world.write(format!("files/parts/{name}"), text);
    }
    let dest = site.world.path("whole");
    let task = |further: serde_json::Value| {
        let mut args =
            json!({"src": "parts", "dest": dest, "remote_src": false, "delimiter": "--"});
        let further = further.as_object().expect("arguments").clone();
        args.as_object_mut().expect("arguments").extend(further);
        json!([{ "name": "assemble", "module": "assemble", "args": args }])
    };
    site.run(&task(json!({"ignore_hidden": true, "mode": "0640"})))
        .success();
    let result = &site.report()["task_results"][0]["result"];
    assert_eq!(result["dest"], json!(dest));
    assert_eq!(
        result["checksum"],
        "d74c9dc74a47e31e283503e91f8522b1ef6ba7a4"
    );
    assert_eq!(fs::read(&dest).expect("there"), b"a\n--\nb\n");
    site.run(&task(json!({"ignore_hidden": true, "mode": "0640"})))
        .success();
    assert_eq!(site.report()["stats"]["node1"]["changed"], 0);
    let result = &site.report()["task_results"][0]["result"];
    assert_eq!(result["dest"], json!(dest));

    site.run(&task(json!({"regexp": "^2"}))).success();
    assert_eq!(fs::read(&dest).expect("there"), b"b\n");
    assert_eq!(site.run(&task(json!({"regexp": "("}))).code, 2);
    assert_eq!(site.run(&task(json!({"src": "none"}))).code, 2);
    assert_eq!(site.run(&task(json!({"src": "parts/1"}))).code, 2);
    assert_eq!(fs::read(&dest).expect("there"), b"b\n");
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
