//! The modules `dnf`, `yum` and `dnf5`: packages of Red Hat's kin.
//!
//! What is installed is asked of `rpm`, which needs no network; only what is missing or shall be the latest is left to the manager. In check
//! mode it is told to assume the answer `no`, so that it tells what it would do.

mod parsers;

use async_trait::async_trait;
use rustle_module::tool::{Ran, Tool};
use rustle_module::{
    Change, Constraint, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type,
    Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::plan::{Plan, Standing, Wish};
use parsers::{parse_list, parse_transaction};

/// One of the modules, by which program it prefers.
pub(crate) struct Dnf<const PROGRAM: u8>;

/// `dnf`.
pub(crate) const DNF: u8 = 0;
/// `yum`, which is `dnf` where that is there.
pub(crate) const YUM: u8 = 1;
/// `dnf5`.
pub(crate) const DNF5: u8 = 2;

/// The arguments of these modules.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    allow_downgrade: bool,
    allowerasing: bool,
    autoremove: bool,
    best: Option<bool>,
    bugfix: bool,
    cacheonly: bool,
    conf_file: Option<String>,
    disable_excludes: Option<String>,
    disable_gpg_check: bool,
    disable_plugin: Vec<String>,
    disablerepo: Vec<String>,
    download_dir: Option<String>,
    download_only: bool,
    enable_plugin: Vec<String>,
    enablerepo: Vec<String>,
    exclude: Vec<String>,
    install_weak_deps: bool,
    installroot: String,
    list: Option<String>,
    name: Vec<String>,
    nobest: Option<bool>,
    releasever: Option<String>,
    security: bool,
    skip_broken: bool,
    sslverify: bool,
    state: Option<String>,
    update_cache: bool,
    update_only: bool,
    use_backend: String,
}

const fn flag(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(false))
}

const fn text(name: &'static str) -> Opt {
    Opt::new(name, Type::Str)
}

const fn list(name: &'static str) -> Opt {
    Opt::new(name, Type::List(&Type::Str)).default(Default::List(&[]))
}

const fn on(name: &'static str) -> Opt {
    Opt::new(name, Type::Bool).default(Default::Bool(true))
}

const OPTIONS5: &[Opt] = &[
    // There is no module of Python's to be installed; it is taken and means nothing.
    on("auto_install_module_deps"),
    flag("allow_downgrade"),
    flag("allowerasing"),
    flag("autoremove"),
    Opt::new("best", Type::Bool),
    flag("bugfix"),
    flag("cacheonly"),
    text("conf_file"),
    text("disable_excludes"),
    flag("disable_gpg_check"),
    list("disable_plugin"),
    list("disablerepo"),
    text("download_dir"),
    flag("download_only"),
    list("enable_plugin"),
    list("enablerepo"),
    list("exclude"),
    on("install_repoquery"),
    on("install_weak_deps"),
    text("installroot").default(Default::Str("/")),
    text("list"),
    Opt::new("lock_timeout", Type::Int).default(Default::Int(30)),
    list("name").aliases(&["pkg"]),
    Opt::new("nobest", Type::Bool),
    text("releasever"),
    flag("security"),
    flag("skip_broken"),
    on("sslverify"),
    text("state").choices(&["absent", "present", "installed", "removed", "latest"]),
    flag("update_cache").aliases(&["expire-cache"]),
    flag("update_only"),
    text("use_backend")
        .default(Default::Str("auto"))
        .choices(&["auto", "dnf", "yum", "yum4", "dnf4", "dnf5"]),
    on("validate_certs"),
];

const fn spec(name: &'static str, options: &'static [Opt]) -> Spec {
    Spec::new(name, options).constraints(&[
        Constraint::MutuallyExclusive(&["name", "list"]),
        Constraint::MutuallyExclusive(&["best", "nobest"]),
        Constraint::RequiredOneOf(&["name", "list", "update_cache"]),
    ])
}

/// What is to be done, and in check mode how it went.
pub(crate) struct Found {
    steps: Vec<Step>,
    predicted: Option<Output>,
}

/// One call of the manager: its command, and what that is about.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Step {
    command: &'static str,
    names: Vec<String>,
}

#[async_trait]
impl<const PROGRAM: u8> Module for Dnf<PROGRAM> {
    type Args = Args;
    type State = Found;
    const SPEC: Spec = match PROGRAM {
        DNF => spec("dnf", OPTIONS5.split_at(1).1),
        YUM => spec("yum", OPTIONS5.split_at(1).1),
        _ => spec("dnf5", OPTIONS5),
    };

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Found, Failure> {
        if let Some(wanted) = &args.list {
            let results = args.list(target, PROGRAM, wanted).await?;
            let output = Output::new(object(json!({ "msg": "", "results": results })));
            return Ok(Found {
                steps: Vec::new(),
                predicted: Some(output.changed(false)),
            });
        }
        let steps = args.steps(&args.standings(target).await?)?;
        let mut predicted = None;
        if target.mode().check && !steps.is_empty() {
            predicted = Some(args.carry_out(target, PROGRAM, &steps).await?);
        }
        Ok(Found { steps, predicted })
    }

    fn diff(&self, _args: &Args, found: &Found, _mode: Mode) -> Verdict {
        if found.steps.is_empty() {
            let output = found.predicted.clone();
            return Verdict::unchanged(output.unwrap_or_else(nothing_to_do));
        }
        Verdict::Change(Change {
            diff: Value::Null,
            predicted: found.predicted.clone().unwrap_or_default(),
        })
    }

    async fn apply(
        &self,
        target: &dyn Target,
        args: &Args,
        found: Found,
        _change: Change,
    ) -> Result<Output, Failure> {
        args.carry_out(target, PROGRAM, &found.steps).await
    }
}

fn nothing_to_do() -> Output {
    Output::new(object(
        json!({ "msg": "Nothing to do", "rc": 0, "results": [] }),
    ))
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        _ => Object::new(),
    }
}

impl Args {
    fn wish(&self) -> Wish {
        match self.state.as_deref() {
            Some("absent" | "removed") => Wish::Absent,
            Some("latest") => Wish::Latest,
            None if self.autoremove => Wish::Absent,
            _ => Wish::Present,
        }
    }

    /// How each package that is named is, as far as `rpm` can tell.
    async fn standings(&self, target: &dyn Target) -> Result<Vec<(String, Standing)>, Failure> {
        let rpm = Tool::find(target, "rpm")?;
        let mut standings = Vec::new();
        for name in self
            .name
            .iter()
            .map(|name| name.trim())
            .filter(|name| !name.is_empty())
        {
            let is_elsewhere =
                name.starts_with('@') || name.contains("://") || name.ends_with(".rpm");
            let standing = if is_elsewhere || name.contains(['*', ' ', '>', '<', '=']) {
                // Only the manager can tell what that is; where it is all there it says that there is nothing to do.
                if self.wish() == Wish::Present {
                    Standing::Missing
                } else {
                    Standing::Outdated
                }
            } else if self.has(&rpm, name).await? {
                // What is newest the repositories know, and they are asked by the manager.
                Standing::Outdated
            } else {
                Standing::Missing
            };
            standings.push((name.to_owned(), standing));
        }
        Ok(standings)
    }

    /// Whether a package, or one that provides it, is installed.
    async fn has(&self, rpm: &Tool<'_>, name: &str) -> Result<bool, Failure> {
        let root = ["--root", self.installroot.as_str()];
        let ran = rpm
            .run(root.iter().copied().chain(["-q", "--", name]))
            .await?;
        if ran.is_success() {
            return Ok(true);
        }
        let words = root
            .iter()
            .copied()
            .chain(["-q", "--whatprovides", "--", name]);
        Ok(rpm.run(words).await?.is_success())
    }

    /// The calls that are needed.
    fn steps(&self, standings: &[(String, Standing)]) -> Result<Vec<Step>, Failure> {
        let wish = self.wish();
        if self.autoremove && wish != Wish::Absent {
            let msg = "Autoremove should be used alone or with state=absent";
            return Err(Failure::new(msg));
        }
        let is_all = |(name, _): &(String, Standing)| name == "*";
        if wish == Wish::Latest && standings.iter().any(is_all) {
            return Ok(vec![Step {
                command: "upgrade",
                names: Vec::new(),
            }]);
        }
        if standings.is_empty() {
            let command = match (self.autoremove, self.update_cache) {
                (true, _) => "autoremove",
                (_, true) => "makecache",
                _ => return Ok(Vec::new()),
            };
            return Ok(vec![Step {
                command,
                names: Vec::new(),
            }]);
        }
        let mut plan = Plan::new(wish, standings.iter().cloned());
        if self.update_only && wish == Wish::Latest {
            plan.install.clear();
        }
        let remove = if self.autoremove {
            "autoremove"
        } else {
            "remove"
        };
        let steps = [
            ("install", plan.install),
            ("upgrade", plan.upgrade),
            (remove, plan.remove),
        ];
        let steps = steps.into_iter().filter(|(_, names)| !names.is_empty());
        Ok(steps
            .map(|(command, names)| Step { command, names })
            .collect())
    }

    fn program<'a>(
        &self,
        target: &'a dyn Target,
        preferred: u8,
    ) -> Result<(Tool<'a>, bool), Failure> {
        let names: &[&str] = match (self.use_backend.as_str(), preferred) {
            ("dnf5", _) => &["dnf5"],
            ("dnf4" | "yum4", _) => &["dnf-3", "dnf", "yum"],
            (_, DNF5) => &["dnf5", "dnf"],
            (_, YUM) => &["dnf", "yum", "dnf5"],
            _ => &["dnf", "dnf5", "yum"],
        };
        let found = names.iter().find_map(|name| Tool::look(target, name));
        let tool = match found {
            Some(tool) => tool,
            None => Tool::find(target, names.first().copied().unwrap_or("dnf"))?,
        };
        // Where `dnf` is a link to `dnf5` it takes the newer names of options.
        let path = std::fs::canonicalize(tool.path()).unwrap_or_default();
        let is_5 = path.ends_with("dnf5");
        Ok((tool, is_5))
    }

    /// The options of each call.
    fn options(&self, is_5: bool) -> Vec<String> {
        let mut words = Vec::new();
        let old_or_new = |old: &str, new: &str| if is_5 { new.to_owned() } else { old.to_owned() };
        let mut when = |is_given: bool, word: String| words.extend(is_given.then_some(word));
        when(self.allowerasing, "--allowerasing".into());
        when(
            self.best == Some(true) || self.nobest == Some(false),
            "--best".into(),
        );
        let is_not_best = self.best == Some(false) || self.nobest == Some(true);
        when(is_not_best, old_or_new("--nobest", "--no-best"));
        when(self.cacheonly, "--cacheonly".into());
        when(
            self.disable_gpg_check,
            old_or_new("--nogpgcheck", "--no-gpgchecks"),
        );
        when(self.download_only, "--downloadonly".into());
        when(self.skip_broken, "--skip-broken".into());
        when(self.allow_downgrade && is_5, "--allow-downgrade".into());
        when(self.update_cache, old_or_new("--refresh", "--refresh"));
        when(!self.sslverify, "--setopt=sslverify=0".into());
        when(
            !self.install_weak_deps,
            "--setopt=install_weak_deps=0".into(),
        );
        when(
            self.installroot != "/",
            format!("--installroot={}", self.installroot),
        );
        let mut value = |option: &str, value: Option<&String>| {
            words.extend(value.map(|value| format!("{option}={value}")));
        };
        value("--config", self.conf_file.as_ref());
        value("--destdir", self.download_dir.as_ref());
        value("--releasever", self.releasever.as_ref());
        value("--setopt=disable_excludes", self.disable_excludes.as_ref());
        for (option, values) in [
            (
                old_or_new("--disableplugin", "--disable-plugin"),
                &self.disable_plugin,
            ),
            (
                old_or_new("--enableplugin", "--enable-plugin"),
                &self.enable_plugin,
            ),
            (
                old_or_new("--disablerepo", "--disable-repo"),
                &self.disablerepo,
            ),
            (
                old_or_new("--enablerepo", "--enable-repo"),
                &self.enablerepo,
            ),
            ("--exclude".to_owned(), &self.exclude),
        ] {
            words.extend(values.iter().map(|value| format!("{option}={value}")));
        }
        words
    }

    async fn carry_out(
        &self,
        target: &dyn Target,
        preferred: u8,
        steps: &[Step],
    ) -> Result<Output, Failure> {
        let (tool, is_5) = self.program(target, preferred)?;
        let is_check = target.mode().check;
        let mut results = Vec::new();
        for step in steps {
            let mut words = vec![if is_check { "--assumeno" } else { "-y" }.to_owned()];
            words.extend(self.options(is_5));
            words.push(step.command.to_owned());
            if step.command == "upgrade" {
                words.extend(self.security.then(|| "--security".to_owned()));
                words.extend(self.bugfix.then(|| "--bugfix".to_owned()));
            }
            words.push("--".to_owned());
            words.extend(step.names.iter().cloned());
            if is_check && step.command == "makecache" {
                continue;
            }
            let ran = tool.run(&words).await?;
            let transaction = parse_transaction(&ran.stdout);
            // A question that is answered with no counts as a failure of the program.
            let is_refused = is_check && !transaction.is_empty();
            if !ran.is_success() && !is_refused {
                return Err(failure(&ran, step));
            }
            results.extend(transaction);
        }
        let is_changed = !results.is_empty();
        let msg = match (is_changed, steps) {
            (true, _) if is_check => {
                "Check mode: No changes made, but would have if not in check mode"
            }
            (true, _) => "",
            (
                false,
                [
                    Step {
                        command: "makecache",
                        ..
                    },
                ],
            ) => "Cache updated",
            (false, _) => "Nothing to do",
        };
        let output = json!({ "msg": msg, "rc": 0, "results": results });
        Ok(Output::new(object(output)).changed(is_changed))
    }

    /// What the repositories or the system have, for `list`.
    async fn list(
        &self,
        target: &dyn Target,
        preferred: u8,
        wanted: &str,
    ) -> Result<Vec<Value>, Failure> {
        let (tool, is_5) = self.program(target, preferred)?;
        let mut words = self.options(is_5);
        words.extend(["-q".to_owned(), "repoquery".to_owned()]);
        let newline = if is_5 { "\\n" } else { "" };
        words.push(format!(
            "--qf=%{{name}}|%{{epoch}}|%{{version}}|%{{release}}|%{{arch}}|%{{reponame}}{newline}"
        ));
        match wanted {
            "installed" => words.push("--installed".into()),
            "updates" | "upgrades" => words.push("--upgrades".into()),
            "available" => words.push("--available".into()),
            name => words.extend(["--".to_owned(), name.to_owned()]),
        }
        let ran = tool.run(&words).await?;
        if !ran.is_success() {
            return Err(Failure::new(ran.stderr.trim()).with("rc", ran.rc));
        }
        Ok(parse_list(&ran.stdout))
    }
}

fn failure(ran: &Ran, step: &Step) -> Failure {
    let missing: Vec<&str> = ran
        .stderr
        .lines()
        .chain(ran.stdout.lines())
        .filter_map(|line| {
            let (_, name) = line.split_once("No match for argument: ")?;
            Some(name.trim())
        })
        .collect();
    let failures: Vec<String> = missing
        .iter()
        .map(|name| format!("No package {name} available."))
        .collect();
    let msg = if missing.is_empty() {
        ran.stderr.trim().to_owned()
    } else if step.command == "install" {
        "Failed to install some of the specified packages".to_owned()
    } else {
        "Packages not found".to_owned()
    };
    Failure::new(msg)
        .with("failures", failures)
        .with("rc", ran.rc)
        .with("results", Vec::<Value>::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_that_nobody_knows_are_named() {
        let ran = Ran {
            rc: 1,
            stdout: "No match for argument: nosuch\n".into(),
            stderr: "Error: Unable to find a match: nosuch\n".into(),
        };
        let step = Step {
            command: "install",
            names: vec!["nosuch".into()],
        };
        let failure = failure(&ran, &step);
        assert_eq!(
            failure.msg,
            "Failed to install some of the specified packages"
        );
        assert_eq!(
            failure.result["failures"][0],
            "No package nosuch available."
        );
    }
}
