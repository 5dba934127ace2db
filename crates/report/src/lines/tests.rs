use std::time::Duration;

use insta::assert_snapshot;
use rustle_events::EventKind;
use rustle_types::{ExitStatus, HostName, NotRunHandler, StopReason, TaskResult, TaskStatus};
use serde_json::json;

use super::*;
use crate::story::{Shared, Story, changed, failed, ok, skipped, unit, with};
use crate::verbosity::Verbosity;

fn told(story: &Story, verbosity: Verbosity) -> String {
    let shared = Shared::default();
    let look = Look {
        verbosity,
        color: false,
    };
    story.play_to(&mut LinesReporter::new(shared.writer(), look));
    shared.text()
}

fn broken_install() -> TaskResult {
    let result =
        json!({"cmd": ["apt-get", "install", "nginx"], "rc": 100, "msg": "non-zero return code"});
    TaskResult {
        return_code: Some(100),
        stdout: Some("Reading package lists...\n".into()),
        stderr: Some("E: Unable to locate package nginx\nE: try `apt-get update`\n".into()),
        duration: Some(Duration::from_millis(2300)),
        module: Some("ansible.builtin.command".into()),
        ..with(failed("non-zero return code"), result)
    }
}

fn lost(host: &str) -> EventKind {
    EventKind::HostUnreachable {
        host: host.into(),
        reason: "cannot log in as `deploy`: permission denied (publickey)".into(),
        hint: Some("name a key with --private-key".into()),
    }
}

fn connected() -> EventKind {
    let connection = rustle_types::HostConnection {
        connection: "ssh".into(),
        destination: Some("root@web1:22".into()),
        connect_ms: 120,
        agent_uploaded: true,
        ..rustle_types::HostConnection::default()
    };
    EventKind::HostConnected {
        host: "web1".into(),
        connection,
    }
}

/// A run with something of everything.
fn mixed_run() -> Story {
    let mut story = Story::begin("web servers", &["web1", "web2", "web3"]);
    story
        .start(0, "Gather facts", "setup", "web1")
        .start(0, "Gather facts", "setup", "web2");
    story
        .start(0, "Gather facts", "setup", "web3")
        .end(0, "Gather facts", "web1", &ok());
    let unreachable = TaskResult {
        status: TaskStatus::Unreachable,
        ..failed("lost")
    };
    story
        .end(0, "Gather facts", "web3", &unreachable)
        .tell(lost("web3"));
    story.end(0, "Gather facts", "web2", &ok());
    story.task(
        1,
        "Write motd",
        "copy",
        &[("web1", changed()), ("web2", ok())],
    );
    story.task(
        2,
        "Install nginx",
        "command",
        &[("web1", ok()), ("web2", broken_install())],
    );
    story.task(3, "Only on Fedora", "dnf", &[("web1", skipped())]);
    story.tell(EventKind::HandlersNotRun {
        handlers: vec![NotRunHandler {
            host: "web2".into(),
            handler: "restart nginx".into(),
            reason: "the host failed before its handlers ran".into(),
        }],
    });
    story.tell(EventKind::PlayStopped {
        stop: StopReason {
            play: Some("web servers".into()),
            host: None,
            reason: "2 of 3 hosts failed, which is more than max_fail_percentage allows".into(),
        },
    });
    story.finish(ExitStatus::TaskFailedAndHostUnreachable);
    story
}

#[test]
fn failures_are_told_at_once_and_again_at_the_end() {
    assert_snapshot!(told(&mixed_run(), Verbosity::Normal));
}

#[test]
fn quiet_run_tells_failures_and_the_verdict() {
    assert_snapshot!(told(&mixed_run(), Verbosity::Quiet));
}

#[test]
fn no_progress_tells_failures_once_and_the_recap() {
    let shared = Shared::default();
    mixed_run().play_to(&mut LinesReporter::of_failures(
        shared.writer(),
        Look::default(),
    ));
    assert_snapshot!(shared.text());
}

#[test]
fn color_marks_words_by_their_meaning() {
    let shared = Shared::default();
    let look = Look {
        verbosity: Verbosity::Quiet,
        color: true,
    };
    mixed_run().play_to(&mut LinesReporter::new(shared.writer(), look));
    assert_snapshot!(shared.text().replace('\x1b', "ESC"));
}

#[test]
fn hundred_unchanged_hosts_are_one_line() {
    let names: Vec<String> = (1..=100).map(|number| format!("web{number:03}")).collect();
    let hosts: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut story = Story::begin("web servers", &hosts);
    let ends: Vec<_> = hosts
        .iter()
        .map(|host| (*host, if *host == "web007" { changed() } else { ok() }))
        .collect();
    story.task(0, "Write motd", "copy", &ends);
    story.task(
        1,
        "Ping",
        "ping",
        &hosts.iter().map(|host| (*host, ok())).collect::<Vec<_>>(),
    );
    let text = told(&story, Verbosity::Normal);
    let course: Vec<&str> = text
        .split("\nrecap")
        .next()
        .unwrap()
        .trim()
        .lines()
        .collect();
    assert_snapshot!(course.join("\n"), @r"
    play web servers: 100 hosts, linear
         changed  Write motd  [web007]
              ok  Write motd  [99 hosts]
              ok  Ping  [100 hosts]
    ");
}

#[test]
fn loop_tells_items_when_asked_for() {
    let mut story = Story::begin("users", &["web1"]);
    story.start(0, "Create users", "user", "web1");
    let item = |label: &str, result: serde_json::Value| EventKind::ItemFinished {
        unit: unit(0, "web1"),
        label: label.into(),
        result: result.as_object().unwrap().clone(),
    };
    story.tell(item("alice", json!({"changed": true})));
    story.tell(item("bob", json!({"changed": false, "failed": true})));
    let results = json!({"msg": "1 of 2 items failed", "results": [
        {"ansible_loop_var": "item", "item": "alice", "changed": true},
        {"ansible_loop_var": "item", "item": "bob", "failed": true, "msg": "useradd failed", "rc": 9, "stderr": "user bob exists"},
    ]});
    story.end(
        0,
        "Create users",
        "web1",
        &with(
            TaskResult {
                error: None,
                ..failed("")
            },
            results,
        ),
    );
    story.finish(ExitStatus::TaskFailed);
    assert_snapshot!(told(&story, Verbosity::Verbose(1)));
}

#[test]
fn check_mode_tells_what_would_change() {
    let mut story = Story::begin_as("motd", &["web1"], true);
    let diff = json!({"diff": {
        "before": "hello\n", "after": "hello world\n", "before_header": "/etc/motd", "after_header": "/etc/motd",
    }});
    story.task(0, "Write motd", "copy", &[("web1", with(changed(), diff))]);
    story.finish(ExitStatus::Done);
    assert_snapshot!(told(&story, Verbosity::Normal));
}

#[test]
fn ignored_and_rescued_failures_are_no_failures_at_the_end() {
    let mut story = Story::begin("web", &["web1"]);
    let ignored = TaskResult {
        status: TaskStatus::Ignored,
        ..failed("no such service")
    };
    story.task(0, "Stop old", "service", &[("web1", ignored)]);
    let rescued = TaskResult {
        status: TaskStatus::Rescued,
        ..failed("port in use")
    };
    story.task(1, "Start new", "service", &[("web1", rescued)]);
    story.finish(ExitStatus::Done);
    assert_snapshot!(told(&story, Verbosity::Normal));
}

#[test]
fn censored_result_shows_nothing_of_itself() {
    let mut story = Story::begin("web", &["web1"]);
    let censored = json!({"censored": "hidden, because the task says no_log", "changed": true, "diff": {"before": "old secret", "after": "new secret"}});
    let secret = |end: TaskResult| TaskResult {
        stdout: Some("secret".into()),
        stderr: Some("secret".into()),
        error: Some("secret".into()),
        ..with(end, censored.clone())
    };
    story.task(0, "Set password", "user", &[("web1", secret(changed()))]);
    story.task(1, "Set another", "user", &[("web1", secret(failed("")))]);
    story.finish(ExitStatus::TaskFailed);
    let text = told(&story, Verbosity::Verbose(3));
    assert!(!text.contains("secret"), "{text}");
    assert_snapshot!(text);
}

#[test]
fn control_characters_from_a_host_are_shown_and_not_obeyed() {
    let hostile = "\x1b]0;owned\x07\x1b[2Jgone\u{202e}\u{9b}1A\rok: all good";
    let mut story = Story::begin(&format!("play{hostile}"), &["web1"]);
    let result = json!({"msg": hostile, "cmd": hostile, "diff": {"before": hostile, "after": "x"}, "warnings": [hostile]});
    let end = TaskResult {
        stderr: Some(hostile.into()),
        changed: true,
        ..with(failed(&format!("first\n{hostile}")), result)
    };
    story.start(0, &format!("Task\nfaked: line{hostile}"), "raw", "web1");
    story.tell(EventKind::TaskOutput {
        unit: unit(0, "web1"),
        is_stderr: false,
        text: format!("{hostile}\n"),
    });
    story.end(0, &format!("Task\nfaked: line{hostile}"), "web1", &end);
    story.tell(EventKind::Warned {
        message: hostile.into(),
    });
    story.finish(ExitStatus::TaskFailed);
    let text = told(&story, Verbosity::Verbose(2));
    assert!(
        !text
            .chars()
            .any(|c| c != '\n' && (c.is_control() || c == '\u{202e}')),
        "{text:?}"
    );
    assert!(
        !text.lines().any(|line| line.starts_with("faked")),
        "{text}"
    );
}

#[test]
fn debug_says_its_message() {
    let mut story = Story::begin("web", &["web1"]);
    story.task(
        0,
        "Say hello",
        "ansible.builtin.debug",
        &[("web1", with(ok(), json!({"msg": "hello\nworld"})))],
    );
    story.task(
        1,
        "Show",
        "debug",
        &[(
            "web1",
            with(
                ok(),
                json!({"changed": false, "failed": false, "answer": {"is": 42}}),
            ),
        )],
    );
    assert_snapshot!(
        told(&story, Verbosity::Normal)
            .split("\nrecap")
            .next()
            .unwrap()
    );
}

#[test]
fn verbose_run_tells_output_retries_notices_and_connections() {
    let mut story = Story::begin("web", &["web1", "web2"]);
    story.tell(connected());
    story.start(0, "Build", "command", "web1");
    for piece in ["comp", "iling\n50%\r100%\n\ndo", "ne"] {
        story.tell(EventKind::TaskOutput {
            unit: unit(0, "web1"),
            is_stderr: false,
            text: piece.into(),
        });
    }
    story.tell(EventKind::TaskRetrying {
        unit: unit(0, "web1"),
        attempt: 1,
        left: 2,
        result: rustle_types::Object::new(),
    });
    story.end(
        0,
        "Build",
        "web1",
        &TaskResult {
            duration: Some(Duration::from_secs(75)),
            ..changed()
        },
    );
    story.tell(EventKind::HandlersNotified {
        host: "web1".into(),
        handlers: vec!["restart".into()],
    });
    let why = with(
        skipped(),
        json!({"skip_reason": "`when` was false", "warnings": ["old module"]}),
    );
    story
        .start(1, "Skip", "command", "web1")
        .end(1, "Skip", "web1", &why);
    story.start(2, "restart", "service", "web1");
    story.end(
        2,
        "restart",
        "web1",
        &TaskResult {
            is_handler: true,
            delegated_to: Some(HostName::from("lb1")),
            ..ok()
        },
    );
    story.tell(EventKind::CancelRequested {
        reason: "SIGINT".into(),
    });
    story.finish(ExitStatus::Cancelled);
    assert_snapshot!(told(&story, Verbosity::Verbose(1)));
}

#[test]
fn same_failure_of_many_hosts_is_told_once_at_the_end() {
    let hosts = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"];
    let mut story = Story::begin("all", &hosts);
    story.task(
        0,
        "Fail",
        "fail",
        &hosts.map(|host| (host, failed("on purpose"))),
    );
    story.finish(ExitStatus::TaskFailed);
    let text = told(&story, Verbosity::Normal);
    let end = text
        .split("\nfailures\n")
        .nth(1)
        .unwrap()
        .split("\nrecap")
        .next()
        .unwrap();
    assert_snapshot!(end, @r"
    failed  Fail  [12 hosts: a, b, c, d, e, f, g, h, i, j, …]
            module   fail
            message  on purpose
    ");
}

#[test]
fn failures_of_several_plays_are_told_with_their_play_at_the_end() {
    let mut story = Story::begin("web", &["a"]);
    story.task(0, "Fail", "fail", &[("a", failed("on purpose"))]);
    story.tell(EventKind::PlayFinished { play: 0 });
    story.tell(EventKind::PlayStarted {
        play: 1,
        name: "db".into(),
        hosts: vec!["b".into()],
        strategy: "Linear".into(),
    });
    story.task(0, "Fail", "fail", &[("b", failed("on purpose"))]);
    story.finish(ExitStatus::TaskFailed);
    let text = told(&story, Verbosity::Normal);
    let end = text.split("\nfailures\n").nth(1).unwrap();
    let end = end.split("\nrecap").next().unwrap();
    assert_snapshot!(end, @r"
    failed  Fail  [a]  in play web
            module   fail
            message  on purpose
    failed  Fail  [b]  in play db
            module   fail
            message  on purpose
    ");
}

#[test]
fn run_that_was_cut_off_says_so() {
    let mut story = Story::begin("all", &["web1"]);
    story.start(0, "Ping", "ping", "web1");
    assert_snapshot!(told(&story, Verbosity::Quiet), @"cut off: 1 host in 20ms; 0 ok, 0 changed");
}

#[test]
fn loss_is_told_once_whichever_half_comes_first_and_an_ignored_one_is_no_failure() {
    let mut story = Story::begin("all", &["web1", "web2", "web3"]);
    let unreachable = TaskResult {
        status: TaskStatus::Unreachable,
        ..failed("no route to host")
    };
    story
        .tell(lost("web1"))
        .start(0, "Ping", "ping", "web1")
        .end(0, "Ping", "web1", &unreachable);
    story
        .start(0, "Ping", "ping", "web2")
        .end(0, "Ping", "web2", &unreachable);
    story
        .start(0, "Ping", "ping", "web3")
        .end(0, "Ping", "web3", &unreachable);
    if let Some(EventKind::TaskFinished { is_ignored, .. }) =
        story.events.last_mut().map(|event| &mut event.kind)
    {
        *is_ignored = true;
    }
    story.finish(ExitStatus::HostUnreachable);
    assert_snapshot!(told(&story, Verbosity::Normal));
}

#[test]
fn hosts_at_their_own_pace_fold_when_their_task_is_at_work_nowhere() {
    let mut story = Story::begin("free", &["web1", "web2", "web3"]);
    story
        .start(0, "One", "ping", "web1")
        .start(0, "One", "ping", "web2")
        .end(0, "One", "web1", &ok());
    story
        .start(1, "Two", "ping", "web1")
        .end(0, "One", "web2", &ok())
        .start(1, "Two", "ping", "web2");
    story
        .start(0, "One", "ping", "web3")
        .end(0, "One", "web3", &ok());
    story
        .end(1, "Two", "web2", &ok())
        .end(1, "Two", "web1", &ok())
        .finish(ExitStatus::Done);
    assert_snapshot!(told(&story, Verbosity::Normal).split("\nrecap").next().unwrap().trim(), @r"
    play free: 3 hosts, linear
              ok  One  [web1, web2]
              ok  Two  [web2, web1]
              ok  One  [web3]
    ");
}

#[test]
fn long_silence_tells_what_is_still_at_work() {
    let mut story = Story::begin("all", &["web1", "web2"]);
    story
        .start(0, "Reboot", "reboot", "web1")
        .start(0, "Reboot", "reboot", "web2");
    let mut transcript = Transcript::new(Look::default(), Detail::Everything);
    story
        .events
        .iter()
        .for_each(|event| drop(transcript.note(event)));
    let now = story.events[2].at + chrono::Duration::seconds(65);
    assert_snapshot!(transcript.still_running(now), @"     running  Reboot  [web1, web2]  1m 05s");
}
