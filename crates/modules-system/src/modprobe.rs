//! The module `community.general.modprobe`: parts of the kernel, now and after a restart.

use std::fs;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use rustle_module::os_error::describe_bare;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config_file;

/// What the kernel has loaded.
const LOADED: &str = "/proc/modules";

/// What is loaded when the machine starts.
const LOAD_FOLDER: &str = "/etc/modules-load.d";

/// With which options.
const OPTION_FOLDER: &str = "/etc/modprobe.d";

/// The module `community.general.modprobe`.
pub(crate) struct Modprobe;

/// Whether the kernel shall have it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LoadState {
    Present,
    Absent,
}

/// What shall be when the machine starts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Persistent {
    Disabled,
    Absent,
    Present,
}

/// The arguments of `modprobe`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    name: String,
    params: String,
    persistent: Persistent,
    state: LoadState,
}

/// What has to be done.
#[derive(Default)]
pub(crate) struct State {
    /// Whether the kernel is other than it should be.
    acts: bool,
    /// Files and their new text.
    files: Vec<(PathBuf, String)>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("name", Type::Str).required(),
    Opt::new("params", Type::Str).default(Default::Str("")),
    Opt::new("persistent", Type::Str)
        .default(Default::Str("disabled"))
        .choices(&["disabled", "absent", "present"]),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "present"]),
];

#[async_trait]
impl Module for Modprobe {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.modprobe", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        let tool = Tool::find(target, "modprobe")?;
        let is_loaded = args.is_loaded()?;
        let acts = is_loaded != (args.state == LoadState::Present);
        if acts && target.mode().check {
            args.act(&tool, &["-n"]).await?;
        }
        let files = match args.persistent {
            Persistent::Disabled => Vec::new(),
            Persistent::Present => args.kept()?,
            Persistent::Absent => args.dropped()?,
        };
        Ok(State { acts, files })
    }

    fn diff(&self, args: &Args, state: &State, _mode: Mode) -> Verdict {
        let differs = state.acts || !state.files.is_empty();
        Verdict::change_if(differs, Output::new(args.result()))
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        if state.acts {
            args.act(&Tool::find(target, "modprobe")?, &[]).await?;
        }
        for (path, text) in &state.files {
            config_file::replace(path, text)?;
        }
        Ok(Output::new(args.result()))
    }
}

impl Args {
    fn result(&self) -> Object {
        let state = match self.state {
            LoadState::Present => "present",
            LoadState::Absent => "absent",
        };
        let result = json!({"name": self.name, "params": self.params, "state": state});
        match result {
            Value::Object(result) => result,
            _ => Object::new(),
        }
    }

    fn failure(&self, msg: impl Into<String>) -> Failure {
        Failure {
            result: self.result(),
            ..Failure::new(msg)
        }
    }

    /// Whether the kernel has it, loaded or built in.
    fn is_loaded(&self) -> Result<bool, Failure> {
        let loaded = self.read(Path::new(LOADED))?;
        let name = self.name.replace('-', "_");
        if loaded
            .lines()
            .any(|line| line.split(' ').next() == Some(&name))
        {
            return Ok(true);
        }
        let release = rustix::system::uname();
        let release = release.release().to_string_lossy();
        let builtin = Path::new("/lib/modules")
            .join(&*release)
            .join("modules.builtin");
        let file = format!("/{}.ko", self.name);
        let builtin = self.read(&builtin)?;
        Ok(builtin.lines().any(|line| line.ends_with(&file)))
    }

    fn read(&self, path: &Path) -> Result<String, Failure> {
        fs::read_to_string(path).map_err(|error| {
            let why = describe_bare(&error);
            self.failure(format!("{why}: '{}'", path.display()))
        })
    }

    async fn act(&self, tool: &Tool<'_>, further: &[&str]) -> Result<Ran, Failure> {
        let mut words = further.to_vec();
        let is_wanted = self.state == LoadState::Present;
        words.extend((!is_wanted).then_some("-r"));
        words.extend(["--", self.name.as_str()]);
        words.extend(self.params().filter(|_| is_wanted));
        let ran = tool.run(words).await?;
        if ran.is_success() {
            return Ok(ran);
        }
        let failure = self.failure(ran.stderr.as_str());
        Err(failure
            .with("rc", ran.rc)
            .with("stdout", ran.stdout)
            .with("stderr", ran.stderr))
    }

    fn params(&self) -> impl Iterator<Item = &str> {
        self.params.split_whitespace()
    }

    /// The files to be written so that it is loaded with its options when the machine starts.
    fn kept(&self) -> Result<Vec<(PathBuf, String)>, Failure> {
        let (loads, options) = (self.files(LOAD_FOLDER)?, self.files(OPTION_FOLDER)?);
        let mut files = Vec::new();
        let is_there = |(_, text): &(PathBuf, String)| text.lines().any(|line| self.is_load(line));
        if !loads.iter().any(is_there) {
            files.push((self.own(LOAD_FOLDER), format!("{}\n", self.name)));
        }
        let lines = options.iter().flat_map(|(_, text)| text.lines());
        let mut present: Vec<&str> = lines.filter_map(|line| self.param(line)).collect();
        let mut wanted: Vec<&str> = self.params().collect();
        for params in [&mut present, &mut wanted] {
            params.sort_unstable();
            params.dedup();
        }
        if present == wanted {
            return Ok(files);
        }
        let own = self.own(OPTION_FOLDER);
        files.extend(without(&options, |line| self.param(line).is_some()));
        files.retain(|(path, _)| *path != own);
        let text: String = self
            .params()
            .map(|param| format!("options {} {param}\n", self.name))
            .collect();
        if !text.is_empty() || own.exists() {
            files.push((own, text));
        }
        Ok(files)
    }

    /// The files to be written so that nothing is said of it when the machine starts.
    fn dropped(&self) -> Result<Vec<(PathBuf, String)>, Failure> {
        let (loads, options) = (self.files(LOAD_FOLDER)?, self.files(OPTION_FOLDER)?);
        let mut files = without(&loads, |line| self.is_load(line));
        files.extend(without(&options, |line| self.param(line).is_some()));
        Ok(files)
    }

    /// Where it is told what was not told before.
    fn own(&self, folder: &str) -> PathBuf {
        Path::new(folder).join(format!("{}.conf", self.name.replace('/', "_")))
    }

    /// The files of a folder, in the order of their names.
    fn files(&self, folder: &str) -> Result<Vec<(PathBuf, String)>, Failure> {
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(_) => return Ok(Vec::new()),
        };
        let mut paths: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.is_file())
            .collect();
        paths.sort_unstable();
        paths
            .into_iter()
            .map(|path| {
                let text = self.read(&path)?;
                Ok((path, text))
            })
            .collect()
    }

    /// Whether a line has it loaded.
    fn is_load(&self, line: &str) -> bool {
        bare(line.trim_start_matches(' ')) == self.name
    }

    /// The option that a line sets for it: a line for each is what this module writes, and all that it knows.
    fn param<'a>(&self, line: &'a str) -> Option<&'a str> {
        let rest = line.strip_prefix("options ")?.strip_prefix(&self.name)?;
        let param = bare(rest.strip_prefix(' ')?);
        let (name, value) = param.split_once('=')?;
        let is_word = |c: char| c == '_' || c.is_alphanumeric();
        let is_one = !name.is_empty() && name.chars().all(is_word);
        let is_one = is_one && !value.is_empty() && !value.contains(char::is_whitespace);
        is_one.then_some(param)
    }
}

/// A line without a comment at its end, and the blanks before that.
fn bare(line: &str) -> &str {
    let word = line.split([' ', '#', ';']).next().unwrap_or_default();
    let rest = line[word.len()..].trim_start_matches(' ');
    match rest.is_empty() || rest.starts_with(['#', ';']) {
        true => word,
        false => line,
    }
}

/// The files that have such lines, with these made comments.
fn without(files: &[(PathBuf, String)], is_meant: impl Fn(&str) -> bool) -> Vec<(PathBuf, String)> {
    let meant = files.iter().filter(|(_, text)| text.lines().any(&is_meant));
    meant
        .map(|(path, text)| {
            let lines = text.lines().map(|line| match is_meant(line) {
                true => format!("#{line}\n"),
                false => format!("{line}\n"),
            });
            (path.clone(), lines.collect())
        })
        .collect()
}
