//! Runs that end early: the controller's, the agent's, the connection's end.

use std::net::TcpListener;

use rustle_testkit::{Pipe, Process, Running, Signal};
use serde_json::{Value, json};

use crate::site::{Site, ping, plan};

/// A task that tells its own process id and that of the agent by a pipe, and then goes on for ten minutes; the other hosts
/// only say hello.
fn long_task(pipe: &Pipe) -> Value {
    let line = format!("echo $$ $PPID > {}; exec sleep 600", pipe.path().display());
    json!([
        { "name": "first", "module": "command", "args": { "_raw_params": "echo hello" } },
        { "name": "work", "module": "shell", "args": { "_raw_params": line }, "when": "inventory_hostname == 'node1'" },
        { "name": "last", "module": "command", "args": { "_raw_params": "echo hello" } },
    ])
}

/// Starts it and waits until it is at work on `node1`.
fn at_work(site: &Site) -> (Running, Process, Process) {
    let pipe = Pipe::new(site.world.path("pipe"));
    site.world
        .write("plan.json", plan("hosts", &long_task(&pipe)).to_string());
    let running = site.exec(&["plan.json"]).spawn();
    let mut processes = pipe.processes();
    assert_eq!(processes.len(), 2);
    let agent = processes.remove(1);
    assert!(agent.name().starts_with("agent-"), "{}", agent.name());
    (running, processes.remove(0), agent)
}

#[test]
fn interrupted_run_ends_its_commands_and_writes_its_report() {
    let site = Site::of(2);
    let (running, command, agent) = at_work(&site);
    running.signal_group(Signal::INT);
    let output = running.wait();
    output.expect_code(130);
    command.wait_for_end();
    agent.wait_for_end();
    let report = site.report();
    let results = report["task_results"].as_array().expect("a list");
    assert!(
        results
            .iter()
            .any(|result| result["task_name"] == "first" && result["stdout"] == "hello")
    );
    assert!(
        !results
            .iter()
            .any(|result| result["task_name"] == "last" && result["host"] == "node1")
    );
    assert!(!output.stderr.contains("panicked"), "{output}");
}

#[test]
fn run_is_interrupted_while_a_host_does_not_answer() {
    let site = Site::of(0);
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = silent.local_addr().expect("it is bound").port();
    site.world.write(
        "hosts.ini",
        format!("[hosts]\nnode1 ansible_host=127.0.0.1 ansible_port={port} ansible_ssh_common_args='-F none'\n"),
    );
    site.world
        .write("plan.json", plan("hosts", &ping()).to_string());
    let running = site.exec(&["plan.json"]).spawn();
    let (connection, _) = silent.accept().expect("ssh connects");
    running.signal_group(Signal::INT);
    running.wait().expect_code(130);
    drop(connection);
}

#[test]
fn killed_controller_leaves_nothing_on_the_host() {
    let site = Site::of(1);
    let (running, command, agent) = at_work(&site);
    running.signal(Signal::KILL);
    running.wait().expect_code(128 + 9);
    command.wait_for_end();
    agent.wait_for_end();
}

#[test]
fn killed_controller_leaves_nothing_on_its_own_machine() {
    let site = Site::of(0);
    site.world
        .write("hosts.ini", "[hosts]\nnode1 ansible_connection=local\n");
    let (running, command, agent) = at_work(&site);
    running.signal(Signal::KILL);
    running.wait().expect_code(128 + 9);
    command.wait_for_end();
    agent.wait_for_end();
}

/// Requires that `node1` was lost in its task, and that the others did all of theirs.
fn require_loss(site: &Site, running: Running) -> String {
    let output = running.wait();
    output.expect_code(4);
    let report = site.report();
    assert_eq!(report["stats"]["node1"]["unreachable"], 1, "{output}");
    for host in ["node2", "node3"] {
        assert_eq!(report["stats"][host]["ok"], 2, "{output}");
    }
    site.failures(&output)
}

#[test]
fn host_whose_agent_is_killed_is_unreachable_and_the_others_go_on() {
    let site = Site::of(3);
    let (running, command, agent) = at_work(&site);
    agent.kill();
    insta::assert_snapshot!(require_loss(&site, running), @"
    exit status: 4
    node1 Unreachable: the connection was lost while the task ran: the agent closed it
    hint: whether the task did its work is not known
    ");
    // The agent could not end it, and nobody else may: so that the test does.
    command.kill();
}

#[test]
fn host_whose_connection_breaks_is_unreachable_and_the_others_go_on() {
    let site = Site::of(3);
    let (running, command, agent) = at_work(&site);
    site.hosts[0].kill_sessions();
    insta::assert_snapshot!(require_loss(&site, running), @"
    exit status: 4
    node1 Unreachable: the connection was lost while the task ran: the agent closed it
    hint: whether the task did its work is not known
    ");
    command.wait_for_end();
    agent.wait_for_end();
}

#[test]
fn later_run_finds_the_host_again() {
    let site = Site::of(1);
    let (running, command, _) = at_work(&site);
    site.hosts[0].kill_sessions();
    running.wait().expect_code(4);
    command.wait_for_end();
    site.run(&ping()).success();
}
