//! The module `community.general.ufw`: the firewall that people of Ubuntu and Debian set by `ufw`.

use std::time::Duration;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict, locks,
};
use serde::Deserialize;
use serde_json::Value;

/// The lock that `ufw` takes, and waits for without an end.
const LOCK: &str = "/run/ufw.lock";

/// How long that lock is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where `ufw` keeps its rules, by version.
const RULES: &[&str] = &[
    "/lib/ufw/user.rules",
    "/lib/ufw/user6.rules",
    "/etc/ufw/user.rules",
    "/etc/ufw/user6.rules",
    "/var/lib/ufw/user.rules",
    "/var/lib/ufw/user6.rules",
];

/// How a rule begins in those files.
const TUPLE: &str = "### tuple";

/// The module `community.general.ufw`.
pub(crate) struct Ufw;

/// What shall be of the firewall.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum FirewallState {
    Disabled,
    Enabled,
    Reloaded,
    Reset,
}

/// The arguments of `ufw`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    comment: Option<String>,
    default: Option<String>,
    delete: bool,
    direction: Option<String>,
    from_ip: String,
    from_port: Option<String>,
    insert: Option<i64>,
    insert_relative_to: String,
    interface: Option<String>,
    interface_in: Option<String>,
    interface_out: Option<String>,
    log: bool,
    logging: Option<String>,
    name: Option<String>,
    proto: Option<String>,
    route: bool,
    rule: Option<String>,
    state: Option<FirewallState>,
    to_ip: String,
    to_port: Option<String>,
}

/// What was found, what has to be done, and all that was run.
#[derive(Default)]
pub(crate) struct State {
    commands: Vec<String>,
    status: String,
    tuples: String,
    changed: bool,
    /// What has to be done; a step that always is a change says so.
    steps: Vec<(Words, bool)>,
}

/// Words for the program.
type Words = Vec<String>;

const fn text(name: &'static str) -> Opt {
    Opt::new(name, Type::Str)
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const OPTIONS: &[Opt] = &[
    text("comment"),
    text("default")
        .choices(&["allow", "deny", "reject"])
        .aliases(&["policy"]),
    flag("delete"),
    text("direction").choices(&["in", "incoming", "out", "outgoing", "routed"]),
    text("from_ip")
        .default(Default::Str("any"))
        .aliases(&["from", "src"]),
    text("from_port"),
    Opt::new("insert", Type::Int),
    text("insert_relative_to")
        .default(Default::Str("zero"))
        .choices(&["zero", "first-ipv4", "last-ipv4", "first-ipv6", "last-ipv6"]),
    text("interface").aliases(&["if"]),
    text("interface_in").aliases(&["if_in"]),
    text("interface_out").aliases(&["if_out"]),
    flag("log"),
    text("logging").choices(&["full", "high", "low", "medium", "off", "on"]),
    text("name").aliases(&["app"]),
    text("proto")
        .choices(&[
            "ah", "any", "esp", "ipv6", "tcp", "udp", "gre", "igmp", "vrrp",
        ])
        .aliases(&["protocol"]),
    flag("route"),
    text("rule").choices(&["allow", "deny", "limit", "reject"]),
    text("state").choices(&["disabled", "enabled", "reloaded", "reset"]),
    text("to_ip")
        .default(Default::Str("any"))
        .aliases(&["dest", "to"]),
    text("to_port").aliases(&["port"]),
];

const CONSTRAINTS: &[Constraint] = &[
    Constraint::MutuallyExclusive(&["name", "proto", "logging"]),
    Constraint::MutuallyExclusive(&["direction", "interface_in"]),
    Constraint::MutuallyExclusive(&["direction", "interface_out"]),
    Constraint::RequiredOneOf(&["state", "default", "rule", "logging"]),
    Constraint::RequiredBy {
        option: "interface",
        required: &["direction"],
    },
];

#[async_trait]
impl Module for Ufw {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.ufw", OPTIONS).constraints(CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let mut ufw = Firewall::new(target)?;
        locks::wait_for(target, &[LOCK], PATIENCE, "patience").await?;
        let status = ufw.run(&["status", "verbose"]).await?;
        let tuples = ufw.tuples().await?;
        let steps = args.steps(&mut ufw, &status).await?;
        let mut state = State {
            status,
            tuples,
            steps,
            ..State::default()
        };
        if target.mode().check {
            state.changed = args.would_change(&mut ufw, &state).await?;
        } else {
            // Whether it does is known when it is done.
            state.changed = true;
        }
        state.commands = ufw.commands;
        Ok(state)
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        Verdict::change_if(state.changed, result(&state.commands, None))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut ufw = Firewall::new(target)?;
        ufw.commands = state.commands;
        let mut changed = false;
        for (words, is_change) in &state.steps {
            ufw.run(words).await?;
            changed |= is_change;
        }
        let status = ufw.run(&["status", "verbose"]).await?;
        if !changed {
            changed = ufw.tuples().await? != state.tuples || status != state.status;
        }
        Ok(result(&ufw.commands, Some(status.trim_end())).changed(changed))
    }
}

fn result(commands: &[String], msg: Option<&str>) -> Output {
    let mut result = Object::from_iter([("commands".to_owned(), Value::from(commands))]);
    result.extend(msg.map(|msg| ("msg".to_owned(), msg.into())));
    Output::new(result)
}

impl Args {
    /// Looks for what does not go together.
    fn check(&self) -> Result<(), Failure> {
        let direction = self.direction.as_deref();
        if self.default.is_some() && matches!(direction, Some("in" | "out")) {
            return Err(Failure::new(
                "For default, direction must be one of \"outgoing\", \"incoming\" and \"routed\", or direction must not be specified.",
            ));
        }
        if self.rule.is_none() {
            return Ok(());
        }
        if !matches!(direction, None | Some("in" | "out")) {
            return Err(Failure::new(
                "For rules, direction must be one of \"in\" and \"out\", or direction must not be specified.",
            ));
        }
        if !self.route && self.interface_in.is_some() && self.interface_out.is_some() {
            return Err(Failure::new(
                "Only route rules can combine interface_in and interface_out",
            ));
        }
        Ok(())
    }

    /// What is to be run, in its order.
    async fn steps(
        &self,
        ufw: &mut Firewall<'_>,
        status: &str,
    ) -> Result<Vec<(Words, bool)>, Failure> {
        let mut steps = Vec::new();
        let words = |words: &[&str]| -> Words { words.iter().map(|&word| word.into()).collect() };
        if let Some(state) = self.state {
            let (verb, is_change) = match state {
                FirewallState::Disabled => ("disable", false),
                FirewallState::Enabled => ("enable", false),
                FirewallState::Reloaded => ("reload", true),
                FirewallState::Reset => ("reset", true),
            };
            steps.push((words(&["-f", verb]), is_change));
        }
        if let Some(policy) = &self.default {
            let mut step = words(&["default", policy]);
            step.extend(self.direction.clone());
            steps.push((step, false));
        }
        if self.rule.is_some() {
            steps.push((self.rule(ufw).await?, false));
        }
        if let Some(level) = &self.logging {
            let is_change = match (said(status, "Logging:"), level.as_str()) {
                (Some(present), "on") => !present.starts_with("on"),
                (Some(present), "off") => present != "off",
                (Some(present), level) => present != format!("on ({level})"),
                (None, _) => true,
            };
            steps.push((words(&["logging", level]), is_change));
        }
        Ok(steps)
    }

    /// A rule in the long form that `ufw` has for it.
    async fn rule(&self, ufw: &mut Firewall<'_>) -> Result<Words, Failure> {
        let mut rule = Words::new();
        let mut add = |words: &[&str]| rule.extend(words.iter().map(|&word| word.to_owned()));
        if self.route {
            add(&["route"]);
        }
        if self.delete {
            add(&["delete"]);
        }
        if let Some(place) = self.place(ufw).await? {
            add(&["insert", &place.to_string()]);
        }
        add(self.rule.as_deref().as_slice());
        add(self.direction.as_deref().as_slice());
        for (words, value) in [
            (&["on"][..], &self.interface),
            (&["in", "on"], &self.interface_in),
            (&["out", "on"], &self.interface_out),
        ] {
            if let Some(value) = value {
                add(words);
                add(&[value]);
            }
        }
        if self.log {
            add(&["log"]);
        }
        let (from, to) = (Some(self.from_ip.clone()), Some(self.to_ip.clone()));
        let is_new = ufw.has_comments().await?;
        let comment = self.comment.clone().filter(|_| is_new);
        for (word, value) in [
            ("from", &from),
            ("port", &self.from_port),
            ("to", &to),
            ("port", &self.to_port),
            ("proto", &self.proto),
            ("app", &self.name),
            ("comment", &comment),
        ] {
            if let Some(value) = value {
                add(&[word, value]);
            }
        }
        Ok(rule)
    }

    /// The number that the rule gets; nothing where it goes to the end.
    async fn place(&self, ufw: &Firewall<'_>) -> Result<Option<i64>, Failure> {
        let Some(insert) = self.insert else {
            return Ok(None);
        };
        if self.insert_relative_to == "zero" {
            return Ok(Some(insert));
        }
        let listed = ufw.tool.run(["status", "numbered"]).await?;
        let rules: Vec<(i64, bool)> = listed.stdout.lines().filter_map(numbered).collect();
        let last = |is_wanted: fn(&(i64, bool)) -> bool| {
            let numbers = rules.iter().filter(|rule| is_wanted(rule));
            numbers.map(|(number, _)| *number).max()
        };
        let (last_v4, last_v6) = (last(|(_, v6)| !v6), last(|(_, v6)| *v6));
        let all = last(|_| true).unwrap_or(0);
        let base = match self.insert_relative_to.as_str() {
            "last-ipv4" => last_v4.unwrap_or(1),
            "first-ipv6" => last_v4.map_or(1, |number| number + 1),
            "last-ipv6" => last_v6.unwrap_or(all + 1),
            _ => 1,
        };
        // A number after the last one is refused.
        Ok(Some(insert + base).filter(|place| *place <= all))
    }

    /// Whether doing it would change something.
    async fn would_change(&self, ufw: &mut Firewall<'_>, state: &State) -> Result<bool, Failure> {
        let is_active = said(&state.status, "Status:") == Some("active");
        let mut changes = match self.state {
            None => false,
            Some(FirewallState::Enabled) => !is_active,
            Some(FirewallState::Disabled) => is_active,
            // Their steps say so.
            Some(FirewallState::Reloaded | FirewallState::Reset) => false,
        };
        if let Some(policy) = &self.default {
            let direction = self.direction.as_deref().unwrap_or("incoming");
            let direction = format!("({direction})");
            let policies = said(&state.status, "Default:")
                .unwrap_or_default()
                .split(", ");
            let present = policies.filter_map(|one| one.split_once(' '));
            let mut present = present.filter(|(_, of)| *of == direction);
            let is_same = |one: &str| one == policy || one == "disabled";
            changes |= !present.next().is_some_and(|(one, _)| is_same(one));
        }
        for (words, is_change) in &state.steps {
            changes |= is_change;
            if self.rule.is_some() && is_rule(words) {
                let words: Vec<&str> = ["--dry-run"]
                    .into_iter()
                    .chain(words.iter().map(String::as_str))
                    .collect();
                let shown = ufw.run(&words).await?;
                changes |= differs(&state.tuples, &shown);
            }
        }
        Ok(changes)
    }
}

/// What the status says under a name.
fn said<'a>(status: &'a str, key: &str) -> Option<&'a str> {
    let mut lines = status.lines();
    lines.find_map(|line| line.strip_prefix(key)).map(str::trim)
}

/// Whether words are those of a rule.
fn is_rule(words: &Words) -> bool {
    let others = ["-f", "default", "logging"];
    words
        .first()
        .is_some_and(|first| !others.contains(&first.as_str()))
}

/// The number of a line such as `[ 1] 22/tcp (v6) ALLOW IN Anywhere (v6)`, and whether it is about version 6.
fn numbered(line: &str) -> Option<(i64, bool)> {
    let (number, rest) = line.strip_prefix('[')?.split_once(']')?;
    Some((number.trim().parse().ok()?, rest.contains("(v6)")))
}

/// Whether what a dry run shows differs from the rules that are there. It shows those of a version of IP that it would write.
fn differs(tuples: &str, shown: &str) -> bool {
    let of = |text: &str, is_v6: bool| -> Vec<String> {
        let lines = text.lines().filter(|line| line.starts_with(TUPLE));
        let lines = lines.filter(|line| {
            let address = line.split_whitespace().nth(6).unwrap_or_default();
            address.contains(':') == is_v6
        });
        lines.map(ToOwned::to_owned).collect()
    };
    let would_write = |what: &str| shown.lines().any(|line| line == what);
    [("Rules updated", false), ("Rules updated (v6)", true)]
        .into_iter()
        .any(|(what, is_v6)| would_write(what) && of(tuples, is_v6) != of(shown, is_v6))
}

/// `ufw`, and all that was run.
struct Firewall<'a> {
    target: &'a dyn Target,
    tool: Tool<'a>,
    commands: Vec<String>,
}

impl<'a> Firewall<'a> {
    fn new(target: &'a dyn Target) -> Result<Self, Failure> {
        Ok(Self {
            target,
            tool: Tool::find(target, "ufw")?,
            commands: Vec::new(),
        })
    }

    /// Runs `ufw`, which has to succeed, and gives what it printed.
    async fn run(&mut self, words: &[impl AsRef<str>]) -> Result<String, Failure> {
        let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
        self.note(&words);
        let ran = self.tool.run(&words).await?;
        self.checked(ran)
    }

    fn note(&mut self, words: &[&str]) {
        let mut line = self.tool.path().to_string_lossy().into_owned();
        let mut is_quoted = false;
        for &word in words {
            line.push(' ');
            match is_quoted {
                true => line.extend(["'", word, "'"]),
                false => line.push_str(word),
            }
            // As in Ansible's list of commands.
            is_quoted = matches!(word, "app" | "comment") && !is_quoted;
        }
        self.commands.push(line);
    }

    fn checked(&self, ran: Ran) -> Result<String, Failure> {
        if ran.is_success() {
            return Ok(ran.stdout);
        }
        let said = match ran.stderr.is_empty() {
            true => ran.stdout,
            false => ran.stderr,
        };
        Err(Failure::new(said).with("commands", self.commands.clone()))
    }

    /// The rules that are there, as `ufw` keeps them.
    async fn tuples(&mut self) -> Result<String, Failure> {
        let tool = Tool::find(self.target, "grep")?;
        let files = RULES.join(" ");
        let path = tool.path().to_string_lossy();
        self.commands.push(format!("{path} -h '^{TUPLE}' {files}"));
        let pattern = format!("^{TUPLE}");
        let words = ["-h", "-e", &pattern, "--"];
        let ran = tool.run(words.iter().chain(RULES)).await?;
        Ok(ran.stdout)
    }

    /// Whether rules can have comments, which came with 0.35.
    async fn has_comments(&mut self) -> Result<bool, Failure> {
        let shown = self.run(&["--version"]).await?;
        let version = shown.split_whitespace().nth(1).unwrap_or_default();
        let mut numbers = version.split('.').map(|number| number.parse::<u32>().ok());
        let (major, minor) = (numbers.next().flatten(), numbers.next().flatten());
        Ok((major, minor) >= (Some(0), Some(35)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_differs_where_it_would_write_other_rules() {
        let v4 = "### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in\n";
        let v6 = "### tuple ### route:allow tcp 22 ::/0 any ::/0 in\n";
        let there = format!("{v4}{v6}");
        assert!(!differs(&there, "Skipping adding existing rule\n"));
        assert!(!differs(&there, &format!("{v4}Rules updated\n")));
        assert!(differs(&there, &format!("{v4}{v4}Rules updated\n")));
        assert!(differs(&there, "Rules updated (v6)\n"));
        assert_eq!(numbered("[12] 22/tcp (v6)  ALLOW IN"), Some((12, true)));
        assert_eq!(numbered("Status: active"), None);
    }
}
