//! Commands are run to their end: status, output, input, surroundings.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests unwrap, and make a FIFO"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustle_process::{
    CancelToken, Command, ExitStatus, Finished, Outcome, OutputChunk, OutputLimit, OutputStream,
    ProcessError, Stdin,
};
use tokio::sync::mpsc;

fn sh(script: &str) -> Command {
    Command::new("sh").args(["-c", script])
}

async fn run(command: Command) -> Finished {
    command.run(&CancelToken::new()).await.unwrap()
}

async fn fail(command: Command) -> ProcessError {
    command.run(&CancelToken::new()).await.unwrap_err()
}

#[tokio::test]
async fn exit_code_and_both_streams_come_back() {
    let finished = run(sh("echo out; echo err >&2; exit 7")).await;
    assert_eq!(finished.status, ExitStatus::Code(7));
    assert_eq!(finished.outcome, Outcome::Exited);
    assert_eq!(finished.stdout.bytes(), "out\n");
    assert_eq!(finished.stderr.bytes(), "err\n");
    assert!(!finished.is_success());
    assert!(!finished.background_holds_output());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_commands_run_at_once_on_a_multi_thread_runtime() {
    let mut runs = tokio::task::JoinSet::new();
    for number in 0..50 {
        runs.spawn(async move { (number, run(sh(&format!("echo {number}"))).await) });
    }
    while let Some(joined) = runs.join_next().await {
        let (number, finished) = joined.unwrap();
        assert_eq!(finished.stdout.bytes(), format!("{number}\n"));
    }
}

#[tokio::test]
async fn death_by_signal_is_told_from_exit_codes() {
    let finished = run(sh("kill -USR1 $$")).await;
    assert_eq!(finished.status, ExitStatus::Signal(10));
    assert_eq!(finished.status.to_return_code(), -10);
}

#[tokio::test]
async fn missing_program_is_named() {
    for program in ["no-such-program-anywhere", "/no/such/program"] {
        let error = fail(Command::new(program)).await;
        assert!(
            matches!(error, ProcessError::ProgramNotFound { .. }),
            "{error:?}"
        );
        assert_eq!(
            error.to_string(),
            format!("program `{program}` was not found")
        );
        assert_eq!(error.io_error().unwrap().raw_os_error(), Some(2));
    }
}

#[tokio::test]
async fn missing_interpreter_is_not_a_missing_program() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let error = fail(Command::new(&script)).await;
    assert!(
        matches!(error, ProcessError::InterpreterNotFound { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn file_that_is_not_executable_is_a_permission_error() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("script");
    fs::write(&script, "echo\n").unwrap();
    let error = fail(Command::new(&script)).await;
    assert!(
        matches!(error, ProcessError::PermissionDenied { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn bad_working_directory_is_told_from_a_missing_program() {
    for folder in ["/no/such/folder", "/etc/passwd"] {
        let error = fail(sh("true").current_dir(folder)).await;
        assert!(
            matches!(error, ProcessError::WorkingDirectory { .. }),
            "{error:?}"
        );
        assert!(error.to_string().contains(folder));
    }
    let error = fail(Command::new("no-such-program").current_dir("/")).await;
    assert!(
        matches!(error, ProcessError::ProgramNotFound { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn nul_byte_in_an_argument_is_an_error_of_the_caller() {
    let error = fail(Command::new("echo").arg("a\0b")).await;
    assert!(matches!(error, ProcessError::NulByte { .. }), "{error:?}");
}

#[tokio::test]
async fn program_that_was_just_written_can_be_run() {
    let folder = tempfile::tempdir().unwrap();
    for number in 0..50 {
        let script = folder.path().join(number.to_string());
        fs::write(&script, "#!/bin/sh\necho ok\n").unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(run(Command::new(&script)).await.stdout.bytes(), "ok\n");
    }
}

#[tokio::test]
async fn working_directory_is_where_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().canonicalize().unwrap();
    let finished = run(Command::new("/bin/pwd").current_dir(&folder)).await;
    assert_eq!(
        finished.stdout.to_string_lossy().trim_end(),
        folder.to_str().unwrap()
    );
}

#[tokio::test]
async fn cleared_environment_has_only_what_was_set_after() {
    let command = Command::new("/usr/bin/env")
        .env("BEFORE", "1")
        .env_clear()
        .env("AFTER", "2")
        .env("GONE", "3")
        .env_remove("GONE");
    assert_eq!(run(command).await.stdout.bytes(), "AFTER=2\n");
}

#[tokio::test]
async fn inherited_variable_can_be_removed_or_replaced() {
    let finished = run(sh("echo ${HOME-none} $LANG")
        .env_remove("HOME")
        .env("LANG", "xx"))
    .await;
    assert_eq!(finished.stdout.bytes(), "none xx\n");
}

#[tokio::test]
async fn umask_and_session_are_the_childs_own() {
    let finished = run(sh("umask; cut -d' ' -f1,5,6 /proc/self/stat").umask(Some(0o027))).await;
    assert!(
        finished.stdout.bytes().starts_with(b"0027\n"),
        "{:?}",
        finished.stdout
    );

    let ids = "read pid rest < /proc/self/stat; set -- $rest; echo $((pid - $4)) $((pid - $5))";
    let finished = run(sh(ids).new_session()).await;
    assert_eq!(
        finished.stdout.bytes(),
        "0 0\n",
        "leads a group and a session"
    );
    let finished = run(sh(ids)).await;
    let out = finished.stdout.to_string_lossy();
    assert!(
        out.starts_with("0 ") && out != "0 0\n",
        "leads a group, in our session: {out}"
    );
}

#[tokio::test]
async fn signals_are_at_their_defaults() {
    for command in [Command::new("cat"), Command::new("cat").umask(Some(0o022))] {
        let status = run(command.arg("/proc/self/status"))
            .await
            .stdout
            .to_string_lossy();
        let mask = |name: &str| {
            let line = status.lines().find(|line| line.starts_with(name)).unwrap();
            u64::from_str_radix(line[name.len()..].trim(), 16).unwrap()
        };
        assert_eq!(mask("SigBlk:"), 0);
        assert_eq!(mask("SigIgn:") & (1 << 12), 0, "SIGPIPE is not ignored");
    }
}

#[tokio::test]
async fn stdin_is_empty_unless_given() {
    assert_eq!(run(Command::new("cat")).await.stdout.bytes(), "");
    assert_eq!(
        run(Command::new("cat").stdin(Stdin::Null))
            .await
            .stdout
            .bytes(),
        ""
    );
    assert_eq!(run(Command::new("cat").stdin("")).await.stdout.bytes(), "");
    assert_eq!(
        run(Command::new("cat").stdin("text")).await.stdout.bytes(),
        "text"
    );
}

#[tokio::test]
async fn large_input_and_output_do_not_block_each_other() {
    let input: Vec<u8> = (0..4_000_000_u32).map(|n| n.to_le_bytes()[0]).collect();
    let finished = run(Command::new("cat").stdin(input.clone())).await;
    assert_eq!(finished.stdout.bytes(), input);
}

#[tokio::test]
async fn input_that_is_not_read_is_no_error() {
    let finished = run(sh("exec 0<&-; echo done").stdin(vec![0; 4_000_000])).await;
    assert!(finished.is_success());
    assert_eq!(finished.stdout.bytes(), "done\n");
}

#[tokio::test]
async fn long_output_keeps_its_beginning_and_its_end() {
    let limit = OutputLimit {
        head_bytes: 4,
        tail_bytes: 5,
    };
    let finished = run(sh("seq 1 100000; printf x >&2").output_limit(limit)).await;
    assert_eq!(finished.stdout.head, "1\n2\n");
    assert_eq!(finished.stdout.tail, "0000\n");
    assert!(finished.stdout.truncated);
    assert_eq!(finished.stdout.total_bytes, 588_895);
    assert!(!finished.stderr.truncated);
}

#[tokio::test]
async fn hundred_megabytes_of_output_take_bounded_memory() {
    let resident = |field: &str| -> u64 {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with(field)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let before_kib = resident("VmRSS:");
    let finished = run(sh("head -c 100000000 /dev/zero")).await;
    assert_eq!(finished.stdout.total_bytes, 100_000_000);
    assert_eq!(finished.stdout.bytes().len(), 10 * 1024 * 1024);
    // Other tests of this process run meanwhile, so this is far above what one run needs and far below its output.
    let grown_kib = resident("VmRSS:").saturating_sub(before_kib);
    assert!(grown_kib < 80 * 1024, "{grown_kib} KiB more");
}

async fn collect(mut chunk_rx: mpsc::Receiver<OutputChunk>) -> Vec<OutputChunk> {
    let mut chunks = Vec::new();
    while let Some(chunk) = chunk_rx.recv().await {
        chunks.push(chunk);
    }
    chunks
}

#[tokio::test]
async fn chunks_arrive_in_order_while_the_command_runs() {
    // The command goes on only when it is answered, so a chunk that came late would never come.
    let folder = tempfile::tempdir().unwrap();
    let answer = folder.path().join("answer");
    assert!(
        std::process::Command::new("mkfifo")
            .arg(&answer)
            .status()
            .unwrap()
            .success()
    );
    let (chunk_tx, mut chunk_rx) = mpsc::channel(1);
    let script = "printf one; read line < answer; printf $line; printf three >&2";
    let running = run(sh(script).current_dir(&folder).stream_to(chunk_tx));
    let (finished, ()) = tokio::join!(running, async {
        let first = chunk_rx.recv().await.unwrap();
        assert_eq!(
            (first.stream, &first.bytes[..]),
            (OutputStream::Stdout, &b"one"[..])
        );
        tokio::task::spawn_blocking(move || fs::write(answer, "two\n").unwrap())
            .await
            .unwrap();
        let rest = collect(chunk_rx).await;
        assert_eq!(rest.iter().filter(|chunk| chunk.bytes == "two").count(), 1);
        assert_eq!(
            rest.iter()
                .filter(|chunk| chunk.stream == OutputStream::Stderr)
                .count(),
            1
        );
    });
    assert_eq!(finished.stdout.bytes(), "onetwo");
}

#[tokio::test]
async fn streamed_chunks_are_the_whole_stream_though_the_channel_is_small() {
    let (chunk_tx, chunk_rx) = mpsc::channel(1);
    let command = sh("seq 1 200000; seq 1 200000 >&2").stream_to(chunk_tx);
    let (finished, chunks) = tokio::join!(run(command), collect(chunk_rx));
    for (stream, captured) in [
        (OutputStream::Stdout, finished.stdout),
        (OutputStream::Stderr, finished.stderr),
    ] {
        let of_stream = chunks.iter().filter(|chunk| chunk.stream == stream);
        let streamed: Vec<u8> = of_stream.flat_map(|chunk| chunk.bytes.to_vec()).collect();
        assert_eq!(streamed, captured.bytes());
    }
}

#[tokio::test]
async fn receiver_that_goes_away_does_not_stop_the_run() {
    let (chunk_tx, chunk_rx) = mpsc::channel(1);
    drop(chunk_rx);
    let finished = run(sh("seq 1 200000").stream_to(chunk_tx)).await;
    assert_eq!(finished.stdout.total_bytes, 1_288_895);

    let (chunk_tx, mut chunk_rx) = mpsc::channel(1);
    let (finished, _) = tokio::join!(run(sh("seq 1 200000").stream_to(chunk_tx)), async {
        let first = chunk_rx.recv().await;
        drop(chunk_rx);
        first
    });
    assert_eq!(finished.stdout.total_bytes, 1_288_895);
}

#[tokio::test]
async fn daemon_that_holds_stdout_neither_holds_the_run_nor_dies() {
    let finished = run(sh("echo started; sleep 1000 & echo $!")).await;
    assert!(finished.background_holds_output());
    assert!(finished.is_success());
    assert!(finished.elapsed < Duration::from_secs(10));
    let out = finished.stdout.to_string_lossy();
    let pid = out.strip_prefix("started\n").unwrap().trim_end();
    let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    assert!(status.contains("(sleep) S"), "{status}");
    run(Command::new("kill").arg(pid)).await;
    finished.background.unwrap().drain().await;
}

#[tokio::test]
async fn daemon_that_never_stops_writing_does_not_hold_the_run() {
    let finished = run(sh("yes & echo $! >&2").linger(Duration::from_millis(5))).await;
    assert!(finished.background_holds_output());
    // Closed by us, the pipe ends it.
    assert!(finished.elapsed < Duration::from_secs(10));
}

#[tokio::test]
async fn output_of_the_command_itself_is_whole_though_a_daemon_holds_the_stream() {
    let finished = run(sh("sleep 1000 & echo $! >&2; exec head -c 60000 /dev/zero")).await;
    assert_eq!(finished.stdout.total_bytes, 60_000);
    run(Command::new("kill").arg(finished.stderr.to_string_lossy().trim_end())).await;
}
