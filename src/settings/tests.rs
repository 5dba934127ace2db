use std::path::Path;
use std::time::Duration;

use clap::Parser as _;

use super::*;
use crate::cli::Cli;
use crate::config::ConfigFile;

/// What each of those who have a say says of forks, and what comes of it.
struct Case {
    words: &'static str,
    variables: &'static [(&'static str, &'static str)],
    file: &'static str,
    planned: &'static str,
    expected: &'static str,
}

const PLAIN: Case = Case {
    words: "",
    variables: &[],
    file: "",
    planned: "{}",
    expected: "",
};

fn settings(case: &Case) -> Result<Settings, CliError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rustle.toml");
    std::fs::write(&file, case.file).unwrap();
    let environment = Environment::of(case.variables);
    let text = format!(
        r#"{{"metadata": {{"planning_options": {}}}, "plays": [{{"hosts": ["a"], "tasks": [{{"module": "ping"}}]}}]}}"#,
        case.planned
    );
    let cli =
        Cli::try_parse_from(std::iter::once("rustle-exec").chain(case.words.split_whitespace()))
            .unwrap();
    Sources {
        args: &cli.run,
        environment: &environment,
        file: &ConfigFile::load(Some(&file), &environment)?,
        plan: &ExecutionPlan::from_json(text.as_bytes()).unwrap().0,
    }
    .settings(Object::new())
}

fn assert_chosen(cases: &[Case]) {
    for case in cases {
        let settings = settings(case).unwrap();
        let (name, _) = case.expected.split_once(' ').unwrap();
        let chosen = settings
            .chosen
            .iter()
            .find(|chosen| chosen.name == name)
            .unwrap();
        assert_eq!(chosen.to_string(), case.expected);
    }
}

#[test]
fn option_wins_over_environment_over_file_over_plan_over_default() {
    let (words, variables) = ("--forks 1", &[(env::FORKS, "2")][..]);
    let (file, planned) = ("[executor]\nmax_forks = 3\n", r#"{"forks": 4}"#);
    assert_chosen(&[
        Case {
            words,
            variables,
            file,
            planned,
            expected: "forks = 1 (command line)",
        },
        Case {
            variables,
            file,
            planned,
            expected: "forks = 2 (RUSTLE_FORKS)",
            ..PLAIN
        },
        Case {
            file,
            planned,
            expected: "forks = 3 (configuration file)",
            ..PLAIN
        },
        Case {
            planned,
            expected: "forks = 4 (plan)",
            ..PLAIN
        },
        Case {
            expected: "forks = 50 (default)",
            ..PLAIN
        },
    ]);
}

const VARIABLES: &[(&str, &str)] = &[
    (env::TIMEOUT, "1.5"),
    (env::RETRIES, "0"),
    (env::LOG_LEVEL, "debug"),
    (env::NO_COLOR, "1"),
    (env::GATHER, "lazy"),
];
const FILE: &str = "\
[executor]
default_retry_delay_secs = 0.1
continue_on_error = true
gather_facts_by_default = true
[reporting]
progress = \"lines\"
[ssh]
kex = \"curve25519-sha256\"
accept_new_host_keys = true
args = [\"-4\", \"-v\"]
connecting = 2
";
const PLANNED: &str = r#"{"check_mode": true, "diff_mode": true, "tags": ["a", "b"],
    "skip_tags": ["c"], "limit": "web"}"#;

/// Options, and what comes of them where the environment, the file and the plan above have a say, too.
const ROWS: &[(&str, &str)] = &[
    ("", "timeout = 1.5 s (RUSTLE_EXEC_TIMEOUT)"),
    ("--timeout 7", "timeout = 7 s (command line)"),
    ("", "retries = 0 (RUSTLE_MAX_RETRIES)"),
    ("", "log-level = debug (RUSTLE_LOG_LEVEL)"),
    ("", "color = never (NO_COLOR)"),
    ("--color always", "color = always (command line)"),
    ("", "retry-delay = 0.1 s (configuration file)"),
    ("", "continue-on-error = true (configuration file)"),
    ("", "gather-facts = true (configuration file)"),
    ("", "gather = lazy (RUSTLE_GATHER)"),
    ("--gather full", "gather = full (command line)"),
    ("", "progress = lines (configuration file)"),
    ("--progress bar", "progress = bar (command line)"),
    ("", "kex = curve25519-sha256 (configuration file)"),
    ("", "accept-new-host-keys = true (configuration file)"),
    ("", "ssh-args = -4, -v (configuration file)"),
    ("", "connecting = 2 (configuration file)"),
    ("", "keep-alive = 15 s (default)"),
    ("", "check = true (plan)"),
    ("-c", "check = true (command line)"),
    ("", "diff = true (plan)"),
    ("", "tags = a, b (plan)"),
    ("-t c", "tags = c (command line)"),
    ("", "skip-tags = c (plan)"),
    ("", "limit = web (plan)"),
    ("-l db", "limit = db (command line)"),
];

#[test]
fn every_setting_knows_where_it_comes_from() {
    for (words, expected) in ROWS {
        assert_chosen(&[Case {
            words,
            variables: VARIABLES,
            file: FILE,
            planned: PLANNED,
            expected,
        }]);
    }
    assert_chosen(&[Case {
        expected: "limit = none (default)",
        ..PLAIN
    }]);
}

#[test]
fn defaults_are_those_of_the_run_and_of_its_connections() {
    let settings = settings(&PLAIN).unwrap();
    assert_eq!(settings.options, ExecutionOptions::default());
    assert_eq!(
        format!("{:?}", settings.connection),
        format!("{:?}", ConnectionSettings::default())
    );
}

#[test]
fn example_file_changes_nothing() {
    let settings = settings(&Case {
        file: include_str!("../../rustle.toml.example"),
        ..PLAIN
    })
    .unwrap();
    assert_eq!(settings.options, ExecutionOptions::default());
    assert_eq!(
        format!("{:?}", settings.connection),
        format!("{:?}", ConnectionSettings::default())
    );
    assert_eq!(
        (settings.output.progress, settings.output.color),
        (ProgressMode::Auto, ColorChoice::Auto)
    );
    assert_eq!(settings.output.log_level, Level::INFO);
}

#[test]
fn retries_of_the_run_are_those_of_its_connections() {
    let settings = settings(&Case {
        words: "--retries 7 --retry-delay 0.25",
        ..PLAIN
    })
    .unwrap();
    assert_eq!(settings.connection.retries, 7);
    assert_eq!(settings.connection.retry_delay, Duration::from_millis(250));
}

#[test]
fn state_is_kept_where_the_user_keeps_state() {
    let state = |variables: &'static [(&str, &str)]| {
        settings(&Case { variables, ..PLAIN }).unwrap().state_dir
    };
    assert_eq!(state(&[(env::STATE_DIR, "/a")]), Some("/a".into()));
    assert_eq!(
        state(&[("XDG_STATE_HOME", "/b"), ("HOME", "/c")]),
        Some("/b/rustle".into())
    );
    assert_eq!(
        state(&[("HOME", "/c")]),
        Some("/c/.local/state/rustle".into())
    );
    assert_eq!(state(&[]), None);
}

#[test]
fn folders_of_modules_are_those_of_the_option_else_of_the_variable() {
    let variables = &[(env::MODULE_PATH, "/a:/b")];
    let path = |words| {
        let case = Case {
            words,
            variables,
            ..PLAIN
        };
        settings(&case).unwrap().modules.path
    };
    assert_eq!(path(""), [Path::new("/a"), Path::new("/b")]);
    let words = "--module-path /c:/d --module-path e";
    assert_eq!(
        path(words),
        [Path::new("/c"), Path::new("/d"), Path::new("e")]
    );
}

#[test]
fn other_connections_come_later() {
    let error = settings(&Case {
        words: "--connection-plugin docker",
        ..PLAIN
    })
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "`--connection-plugin docker` is not available in this version"
    );
}

#[test]
fn options_say_as_whom_tasks_run() {
    let words = "-b --become-user app --become-method su";
    let settings = settings(&Case { words, ..PLAIN }).unwrap();
    let r#become = settings.r#become;
    assert!(r#become.enabled && r#become.password.is_none());
    assert_eq!(r#become.user.as_deref(), Some("app"));
    assert_eq!(r#become.method.as_deref(), Some("su"));
}
