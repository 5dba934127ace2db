//! The module `getent`: entries of the system's databases, as facts.

use async_trait::async_trait;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use rustle_module::tool::Tool;

const NO_KEY: &str = "One or more supplied key could not be found in the database.";

/// The module `getent`.
pub(crate) struct Getent;

/// The arguments of `getent`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    database: String,
    key: Option<String>,
    service: Option<String>,
    split: Option<String>,
    fail_key: bool,
}

/// What `getent` knew.
pub(crate) enum State {
    /// These entries, each by its first field.
    Found(Object),
    /// There is no such key, which is no failure.
    NoKey,
}

const OPTIONS: &[Opt] = &[
    Opt::new("database", Type::Str).required(),
    Opt::new("key", Type::Str),
    Opt::new("service", Type::Str),
    Opt::new("split", Type::Str),
    Opt::new("fail_key", Type::Bool).default(Default::Bool(true)),
];

#[async_trait]
impl Module for Getent {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("getent", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let mut words = Vec::new();
        if let Some(service) = &args.service {
            words.extend(["-s", service]);
        }
        words.extend(["--", &args.database]);
        words.extend(args.key.as_deref());
        let ran = Tool::find(target, "getent")?.run(words).await?;
        match ran.rc {
            0 => Ok(State::Found(args.entries(&ran.stdout))),
            1 => Err(Failure::new("Missing arguments, or database unknown.")),
            2 if !args.fail_key => Ok(State::NoKey),
            2 => Err(Failure::new(NO_KEY)),
            3 => Err(Failure::new("Enumeration not supported on this database.")),
            _ => Err(Failure::new("Unexpected failure!")),
        }
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let mut result = Object::new();
        let entries = match state {
            State::Found(entries) => entries.clone(),
            State::NoKey => {
                result.insert("msg".into(), NO_KEY.into());
                let key = args.key.clone().unwrap_or_default();
                Object::from_iter([(key, Value::Null)])
            }
        };
        let fact = format!("getent_{}", args.database);
        result.insert("ansible_facts".into(), json!({ fact: entries }));
        Verdict::unchanged(Output::new(result))
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

impl Args {
    /// The fields of each line by its first one; a first field that comes again makes a list of all.
    fn entries(&self, output: &str) -> Object {
        let colons = ["passwd", "shadow", "group", "gshadow"];
        let split = self.split.as_deref().filter(|split| !split.is_empty());
        let split = split.or_else(|| colons.contains(&self.database.as_str()).then_some(":"));
        let mut entries = Object::new();
        let mut seen: std::collections::BTreeMap<String, usize> = std::collections::BTreeMap::new();
        for line in output.lines() {
            let mut fields: Vec<&str> = match split {
                Some(split) => line.split(split).collect(),
                None => line.split_whitespace().collect(),
            };
            if fields.is_empty() {
                continue;
            }
            let key = fields.remove(0).to_owned();
            let times = seen.entry(key.clone()).or_default();
            *times += 1;
            let entry = entries.entry(key).or_insert(Value::Null);
            match (*times, &mut *entry) {
                (1, entry) => *entry = json!(fields),
                (2, entry) => *entry = json!([entry.take(), fields]),
                (_, Value::Array(all)) => all.push(json!(fields)),
                _ => {}
            }
        }
        entries
    }
}
