//! The module `community.general.alternatives`: which of several programs a common name stands for.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The priority of what is installed without one.
const PRIORITY: i64 = 50;

/// The module `community.general.alternatives`.
pub(crate) struct Alternatives;

/// What shall be of the alternative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AlternativeState {
    Present,
    Selected,
    Auto,
    Absent,
}

/// A link that goes along with the main one.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize)]
struct Subcommand {
    name: String,
    path: String,
    link: String,
}

/// The arguments of `alternatives`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    path: Option<String>,
    family: Option<String>,
    link: Option<String>,
    priority: Option<i64>,
    state: AlternativeState,
    subcommands: Option<Vec<Subcommand>>,
}

/// What there is of a name.
#[derive(Default)]
struct Group {
    /// Whether the best is taken by itself.
    is_auto: bool,
    /// What the name stands for.
    current: Option<String>,
    link: Option<String>,
    /// Links that go along, by their names.
    slaves: Vec<(String, String)>,
    choices: Vec<Choice>,
}

/// One of the programs that the name can stand for.
#[derive(Default)]
struct Choice {
    path: String,
    priority: i64,
    subcommands: Vec<Subcommand>,
}

/// What has to be done, and what is told of it.
#[derive(Default)]
pub(crate) struct State {
    steps: Vec<Vec<String>>,
    messages: Vec<String>,
    before: Object,
    after: Object,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("path", Type::Path),
    Opt::new("family", Type::Str),
    Opt::new("link", Type::Path),
    Opt::new("priority", Type::Int),
    Opt::new("state", Type::Str)
        .default(Default::Str("selected"))
        .choices(&["present", "selected", "absent", "auto"]),
    Opt::new("subcommands", Type::List(&Type::Dict))
        .aliases(&["slaves"])
        .suboptions(&[
            Opt::new("name", Type::Str).required(),
            Opt::new("path", Type::Path).required(),
            Opt::new("link", Type::Path).required(),
        ]),
];

#[async_trait]
impl Module for Alternatives {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.alternatives", OPTIONS)
        .constraints(&[Constraint::RequiredOneOf(&["path", "family"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let tool = tool(target)?;
        let queried = tool.run(["--query", &args.name]).await?;
        let group = queried.is_success().then(|| Group::parse(&queried.stdout));
        args.plan(group.as_ref())
    }

    fn diff(&self, _args: &Args, state: &State, mode: Mode) -> Verdict {
        Verdict::change_if(!state.steps.is_empty(), state.output(mode))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let tool = tool(target)?;
        for words in &state.steps {
            checked(&tool, words).await?;
        }
        Ok(state.output(target.mode()))
    }
}

fn tool(target: &dyn Target) -> Result<Tool<'_>, Failure> {
    let other = || Tool::look(target, "alternatives");
    match Tool::look(target, "update-alternatives").or_else(other) {
        Some(tool) => Ok(tool),
        None => Tool::find(target, "update-alternatives"),
    }
}

async fn checked(tool: &Tool<'_>, words: &[String]) -> Result<Ran, Failure> {
    let ran = tool.run(words).await?;
    match ran.is_success() {
        true => Ok(ran),
        false => Err(ran.failure(tool.words(words).join(" "))),
    }
}

impl State {
    fn output(&self, mode: Mode) -> Output {
        let diff = match mode.diff {
            true => json!({"before": self.before, "after": self.after}),
            false => json!({"before": {}, "after": {}}),
        };
        let msg = self.messages.join(" ");
        Output::new(Object::from_iter([
            ("msg".to_owned(), msg.into()),
            ("diff".to_owned(), diff),
        ]))
    }

    fn step(&mut self, words: Vec<String>, message: String) {
        self.steps.push(words);
        self.messages.push(message);
    }

    fn then(&mut self, key: &str, value: impl Into<Value>) {
        self.after.insert(key.into(), value.into());
    }
}

impl Args {
    /// The program that is meant.
    fn wanted(&self) -> &str {
        let path = self.path.as_deref().or(self.family.as_deref());
        path.unwrap_or_default()
    }

    /// Finds out what has to be done.
    fn plan(&self, group: Option<&Group>) -> Result<State, Failure> {
        let choice = group.and_then(|group| group.choice(self.wanted()));
        let mut state = State::default();
        if let Some(group) = group {
            state.before = group.shown(choice);
        }
        if self.state == AlternativeState::Absent {
            if choice.is_some() {
                self.remove(&mut state);
            }
            return Ok(state);
        }
        if self.is_to_install(choice) {
            self.install(group, choice, &mut state)?;
        }
        let is_current = group.and_then(|group| group.current.as_deref()) == Some(self.wanted());
        match self.state {
            AlternativeState::Selected if !is_current => {
                let words = ["--set", &self.name, self.wanted()];
                let msg = format!("Set alternative '{}' for '{}'.", self.wanted(), self.name);
                state.step(words.map(ToOwned::to_owned).to_vec(), msg);
                state.then("state", "selected");
            }
            AlternativeState::Auto if group.is_some_and(|group| !group.is_auto) => {
                let words = ["--auto", &self.name];
                let msg = format!("Set alternative to auto for '{}'.", self.name);
                state.step(words.map(ToOwned::to_owned).to_vec(), msg);
                state.then("state", "present");
            }
            _ => {}
        }
        Ok(state)
    }

    fn is_to_install(&self, choice: Option<&Choice>) -> bool {
        let Some(choice) = choice else {
            return self.path.is_some();
        };
        let has_other_priority = self
            .priority
            .is_some_and(|wanted| wanted != choice.priority);
        let same = |wanted: &Vec<Subcommand>| {
            wanted.len() == choice.subcommands.len()
                && wanted.iter().all(|one| choice.subcommands.contains(one))
        };
        has_other_priority || !self.subcommands.as_ref().is_none_or(same)
    }

    fn install(
        &self,
        group: Option<&Group>,
        choice: Option<&Choice>,
        state: &mut State,
    ) -> Result<(), Failure> {
        let path = self.wanted();
        if !Path::new(path).exists() {
            return Err(Failure::new(format!(
                "Specified path {path} does not exist"
            )));
        }
        let link = self.link.as_deref();
        let link = link.or_else(|| group.and_then(|group| group.link.as_deref()));
        let Some(link) = link else {
            return Err(Failure::new(
                "Needed to install the alternative, but unable to do so as we are missing the link",
            ));
        };
        let priority = self.priority.or(choice.map(|choice| choice.priority));
        let priority = priority.unwrap_or(PRIORITY);
        let present = || choice.map(|choice| choice.subcommands.clone());
        let subcommands = self.subcommands.clone().or_else(present);
        let subcommands = subcommands.unwrap_or_default();
        let number = priority.to_string();
        let mut words = vec!["--install", link, &self.name, path, &number];
        for sub in &subcommands {
            words.extend(["--slave", &sub.link, &sub.name, &sub.path]);
        }
        let words = words.into_iter().map(ToOwned::to_owned).collect();
        let msg = format!("Install alternative '{path}' for '{}'.", self.name);
        state.step(words, msg);
        state.then("state", "present");
        state.then("path", path);
        state.then("family", self.family.clone());
        state.then("priority", priority);
        state.then("link", link);
        if !subcommands.is_empty() {
            state.then("subcommands", json!(subcommands));
        }
        Ok(())
    }

    fn remove(&self, state: &mut State) {
        let path = self.wanted();
        let words = ["--remove", &self.name, path];
        let msg = format!("Remove alternative '{path}' from '{}'.", self.name);
        state.step(words.map(ToOwned::to_owned).to_vec(), msg);
        state.then("state", "absent");
    }
}

impl Group {
    /// Reads what `--query` tells: fields of the group, and after an empty line those of each choice.
    fn parse(text: &str) -> Self {
        let mut group = Self::default();
        let mut is_slave = false;
        for line in text.lines() {
            if let Some(entry) = line.strip_prefix(' ').filter(|_| is_slave) {
                group.slave(entry);
                continue;
            }
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.trim();
            is_slave = key == "Slaves";
            match (key, group.choices.last_mut()) {
                ("Alternative", _) => group.choices.push(Choice {
                    path: value.to_owned(),
                    ..Choice::default()
                }),
                ("Priority", Some(choice)) => choice.priority = value.parse().unwrap_or(PRIORITY),
                ("Link", None) => group.link = Some(value.to_owned()),
                ("Status", None) => group.is_auto = value == "auto",
                ("Value", None) => group.current = Some(value.to_owned()),
                _ => {}
            }
        }
        group
    }

    /// A link that goes along, with its place in the group and what it leads to in a choice.
    fn slave(&mut self, entry: &str) {
        let Some((name, path)) = entry.trim().split_once(' ') else {
            return;
        };
        match self.choices.last_mut() {
            None => self.slaves.push((name.to_owned(), path.to_owned())),
            Some(choice) => {
                let link = self.slaves.iter().find(|(slave, _)| slave == name);
                choice.subcommands.push(Subcommand {
                    name: name.to_owned(),
                    path: path.to_owned(),
                    link: link.map(|(_, link)| link.clone()).unwrap_or_default(),
                });
            }
        }
    }

    fn choice(&self, path: &str) -> Option<&Choice> {
        self.choices.iter().find(|choice| choice.path == path)
    }

    fn shown(&self, choice: Option<&Choice>) -> Object {
        let Some(choice) = choice else {
            return Object::from_iter([("state".to_owned(), "absent".into())]);
        };
        let mut shown = Object::from_iter([
            ("state".to_owned(), Value::from("present")),
            ("path".to_owned(), choice.path.as_str().into()),
            ("priority".to_owned(), choice.priority.into()),
            ("link".to_owned(), self.link.clone().into()),
        ]);
        if !choice.subcommands.is_empty() {
            shown.insert("subcommands".into(), json!(choice.subcommands));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_read_with_its_links() {
        let text = "Name: x\nLink: /usr/bin/x\nSlaves:\n x.1 /usr/share/x.1\nStatus: manual\nBest: /b\nValue: /a\n\nAlternative: /a\nPriority: 10\nSlaves:\n x.1 /a.1\n\nAlternative: /b\nPriority: 20\n";
        let group = Group::parse(text);
        assert_eq!(group.link.as_deref(), Some("/usr/bin/x"));
        assert!(!group.is_auto && group.current.as_deref() == Some("/a"));
        let choice = group.choice("/a").expect("it is there");
        assert_eq!(choice.priority, 10);
        assert_eq!(choice.subcommands[0].link, "/usr/share/x.1");
        assert!(group.choice("/b").is_some_and(|b| b.subcommands.is_empty()));
    }
}
