//! The servers as tests meet them: through a real `ssh`.

use rustle_testkit::{Output, Sshd, SshdOptions, World, ini_inventory, json_inventory};

fn ssh(world: &World, host: &Sshd, command: &str) -> Output {
    world
        .command("ssh")
        .args(host.ssh_args())
        .arg(command)
        .run()
}

#[test]
fn command_runs_in_the_servers_own_home() {
    let (world, host) = (World::new(), Sshd::start(SshdOptions::default()));
    let output = ssh(&world, &host, "pwd; echo $HOME; cat; exit 7");
    output.expect_code(7);
    let home = host.home().display().to_string();
    assert_eq!(output.stdout, format!("{home}\n{home}\n"), "{}", host.log());
    assert_eq!(output.stderr, "");
    host.wait_for_log("Accepted publickey", 1);
}

#[test]
fn two_servers_are_two_hosts() {
    let world = World::new();
    let hosts = [
        Sshd::start(SshdOptions::default()),
        Sshd::start(SshdOptions::default()),
    ];
    for (name, host) in ["one", "two"].iter().zip(&hosts) {
        ssh(&world, host, &format!("echo {name} >~/name")).success();
    }
    for (name, host) in ["one", "two"].iter().zip(&hosts) {
        assert_eq!(
            ssh(&world, host, "cat name").success().stdout,
            format!("{name}\n")
        );
    }
}

#[test]
fn quoting_and_binary_input_reach_the_command_unchanged() {
    let (world, host) = (World::new(), Sshd::start(SshdOptions::default()));
    let command = r#"printf '%s|' "a  b" 'c"d' "\$x"; wc -c"#;
    let output = world
        .command("ssh")
        .args(host.ssh_args())
        .arg(command)
        .stdin([0, 255, 10, 13])
        .run();
    output.success();
    assert_eq!(output.stdout, "a  b|c\"d|$x|4\n");
}

#[test]
fn banner_goes_to_stderr_and_noise_to_stdout() {
    let world = World::new();
    let host = Sshd::start(SshdOptions {
        banner: Some("Authorised use only\n".to_owned()),
        noise: Some("welcome!\n".to_owned()),
        ..SshdOptions::default()
    });
    let output = ssh(&world, &host, "echo done");
    output.success();
    assert_eq!(output.stdout, "welcome!\ndone\n");
    assert!(output.stderr.contains("Authorised use only"), "{output}");
}

#[test]
fn refused_key_is_permission_denied() {
    let host = Sshd::start(SshdOptions {
        refuse_key: true,
        ..SshdOptions::default()
    });
    let output = ssh(&World::new(), &host, "true");
    output.expect_code(255);
    assert!(
        output.stderr.contains("Permission denied (publickey)"),
        "{output}"
    );
}

#[test]
fn rotated_host_key_is_not_the_known_one() {
    let (world, host) = (World::new(), Sshd::start(SshdOptions::default()));
    ssh(&world, &host, "true").success();
    host.rotate_host_key();
    let output = ssh(&world, &host, "true");
    output.expect_code(255);
    assert!(
        output
            .stderr
            .contains("REMOTE HOST IDENTIFICATION HAS CHANGED"),
        "{output}"
    );
}

#[test]
fn root_is_refused_where_root_may_not_log_in() {
    let host = Sshd::start(SshdOptions {
        permit_root_login: false,
        ..SshdOptions::default()
    });
    let expected = if host.user() == "root" { 255 } else { 0 };
    ssh(&World::new(), &host, "true").expect_code(expected);
}

#[test]
fn limit_on_sessions_holds() {
    let world = World::new();
    let host = Sshd::start(SshdOptions {
        max_sessions: Some(1),
        extra_config: vec!["ClientAliveInterval 60".to_owned()],
        ..SshdOptions::default()
    });
    let control = [
        "-o".to_owned(),
        format!("ControlPath={}", world.path("mux").display()),
    ];
    let master = world
        .command("ssh")
        .args(&control)
        .arg("-M")
        .args(host.ssh_args())
        .arg("echo up; sleep 600")
        .spawn();
    master.wait_for_stdout("up");
    let second = world
        .command("ssh")
        .args(&control)
        .arg("-oControlMaster=no")
        .args(host.ssh_args())
        .arg("true")
        .run();
    assert!(
        host.log().contains("no more sessions"),
        "{second}\n{}",
        host.log()
    );
}

#[test]
fn killed_sessions_end_the_client_and_leave_the_server() {
    let (world, host) = (World::new(), Sshd::start(SshdOptions::default()));
    let client = world
        .command("ssh")
        .args(host.ssh_args())
        .arg("echo up; sleep 600")
        .spawn();
    client.wait_for_stdout("up");
    host.kill_sessions();
    assert_eq!(client.wait().code, 255);
    ssh(&world, &host, "true").success();
}

#[test]
fn stopped_server_refuses_connections() {
    let (world, mut host) = (World::new(), Sshd::start(SshdOptions::default()));
    host.stop();
    let output = ssh(&world, &host, "true");
    output.expect_code(255);
    assert!(output.stderr.contains("Connection refused"), "{output}");
}

#[test]
fn dropped_server_leaves_no_process_and_no_file() {
    let (world, host) = (World::new(), Sshd::start(SshdOptions::default()));
    let command = "setsid sleep 600 >/dev/null 2>&1 & echo daemon $!; sleep 600";
    let client = world
        .command("ssh")
        .args(host.ssh_args())
        .arg(command)
        .spawn();
    client.wait_for_stdout("daemon ");
    let folder = host.folder().to_owned();
    drop(host);
    let output = client.wait();
    output.expect_code(255);
    let daemon = output.stdout.trim().trim_start_matches("daemon ");
    let state = std::fs::read_to_string(format!("/proc/{daemon}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "{state}");
    assert!(!folder.exists());
}

#[test]
fn inventories_name_every_host_with_its_key_and_port() {
    let host = Sshd::start(SshdOptions::default());
    let mut world = World::new();
    world.mask(host.user(), "$USER");
    world.mask_host(&host);
    let inventory = world.write("hosts.ini", ini_inventory([("h1", &host)]));
    let output = world.command("cat").arg(inventory).run();
    output.success();
    assert_eq!(
        output.masked_stdout(),
        "[hosts]\nh1 ansible_host=127.0.0.1 ansible_port=$PORT ansible_user=$USER \
         ansible_ssh_private_key_file=$HOST_DIR/client_key ansible_ssh_common_args='-F none -o \
         UserKnownHostsFile=$HOST_DIR/known_hosts -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=none -o \
         IdentitiesOnly=yes -o IdentityAgent=none'\n"
    );
    let json = json_inventory([("h1", &host)]);
    assert_eq!(json["_meta"]["hostvars"]["h1"]["ansible_port"], host.port());
    assert_eq!(json["hosts"]["hosts"][0], "h1");
}
