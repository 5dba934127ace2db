//! `rustle.toml`, environment variables, and who wins.

use insta::assert_snapshot;

use crate::{Desk, PLAN};

/// The lines of `-v` that say who set forks.
fn forks(desk: &Desk, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut run = desk.exec(&[&["-vv", "--dry-run", "plan.json"], arguments].concat());
    for (name, value) in variables {
        run = run.env(name, value);
    }
    let output = run.run();
    output.success();
    output
        .stderr
        .lines()
        .filter(|line| line.contains("forks"))
        .collect()
}

#[test]
fn option_wins_over_environment_over_file_over_plan_over_default() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    assert_eq!(forks(&desk, &[], &[]), "setting: forks = 50 (default)");
    let planned = r#"{"metadata": {"planning_options": {"forks": 4}}, "#;
    desk.write("plan.json", PLAN.replacen('{', planned, 1));
    assert_eq!(forks(&desk, &[], &[]), "setting: forks = 4 (plan)");
    desk.write("rustle.toml", "[executor]\nmax_forks = 3\n");
    assert_eq!(
        forks(&desk, &[], &[]),
        "setting: forks = 3 (configuration file)"
    );
    let variables = &[("RUSTLE_FORKS", "2")];
    assert_eq!(
        forks(&desk, &[], variables),
        "setting: forks = 2 (RUSTLE_FORKS)"
    );
    assert_eq!(
        forks(&desk, &["-f", "1"], variables),
        "setting: forks = 1 (command line)"
    );
}

#[test]
fn mistakes_of_the_configuration_are_told_at_once() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    desk.write(
        "rustle.toml",
        "[executor]\nmax_fork = 3\ndefault_retries = true\n",
    );
    assert_snapshot!(desk.refused(&["plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: configuration `rustle.toml` is not valid
      line 2: unknown key `executor.max_fork`
      line 3: `executor.default_retries`: expected a whole number ≥ 0, found true
    hint: did you mean `max_forks`?
    ");
    desk.write("rustle.toml", "[executor\n");
    assert_snapshot!(desk.refused(&["plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: configuration `rustle.toml` is not valid
      line 1: unclosed table, expected `]`
    ");
    assert_snapshot!(desk.refused(&["--config", "other.toml", "plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: configuration `other.toml` cannot be read: No such file or directory (os error 2)
    ");
}

#[test]
fn wrong_variables_are_told() {
    let mut desk = Desk::new();
    desk.write("plan.json", PLAN);
    desk.world.set_env("RUSTLE_FORKS", "many");
    assert_snapshot!(desk.refused(&["plan.json"], 3), @"
    exit status: 3
    ----- stderr
    error: `RUSTLE_FORKS`: expected a whole number ≥ 1, found `many`
    ");
    desk.world.set_env("RUSTLE_FORKS", "");
    desk.world.set_env("RUSTLE_FROKS", "3");
    let output = desk.exec(&["--dry-run", "plan.json"]).run();
    output.success();
    assert_snapshot!(output.stderr, @"warning: unknown environment variable `RUSTLE_FROKS`; did you mean `RUSTLE_FORKS`?");
}

#[test]
fn example_of_the_configuration_is_one() {
    let desk = Desk::new();
    desk.write("plan.json", PLAN);
    desk.write("rustle.toml", include_bytes!("../../rustle.toml.example"));
    desk.exec(&["--dry-run", "plan.json"]).run().success();
}
