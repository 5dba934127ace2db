//! `wait_for`: as Ansible's does, and on real ports.

use std::io::Write;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use rustle_modules_commands::FAMILY;
use rustle_process::CancelLevel;
use rustle_testkit::golden::{Call, Golden, check_spec};
use serde_json::json;

use crate::target::Here;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fixtures/golden");
const ARGS: &str = include_str!("../../../../fixtures/modules/args.json");

#[test]
fn wait_for_does_what_ansible_does() {
    let run = |call: &Call<'_>| call.run(FAMILY);
    Golden::load(FOLDER, &["wait_for", "wait_for-more"]).check(&[], run);
}

#[test]
fn specification_equals_ansibles() {
    let all = serde_json::from_str(ARGS).unwrap();
    let module = FAMILY.iter().find(|m| m.spec().name == "wait_for");
    check_spec(module.unwrap().spec(), &all);
}

fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

#[tokio::test]
async fn text_that_a_port_sends_is_searched() {
    let (listener, port) = listener();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"220 mail").unwrap();
        stream.write_all(b".example ESMTP\r\n").unwrap();
    });
    let args = json!({"port": port, "search_regex": "^220 (?P<host>\\S+) E", "timeout": 20});
    let result = Here::new().call("wait_for", args).await;
    server.join().unwrap();
    let groupdict = json!({"host": "mail.example"});
    assert_eq!(result.result["match_groupdict"], groupdict, "{result:?}");
}

#[tokio::test]
async fn connections_of_others_keep_a_port_from_being_drained() {
    let (listener, port) = listener();
    let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    let (server, _) = listener.accept().unwrap();
    let mut args = json!({"port": port, "state": "drained", "timeout": 1});
    let result = Here::new().call("wait_for", args.clone()).await;
    let msg = format!("Timeout when waiting for 127.0.0.1:{port} to drain");
    assert_eq!(result.msg, Some(msg.into()));
    args["exclude_hosts"] = json!("localhost");
    let result = Here::new().call("wait_for", args).await;
    assert!(!result.failed, "{result:?}");
    drop((client, server));
}

#[tokio::test]
async fn a_port_that_listens_is_not_stopped() {
    let (listener, port) = listener();
    let args = json!({"port": port, "host": "localhost", "timeout": 1});
    assert!(!Here::new().call("wait_for", args.clone()).await.failed);
    let mut stopped = args.clone();
    stopped["state"] = "stopped".into();
    assert!(Here::new().call("wait_for", stopped.clone()).await.failed);
    drop(listener);
    assert!(!Here::new().call("wait_for", stopped).await.failed);
    assert!(Here::new().call("wait_for", args).await.failed);
}

#[tokio::test]
async fn cancelling_ends_the_wait_at_once() {
    let here = Here::new();
    let cancel = here.cancel.clone();
    let began = Instant::now();
    let call = here.call("wait_for", json!({"timeout": 600}));
    let raise = async {
        tokio::task::yield_now().await;
        cancel.raise(CancelLevel::Stop);
    };
    let (result, ()) = tokio::join!(call, raise);
    assert!(result.failed && began.elapsed() < Duration::from_secs(60));
    let msg = "the task was cancelled while it waited";
    assert_eq!(result.msg, Some(msg.into()));
}
