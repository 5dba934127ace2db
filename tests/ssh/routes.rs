//! Ways to a host: through another one, with arguments of the user's, past its limits.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use rustle_testkit::{Pipe, SshdOptions};
use serde_json::json;

use crate::site::{Site, ping, plan};

#[test]
fn host_is_reached_through_another() {
    let site = Site::of(2);
    let (jump, host) = (&site.hosts[0], &site.hosts[1]);
    // As Ansible's manual has it; `ProxyJump` itself takes neither keys nor known hosts from the command line.
    let proxy = format!("ssh {} -W %h:%p", jump.ssh_args().join(" "));
    let line = host
        .inventory_line("node2")
        .replace("-F none", &format!("-F none -o ProxyCommand=\"{proxy}\""));
    site.world.write("hosts.ini", format!("[hosts]\n{line}\n"));
    site.run(&ping()).success();
    jump.wait_for_log("Accepted publickey", 1);
    host.wait_for_log("Accepted publickey", 1);
}

#[test]
fn ssh_configuration_of_the_user_holds() {
    let site = Site::of(2);
    let (jump, host) = (&site.hosts[0], &site.hosts[1]);
    let of = |name: &str, host: &rustle_testkit::Sshd, more: &str| {
        format!(
            "Host {name}\n  HostName 127.0.0.1\n  Port {}\n  User {}\n  IdentityFile {}\n  UserKnownHostsFile {}\n  {more}\n",
            host.port(),
            host.user(),
            host.client_key().display(),
            host.known_hosts().display()
        )
    };
    let config = of("jump", jump, "") + &of("inner", host, "ProxyJump jump");
    let config = site.world.write("ssh_config", config);
    site.world.write(
        "hosts.ini",
        format!(
            "[hosts]\ninner ansible_ssh_common_args='-F {}'\n",
            config.display()
        ),
    );
    site.run(&ping()).success();
    jump.wait_for_log("Accepted publickey", 1);
    assert_eq!(site.report()["stats"]["inner"]["ok"], 1);
}

#[test]
fn arguments_of_the_inventory_and_of_the_command_line_reach_ssh() {
    let site = Site::of(1);
    let host = &site.hosts[0];
    let args = format!("ansible_ssh_common_args='{}'", host.common_args().join(" "));
    let line = format!(
        "node1 ansible_host=127.0.0.1 ansible_port={} {args}",
        host.port()
    );
    site.world.write("hosts.ini", format!("[hosts]\n{line}\n"));
    site.run(&ping()).expect_code(4);
    let key = host.client_key().display().to_string();
    site.exec(&["-u", host.user(), "--private-key", &key, "plan.json"])
        .run()
        .success();
}

#[test]
fn one_session_a_connection_is_enough() {
    let site = Site::with([SshdOptions {
        max_sessions: Some(1),
        ..SshdOptions::default()
    }]);
    let tasks = json!([
        { "name": "one", "module": "command", "args": { "_raw_params": "true" } },
        { "name": "two", "module": "copy", "args": { "content": "x", "dest": site.world.path("x") } },
        { "name": "three", "module": "setup" },
    ]);
    site.run(&tasks).success();
    assert_eq!(site.hosts[0].log().matches("Accepted publickey").count(), 1);
}

#[test]
fn server_that_lets_in_few_at_once_is_not_overrun() {
    let site = Site::with([SshdOptions {
        max_startups: Some("2".into()),
        ..SshdOptions::default()
    }]);
    // Twelve hosts at one address.
    let lines: Vec<String> = (1..=12)
        .map(|n| site.hosts[0].inventory_line(&format!("h{n}")))
        .collect();
    site.world
        .write("hosts.ini", format!("[hosts]\n{}\n", lines.join("\n")));
    site.world
        .write("plan.json", plan("hosts", &ping()).to_string());
    site.exec(&["--forks", "12", "--retries", "8", "plan.json"])
        .timeout(Duration::from_secs(120))
        .run()
        .success();
    assert_eq!(site.report()["summary"]["successful_hosts"], 12);
}

#[test]
fn host_whose_login_scripts_take_their_time_is_waited_for() {
    let site = Site::with([SshdOptions {
        noise: Some(String::new()),
        ..SshdOptions::default()
    }]);
    let noise = site.hosts[0].folder().join("noise");
    fs::remove_file(&noise).expect("the file is ours");
    // The login script reads a pipe, and goes on when we have written to it.
    let _pipe = Pipe::new(&noise);
    site.world
        .write("plan.json", plan("hosts", &ping()).to_string());
    let running = site.exec(&["plan.json"]).spawn();
    site.hosts[0].wait_for_log("Starting session", 1);
    fs::write(&noise, "at last\n").expect("the login script reads it");
    running.wait().success();
}

#[test]
fn host_that_never_greets_is_unreachable() {
    let site = Site::of(0);
    let silent = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let port = silent.local_addr().expect("it is bound").port();
    let args = "-F none -o UserKnownHostsFile=none";
    site.world.write(
        "hosts.ini",
        format!("[hosts]\nnode1 ansible_host=127.0.0.1 ansible_port={port} ansible_ssh_common_args='{args}'\n"),
    );
    site.world
        .write("rustle.toml", "[ssh]\nconnect_timeout_secs = 1\n");
    let output = site.run(&ping());
    output.expect_code(4);
    let told = site.failures(&output).replace(&port.to_string(), "$PORT");
    insta::assert_snapshot!(told, @"
    exit status: 4
    node1 Unreachable: connecting failed: Connection to 127.0.0.1 port $PORT timed out
    ");
}
