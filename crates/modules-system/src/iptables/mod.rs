//! The module `iptables`: a rule, a chain or a policy of the packet filter.

mod args;
mod rule;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Failure, Mode, Module, Object, Output, Spec, Target, Verdict, locks, pause,
};
use serde_json::{Value, json};

use args::{Action, Args, IpVersion, RuleState, TcpFlags};

/// The lock of those `iptables` that keep their rules by themselves, and not by `nftables`.
const LOCK: &str = "/run/xtables.lock";

/// How long that lock is waited for where the task does not say it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait where a lock is told of that nobody can be seen to hold.
const POLL: Duration = Duration::from_millis(200);

/// The exit status for what is in use, among other things.
const IN_USE: i32 = 4;

/// The module `iptables`.
pub(crate) struct Iptables;

/// What has to be done.
#[derive(Default)]
pub(crate) struct State {
    /// Whether anything is other than it should be.
    changed: bool,
    /// Programs, with their arguments.
    steps: Vec<(&'static str, Vec<String>)>,
}

#[async_trait]
impl Module for Iptables {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("iptables", args::OPTIONS).constraints(args::CONSTRAINTS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let jump = args.jump()?;
        let mut state = State::default();
        for version in args.ip_version.each() {
            let filter = Filter::new(target, args, jump, *version).await?;
            if let Some(step) = filter.step().await? {
                state.changed = true;
                let words = (!step.is_empty()).then_some((filter.program, step));
                state.steps.extend(words);
            }
        }
        Ok(state)
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        Verdict::change_if(state.changed, Output::new(args.result()))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        for (program, words) in &state.steps {
            let tool = Tool::find(target, program)?;
            checked(&tool, target, words).await?;
        }
        Ok(Output::new(args.result()))
    }
}

impl IpVersion {
    /// The versions that are meant.
    const fn each(self) -> &'static [Self] {
        match self {
            Self::Ipv4 => &[Self::Ipv4],
            Self::Ipv6 => &[Self::Ipv6],
            Self::Both => &[Self::Ipv4, Self::Ipv6],
        }
    }

    const fn program(self) -> &'static str {
        match self {
            Self::Ipv6 => "ip6tables",
            _ => "iptables",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
            Self::Both => "both",
        }
    }
}

impl Args {
    /// Looks for what no rule can be made of.
    fn check(&self) -> Result<(), Failure> {
        let is_half = |flags: &TcpFlags| flags.flags.is_none() || flags.flags_set.is_none();
        if self.tcp_flags.as_ref().is_some_and(is_half) {
            return Err(Failure::new(
                "tcp_flags has to have both `flags` and `flags_set`",
            ));
        }
        let rule = rule::words(self, self.jump.as_deref(), IpVersion::Ipv4);
        let words = rule.windows(2);
        match words.into_iter().find(|pair| pair[1].is_empty()) {
            Some(pair) => Err(Failure::new(format!(
                "the value for `{}` of the rule is empty",
                pair[0]
            ))),
            None => Ok(()),
        }
    }

    /// Where packets jump to: to the log, where only what is logged is said.
    fn jump(&self) -> Result<Option<&str>, Failure> {
        let jump = self.jump.as_deref();
        if self.log_prefix.is_none() && self.log_level.is_none() {
            return Ok(jump);
        }
        match jump {
            None | Some("LOG") => Ok(Some("LOG")),
            Some(_) => Err(Failure::new(
                "Logging options can only be used with the LOG jump target.",
            )),
        }
    }

    fn result(&self) -> Object {
        let rule = rule::words(self, self.jump.as_deref(), self.ip_version).join(" ");
        let state = match self.state {
            RuleState::Present => "present",
            RuleState::Absent => "absent",
        };
        let result = json!({
            "ip_version": self.ip_version.word(),
            "table": self.table,
            "chain": self.chain,
            "flush": self.flush,
            "rule": rule,
            "state": state,
            "chain_management": self.chain_management,
            "wait": self.wait,
        });
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }
}

/// The packet filter of one version of IP, and the task.
struct Filter<'a> {
    target: &'a dyn Target,
    args: &'a Args,
    program: &'static str,
    tool: Tool<'a>,
    /// How long the program waits for its lock, as words.
    wait: Vec<String>,
    rule: Vec<String>,
}

impl<'a> Filter<'a> {
    async fn new(
        target: &'a dyn Target,
        args: &'a Args,
        jump: Option<&str>,
        version: IpVersion,
    ) -> Result<Self, Failure> {
        let program = version.program();
        let tool = Tool::find(target, program)?;
        let wait = match &args.wait {
            Some(seconds) if can_wait(&tool).await? => vec!["-w".to_owned(), seconds.clone()],
            _ => Vec::new(),
        };
        Ok(Self {
            target,
            args,
            program,
            tool,
            wait,
            rule: match args.flush || args.policy.is_some() {
                true => Vec::new(),
                false => rule::words(args, jump, version),
            },
        })
    }

    /// Finds out what has to be done: nothing, or a command, which is empty where a chain should be there that is not managed.
    async fn step(&self) -> Result<Option<Vec<String>>, Failure> {
        let (args, is_wanted) = (self.args, self.args.state == RuleState::Present);
        if args.flush {
            return Ok(Some(self.command("-F", &[])));
        }
        if let Some(policy) = &args.policy {
            let is_same = self.policy().await?.as_ref() == Some(policy);
            return Ok((!is_same).then(|| self.command("-P", &[policy])));
        }
        if self.rule.is_empty() {
            let listed = self.run(&self.listing()).await?;
            let is_there = listed.is_success();
            let verb = if is_wanted { "-N" } else { "-X" };
            let step = match args.chain_management {
                true => self.command(verb, &[]),
                false => Vec::new(),
            };
            return Ok((is_there != is_wanted).then_some(step));
        }
        let is_there = self.run(&self.command("-C", &[])).await?.is_success();
        if is_there == is_wanted {
            return Ok(None);
        }
        let number = args.rule_num.as_deref();
        Ok(Some(match (is_wanted, args.action) {
            (true, Action::Insert) => self.command("-I", number.as_slice()),
            (true, Action::Append) => self.command("-A", &[]),
            (false, _) => self.command("-D", &[]),
        }))
    }

    /// A command about the chain, with the rule if there is one.
    fn command(&self, verb: &str, further: &[&str]) -> Vec<String> {
        let mut words = vec!["-t".to_owned(), self.args.table.clone(), verb.to_owned()];
        words.extend(self.args.chain.clone());
        words.extend(further.iter().map(|word| (*word).to_owned()));
        words.extend(self.wait.iter().chain(&self.rule).cloned());
        words
    }

    fn listing(&self) -> Vec<String> {
        let mut words = self.command("-L", &[]);
        words.extend(self.args.numeric.then(|| "--numeric".to_owned()));
        words
    }

    /// What becomes of packets that no rule of the chain took; nothing for a chain that has no such thing.
    async fn policy(&self) -> Result<Option<String>, Failure> {
        let listed = checked(&self.tool, self.target, &self.listing()).await?;
        let first = listed.stdout.lines().next().unwrap_or_default();
        let policy = first.split_once("(policy ").map(|(_, rest)| rest);
        let policy = policy.and_then(|rest| rest.split([' ', ')']).next());
        Ok(policy.map(ToOwned::to_owned))
    }

    async fn run(&self, words: &[String]) -> Result<Ran, Failure> {
        patient(&self.tool, self.target, words).await
    }
}

/// Runs the program, which has to succeed.
async fn checked(tool: &Tool<'_>, target: &dyn Target, words: &[String]) -> Result<Ran, Failure> {
    let ran = patient(tool, target, words).await?;
    match ran.is_success() {
        true => Ok(ran),
        false => Err(ran.failure(tool.line(words))),
    }
}

/// Runs the program; where another one holds its lock, again after that.
async fn patient(tool: &Tool<'_>, target: &dyn Target, words: &[String]) -> Result<Ran, Failure> {
    let start = Instant::now();
    loop {
        let ran = tool.run(words).await?;
        let left = PATIENCE.saturating_sub(start.elapsed());
        let is_locked = ran.rc == IN_USE && ran.stderr.contains("xtables lock");
        if !is_locked || left.is_zero() {
            return Ok(ran);
        }
        locks::wait_for(target, &[LOCK], left, "patience, which `wait` would set").await?;
        pause(target, POLL).await?;
    }
}

/// Whether the program can be told how long it shall wait.
async fn can_wait(tool: &Tool<'_>) -> Result<bool, Failure> {
    let words = ["--version"];
    let shown = tool.run(words).await?;
    match shown.is_success() {
        true => Ok(version(&shown.stdout) >= [1, 6]),
        false => Err(shown.failure(tool.line(&words))),
    }
}

/// The first two numbers of `iptables v1.8.9 (nf_tables)`.
fn version(shown: &str) -> [u32; 2] {
    let numbers = shown.split_once(" v").map_or("", |(_, rest)| rest);
    let mut numbers = numbers
        .split(|c: char| !c.is_ascii_digit())
        .map(|number| number.parse().unwrap_or(0));
    [(); 2].map(|()| numbers.next().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert_eq!(version("iptables v1.8.9 (nf_tables)\n"), [1, 8]);
        assert!(version("iptables v1.10.0") > version("iptables v1.6"));
        assert_eq!(version("busybox"), [0, 0]);
    }
}
