//! The module `ansible.posix.authorized_key`: the keys by which a user may log in.

mod folder;
mod keys;

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::accounts::{Accounts, User};
use rustle_module::os_error::{describe, describe_bare};
use rustle_module::path_info::{add_path_info, selinux_is_enabled};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use folder::{Folder, Missing};
use keys::{Line, Lines, NoKey, Options};
use rustle_module::tool::Tool;

/// The module `ansible.posix.authorized_key`.
pub(crate) struct AuthorizedKey;

/// What shall be of the keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum KeyState {
    Absent,
    Present,
}

/// The arguments of `authorized_key`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    user: String,
    key: String,
    path: Option<String>,
    manage_dir: bool,
    state: KeyState,
    key_options: Option<String>,
    comment: Option<String>,
    exclusive: bool,
    validate_certs: bool,
    follow: bool,
}

/// The file of keys before and after.
pub(crate) struct State {
    file: String,
    user: Option<User>,
    before: String,
    after: Option<String>,
    result: Object,
}

const OPTIONS: &[Opt] = &[
    Opt::new("user", Type::Str).required(),
    Opt::new("key", Type::Str).required(),
    Opt::new("path", Type::Path),
    Opt::new("manage_dir", Type::Bool).default(Default::Bool(true)),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
    Opt::new("key_options", Type::Str),
    Opt::new("comment", Type::Str),
    Opt::new("exclusive", Type::Bool).default(Default::Bool(false)),
    Opt::new("validate_certs", Type::Bool).default(Default::Bool(true)),
    Opt::new("follow", Type::Bool).default(Default::Bool(false)),
];

#[async_trait]
impl Module for AuthorizedKey {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("ansible.posix.authorized_key", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let keys = args.given_keys()?;
        let user = args.user(target).await?;
        let file = args.file(user.as_ref());
        let before = read(&file)?;
        let mut lines = Lines::parse(&before);
        let changed = args.edit(&mut lines, &keys)?;
        let mut result = args.result(&file);
        if let Some(path) = &args.path {
            add_path_info(target, &mut result, path).await;
        }
        Ok(State {
            after: changed.then(|| lines.render()),
            before,
            file,
            user,
            result,
        })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let output = Output::new(state.result.clone());
        let Some(after) = &state.after else {
            return Verdict::unchanged(output);
        };
        Verdict::Change(Change {
            diff: json!({
                "before": state.before,
                "before_header": state.file,
                "after": after,
                "after_header": args.written(&state.file),
            }),
            predicted: output,
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let (Some(user), Some(after)) = (&state.user, &state.after) else {
            return Err(args.no_user());
        };
        args.write(&state.file, after, user)?;
        restore_contexts(target, args, &state.file).await;
        let mut result = args.result(&state.file);
        if let Some(path) = &args.path {
            add_path_info(target, &mut result, path).await;
        }
        Ok(Output::new(result))
    }
}

impl Args {
    /// The account, which check mode can do without where the path is given.
    async fn user(&self, target: &dyn Target) -> Result<Option<User>, Failure> {
        let check = target.mode().check;
        if check && self.path.is_some() {
            return Ok(None);
        }
        match Accounts::new(target).user_named(&self.user).await {
            Some(user) => Ok(Some(user)),
            None if check => Err(Failure::new(
                "Either user must exist or you must provide full path to key file in check mode",
            )),
            None => Err(self.no_user()),
        }
    }

    fn no_user(&self) -> Failure {
        let user = &self.user;
        Failure::new(format!(
            "Failed to lookup user {user}: \"getpwnam(): name not found: '{user}'\""
        ))
    }

    /// The file as the task names it.
    fn file(&self, user: Option<&User>) -> String {
        match (&self.path, user) {
            (Some(path), _) => path.clone(),
            (None, Some(user)) => {
                format!("{}/.ssh/authorized_keys", user.home.trim_end_matches('/'))
            }
            (None, None) => String::new(),
        }
    }

    /// The file that is replaced: the target of a link, with `follow`.
    fn written(&self, file: &str) -> String {
        let real = self.follow.then(|| fs::canonicalize(file));
        match real {
            Some(Ok(real)) => real.to_string_lossy().into_owned(),
            _ => file.to_owned(),
        }
    }

    /// The keys that the task gives, one a line, without comments.
    fn given_keys(&self) -> Result<Vec<Line>, Failure> {
        if self.key.starts_with("http") {
            let msg = "`key` is a URL, and keys are not fetched: fetch it by `get_url` or `uri`, or give its text by `lookup('url')`";
            return Err(Failure::new(msg));
        }
        let text = match self.key.strip_prefix("file") {
            Some(_) => read_key_file(&self.key)?,
            None => self.key.clone(),
        };
        let lines = keys::split_lines(&text).into_iter();
        let lines = lines.map(|line| line.trim_end_matches(['\n', '\r', '\u{b}', '\u{c}']));
        lines
            .filter(|line| !line.is_empty() && !line.starts_with('#'))
            .map(|line| self.given_key(line))
            .collect()
    }

    fn given_key(&self, text: &str) -> Result<Line, Failure> {
        let mut line = Line::parse(text).map_err(|problem| match problem {
            NoKey::Type => Failure::new(format!("invalid key specified: {text}")),
            NoKey::Key => Failure::new("Task failed: Module failed: list index out of range"),
        })?;
        if let Line::Key {
            options, comment, ..
        } = &mut line
        {
            if let Some(text) = &self.key_options {
                *options = Options::parse(text);
            }
            if let Some(text) = &self.comment {
                text.clone_into(comment);
            }
        }
        Ok(line)
    }

    /// Edits the lines, and tells whether something changed.
    fn edit(&self, lines: &mut Lines, keys: &[Line]) -> Result<bool, Failure> {
        let mut changed = false;
        if self.state == KeyState::Absent {
            for key in keys {
                changed |= lines.remove(key.id());
            }
            return Ok(changed);
        }
        for (rank, key) in keys.iter().enumerate() {
            changed |= lines.set(key.clone(), rank);
        }
        if self.exclusive {
            let ids: Vec<String> = keys.iter().map(|key| key.id().to_owned()).collect();
            changed |= lines.keep_only(&ids);
        }
        Ok(changed)
    }

    /// Puts the keys in their place, in a folder that belongs to the user.
    fn write(&self, file: &str, text: &str, user: &User) -> Result<(), Failure> {
        let failed = |error: io::Error| at_file(&error, file);
        if self.manage_dir {
            let path = parent(file);
            let made = Folder::open(&path, Missing::MakesLast);
            made.and_then(|folder| folder.give_to(user))
                .map_err(|error| {
                    let (text, path) = (describe_bare(&error), path.display());
                    let msg = format!("Failed to create directory {path} : {text}: '{path}'");
                    Failure::new(msg)
                })?;
        }
        let written = self.written(file);
        let folder = Folder::open(&parent(&written), Missing::MakesAll).map_err(failed)?;
        let put = folder.replace(name(&written).as_ref(), text, user);
        put.map_err(failed)
    }

    /// The arguments, as results repeat them.
    fn result(&self, file: &str) -> Object {
        let state = match self.state {
            KeyState::Absent => "absent",
            KeyState::Present => "present",
        };
        let result = json!({
            "user": self.user,
            "key": self.key,
            "path": self.path,
            "manage_dir": self.manage_dir,
            "state": state,
            "key_options": self.key_options,
            "comment": self.comment,
            "exclusive": self.exclusive,
            "validate_certs": self.validate_certs,
            "follow": self.follow,
            "keyfile": file,
        });
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }
}

/// The folder and the name of a file.
fn parent(file: &str) -> PathBuf {
    let parent = Path::new(file).parent().unwrap_or(Path::new("/"));
    if parent.as_os_str().is_empty() {
        ".".into()
    } else {
        parent.to_owned()
    }
}

fn name(file: &str) -> &OsStr {
    Path::new(file).file_name().unwrap_or_default()
}

fn at_file(error: &io::Error, file: &str) -> Failure {
    let text = describe(error, file);
    Failure::new(format!("Task failed: Module failed: {text}"))
}

/// The text of a file of keys, with ends of lines as Python reads them; empty where there is none.
fn read(file: &str) -> Result<String, Failure> {
    let text = Folder::open(&parent(file), Missing::Fails)
        .and_then(|folder| folder.read(name(file).as_ref()));
    match text {
        Ok(text) => {
            let text = text.unwrap_or_default();
            Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(at_file(&error, file)),
    }
}

/// The text of a file on the host that `file://` names.
fn read_key_file(url: &str) -> Result<String, Failure> {
    let path = url.strip_prefix("file:").unwrap_or(url);
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.find('/').map_or("", |at| &rest[at..]),
        None => path,
    };
    let path = path.split(['?', '#', ';']).next().unwrap_or_default();
    let fails = |what: &str| Failure::new(format!("{what}{path}"));
    let metadata = fs::metadata(path).map_err(|_| fails("Path to a key file not found: "))?;
    if !metadata.is_file() {
        return Err(fails("Path to a key is a directory and must be a file: "));
    }
    fs::read_to_string(path).map_err(|error| {
        let text = describe(&error, path);
        Failure::new(format!("Failed to read key file {path} : {text}"))
    })
}

/// Gives the file and its folder the context that SELinux's policy has for them, without which no login works.
async fn restore_contexts(target: &dyn Target, args: &Args, file: &str) {
    if !selinux_is_enabled() {
        return;
    }
    if let Ok(tool) = Tool::find(target, "restorecon") {
        let folder = parent(file);
        let paths = [folder.as_os_str(), OsStr::new(file)];
        let paths = &paths[usize::from(!args.manage_dir)..];
        // Best effort, as in Ansible: the keys are there and right.
        let _ignored = tool.run([OsStr::new("--")].iter().chain(paths)).await;
    }
}
