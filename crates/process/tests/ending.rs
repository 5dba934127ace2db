//! Commands are ended: timeouts, cancels, drops; and nothing of them stays.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests unwrap")]

use std::fs;
use std::time::Duration;

use rustle_process::{
    CancelLevel, CancelToken, Command, ExitStatus, Finished, Outcome, OutputChunk, ProcessError,
    TimeLimit,
};
use tokio::sync::mpsc;

const SOON: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(60);

fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

async fn run(command: Command) -> Finished {
    command.run(&CancelToken::new()).await.unwrap()
}

fn is_there(pid: &str) -> bool {
    assert!(pid.parse::<u32>().is_ok(), "`{pid}` is a process id");
    // In a container nobody may reap what we did not start ourselves; a dead process is as good as none.
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Whether this process has a child by that id, dead or alive.
fn is_our_child(pid: &str) -> bool {
    let parent = format!(" {} ", std::process::id());
    fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| {
        stat.rsplit(')')
            .next()
            .is_some_and(|rest| rest[2..].starts_with(&parent))
    })
}

/// Reads the next line that a command streams.
async fn next_line(chunk_rx: &mut mpsc::Receiver<OutputChunk>) -> String {
    let mut line = String::new();
    while !line.ends_with('\n') {
        let chunk = chunk_rx.recv().await.unwrap();
        line.push_str(std::str::from_utf8(&chunk.bytes).unwrap());
    }
    line.trim_end().to_owned()
}

/// Runs a command, and asks it to stop once it has written a line, which is given back too.
async fn stop_after_first_line(command: Command) -> (Finished, String) {
    let (chunk_tx, mut chunk_rx) = mpsc::channel(8);
    let cancel = CancelToken::new();
    let running = command.stream_to(chunk_tx);
    let (finished, line) = tokio::join!(running.run(&cancel), async {
        let line = next_line(&mut chunk_rx).await;
        cancel.raise(CancelLevel::Stop);
        line
    });
    (finished.unwrap(), line)
}

#[tokio::test]
async fn timeout_keeps_the_output_there_was() {
    let finished = run(sh("echo partial; sleep 1000").timeout(SECOND)).await;
    assert_eq!(
        finished.outcome,
        Outcome::TimedOut {
            limit: TimeLimit::Total
        }
    );
    assert_eq!(finished.status, ExitStatus::Signal(15));
    assert_eq!(finished.stdout.bytes(), "partial\n");
    assert!(finished.elapsed >= SECOND);
    assert!(!finished.background_holds_output());
}

#[tokio::test]
async fn silence_is_a_timeout_and_output_puts_it_off() {
    let command = sh("for i in 1 2 3 4 5; do echo $i; sleep 0.3; done; sleep 1000");
    let finished = run(command.idle_timeout(SECOND)).await;
    assert_eq!(
        finished.outcome,
        Outcome::TimedOut {
            limit: TimeLimit::Idle
        }
    );
    assert_eq!(finished.stdout.bytes(), "1\n2\n3\n4\n5\n");
}

#[tokio::test]
async fn command_that_writes_without_end_is_still_timed_out() {
    let finished = run(Command::new("yes").timeout(SOON)).await;
    assert_eq!(
        finished.outcome,
        Outcome::TimedOut {
            limit: TimeLimit::Total
        }
    );
    assert!(finished.elapsed < LONG);
}

#[tokio::test]
async fn command_that_ignores_the_request_is_killed_after_its_grace() {
    let command = sh("trap '' TERM; echo $$; while :; do sleep 1000; done").grace(SOON);
    let (finished, pid) = stop_after_first_line(command).await;
    assert_eq!(finished.status, ExitStatus::Signal(9));
    assert!(finished.elapsed >= SOON);
    assert!(!is_there(&pid));
}

#[tokio::test]
async fn stopped_command_hears_the_request_too() {
    let command = sh("trap 'exit 3' TERM; echo on; while :; do kill -STOP $$; done").grace(LONG);
    let (finished, _) = stop_after_first_line(command).await;
    assert_eq!(finished.status, ExitStatus::Code(3));
}

#[tokio::test]
async fn command_may_use_its_grace_to_end_in_order() {
    let script = "trap 'echo bye; exit 3' TERM; echo on; while :; do sleep 0.01; done";
    let (finished, _) = stop_after_first_line(sh(script).grace(LONG)).await;
    assert_eq!(finished.outcome, Outcome::Cancelled);
    assert_eq!(finished.status, ExitStatus::Code(3));
    assert_eq!(finished.stdout.bytes(), "on\nbye\n");
}

#[tokio::test]
async fn second_cancel_kills_at_once() {
    let command =
        sh("exec 2>/dev/null; trap 'echo asked' TERM; echo on; while :; do sleep 0.01; done");
    let (chunk_tx, mut chunk_rx) = mpsc::channel(8);
    let cancel = CancelToken::new();
    let running = command.grace(LONG * 60).stream_to(chunk_tx);
    let (finished, ()) = tokio::join!(running.run(&cancel), async {
        assert_eq!(next_line(&mut chunk_rx).await, "on");
        cancel.raise(CancelLevel::Stop);
        assert_eq!(next_line(&mut chunk_rx).await, "asked");
        cancel.raise(CancelLevel::Kill);
    });
    let finished = finished.unwrap();
    assert_eq!(finished.outcome, Outcome::Cancelled);
    assert_eq!(finished.status, ExitStatus::Signal(9));
    assert!(finished.elapsed < LONG);
}

#[tokio::test]
async fn cancel_before_the_start_starts_nothing() {
    let cancel = CancelToken::new();
    cancel.raise(CancelLevel::Stop);
    let folder = tempfile::tempdir().unwrap();
    let command = Command::new("touch").arg("trace").current_dir(&folder);
    let error = command.run(&cancel).await.unwrap_err();
    assert!(
        matches!(error, ProcessError::CancelledBeforeStart { .. }),
        "{error:?}"
    );
    assert!(!folder.path().join("trace").exists());
}

#[tokio::test]
async fn whole_group_dies_though_only_its_leader_obeys() {
    // The grandchild ignores SIGTERM from its first moment and soon holds no stream of ours, so only looking at the group tells.
    let script = "trap '' TERM; sleep 1000 >/dev/null 2>&1 & trap - TERM; echo $!; wait";
    let (finished, grandchild) = stop_after_first_line(sh(script).grace(SOON * 2)).await;
    assert_eq!(finished.status, ExitStatus::Signal(15));
    assert!(finished.elapsed >= SOON * 2);
    assert!(!is_there(&grandchild));
}

#[tokio::test]
async fn group_that_obeys_does_not_use_up_its_grace() {
    let finished = run(sh("sleep 1000 & sleep 1000 & wait")
        .timeout(SOON)
        .grace(LONG))
    .await;
    assert!(finished.elapsed < LONG);
}

#[tokio::test]
async fn process_that_left_the_group_is_not_reached() {
    let script = "setsid sh -c 'echo $$; exec sleep 1000' & wait";
    let (finished, pid) = stop_after_first_line(sh(script).grace(SOON)).await;
    assert!(is_there(&pid));
    assert!(finished.background_holds_output());
    run(Command::new("kill").arg(pid)).await;
}

#[tokio::test]
async fn stalled_receiver_cannot_hold_up_a_timeout() {
    let (chunk_tx, chunk_rx) = mpsc::channel(1);
    let finished = run(sh("yes | head -c 1000000; sleep 1000")
        .stream_to(chunk_tx)
        .timeout(SOON))
    .await;
    assert_eq!(
        finished.outcome,
        Outcome::TimedOut {
            limit: TimeLimit::Total
        }
    );
    drop(chunk_rx);
}

#[tokio::test]
async fn receiver_that_stalls_after_the_exit_costs_no_captured_output() {
    let (chunk_tx, chunk_rx) = mpsc::channel(1);
    let script = "printf a; printf b >&2; head -c 60000 /dev/zero; head -c 60000 /dev/zero >&2";
    let finished = run(sh(script).stream_to(chunk_tx).timeout(SECOND * 2)).await;
    assert_eq!(finished.outcome, Outcome::Exited);
    assert_eq!(
        (finished.stdout.total_bytes, finished.stderr.total_bytes),
        (60_001, 60_001)
    );
    drop(chunk_rx);
}

async fn dropped_run_leaves_nothing() {
    let (chunk_tx, mut chunk_rx) = mpsc::channel(8);
    let script = "trap '' TERM; (trap '' TERM; exec sleep 1000) & echo $$ $!; wait";
    let cancel = CancelToken::new();
    let line = tokio::select! {
        _ = sh(script).stream_to(chunk_tx).run(&cancel) => panic!("the command does not end"),
        line = next_line(&mut chunk_rx) => line,
    };
    let (leader, grandchild) = line.split_once(' ').unwrap();
    let gone = async {
        while is_there(grandchild) || is_our_child(leader) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, gone)
        .await
        .expect("the group is killed and its leader reaped");
}

#[tokio::test]
async fn dropped_future_leaves_no_process_on_a_current_thread_runtime() {
    dropped_run_leaves_nothing().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_future_leaves_no_process_on_a_multi_thread_runtime() {
    dropped_run_leaves_nothing().await;
}

#[tokio::test]
async fn finished_command_is_reaped() {
    for _ in 0..20 {
        let finished = run(sh("echo $$")).await;
        assert!(!is_our_child(finished.stdout.to_string_lossy().trim_end()));
    }
}
