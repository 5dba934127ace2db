//! `synchronize`: files between two machines, by `rsync`.
//!
//! The controller says where each end is: a remote one is `host:path`, and `_ssh_args` are the words by which ssh gets there. It runs this module
//! where rsync is to run: on its own machine, or where the task is delegated to.

use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use rustle_process::shell_quote;
use serde::Deserialize;
use serde_json::{Value, json};

/// Stands in front of each line about a change.
const CHANGED: &str = "<<CHANGED>>";

/// Runs `rsync`.
pub(crate) struct Synchronize;

/// The arguments of `synchronize`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    src: String,
    dest: String,
    archive: bool,
    checksum: bool,
    compress: bool,
    copy_links: bool,
    delay_updates: bool,
    delete: bool,
    dirs: bool,
    existing_only: bool,
    #[serde(flatten)]
    kept: Kept,
    link_dest: Option<Vec<String>>,
    partial: bool,
    rsync_opts: Option<Vec<String>>,
    rsync_path: Option<String>,
    rsync_timeout: i64,
    #[serde(rename = "_local_rsync_path")]
    local_rsync_path: String,
    #[serde(rename = "_local_rsync_password")]
    local_rsync_password: Option<String>,
    #[serde(rename = "_ssh_args")]
    ssh_args: Option<String>,
}

/// What `archive` is made of: null for what it says.
#[derive(Debug, Deserialize)]
struct Kept {
    recursive: Option<bool>,
    links: Option<bool>,
    perms: Option<bool>,
    times: Option<bool>,
    owner: Option<bool>,
    group: Option<bool>,
}

/// What a trial in check mode said.
pub(crate) struct State {
    tried: Option<Ran>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("src", Type::Path).required(),
    Opt::new("dest", Type::Path).required(),
    Opt::new("dest_port", Type::Int),
    Opt::new("delete", Type::Bool).default(Default::Bool(false)),
    Opt::new("private_key", Type::Path),
    Opt::new("rsync_path", Type::Str),
    Opt::new("_local_rsync_path", Type::Path).default(Default::Str("rsync")),
    Opt::new("_local_rsync_password", Type::Str).no_log(),
    Opt::new("_substitute_controller", Type::Bool).default(Default::Bool(false)),
    Opt::new("archive", Type::Bool).default(Default::Bool(true)),
    Opt::new("checksum", Type::Bool).default(Default::Bool(false)),
    Opt::new("compress", Type::Bool).default(Default::Bool(true)),
    Opt::new("existing_only", Type::Bool).default(Default::Bool(false)),
    Opt::new("dirs", Type::Bool).default(Default::Bool(false)),
    Opt::new("recursive", Type::Bool),
    Opt::new("links", Type::Bool),
    Opt::new("copy_links", Type::Bool).default(Default::Bool(false)),
    Opt::new("perms", Type::Bool),
    Opt::new("times", Type::Bool),
    Opt::new("owner", Type::Bool),
    Opt::new("group", Type::Bool),
    Opt::new("set_remote_user", Type::Bool).default(Default::Bool(true)),
    Opt::new("rsync_timeout", Type::Int).default(Default::Int(0)),
    Opt::new("rsync_opts", Type::List(&Type::Str)).default(Default::List(&[])),
    Opt::new("_ssh_args", Type::Str),
    Opt::new("ssh_connection_multiplexing", Type::Bool).default(Default::Bool(false)),
    Opt::new("partial", Type::Bool).default(Default::Bool(false)),
    Opt::new("verify_host", Type::Bool).default(Default::Bool(false)),
    Opt::new("delay_updates", Type::Bool).default(Default::Bool(true)),
    Opt::new("mode", Type::Str)
        .default(Default::Str("push"))
        .choices(&["pull", "push"]),
    Opt::new("use_ssh_args", Type::Bool).default(Default::Bool(false)),
    Opt::new("link_dest", Type::List(&Type::Path)),
];

#[async_trait]
impl Module for Synchronize {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.synchronize", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        args.check_link_dest()?;
        let tried = match target.mode().check {
            true => Some(args.run(target).await?),
            false => None,
        };
        Ok(State { tried })
    }

    fn diff(&self, args: &Args, state: &State, mode: Mode) -> Verdict {
        match &state.tried {
            Some(ran) => {
                let output = args.output(ran, mode);
                Verdict::change_if(output.changed == Some(true), output)
            }
            None => Verdict::Change(Change::default()),
        }
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let ran = args.run(target).await?;
        Ok(args.output(&ran, target.mode()))
    }
}

impl Args {
    async fn run(&self, target: &dyn Target) -> Result<Ran, Failure> {
        let tool = match self.local_rsync_path.contains('/') {
            true => Tool::at(target, &self.local_rsync_path),
            false => Tool::find(target, &self.local_rsync_path)?,
        };
        let words = self.words(target.mode());
        let mut command = tool.command(words.iter().map(Word::text));
        if let Some(password) = &self.local_rsync_password {
            command = command.env("RSYNC_PASSWORD", password);
        }
        let mut ran = tool.run_command(command).await?;
        let shown: Vec<String> = words.iter().map(Word::shown).collect();
        let line = format!("{} {}", tool.path().display(), shown.join(" "));
        if ran.is_success() {
            // Only the result needs it from here on.
            ran.stderr = line;
            return Ok(ran);
        }
        Err(Failure::new(ran.stderr)
            .with("rc", ran.rc)
            .with("cmd", line))
    }

    fn words(&self, mode: Mode) -> Vec<Word> {
        let mut words = Vec::new();
        let mut add = |is_wanted: bool, word: &str| {
            if is_wanted {
                words.push(Word::plain(word));
            }
        };
        add(self.delay_updates, "--delay-updates");
        add(self.delay_updates, "-F");
        add(self.compress, "--compress");
        add(
            self.rsync_timeout != 0,
            &format!("--timeout={}", self.rsync_timeout),
        );
        add(mode.check, "--dry-run");
        add(self.delete, "--delete-after");
        add(self.existing_only, "--existing");
        add(self.checksum, "--checksum");
        add(self.copy_links, "--copy-links");
        add(self.archive, "--archive");
        for (name, is_kept) in self.kept.all() {
            add(
                self.archive && is_kept == Some(false),
                &format!("--no-{name}"),
            );
            add(!self.archive && is_kept == Some(true), &format!("--{name}"));
        }
        add(self.dirs, "--dirs");
        if let Some(ssh_args) = &self.ssh_args {
            words.push(Word::valued("--rsh", &format!("ssh {ssh_args}")));
        }
        if let Some(path) = self.rsync_path.as_deref().filter(|path| !path.is_empty()) {
            words.push(Word::valued("--rsync-path", path));
        }
        let further = self.rsync_opts.iter().flatten();
        words.extend(further.map(|word| Word::plain(word)));
        if self.partial {
            words.push(Word::plain("--partial"));
        }
        if let Some(link_dest) = &self.link_dest {
            words.extend([Word::plain("-H"), Word::plain("-vv")]);
            let links = link_dest
                .iter()
                .map(|path| Word::valued("--link-dest", path.trim_end_matches('/')));
            words.extend(links);
        }
        words.push(Word::valued("--out-format", &format!("{CHANGED}%i %n%L")));
        words.extend([&self.src, &self.dest].map(|path| Word::plain(&no_option(path))));
        words
    }

    /// A folder that files are linked from cannot be the one that they are put into, or above it.
    fn check_link_dest(&self) -> Result<(), Failure> {
        let dest = self.dest.rsplit_once('/').map_or("", |(folder, _)| folder);
        let is_above = |link: &&String| Path::new(dest).starts_with(link.trim_end_matches('/'));
        let links = self.link_dest.iter().flatten();
        match links.filter(|link| link.starts_with('/')).find(is_above) {
            Some(_) => Err(Failure::new(format!(
                "Hardlinking into a subdirectory of the source would cause recursion. {dest} and {}",
                self.dest
            ))),
            None => Ok(()),
        }
    }

    fn output(&self, ran: &Ran, mode: Mode) -> Output {
        let told = ran.stdout.replace(CHANGED, "");
        let lines = told.split('\n').filter(|line| !line.is_empty());
        let mut result = Object::new();
        for (key, value) in [
            ("msg", told.as_str().into()),
            ("rc", ran.rc.into()),
            ("cmd", ran.stderr.as_str().into()),
            ("stdout_lines", lines.collect::<Vec<_>>().into()),
        ] {
            result.insert(key.to_owned(), value);
        }
        if mode.diff {
            let diff: Value = json!({"prepared": told});
            result.insert("diff".into(), diff);
        }
        let mut marked = ran
            .stdout
            .lines()
            .filter_map(|line| line.strip_prefix(CHANGED));
        Output::new(result).changed(marked.any(is_change))
    }
}

impl Kept {
    fn all(&self) -> [(&'static str, Option<bool>); 6] {
        [
            ("recursive", self.recursive),
            ("links", self.links),
            ("perms", self.perms),
            ("times", self.times),
            ("owner", self.owner),
            ("group", self.group),
        ]
    }
}

/// Whether a line about a file is about a change: with `-vv` there are lines about what stays, such as `.f          a`.
fn is_change(line: &str) -> bool {
    let itemized = line.get(..11).unwrap_or(line);
    !(itemized.starts_with('.') && itemized.chars().skip(2).all(|c| c == ' '))
}

/// A path that begins with a dash is still a path.
fn no_option(path: &str) -> String {
    match path.starts_with('-') {
        true => format!("./{path}"),
        false => path.to_owned(),
    }
}

/// A word of the command; an option with a value shows the value in quotes where it needs them.
struct Word {
    option: Option<&'static str>,
    value: String,
}

impl Word {
    fn plain(word: &str) -> Self {
        Self {
            option: None,
            value: word.to_owned(),
        }
    }

    fn valued(option: &'static str, value: &str) -> Self {
        Self {
            option: Some(option),
            value: value.to_owned(),
        }
    }

    fn text(&self) -> String {
        match self.option {
            Some(option) => format!("{option}={}", self.value),
            None => self.value.clone(),
        }
    }

    fn shown(&self) -> String {
        let value = shell_quote(&self.value);
        match self.option {
            Some(option) => format!("{option}={value}"),
            None => value.into_owned(),
        }
    }
}
