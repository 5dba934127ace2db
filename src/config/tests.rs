use insta::assert_snapshot;

use super::*;

const EXAMPLE: &str = include_str!("../../rustle.toml.example");

fn read(text: &str) -> Result<ConfigFile, ConfigError> {
    let environment = Environment::of(&[("HOME", "/home/me")]);
    let path = PathBuf::from("/etc/rustle.toml");
    ConfigFile::read(text, &Home::of(&path, &environment))
        .map_err(|kind| ConfigError { path, kind })
}

/// The error and its hints, as they are printed.
fn told(text: &str) -> String {
    let error = read(text).unwrap_err();
    let hints: String = error
        .hints()
        .iter()
        .map(|hint| format!("\nhint: {hint}"))
        .collect();
    format!("{error}{hints}")
}

/// The example with the keys that have no default, too.
fn whole_example() -> String {
    let is_key = |line: &str| {
        let name = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ")
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_lowercase() || c == '_')
    };
    let uncomment = |line: &str| match line.strip_prefix("# ").filter(|rest| is_key(rest)) {
        Some(key) => format!("{key}\n"),
        None => format!("{line}\n"),
    };
    EXAMPLE.lines().map(uncomment).collect()
}

#[test]
fn example_parses_and_says_what_is_the_case_anyway() {
    let config = read(EXAMPLE).unwrap();
    assert_eq!(config.executor.timeout, Some(Duration::from_secs(600)));
    assert_eq!(config.reporting.progress, Some(ProgressMode::Auto));
}

#[test]
fn example_has_every_key() {
    let text = whole_example();
    let example: toml::Table = text.parse().unwrap();
    read(&text).unwrap();
    // A key that is not known is refused by a list of those that are.
    for section in ["executor", "modules", "reporting", "performance", "ssh"] {
        let told = told(&format!("[{section}]\nthis_is_no_key_at_all = 1\n"));
        let known = told.split_once("` has ").unwrap().1;
        let mut known: Vec<&str> = known.split(", ").collect();
        let mut shown: Vec<&str> = example[section]
            .as_table()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        known.sort_unstable();
        shown.sort_unstable();
        assert_eq!(shown, known, "[{section}]");
    }
    assert_eq!(example.len(), 5);
}

#[test]
fn all_mistakes_are_told_at_once_with_their_lines() {
    assert_snapshot!(told("\
[executor]
max_fork = 5
default_retries = \"many\"
default_timeout_secs = -1

[shh]
kex = 1

[ssh]
args = \"-v\"
connecting = 0

[modules]
module_timeout_secs = 5
"), @r#"
    configuration `/etc/rustle.toml` is not valid
      line 2: unknown key `executor.max_fork`
      line 3: `executor.default_retries`: expected a whole number ≥ 0, found "many"
      line 4: `executor.default_timeout_secs`: expected a number of seconds, found -1
      line 6: unknown section `shh`
      line 10: `ssh.args`: expected a list of texts, found "-v"
      line 11: `ssh.connecting`: expected a whole number ≥ 1, found 0
      line 14: `modules.module_timeout_secs` is not available in this version
    hint: did you mean `max_forks`?
    hint: did you mean `[ssh]`?
    hint: `module_timeout_secs` may be left out, or be 300
    "#);
}

#[test]
fn key_outside_of_a_section_is_told() {
    assert_snapshot!(told("forks = 5\nssh = true\n"), @"
    configuration `/etc/rustle.toml` is not valid
      line 1: unknown key `forks`
      line 2: `ssh`: expected a section `[ssh]`, found true
    hint: the sections are executor, reporting, ssh, modules, performance
    ");
}

#[test]
fn text_that_is_no_toml_is_told_with_its_line() {
    assert_snapshot!(told("[executor]\nmax_forks = = 3\n"), @"
    configuration `/etc/rustle.toml` is not valid
      line 2: extra `=`, expected nothing
    ");
    assert_snapshot!(told("[executor]\nmax_forks = 3\nmax_forks = 4\n"), @"
    configuration `/etc/rustle.toml` is not valid
      line 3: duplicate key
    ");
}

#[test]
fn paths_begin_at_the_file_or_at_home() {
    let config = read("[ssh]\nagent_path = [\"agents\", \"~/agents\", \"/opt\"]\n").unwrap();
    let expected: Vec<PathBuf> = ["/etc/agents", "/home/me/agents", "/opt"]
        .map(PathBuf::from)
        .into();
    assert_eq!(config.ssh.agent_path, Some(expected));
}

#[test]
fn progress_can_be_switched_off_by_spec_070s_key() {
    let config =
        read("[reporting]\nenable_progress_reporting = false\nprogress = \"bar\"\n").unwrap();
    assert_eq!(config.reporting.progress, Some(ProgressMode::None));
}

#[test]
fn first_file_that_is_there_is_read_and_a_named_one_has_to_be() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(place("xdg/rustle")).unwrap();
    std::fs::write(
        place("xdg/rustle/rustle.toml"),
        "[executor]\nmax_forks = 1\n",
    )
    .unwrap();
    std::fs::write(place("named.toml"), "[executor]\nmax_forks = 2\n").unwrap();
    std::fs::write(place("flag.toml"), "[executor]\nmax_forks = 3\n").unwrap();
    let xdg = place("xdg").to_string_lossy().into_owned();
    let named = place("named.toml").to_string_lossy().into_owned();
    let forks = |flag: Option<&Path>, variables: &[(&str, &str)]| {
        ConfigFile::load(flag, &Environment::of(variables)).map(|config| config.executor.forks)
    };
    assert_eq!(forks(None, &[("XDG_CONFIG_HOME", &xdg)]).unwrap(), Some(1));
    let both = [
        ("XDG_CONFIG_HOME", xdg.as_str()),
        (env::CONFIG, named.as_str()),
    ];
    assert_eq!(forks(None, &both).unwrap(), Some(2));
    assert_eq!(forks(Some(&place("flag.toml")), &both).unwrap(), Some(3));
    let missing = forks(Some(&place("missing.toml")), &both).unwrap_err();
    assert!(
        missing.to_string().contains("missing.toml` cannot be read"),
        "{missing}"
    );
}
