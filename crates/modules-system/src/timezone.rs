//! The module `community.general.timezone`: where the machine is, and what its hardware clock shows.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Constraint, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config_file;

/// Where zones are described.
const ZONES: &str = "/usr/share/zoneinfo";

/// The zone that programs of the machine follow.
const LOCALTIME: &str = "/etc/localtime";

/// What `hwclock` knows of the hardware clock.
const ADJTIME: &str = "/etc/adjtime";

/// What stands for what is not said anywhere.
const UNKNOWN: &str = "n/a";

/// The module `community.general.timezone`.
pub(crate) struct Timezone;

/// The arguments of `timezone`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    hwclock: Option<String>,
    name: Option<String>,
}

/// What is and shall be, each by the name of its option.
#[derive(Default)]
pub(crate) struct State {
    by_systemd: bool,
    settings: Vec<Setting>,
}

#[derive(Clone)]
struct Setting {
    kind: Kind,
    before: String,
    after: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Clock,
    Zone,
}

const OPTIONS: &[Opt] = &[
    Opt::new("hwclock", Type::Str)
        .choices(&["local", "UTC"])
        .aliases(&["rtc"]),
    Opt::new("name", Type::Str),
];

#[async_trait]
impl Module for Timezone {
    type Args = Args;
    type State = State;
    const SPEC: Spec = Spec::new("community.general.timezone", OPTIONS)
        .constraints(&[Constraint::RequiredOneOf(&["hwclock", "name"])]);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<State, Failure> {
        if let Some(name) = &args.name {
            check_zone(name)?;
        }
        let status = status(target).await?;
        let wanted = [(Kind::Clock, &args.hwclock), (Kind::Zone, &args.name)];
        let settings = wanted.into_iter().filter_map(|(kind, wanted)| {
            let after = wanted.clone()?;
            let before = match &status {
                Some(status) => kind.told(status),
                None => kind.found(target, &after),
            };
            Some(Setting {
                kind,
                before,
                after,
            })
        });
        Ok(State {
            by_systemd: status.is_some(),
            settings: settings.collect(),
        })
    }

    fn diff(&self, _args: &Args, state: &State, _mode: Mode) -> Verdict {
        let differs = state.differing().next().is_some();
        Verdict::change_if(differs, state.output())
    }

    async fn apply(
        &self,
        target: &dyn Target,
        _args: &Args,
        state: State,
        _change: Change,
    ) -> Result<Output, Failure> {
        let mut done = Vec::new();
        for setting in state.differing() {
            done.push(match state.by_systemd {
                true => setting.tell(target).await?,
                false => setting.write(target).await?,
            });
        }
        let mut output = state.output();
        output.result.insert("msg".into(), done.join("\n").into());
        Ok(output)
    }
}

/// Whether there is such a zone; nothing outside of their folder is one.
fn check_zone(name: &str) -> Result<(), Failure> {
    let path = Path::new(name);
    let is_inside = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if is_inside && zone_file(name).is_file() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "Error message:\ngiven timezone \"{name}\" is not available"
    )))
}

fn zone_file(name: &str) -> PathBuf {
    Path::new(ZONES).join(name)
}

/// What `timedatectl` tells, where it works.
async fn status(target: &dyn Target) -> Result<Option<String>, Failure> {
    let Some(tool) = Tool::look(target, "timedatectl") else {
        return Ok(None);
    };
    let ran = tool.run([] as [&str; 0]).await?;
    Ok(ran.is_success().then_some(ran.stdout))
}

impl State {
    fn differing(&self) -> impl Iterator<Item = &Setting> {
        let settings = self.settings.iter();
        settings.filter(|setting| setting.before != setting.after)
    }

    fn output(&self) -> Output {
        let side = |value: fn(&Setting) -> &String| -> Object {
            let settings = self.settings.iter();
            settings
                .map(|setting| {
                    let key = setting.kind.option().to_owned();
                    (key, Value::from(value(setting).as_str()))
                })
                .collect()
        };
        let diff = json!({
            "before": side(|setting| &setting.before),
            "after": side(|setting| &setting.after),
        });
        Output::new(Object::from_iter([("diff".to_owned(), diff)]))
    }
}

impl Kind {
    const fn option(self) -> &'static str {
        match self {
            Self::Clock => "hwclock",
            Self::Zone => "name",
        }
    }

    /// What `timedatectl` says of it.
    fn told(self, status: &str) -> String {
        let key = match self {
            Self::Clock => "RTC in local TZ",
            Self::Zone => "Time zone",
        };
        let mut lines = status.lines().filter_map(|line| line.split_once(": "));
        let value = lines.find(|(name, _)| name.trim() == key);
        let value = value.and_then(|(_, value)| value.split_whitespace().next());
        match (self, value) {
            (_, None) => UNKNOWN.to_owned(),
            (Self::Clock, Some("yes")) => "local".to_owned(),
            (Self::Clock, Some(_)) => "UTC".to_owned(),
            (Self::Zone, Some(name)) => name.to_owned(),
        }
    }

    /// What files say of it; where one says what is wanted, what the others say.
    fn found(self, target: &dyn Target, wanted: &str) -> String {
        let file = File::of(self, target);
        let text = fs::read_to_string(file.path).unwrap_or_default();
        let said = text.lines().find_map(|line| file.value(line));
        let said = match (self, said) {
            (_, None) => return UNKNOWN.to_owned(),
            (Self::Clock, Some("yes" | "true")) => "UTC",
            (Self::Clock, Some(_)) => "local",
            (Self::Zone, Some(name)) => name,
        };
        let is_said = said == wanted;
        match self {
            Self::Clock if is_said => clock().unwrap_or(said).to_owned(),
            Self::Zone if is_said => localtime(wanted),
            _ => said.to_owned(),
        }
    }
}

/// What the hardware clock shows, where `hwclock` has noted it.
fn clock() -> Option<&'static str> {
    let text = fs::read_to_string(ADJTIME).ok()?;
    match text.lines().nth(2)?.trim() {
        "LOCAL" => Some("local"),
        "UTC" => Some("UTC"),
        _ => None,
    }
}

/// The zone that programs follow: by the name that the link leads to, or by the same content as what is wanted.
fn localtime(wanted: &str) -> String {
    let Ok(link) = fs::read_link(LOCALTIME) else {
        let is_same = fs::read(LOCALTIME)
            .is_ok_and(|content| fs::read(zone_file(wanted)).is_ok_and(|zone| zone == content));
        return if is_same { wanted } else { UNKNOWN }.to_owned();
    };
    let path = Path::new("/etc").join(link);
    let text = path.to_string_lossy();
    let name = text.split_once("/zoneinfo/").map(|(_, name)| name);
    name.unwrap_or(UNKNOWN).to_owned()
}

/// A file that says one of the settings: a line with it, whose beginning is `key`.
struct File {
    path: &'static str,
    key: &'static str,
}

impl File {
    fn of(kind: Kind, target: &dyn Target) -> Self {
        let is_debian = Tool::look(target, "dpkg-reconfigure").is_some();
        let clock = "/etc/sysconfig/clock";
        let (path, key) = match kind {
            Kind::Clock if is_debian => ("/etc/default/rcS", "UTC="),
            Kind::Clock => (clock, "UTC="),
            Kind::Zone if is_debian || !Path::new(clock).exists() => ("/etc/timezone", ""),
            Kind::Zone => (clock, "ZONE="),
        };
        Self { path, key }
    }

    /// What a line says, if it is about the setting.
    fn value<'a>(&self, line: &'a str) -> Option<&'a str> {
        let value = line.strip_prefix(self.key)?;
        if value.starts_with(char::is_whitespace) {
            return None;
        }
        let value = value.split_whitespace().next()?.trim_matches('"');
        (!value.is_empty()).then_some(value)
    }

    /// Puts a line in the place of those about the setting, and tells what that was.
    fn set(&self, value: &str) -> Result<String, Failure> {
        let path = Path::new(self.path);
        let text = config_file::read(path)?.unwrap_or_default();
        let new = match self.key {
            "ZONE=" => format!("ZONE=\"{value}\""),
            key => format!("{key}{value}"),
        };
        let is_about = |line: &&str| self.value(line).is_some();
        let place = text.lines().position(|line| is_about(&line));
        let deleted = text.lines().filter(is_about).count();
        let mut lines: Vec<&str> = text.lines().filter(|line| !is_about(line)).collect();
        lines.insert(place.unwrap_or(lines.len()).min(lines.len()), &new);
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        config_file::replace(path, &text)?;
        Ok(format!(
            "Added 1 line and deleted {deleted} line(s) on {}",
            self.path
        ))
    }
}

impl Setting {
    /// Has systemd set it.
    async fn tell(&self, target: &dyn Target) -> Result<String, Failure> {
        let (verb, value) = match (self.kind, self.after.as_str()) {
            (Kind::Clock, "local") => ("set-local-rtc", "yes"),
            (Kind::Clock, _) => ("set-local-rtc", "no"),
            (Kind::Zone, name) => ("set-timezone", name),
        };
        let tool = Tool::find(target, "timedatectl")?;
        run(&tool, &[verb, "--", value]).await?;
        let line = tool.line(&[verb, value]);
        Ok(format!("executed `{line}`"))
    }

    /// Sets it in files, and in the hardware clock.
    async fn write(&self, target: &dyn Target) -> Result<String, Failure> {
        let file = File::of(self.kind, target);
        match self.kind {
            Kind::Clock => {
                let is_utc = self.after == "UTC";
                let done = file.set(if is_utc { "yes" } else { "no" })?;
                let tool = Tool::find(target, "hwclock")?;
                let how = if is_utc { "--utc" } else { "--localtime" };
                run(&tool, &["--systohc", how]).await?;
                Ok(done)
            }
            Kind::Zone => {
                let done = file.set(&self.after)?;
                link(&self.after)
                    .map_err(|error| config_file::failure(&error, LOCALTIME.as_ref()))?;
                if let Some(tool) = Tool::look(target, "dpkg-reconfigure") {
                    run(&tool, &["--frontend", "noninteractive", "tzdata"]).await?;
                }
                Ok(done)
            }
        }
    }
}

/// Makes programs follow a zone, in one step.
fn link(name: &str) -> io::Result<()> {
    let folder = tempfile::Builder::new()
        .prefix(".rustle")
        .tempdir_in("/etc")?;
    let staged = folder.path().join("localtime");
    symlink(zone_file(name), &staged)?;
    fs::rename(staged, LOCALTIME)
}

async fn run(tool: &Tool<'_>, words: &[&str]) -> Result<(), Failure> {
    let ran = tool.run(words).await?;
    match ran.is_success() {
        true => Ok(()),
        false => Err(ran.failure(tool.line(words))),
    }
}
