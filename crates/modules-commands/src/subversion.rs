//! `subversion`: a working copy of a repository, or an export of it.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::Value;

/// Keeps working copies by the program `svn`.
pub(crate) struct Subversion;

/// The arguments of `subversion`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    repo: String,
    dest: Option<String>,
    revision: String,
    force: bool,
    username: Option<String>,
    password: Option<String>,
    executable: Option<String>,
    export: bool,
    checkout: bool,
    update: bool,
    switch: bool,
    in_place: bool,
    validate_certs: bool,
}

/// What is to be done.
pub(crate) enum State {
    /// Nothing, and this is the result.
    Done(Object),
    /// An export, which counts as a change whatever is there.
    Export,
    /// A new working copy, in check mode also where none is wanted, as with Ansible.
    New,
    /// A working copy is brought to the revision; what it is before, and whether that is another one.
    Present {
        before: Value,
        after: Value,
        differs: bool,
    },
}

const OPTIONS: &[Opt] = &[
    Opt::new("repo", Type::Str)
        .required()
        .aliases(&["name", "repository"]),
    Opt::new("dest", Type::Path),
    Opt::new("revision", Type::Str)
        .default(Default::Str("HEAD"))
        .aliases(&["rev", "version"]),
    Opt::new("force", Type::Bool).default(Default::Bool(false)),
    Opt::new("username", Type::Str),
    Opt::new("password", Type::Str).no_log(),
    Opt::new("executable", Type::Path),
    Opt::new("export", Type::Bool).default(Default::Bool(false)),
    Opt::new("checkout", Type::Bool).default(Default::Bool(true)),
    Opt::new("update", Type::Bool).default(Default::Bool(true)),
    Opt::new("switch", Type::Bool).default(Default::Bool(true)),
    Opt::new("in_place", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for Subversion {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("subversion", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check()?;
        let svn = Svn::new(target, args)?;
        if !args.export && !args.update && !args.checkout {
            let words = ["info", "-r", &args.revision, &args.repo];
            let after = revision(&svn.run(&words).await?.stdout);
            return Ok(State::Done(object([("after", after)])));
        }
        let is_there = Path::new(args.dest()).exists();
        if args.export {
            return Ok(State::Export);
        }
        if !is_there {
            return Ok(match args.checkout || target.mode().check {
                true => State::New,
                false => State::Done(Object::new()),
            });
        }
        if !svn.try_run(&["info", args.dest()]).await?.is_success() {
            if args.in_place {
                return Ok(State::New);
            }
            return Err(Failure::new(format!(
                "ERROR: {} folder already exists, but its not a subversion repository.",
                args.dest()
            )));
        }
        if !args.update {
            return Ok(State::Done(Object::new()));
        }
        args.look_at_copy(&svn, target.mode()).await
    }

    fn diff(&self, _args: &Args, state: &State, mode: Mode) -> Verdict {
        let (before, after, differs) = match state {
            State::Done(result) => return Verdict::unchanged(Output::new(result.clone())),
            State::Export | State::New => return Verdict::Change(Change::default()),
            State::Present {
                before,
                after,
                differs,
            } => (before, after, *differs),
        };
        let result = object([("before", before.clone()), ("after", after.clone())]);
        // Whether a run would do something is found by the run.
        Verdict::change_if(differs || !mode.check, Output::new(result))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let svn = Svn::new(target, args)?;
        let (revision, dest) = (args.revision.as_str(), args.dest());
        let before = match state {
            State::Done(result) => return Ok(Output::new(result).changed(false)),
            State::Export => {
                let mut words = vec!["export"];
                words.extend(args.force.then_some("--force"));
                words.extend(["-r", revision, &args.repo, dest]);
                svn.run(&words).await?;
                return Ok(Output::default());
            }
            State::New => {
                let mut words = vec!["checkout"];
                words.extend(args.in_place.then_some("--force"));
                words.extend(["-r", revision, &args.repo, dest]);
                svn.run(&words).await?;
                Value::Null
            }
            State::Present { before, .. } => {
                if args.force {
                    svn.run(&["revert", "-R", dest]).await?;
                }
                if args.switch {
                    let words = ["switch", "--revision", revision, &args.repo, dest];
                    svn.run(&words).await?;
                }
                svn.run(&["update", "-r", revision, dest]).await?;
                before
            }
        };
        let after = svn.revision_and_url(dest).await?;
        let changed = before != after;
        let result = object([("before", before), ("after", after)]);
        Ok(Output::new(result).changed(changed))
    }
}

impl Args {
    fn dest(&self) -> &str {
        self.dest.as_deref().unwrap_or_default()
    }

    fn check(&self) -> Result<(), Failure> {
        if self.dest.is_none() && (self.checkout || self.update || self.export) {
            let msg = "the destination directory must be specified unless checkout=no, update=no, and export=no";
            return Err(Failure::new(msg));
        }
        let values = [&self.repo, &self.revision].into_iter();
        let values = values.chain(&self.dest).chain(&self.username);
        match values.into_iter().find(|value| value.starts_with('-')) {
            Some(value) => Err(Failure::new(format!(
                "`{value}` cannot be used: svn would take it for an option"
            ))),
            None => Ok(()),
        }
    }

    /// Looks at a working copy. What a person changed there is not thrown away unasked, and is told before anything is done.
    async fn look_at_copy(&self, svn: &Svn<'_>, mode: Mode) -> Result<State, Failure> {
        let dest = self.dest();
        let words = ["status", "--quiet", "--ignore-externals", dest];
        let is_modified = svn.run(&words).await?.stdout.lines().any(|line| {
            let first = line.chars().next();
            first.is_some_and(|first| !matches!(first, '?' | 'X'))
        });
        if is_modified && !self.force {
            let msg = "ERROR: modified files exist in the repository.";
            return Err(Failure::new(msg));
        }
        if !mode.check {
            let before = svn.revision_and_url(dest).await?;
            return Ok(State::Present {
                before,
                after: Value::Null,
                differs: true,
            });
        }
        let before = revision(&svn.run(&["info", dest]).await?.stdout);
        let words = ["info", "-r", &self.revision, dest];
        let after = revision(&svn.run(&words).await?.stdout);
        Ok(State::Present {
            differs: before != after || is_modified,
            before,
            after,
        })
    }
}

/// The program with the options of each call.
struct Svn<'a> {
    tool: Tool<'a>,
    args: &'a Args,
}

impl<'a> Svn<'a> {
    fn new(target: &'a dyn Target, args: &'a Args) -> Result<Self, Failure> {
        let tool = match &args.executable {
            Some(path) => Tool::at(target, path),
            None => Tool::find(target, "svn")?,
        };
        Ok(Self { tool, args })
    }

    /// Runs the program, which may fail. The password is read from its stdin, where no list of processes shows it.
    async fn try_run(&self, words: &[&str]) -> Result<Ran, Failure> {
        let mut command = self.tool.command(self.words(words));
        if let Some(password) = &self.args.password {
            command = command.stdin(format!("{password}\n"));
        }
        self.tool.run_command(command).await
    }

    async fn run(&self, words: &[&str]) -> Result<Ran, Failure> {
        let ran = self.try_run(words).await?;
        match ran.is_success() {
            true => Ok(ran),
            false => Err(ran.failure(self.tool.line(&self.words(words)))),
        }
    }

    fn words(&self, words: &[&str]) -> Vec<String> {
        let mut all = vec!["--non-interactive".to_owned(), "--no-auth-cache".to_owned()];
        if !self.args.validate_certs {
            all.push("--trust-server-cert".into());
        }
        if let Some(username) = &self.args.username {
            all.extend(["--username".into(), username.clone()]);
        }
        if self.args.password.is_some() {
            all.push("--password-from-stdin".into());
        }
        all.extend(words.iter().map(|word| (*word).to_owned()));
        all
    }

    /// The revision and the address of a working copy, as results have them.
    async fn revision_and_url(&self, dest: &str) -> Result<Value, Failure> {
        let said = self.run(&["info", dest]).await?.stdout;
        Ok(["Revision: ", "URL: "]
            .iter()
            .filter_map(|key| line_with(&said, key))
            .map(Value::from)
            .collect())
    }
}

fn line_with<'a>(said: &'a str, key: &str) -> Option<&'a str> {
    said.lines().find(|line| line.starts_with(key))
}

fn revision(said: &str) -> Value {
    line_with(said, "Revision: ").into()
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Object {
    let fields = fields.into_iter();
    fields.map(|(key, value)| (key.to_owned(), value)).collect()
}
