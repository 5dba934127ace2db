use clap::CommandFactory as _;

use super::*;

fn parse(words: &str) -> Cli {
    Cli::try_parse_from(std::iter::once("rustle-exec").chain(words.split_whitespace())).unwrap()
}

#[test]
fn definition_holds_together() {
    Cli::command().debug_assert();
}

#[test]
fn word_that_is_no_command_is_a_plan() {
    assert_eq!(
        parse("plan.json").run.plan.unwrap(),
        PathBuf::from("plan.json")
    );
    assert_eq!(parse("./run").run.plan.unwrap(), PathBuf::from("./run"));
    assert_eq!(parse("runn").run.plan.unwrap(), PathBuf::from("runn"));
    assert_eq!(parse("-").run.plan.unwrap(), PathBuf::from("-"));
}

#[test]
fn run_is_the_default_command() {
    let Some(Command::Run(run)) = parse("run -f 3 plan.json").command else {
        panic!("no command")
    };
    assert_eq!(
        (run.plan.unwrap(), run.pace.forks),
        (PathBuf::from("plan.json"), Some(3))
    );
}

#[test]
fn later_commands_take_whatever_follows() {
    assert_eq!(parse("ctl pause --now -x 7").command.unwrap().word(), "ctl");
    assert_eq!(parse("bundle --help").command.unwrap().word(), "bundle");
}

#[test]
fn serial_takes_counts_and_shares() {
    let serial = parse("--serial 1,30% plan.json").run.pace.serial;
    assert_eq!(
        serde_json::to_value(serial).unwrap(),
        serde_json::json!([1, "30%"])
    );
    assert!(Cli::try_parse_from(["rustle-exec", "--serial", "many"]).is_err());
}

#[test]
fn every_later_option_is_refused_by_its_name() {
    let later: Vec<_> = Cli::command()
        .get_arguments()
        .filter(|arg| arg.get_help_heading() == Some("Not available in this version"))
        .map(|arg| {
            (
                arg.get_long().unwrap().to_owned(),
                arg.get_action().takes_values(),
            )
        })
        .collect();
    assert!(!later.is_empty());
    for (name, takes_value) in later {
        let name = format!("--{name}");
        let words = [name.as_str(), "x"]
            .into_iter()
            .take(1 + usize::from(takes_value));
        let cli = Cli::try_parse_from(std::iter::once("rustle-exec").chain(words)).unwrap();
        assert_eq!(cli.run.later.first_given(), Some(name.as_str()));
    }
}
