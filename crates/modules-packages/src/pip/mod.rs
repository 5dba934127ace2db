//! The module `pip`: Python packages, in the system or in a virtual environment.

mod requirement;

use std::collections::BTreeMap;
use std::path::Path;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use rustle_process::split_command;
use serde::Deserialize;
use serde_json::{Value, json};

use requirement::{Requirement, rejoin};

/// The module `pip`.
pub(crate) struct Pip;

/// What shall be of the packages.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum State {
    Absent,
    ForceReinstall,
    Latest,
    Present,
}

/// The arguments of `pip`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    break_system_packages: bool,
    chdir: Option<String>,
    editable: bool,
    executable: Option<String>,
    extra_args: Option<String>,
    name: Option<Vec<String>>,
    requirements: Option<String>,
    state: State,
    umask: Option<String>,
    version: Option<String>,
    virtualenv: Option<String>,
    virtualenv_command: String,
    virtualenv_python: Option<String>,
    virtualenv_site_packages: bool,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const OPTIONS: &[Opt] = &[
    flag("break_system_packages"),
    Opt::new("chdir", Type::Path),
    flag("editable"),
    Opt::new("executable", Type::Path),
    Opt::new("extra_args", Type::Str),
    Opt::new("name", Type::List(&Type::Str)),
    Opt::new("requirements", Type::Str),
    Opt::new("state", Type::Str)
        .default(Default::Str("present"))
        .choices(&["absent", "forcereinstall", "latest", "present"]),
    Opt::new("umask", Type::Str),
    Opt::new("version", Type::Str),
    Opt::new("virtualenv", Type::Path),
    Opt::new("virtualenv_command", Type::Path).default(Default::Str("virtualenv")),
    Opt::new("virtualenv_python", Type::Str),
    flag("virtualenv_site_packages"),
];

/// What was found.
pub(crate) struct Found {
    /// What check mode tells.
    predicted: Option<Output>,
}

#[async_trait]
impl Module for Pip {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = Spec::new("pip", OPTIONS).constraints(&[
        Constraint::MutuallyExclusive(&["name", "requirements"]),
        Constraint::MutuallyExclusive(&["executable", "virtualenv"]),
        Constraint::RequiredOneOf(&["name", "requirements"]),
    ]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        args.umask()?;
        args.packages()?;
        let predicted = if target.mode().check {
            Some(args.predict(target).await?)
        } else {
            None
        };
        Ok(Found { predicted })
    }

    fn diff(&self, _args: &Args, found: &Found, _mode: Mode) -> Verdict {
        // Only pip itself finds out what it has to do.
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: found.predicted.clone().unwrap_or_default(),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        _found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut ran = Ran::default();
        if let Some(folder) = args.missing_virtualenv() {
            ran.join(&args.create_virtualenv(target, folder).await?);
        }
        let pip = PipProgram::find(target, args).await?;
        let words = args.words()?;
        let lists_packages = args.requirements.is_some() || args.names_versioned_sources();
        let before = if lists_packages {
            Some(pip.list(args).await?.stdout)
        } else {
            None
        };
        let shown = pip.shown(&words);
        let own = pip.run(args, &words).await?;
        ran.join(&own);
        let nothing_to_remove = args.state == State::Absent && own.stderr.contains("not installed");
        if !own.is_success() && !nothing_to_remove {
            return Err(failure(&ran).with("cmd", shown));
        }
        let is_changed = match before {
            _ if args.state == State::Absent => own.stdout.contains("Successfully uninstalled"),
            None => own.stdout.contains("Successfully installed"),
            Some(before) => before != pip.list(args).await?.stdout,
        };
        let is_new = ran.stdout != own.stdout || args.was_created(&ran, &own);
        Ok(args.output(&shown, &ran).changed(is_changed || is_new))
    }
}

impl Args {
    /// The packages that are named, each once put together.
    fn packages(&self) -> Result<Vec<Requirement>, Failure> {
        let names = rejoin(self.name.as_deref().unwrap_or_default());
        let mut packages: Vec<Requirement> =
            names.iter().map(|name| Requirement::parse(name)).collect();
        let Some(version) = &self.version else {
            return Ok(packages);
        };
        if self.state == State::Latest {
            return Err(Failure::new("version is incompatible with state=latest"));
        }
        match packages.as_mut_slice() {
            [only] if only.has_versions() => Err(Failure::new(
                "The 'version' argument conflicts with any version specifier provided along with a package name. Please keep the version specifier, but remove the 'version' argument.",
            )),
            [only] => {
                let is_specifier = version.starts_with(['<', '>', '=', '!', '~']);
                let between = if is_specifier { "" } else { "==" };
                *only = Requirement::parse(&format!("{}{between}{version}", only.text));
                Ok(packages)
            }
            [] => Ok(packages),
            _ => Err(Failure::new(
                "'version' argument is ambiguous when installing multiple package distributions. Please specify version restrictions next to each package in 'name' argument.",
            )),
        }
    }

    fn umask(&self) -> Result<Option<u32>, Failure> {
        let Some(text) = &self.umask else {
            return Ok(None);
        };
        let digits = text.trim().trim_start_matches("0o");
        let umask = u32::from_str_radix(digits, 8);
        umask.map(Some).map_err(|_| {
            Failure::new("umask must be an octal integer")
                .with("details", format!("`{text}` is no octal number"))
        })
    }

    /// Whether a name is a repository of sources, whose version does not show in its name.
    fn names_versioned_sources(&self) -> bool {
        let schemes = ["git+", "svn+", "hg+", "bzr+"];
        let names = self.name.iter().flatten();
        let mut names = names.filter(|name| schemes.iter().any(|scheme| name.contains(scheme)));
        names.next().is_some()
    }

    /// What pip is told to do.
    fn words(&self) -> Result<Vec<String>, Failure> {
        let command: &[&str] = match self.state {
            State::Present => &["install"],
            State::Absent => &["uninstall", "-y"],
            State::Latest => &["install", "-U"],
            State::ForceReinstall => &["install", "-U", "--force-reinstall"],
        };
        let mut words: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        if let Some(extra) = &self.extra_args {
            let extra = split_command(extra).map_err(|error| {
                Failure::new(format!("`extra_args` cannot be split into words: {error}"))
            })?;
            words.extend(extra);
        }
        if let Some(requirements) = &self.requirements {
            words.extend(["-r".to_owned(), requirements.clone()]);
        }
        for package in self.packages()? {
            let is_editable = self.editable && self.state != State::Absent;
            words.extend(is_editable.then(|| "-e".to_owned()));
            words.push(package.text);
        }
        Ok(words)
    }

    /// The folder of a virtual environment that is asked for and not there.
    fn missing_virtualenv(&self) -> Option<&str> {
        let folder = self.virtualenv.as_deref()?;
        let is_there = Path::new(folder).join("bin/activate").exists();
        (!is_there).then_some(folder)
    }

    fn folder(&self) -> &str {
        self.chdir.as_deref().unwrap_or("/tmp")
    }

    async fn create_virtualenv(&self, target: &dyn Target, folder: &str) -> Result<Ran, Failure> {
        let words = split_command(&self.virtualenv_command).map_err(|error| {
            Failure::new(format!(
                "`virtualenv_command` cannot be split into words: {error}"
            ))
        })?;
        let (program, words) = words
            .split_first()
            .ok_or_else(|| Failure::new("`virtualenv_command` is empty"))?;
        let tool = if program.contains('/') {
            Tool::at(target, program)
        } else {
            Tool::find(target, program)?
        };
        let mut words = words.to_vec();
        if self.virtualenv_site_packages {
            words.push("--system-site-packages".into());
        }
        let is_venv = words.iter().any(|word| word == "venv") || program.ends_with("pyvenv");
        if let Some(python) = &self.virtualenv_python {
            if is_venv {
                return Err(Failure::new(
                    "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command",
                ));
            }
            words.push(format!("-p{python}"));
        }
        words.push(folder.to_owned());
        let command = tool
            .command(&words)
            .current_dir(self.folder())
            .umask(self.umask()?);
        let ran = tool.run_command(command).await?;
        if ran.is_success() {
            return Ok(ran);
        }
        let mut shown = vec![tool.path().display().to_string()];
        shown.extend(words);
        Err(failure(&ran).with("cmd", shown))
    }

    /// What check mode tells: what pip would do with the packages that are there.
    async fn predict(&self, target: &dyn Target) -> Result<Output, Failure> {
        let is_surely_changed = self.missing_virtualenv().is_some()
            || self.extra_args.is_some()
            || self.requirements.is_some()
            || self.name.is_none()
            || matches!(self.state, State::Latest | State::ForceReinstall);
        if self.missing_virtualenv().is_some() {
            return Ok(Output::default().changed(true));
        }
        let pip = PipProgram::find(target, self).await?;
        if is_surely_changed {
            return Ok(Output::default().changed(true));
        }
        let ran = pip.list(self).await?;
        let installed: Vec<(&str, &str)> = ran
            .stdout
            .lines()
            .filter_map(|line| line.trim().split_once("=="))
            .collect();
        let is_there = |package: &Requirement| {
            installed
                .iter()
                .any(|(name, version)| package.is_met_by(name, version))
        };
        let packages = self.packages()?;
        let is_changed = if self.state == State::Absent {
            packages.iter().any(is_there)
        } else {
            !packages.iter().all(is_there)
        };
        let result = json!({
            "cmd": pip.shown(&list_words()).join(" "),
            "stdout": ran.stdout,
            "stderr": ran.stderr,
        });
        Ok(Output::new(object(result)).changed(is_changed))
    }

    /// Whether a virtual environment was made on the way: its program says so only sometimes.
    fn was_created(&self, all: &Ran, own: &Ran) -> bool {
        self.virtualenv.is_some() && all.stderr.len() > own.stderr.len()
    }

    fn output(&self, cmd: &[String], ran: &Ran) -> Output {
        let state = match self.state {
            State::Absent => "absent",
            State::ForceReinstall => "forcereinstall",
            State::Latest => "latest",
            State::Present => "present",
        };
        Output::new(object(json!({
            "cmd": cmd,
            "name": self.name,
            "version": self.version,
            "state": state,
            "requirements": self.requirements,
            "virtualenv": self.virtualenv,
            "stdout": ran.stdout,
            "stderr": ran.stderr,
        })))
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

fn failure(ran: &Ran) -> Failure {
    let parts = [("stdout: ", &ran.stdout), ("\n:stderr: ", &ran.stderr)];
    let parts = parts.iter().filter(|(_, text)| !text.is_empty());
    let msg: String = parts.flat_map(|(name, text)| [*name, text]).collect();
    Failure::new(msg)
}

fn list_words() -> Vec<String> {
    ["list", "--format=freeze"].map(ToOwned::to_owned).into()
}

/// pip, as a program or as a module of the system's Python.
struct PipProgram<'a> {
    tool: Tool<'a>,
    words: Vec<String>,
    environment: BTreeMap<&'static str, String>,
}

impl<'a> PipProgram<'a> {
    async fn find(target: &'a dyn Target, args: &Args) -> Result<Self, Failure> {
        let mut environment = BTreeMap::new();
        if args.break_system_packages {
            environment.insert("PIP_BREAK_SYSTEM_PACKAGES", "1".to_owned());
        }
        let made = |tool| Self {
            tool,
            words: Vec::new(),
            environment: environment.clone(),
        };
        if let Some(folder) = &args.virtualenv {
            let paths = ["pip3", "pip"].map(|name| format!("{folder}/bin/{name}"));
            let path = paths.iter().find(|path| Path::new(path).is_file());
            let path = path.ok_or_else(|| {
                Failure::new(format!(
                    "Unable to find pip in the virtualenv, {folder}, under any of these names: pip3, pip. Make sure pip is present in the virtualenv."
                ))
            })?;
            return Ok(made(Tool::at(target, path)));
        }
        if let Some(name) = &args.executable {
            if name.starts_with('/') {
                return Ok(made(Tool::at(target, name)));
            }
            let tool = Tool::look(target, name);
            return tool.map(made).ok_or_else(|| missing(name));
        }
        if let Some(python) = Tool::look(target, "python3") {
            let question =
                "import importlib.util, sys; sys.exit(importlib.util.find_spec('pip') is None)";
            if python.run(["-c", question]).await?.is_success() {
                let words = ["-m", "pip.__main__"].map(ToOwned::to_owned).into();
                return Ok(Self {
                    words,
                    ..made(python)
                });
            }
        }
        let tool = Tool::look(target, "pip3").or_else(|| Tool::look(target, "pip"));
        tool.map(made).ok_or_else(|| missing("pip3, pip"))
    }

    async fn run(&self, args: &Args, words: &[String]) -> Result<Ran, Failure> {
        let command = self
            .tool
            .command(self.words.iter().chain(words))
            .envs(&self.environment)
            .current_dir(args.folder())
            .umask(args.umask()?);
        self.tool.run_command(command).await
    }

    /// All packages that are there, one `name==version` a line.
    async fn list(&self, args: &Args) -> Result<Ran, Failure> {
        let ran = self.run(args, &list_words()).await?;
        if ran.is_success() {
            return Ok(ran);
        }
        Err(failure(&ran).with("cmd", self.shown(&list_words()).join(" ")))
    }

    fn shown(&self, words: &[String]) -> Vec<String> {
        let program = self.tool.path().display().to_string();
        let all = std::iter::once(&program).chain(&self.words).chain(words);
        all.cloned().collect()
    }
}

fn missing(names: &str) -> Failure {
    Failure::new(format!(
        "Unable to find any of {names} to use.  pip needs to be installed."
    ))
}
