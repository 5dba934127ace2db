//! The module `group`: groups of the machine, through the system's own tools.

use async_trait::async_trait;
use rustle_module::accounts::{Accounts, Group};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use rustle_module::tool::{Ran, Tool};

/// The module `group`.
pub(crate) struct GroupModule;

/// What shall be of the group.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GroupState {
    Absent,
    Present,
}

/// The arguments of `group`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    state: GroupState,
    gid: Option<i64>,
    gid_min: Option<i64>,
    gid_max: Option<i64>,
    force: bool,
    system: bool,
    local: bool,
    non_unique: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("gid", Type::Int),
    Opt::new("gid_min", Type::Int),
    Opt::new("gid_max", Type::Int),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("system", Type::Bool).default(Default::Bool(false)),
    Opt::new("local", Type::Bool).default(Default::Bool(false)),
    Opt::new("non_unique", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for GroupModule {
    type Args = Args;
    type State = Option<Group>;
    const SPEC: Spec = Spec::new("group", OPTIONS).constraints(&[Constraint::RequiredIf {
        option: "non_unique",
        value: "True",
        required: &["gid"],
        any: false,
    }]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Option<Group>, Failure> {
        let accounts = Accounts::new(target);
        let group = args.find(&accounts).await;
        if let (true, Some(gid), GroupState::Present) = (args.local, args.gid, args.state) {
            let holder = accounts
                .local_groups()
                .into_iter()
                .find(|group| i64::from(group.gid) == gid);
            if let Some(holder) = holder.filter(|holder| holder.name != args.name) {
                let msg = format!("GID '{gid}' already exists with group '{}'", holder.name);
                return Err(args.failure(msg));
            }
        }
        Ok(group)
    }

    fn diff(&self, args: &Args, state: &Option<Group>, _mode: Mode) -> Verdict {
        let change = |predicted: Object| {
            Verdict::Change(Change {
                diff: Value::Null,
                predicted: Output::new(predicted),
            })
        };
        match (args.state, state) {
            (GroupState::Absent, None) => Verdict::unchanged(Output::new(args.result(None))),
            (GroupState::Present, Some(group)) if !args.differs(group) => {
                Verdict::unchanged(Output::new(args.result(Some(group))))
            }
            (GroupState::Present, Some(group)) => change(args.result(Some(group))),
            _ => change(Object::new()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: Option<Group>,
        _change: Change,
    ) -> Result<Output, Failure> {
        let (program, words) = args.command(state.is_some());
        let ran = Tool::find(target, program)?.run(words).await?;
        if ran.rc != 0 {
            return Err(args.failure(ran.stderr));
        }
        let group = match args.state {
            GroupState::Absent => None,
            GroupState::Present => args.find(&Accounts::new(target)).await,
        };
        Ok(args.output(group.as_ref(), &ran))
    }
}

impl Args {
    async fn find(&self, accounts: &Accounts<'_>) -> Option<Group> {
        if self.local {
            let mut groups = accounts.local_groups().into_iter();
            return groups.find(|group| group.name == self.name);
        }
        accounts.group_named(&self.name).await
    }

    fn failure(&self, msg: impl Into<String>) -> Failure {
        Failure::new(msg).with("name", self.name.as_str())
    }

    fn differs(&self, group: &Group) -> bool {
        self.gid.is_some_and(|gid| gid != i64::from(group.gid))
    }

    /// The program that makes it so, and its arguments.
    fn command(&self, exists: bool) -> (&'static str, Vec<String>) {
        let mut args = Vec::new();
        let program = match (self.state, exists, self.local) {
            (GroupState::Absent, _, true) => "lgroupdel",
            (GroupState::Absent, ..) => "groupdel",
            (GroupState::Present, true, true) => "lgroupmod",
            (GroupState::Present, true, false) => "groupmod",
            (GroupState::Present, false, true) => "lgroupadd",
            (GroupState::Present, false, false) => "groupadd",
        };
        if self.state == GroupState::Absent {
            if self.force && !self.local {
                args.push("-f".to_owned());
            }
        } else {
            if let Some(gid) = self.gid {
                args.extend(["-g".to_owned(), gid.to_string()]);
                if self.non_unique {
                    args.push("-o".to_owned());
                }
            }
            if !exists {
                args.extend(self.system.then(|| "-r".to_owned()));
                for (key, id) in [("GID_MIN", self.gid_min), ("GID_MAX", self.gid_max)] {
                    if let Some(id) = id {
                        args.extend(["-K".to_owned(), format!("{key}={id}")]);
                    }
                }
            }
        }
        args.extend(["--".to_owned(), self.name.clone()]);
        (program, args)
    }

    fn result(&self, group: Option<&Group>) -> Object {
        let mut result = Object::new();
        let state = match self.state {
            GroupState::Absent => "absent",
            GroupState::Present => "present",
        };
        result.insert("name".into(), self.name.as_str().into());
        result.insert("state".into(), state.into());
        if let Some(group) = group {
            result.insert("system".into(), self.system.into());
            result.insert("gid".into(), group.gid.into());
        }
        result
    }

    fn output(&self, group: Option<&Group>, ran: &Ran) -> Output {
        let mut result = self.result(group);
        ran.add_to(&mut result);
        Output::new(result)
    }
}
