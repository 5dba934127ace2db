//! What the golden records do not show.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use rustle_module::ModuleResult;
use rustle_process::{CancelLevel, OutputLimit};
use serde_json::{Value, json};

use crate::target::Here;

fn msg(result: &ModuleResult) -> &str {
    result
        .msg
        .as_ref()
        .and_then(Value::as_str)
        .unwrap_or_default()
}

#[tokio::test]
async fn creates_and_programs_are_relative_to_chdir() {
    let folder = tempfile::tempdir().unwrap();
    let args = json!({"chdir": folder.path(), "creates": "ma*", "_raw_params": "touch made"});
    let here = Here::new();
    assert!(here.call("command", args.clone()).await.changed);
    let again = here.call("command", args).await;
    assert_eq!(
        (again.changed, msg(&again)),
        (false, "Did not run command since 'ma*' exists")
    );

    let program = folder.path().join("program");
    fs::write(&program, "#!/bin/sh\npwd").unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let ran = here
        .call(
            "command",
            json!({"argv": ["./program"], "chdir": folder.path()}),
        )
        .await;
    assert_eq!(ran.result["stdout"], json!(folder.path()));
}

#[tokio::test]
async fn options_in_rendered_text_are_text() {
    let result = Here::new()
        .call(
            "command",
            json!({"_raw_params": "echo chdir=/nowhere creates=/"}),
        )
        .await;
    assert_eq!(result.result["stdout"], "chdir=/nowhere creates=/");
}

#[tokio::test]
async fn arguments_that_do_not_fit_are_refused() {
    for (args, expected) in [
        (
            json!({}),
            "one of the following is required: _raw_params, cmd, argv",
        ),
        (
            json!({"cmd": "a", "argv": ["b"]}),
            "parameters are mutually exclusive: _raw_params|cmd|argv",
        ),
        (
            json!({"cmd": "a", "stdin_add_newline": "maybe"}),
            "argument 'stdin_add_newline' is of type str",
        ),
        (
            json!({"cmd": "a", "nosuch": 1}),
            "Unsupported parameters for (",
        ),
    ] {
        for module in ["command", "shell"] {
            let result = Here::new().call(module, args.clone()).await;
            assert!(result.failed && !result.changed);
            assert!(msg(&result).starts_with(expected), "{module}: {result:?}");
        }
    }
    let raw = Here::new().call("raw", json!({})).await;
    assert_eq!(msg(&raw), "missing required arguments: _raw_params");
}

#[tokio::test]
async fn no_command_at_all_has_its_own_code() {
    for (module, args) in [
        ("command", json!({"cmd": " "})),
        ("shell", json!({"argv": []})),
    ] {
        let result = Here::new().call(module, args).await;
        assert_eq!(
            (msg(&result), &result.result["rc"]),
            ("no command given", &json!(256))
        );
        assert!(result.failed && !result.changed);
    }
}

#[tokio::test]
async fn what_cannot_be_started_gives_the_error_number() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a b");
    fs::write(&file, "").unwrap();
    let file = file.to_str().unwrap();
    for (module, args, rc, cmd) in [
        (
            "command",
            json!({"argv": [file, "$HOME"]}),
            13,
            format!("'{file}' /root"),
        ),
        (
            "command",
            json!({"cmd": "no_such_program"}),
            2,
            "no_such_program".to_owned(),
        ),
        (
            "command",
            json!({"argv": ["a\u{0}"]}),
            257,
            "'a\u{0}'".to_owned(),
        ),
        (
            "shell",
            json!({"cmd": "echo hi", "executable": "/no/sh"}),
            2,
            "/no/sh -c 'echo hi'".to_owned(),
        ),
    ] {
        let result = Here::new().call(module, args).await;
        assert_eq!(msg(&result), "Error executing command.");
        assert_eq!(
            (&result.result["rc"], &result.result["cmd"]),
            (&json!(rc), &json!(cmd))
        );
        assert!(!result.changed && !result.result.contains_key("start"));
        assert!(result.result["exception"].is_string());
    }
}

#[tokio::test]
async fn folder_that_is_a_file_is_refused() {
    let result = Here::new()
        .call("shell", json!({"cmd": "pwd", "chdir": "/etc/passwd"}))
        .await;
    assert_eq!(msg(&result), "Unable to change directory before execution.");
}

#[tokio::test]
async fn ignored_executable_is_told_whatever_happens() {
    let ignored = json!({"cmd": "/no/such", "executable": "/bin/bash"});
    for here in [Here::new(), Here::checking()] {
        let result = here.call("command", ignored.clone()).await;
        assert_eq!(result.warnings.len(), 1, "{result:?}");
    }
    let bad_folder = json!({"cmd": "x", "executable": "/bin/bash", "chdir": "/nowhere"});
    assert_eq!(
        Here::new().call("command", bad_folder).await.warnings.len(),
        1
    );
}

#[tokio::test]
async fn times_are_local_and_fit_each_other() {
    let result = Here::new()
        .call("command", json!({"cmd": "true"}))
        .await
        .result;
    let text = |key: &str| result[key].as_str().unwrap().to_owned();
    assert_eq!(text("start").len(), "2020-01-01 00:00:00.000000".len());
    assert!(text("start") <= text("end"));
    assert!(text("delta").starts_with("0:00:0"));
}

#[tokio::test]
async fn output_over_the_limit_is_cut_and_says_so() {
    let here = Here {
        limit: OutputLimit::halves(10),
        ..Here::new()
    };
    for module in ["shell", "raw"] {
        let result = here
            .call(
                module,
                json!({"_raw_params": "printf aaaaa€€€bbbb; echo short >&2"}),
            )
            .await;
        assert!(result.changed && !result.failed);
        assert_eq!(
            result.result["stdout"], "aaaaabbbb",
            "a character that is cut in two is left out"
        );
        assert_eq!(result.result["stdout_truncated"], true);
        assert_eq!(result.result["stdout_bytes"], 18);
        assert!(!result.result.contains_key("stderr_truncated"));
        assert!(
            result.warnings[0].contains("18 bytes to stdout"),
            "{:?}",
            result.warnings
        );
    }
}

#[tokio::test]
async fn output_that_is_not_utf8_fails_and_can_be_read_in_a_warning() {
    let text = r"printf 'caf\351\n'; echo why >&2";
    let result = Here::new().call("shell", json!({"cmd": text})).await;
    assert!(result.failed && !result.changed && result.result.is_empty());
    let expected = "Task failed: Refusing to deserialize an invalid UTF8 string value: \
        'utf-8' codec can't encode character '\\udce9' in position 3: surrogates not allowed";
    assert_eq!(msg(&result), expected);
    assert!(
        result.warnings[0].contains("exit code 0"),
        "{:?}",
        result.warnings
    );
    assert!(
        result.warnings[0].ends_with("stdout `caf\u{fffd}`, stderr `why`"),
        "{:?}",
        result.warnings
    );

    let raw = Here::new().call("raw", json!({"_raw_params": text})).await;
    assert_eq!(
        (raw.failed, &raw.result["stdout"]),
        (false, &json!("caf\u{fffd}\n"))
    );
}

#[tokio::test]
async fn cancelled_command_keeps_what_it_wrote() {
    for module in ["shell", "raw"] {
        let here = Here {
            cancel_at_output: true,
            ..Here::new()
        };
        let result = here
            .call(
                module,
                json!({"_raw_params": "echo partial; exec sleep 600"}),
            )
            .await;
        assert!(result.failed && result.changed);
        assert!(
            msg(&result).starts_with("the command was cancelled and was stopped after"),
            "{result:?}"
        );
        assert_eq!(result.result["rc"], -15);
        assert_eq!(
            result.result["stdout"].as_str().unwrap().trim_end(),
            "partial"
        );
    }
}

#[tokio::test]
async fn command_over_its_time_limit_fails_by_the_signal() {
    let here = Here {
        timeout: Some(Duration::from_millis(1)),
        ..Here::new()
    };
    let result = here.call("command", json!({"cmd": "sleep 600"})).await;
    assert!(result.failed && result.changed);
    assert!(
        msg(&result).starts_with("the command reached its time limit"),
        "{result:?}"
    );
    assert_eq!(result.result["rc"], -15);
}

#[tokio::test]
async fn cancel_before_the_start_changes_nothing() {
    for module in ["command", "raw"] {
        let here = Here::new();
        here.cancel.raise(CancelLevel::Stop);
        let result = here.call(module, json!({"_raw_params": "true"})).await;
        assert!(result.failed && !result.changed);
        assert!(
            msg(&result).contains("cancelled before it started"),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn raw_runs_by_the_login_shell_or_by_the_given_one() {
    let mut here = Here::new();
    for (shell, args, expected) in [
        (
            "/bin/bash",
            json!({"_raw_params": "echo $0"}),
            "/bin/bash\n",
        ),
        (
            "/usr/sbin/nologin",
            json!({"_raw_params": "echo $0"}),
            "/bin/sh\n",
        ),
        (
            "/bin/bash",
            json!({"_raw_params": "echo $0", "executable": "/bin/sh"}),
            "/bin/sh\n",
        ),
    ] {
        here.env.insert("SHELL".to_owned(), shell.to_owned());
        assert_eq!(here.call("raw", args).await.result["stdout"], expected);
    }
}

#[tokio::test]
async fn raw_fails_with_the_code_and_tells_what_it_ignores() {
    let result = Here::new()
        .call("raw", json!({"_raw_params": "exit 3", "creates": "/"}))
        .await;
    assert_eq!(
        (msg(&result), &result.result["rc"]),
        ("non-zero return code", &json!(3))
    );
    assert!(result.failed && result.changed);
    assert_eq!(result.warnings, ["raw ignores the option 'creates'"]);

    let result = Here::new()
        .call(
            "raw",
            json!({"_raw_params": "true", "executable": "/no/sh"}),
        )
        .await;
    assert_eq!((&result.result["rc"], result.changed), (&json!(127), false));
}

#[tokio::test]
async fn command_with_the_internal_option_goes_through_a_shell() {
    let result = Here::new()
        .call(
            "command",
            json!({"_raw_params": "echo a | tr a b", "_uses_shell": true}),
        )
        .await;
    assert_eq!(
        (&result.result["stdout"], &result.result["cmd"]),
        (&json!("b"), &json!("echo a | tr a b"))
    );
}
