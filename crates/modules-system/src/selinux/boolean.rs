//! The module `ansible.posix.seboolean`: switches of a policy of SELinux.

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;

/// The module `ansible.posix.seboolean`.
pub(crate) struct SeBoolean;

/// The arguments of `seboolean`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    persistent: bool,
    state: bool,
    ignore_selinux_state: bool,
}

/// What has to be done.
pub(crate) struct State {
    /// Whether SELinux is in force, so that there is a switch to be turned now.
    is_enabled: bool,
    differs: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("ignore_selinux_state", Type::Bool).default(Default::Bool(false)),
    Opt::new("name", Type::Str).required(),
    Opt::new("persistent", Type::Bool).default(Default::Bool(false)),
    Opt::new("state", Type::Bool).required(),
];

#[async_trait]
impl Module for SeBoolean {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.seboolean", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let enforce = Tool::find(target, "getenforce")?;
        let told = enforce.run([] as [&str; 0]).await?.stdout;
        let is_enabled = told.trim() != "Disabled";
        if !is_enabled && !args.ignore_selinux_state {
            return Err(Failure::new("SELinux is disabled on this host."));
        }
        let mut differs = is_enabled && args.active(target).await? != args.state;
        if args.persistent {
            let stored = args.stored(target).await?;
            // Where nobody can tell what is stored, what is in force is taken for it.
            differs |= stored.map_or(!is_enabled, |stored| stored != args.state);
        }
        Ok(State {
            is_enabled,
            differs,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        Verdict::change_if(state.differs, Output::new(args.result()))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let tool = Tool::find(target, "setsebool")?;
        let mut words = Vec::new();
        words.extend(args.persistent.then_some("-P"));
        words.extend((!state.is_enabled).then_some("-N"));
        let wanted = if args.state { "on" } else { "off" };
        words.extend(["--", args.name.as_str(), wanted]);
        let ran = tool.run(&words).await?;
        match ran.is_success() {
            true => Ok(Output::new(args.result())),
            false => Err(ran.failure(tool.line(&words))),
        }
    }
}

impl Args {
    fn result(&self) -> Object {
        Object::from_iter([
            ("name".to_owned(), self.name.as_str().into()),
            ("persistent".to_owned(), self.persistent.into()),
            ("state".to_owned(), self.state.into()),
        ])
    }

    /// What is in force: `name --> on`.
    async fn active(&self, target: &dyn Target) -> Result<bool, Failure> {
        let ran = Tool::find(target, "getsebool")?
            .run(["--", self.name.as_str()])
            .await?;
        let told = ran.stdout.split_once("--> ").map(|(_, word)| word.trim());
        match told {
            Some("on") => Ok(true),
            Some("off") => Ok(false),
            _ => Err(Failure::new(format!(
                "SELinux boolean {} does not exist.",
                self.name
            ))),
        }
    }

    /// What is stored, as `semanage` lists it: `name (on , off) text`, where that program is installed.
    async fn stored(&self, target: &dyn Target) -> Result<Option<bool>, Failure> {
        let Some(tool) = Tool::look(target, "semanage") else {
            return Ok(None);
        };
        let listed = tool.run(["boolean", "--list", "--noheading"]).await?.stdout;
        let values = listed.lines().find_map(|line| {
            let (name, rest) = line.split_once(char::is_whitespace)?;
            let (values, _) = rest.trim_start().strip_prefix('(')?.split_once(')')?;
            (name == self.name).then(|| values.split_once(','))?
        });
        match values {
            Some((_, stored)) => Ok(Some(stored.trim() == "on")),
            None => Err(Failure::new(format!(
                "SELinux boolean {} does not exist.",
                self.name
            ))),
        }
    }
}
