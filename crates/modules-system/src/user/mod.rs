//! The module `user`: accounts of the machine, through the system's own tools.
//!
//! A password's hash goes to `chpasswd` by stdin and the passphrase of a key to `ssh-keygen` by its environment: neither is ever an argument.

mod account;
mod create;
mod home;
mod modify;
mod password;
mod ssh_key;

use async_trait::async_trait;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

use account::{Account, Directory};
use modify::Modification;
use rustle_module::tool::{Ran, Tool};
use ssh_key::SshKey;

const NO_GROUPS: &str = "'append' is set, but no 'groups' are specified. Use 'groups' for appending new groups.This will change to an error in Ansible 2.14.";

/// The module `user`.
pub(crate) struct UserModule;

/// What shall be of the user.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserState {
    Absent,
    Present,
}

/// When a password is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum UpdatePassword {
    Always,
    OnCreate,
}

/// The arguments of `user` that mean something on Linux.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    state: UserState,
    uid: Option<i64>,
    uid_min: Option<i64>,
    uid_max: Option<i64>,
    non_unique: bool,
    seuser: Option<String>,
    group: Option<String>,
    groups: Option<Vec<String>>,
    append: bool,
    comment: Option<String>,
    shell: Option<String>,
    home: Option<String>,
    create_home: bool,
    move_home: bool,
    skeleton: Option<String>,
    umask: Option<String>,
    system: bool,
    force: bool,
    remove: bool,
    local: bool,
    password: Option<String>,
    password_lock: Option<bool>,
    update_password: UpdatePassword,
    expires: Option<f64>,
    password_expire_max: Option<i64>,
    password_expire_min: Option<i64>,
    password_expire_warn: Option<i64>,
    password_expire_account_disable: Option<i64>,
    generate_ssh_key: bool,
    ssh_key_bits: Option<i64>,
    ssh_key_type: String,
    ssh_key_file: Option<String>,
    ssh_key_comment: String,
    ssh_key_passphrase: Option<String>,
}

/// What [`UserModule`] found.
pub(crate) struct State {
    account: Option<Account>,
    /// What has to be changed of an account that is there.
    modification: Modification,
    /// The key, and whether it has to be made.
    key: Option<SshKey>,
    /// Whether there is no home that shall be there.
    misses_home: bool,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required().aliases(&["user"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("uid", Type::Int),
    Opt::new("uid_min", Type::Int),
    Opt::new("uid_max", Type::Int),
    Opt::new("non_unique", Type::Bool).default(Default::Bool(false)),
    Opt::new("seuser", Type::Str),
    Opt::new("group", Type::Str),
    Opt::new("groups", Type::List(&Type::Str)),
    Opt::new("append", Type::Bool).default(Default::Bool(false)),
    Opt::new("comment", Type::Str),
    Opt::new("shell", Type::Path),
    Opt::new("home", Type::Path),
    Opt::new("create_home", Type::Bool)
        .default(Default::Bool(true))
        .aliases(&["createhome"]),
    Opt::new("move_home", Type::Bool).default(Default::Bool(false)),
    Opt::new("skeleton", Type::Str),
    Opt::new("umask", Type::Str),
    Opt::new("system", Type::Bool).default(Default::Bool(false)),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("remove", Type::Bool).default(Default::Bool(false)),
    Opt::new("local", Type::Bool).default(Default::Bool(false)),
    Opt::new("password", Type::Str).no_log(),
    Opt::new("password_lock", Type::Bool),
    Opt::new("update_password", Type::Str)
        .default(Default::Str("always"))
        .choices(&["always", "on_create"]),
    Opt::new("expires", Type::Float),
    Opt::new("password_expire_max", Type::Int),
    Opt::new("password_expire_min", Type::Int),
    Opt::new("password_expire_warn", Type::Int),
    Opt::new("password_expire_account_disable", Type::Int),
    Opt::new("generate_ssh_key", Type::Bool).default(Default::Bool(false)),
    Opt::new("ssh_key_bits", Type::Int),
    Opt::new("ssh_key_type", Type::Str).default(Default::Str("rsa")),
    Opt::new("ssh_key_file", Type::Path),
    Opt::new("ssh_key_comment", Type::Str).default(Default::Str(ssh_key::DEFAULT_COMMENT)),
    Opt::new("ssh_key_passphrase", Type::Str).no_log(),
    // These are for other systems than Linux.
    Opt::new("authorization", Type::Str),
    Opt::new("hidden", Type::Bool),
    Opt::new("login_class", Type::Str),
    Opt::new("profile", Type::Str),
    Opt::new("role", Type::Str),
];

#[async_trait]
impl Module for UserModule {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("user", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let directory = Directory::new(target);
        let account = directory.account(&args.name, args.local).await;
        let mut state = State {
            account,
            modification: Modification::default(),
            key: None,
            misses_home: false,
        };
        if let (UserState::Present, Some(account)) = (args.state, &state.account) {
            state.modification = args.modification(&directory, account).await?;
            state.misses_home = args.create_home && !account.home().exists();
            if args.generate_ssh_key {
                state.key = Some(SshKey::look(target, args, account).await?);
            }
        }
        Ok(state)
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let change = |predicted: Output| {
            Verdict::Change(Change {
                diff: Value::Null,
                predicted,
            })
        };
        let output = |result| Output {
            warnings: args.warnings(),
            ..Output::new(result)
        };
        match (args.state, &state.account) {
            (UserState::Absent, None) => Verdict::unchanged(output(args.head())),
            (UserState::Present, Some(account)) => {
                let mut result = args.head();
                result.insert("append".into(), args.append.into());
                result.insert("move_home".into(), args.move_home.into());
                args.describe(account, &mut result);
                let mut output = output(result);
                if let Some(key) = &state.key {
                    key.add_to(&mut output);
                }
                let makes_key = state.key.as_ref().is_some_and(|key| !key.exists);
                if state.modification.is_empty() && !state.misses_home && !makes_key {
                    Verdict::unchanged(output)
                } else {
                    change(output)
                }
            }
            _ => change(output(Object::new())),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let existed = state.account.is_some();
        let mut result = args.head();
        if args.state == UserState::Absent {
            let ran = args.checked(args.delete(target).await?)?;
            result.insert("force".into(), args.force.into());
            result.insert("remove".into(), args.remove.into());
            ran.add_to(&mut result);
            return Ok(Output::new(result));
        }
        let directory = Directory::new(target);
        let ran = if existed {
            args.modify(target, &state.modification).await?
        } else {
            args.create(target, &directory).await?
        };
        let ran = args.checked(ran)?;
        let account = directory.account(&args.name, args.local).await;
        let account = account
            .ok_or_else(|| args.failure(format!("failed to look up user name: {}", args.name)))?;
        if args.create_home {
            home::ensure(args, &account).map_err(|why| args.failure(why))?;
        }
        if existed {
            result.insert("append".into(), args.append.into());
            result.insert("move_home".into(), args.move_home.into());
        } else {
            result.insert("system".into(), args.system.into());
            result.insert("create_home".into(), args.create_home.into());
        }
        ran.add_to(&mut result);
        args.describe(&account, &mut result);
        let mut output = Output {
            warnings: args.warnings(),
            ..Output::new(result)
        };
        if args.generate_ssh_key {
            let mut key = SshKey::look(target, args, &account).await?;
            if !key.exists {
                key.make(target, args, &account).await?;
            }
            key.add_to(&mut output);
        }
        Ok(output)
    }
}

impl Args {
    fn failure(&self, msg: impl Into<String>) -> Failure {
        Failure {
            warnings: self.warnings(),
            ..Failure::new(msg)
        }
    }

    /// What a program did, unless it failed.
    fn checked(&self, ran: Ran) -> Result<Ran, Failure> {
        if ran.rc == 0 {
            return Ok(ran);
        }
        let failure = self.failure(ran.stderr);
        Err(failure.with("name", self.name.as_str()).with("rc", ran.rc))
    }

    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.append && self.groups.is_none() {
            warnings.push(NO_GROUPS.to_owned());
        }
        if self.password.as_deref().is_some_and(password::seems_plain) {
            warnings.push(password::NOT_HASHED.to_owned());
        }
        warnings
    }

    /// What every result begins with.
    fn head(&self) -> Object {
        let state = match self.state {
            UserState::Absent => "absent",
            UserState::Present => "present",
        };
        let mut head = Object::new();
        head.insert("name".into(), self.name.as_str().into());
        head.insert("state".into(), state.into());
        head
    }

    /// Adds what results say of an account.
    fn describe(&self, account: &Account, result: &mut Object) {
        let user = &account.user;
        if self.password.is_some() {
            result.insert("password".into(), "NOT_LOGGING_PASSWORD".into());
        }
        result.insert("uid".into(), user.uid.into());
        result.insert("group".into(), user.gid.into());
        result.insert("comment".into(), user.gecos.as_str().into());
        result.insert("home".into(), user.home.as_str().into());
        result.insert("shell".into(), user.shell.as_str().into());
        if let Some(groups) = &self.groups {
            result.insert("groups".into(), groups.join(",").into());
        }
    }

    async fn delete(&self, target: &dyn Target) -> Result<Ran, Failure> {
        let program = if self.local { "luserdel" } else { "userdel" };
        let mut words = Vec::new();
        if self.force && !self.local {
            words.push("-f");
        }
        if self.remove {
            words.push("-r");
        }
        words.extend(["--", &self.name]);
        Tool::find(target, program)?.run(words).await
    }
}
