//! The module `mount_facts`: what is mounted or could be, by tables and by `mount`.

mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use rustle_module::tool::Tool;
use rustle_module::{
    Change, Default, Failure, Mode, Module, Object, Opt, Output, Spec, Target, Type, Verdict,
    py_repr,
};
use rustle_process::Outcome;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::facts::mounted::{self, Uuids};
use table::Entry;

/// Tables of what could be mounted.
const STATIC: &[&str] = &["/etc/fstab", "/etc/vfstab", "/etc/filesystems"];

/// Tables of what is mounted.
const DYNAMIC: &[&str] = &["/etc/mtab", "/proc/mounts", "/etc/mnttab"];

/// The source that is a program.
const PROGRAM: &str = "mount";

/// How long a file system may take to tell its size where the task does not say it.
const PATIENCE: Duration = Duration::from_secs(10);

/// The module `mount_facts`.
pub(crate) struct MountFacts;

/// What becomes of a task for which something took too long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OnTimeout {
    Error,
    Warn,
    Ignore,
}

/// The arguments of `mount_facts`.
#[derive(Debug, Deserialize)]
pub(crate) struct Args {
    devices: Option<Vec<String>>,
    fstypes: Option<Vec<String>>,
    include_aggregate_mounts: Option<bool>,
    mount_binary: Value,
    on_timeout: OnTimeout,
    sources: Option<Vec<String>>,
    timeout: Option<f64>,
}

/// What was found.
#[derive(Default)]
pub(crate) struct Mounts {
    points: Object,
    all: Vec<Value>,
    warnings: Vec<String>,
}

const OPTIONS: &[Opt] = &[
    Opt::new("devices", Type::List(&Type::Str)),
    Opt::new("fstypes", Type::List(&Type::Str)),
    Opt::new("include_aggregate_mounts", Type::Bool),
    Opt::new("mount_binary", Type::Raw).default(Default::Str("mount")),
    Opt::new("on_timeout", Type::Str)
        .default(Default::Str("error"))
        .choices(&["error", "warn", "ignore"]),
    Opt::new("sources", Type::List(&Type::Str)),
    Opt::new("timeout", Type::Float),
];

#[async_trait]
impl Module for MountFacts {
    type Args = Args;
    type State = Mounts;
    const SPEC: Spec = Spec::new("mount_facts", OPTIONS);

    async fn inspect(&self, target: &dyn Target, args: &Args) -> Result<Mounts, Failure> {
        args.check()?;
        let mut mounts = Mounts::default();
        let mut found = Vec::new();
        for source in args.sources(&mut mounts.warnings)? {
            let entries = match source.as_str() {
                PROGRAM => args.told(target, &mut mounts.warnings).await?,
                path => read(path),
            };
            let entries = entries.unwrap_or_default().into_iter();
            let entries: Vec<Entry> = entries.filter(|entry| args.is_wanted(entry)).collect();
            found.push((source, entries));
        }
        args.join(found, &mut mounts)?;
        Ok(mounts)
    }

    fn diff(&self, _args: &Args, state: &Mounts, _mode: Mode) -> Verdict {
        let facts = json!({"mount_points": state.points, "aggregate_mounts": state.all});
        let mut output = Output::new(Object::from_iter([("ansible_facts".to_owned(), facts)]));
        output.warnings.clone_from(&state.warnings);
        Verdict::unchanged(output)
    }

    async fn apply(
        &self,
        _target: &dyn Target,
        _args: &Args,
        _state: Mounts,
        _change: Change,
    ) -> Result<Output, Failure> {
        Ok(Output::default().changed(false))
    }
}

/// The entries of a file; nothing where it is no table.
fn read(path: &str) -> Option<Vec<Entry>> {
    let text = fs::read(path).ok()?;
    table::of_file(&String::from_utf8_lossy(&text))
}

/// Texts as Python writes a list of them.
fn listed<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    py_repr(&texts.map(Value::from).collect())
}

impl Args {
    fn check(&self) -> Result<(), Failure> {
        let text = |value: &Value| value.is_string() || value.is_null();
        if !text(&self.mount_binary) {
            let found = py_repr(&self.mount_binary);
            return Err(Failure::new(format!(
                "argument 'mount_binary' must be a string or null, not {found}"
            )));
        }
        match self.timeout {
            Some(timeout) if timeout <= 0.0 || !timeout.is_finite() => Err(Failure::new(format!(
                "argument 'timeout' must be a positive number or null, not {timeout:?}"
            ))),
            _ => Ok(()),
        }
    }

    fn timeout(&self) -> Option<Duration> {
        self.timeout
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
    }

    /// Where to look, each place once.
    fn sources(&self, warnings: &mut Vec<String>) -> Result<Vec<String>, Failure> {
        let given = self.sources.clone().unwrap_or_default();
        let given = if given.is_empty() {
            vec!["all".to_owned()]
        } else {
            given
        };
        let mut names: Vec<String> = Vec::new();
        for source in given {
            let meant = match source.as_str() {
                "" => return Err(Failure::new("sources contains an empty string")),
                "all" => [DYNAMIC, STATIC].concat(),
                "dynamic" => DYNAMIC.to_vec(),
                "static" => STATIC.to_vec(),
                other => vec![other],
            };
            names.extend(meant.into_iter().map(ToOwned::to_owned));
        }
        let mut seen: Vec<&String> = Vec::new();
        let mut files: Vec<PathBuf> = Vec::new();
        let mut sources = Vec::new();
        for name in &names {
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            if name != PROGRAM {
                let Ok(file) = fs::canonicalize(name) else {
                    continue;
                };
                if files.contains(&file) {
                    continue;
                }
                files.push(file);
            }
            sources.push(name.clone());
        }
        if seen.len() < names.len() {
            let names = listed(names.iter().map(String::as_str));
            warnings.push(format!(
                "mount_facts option 'sources' contains duplicate entries, repeat sources will be ignored: {names}"
            ));
        }
        Ok(sources)
    }

    /// What the program tells that lists what is mounted.
    async fn told(
        &self,
        target: &dyn Target,
        warnings: &mut Vec<String>,
    ) -> Result<Option<Vec<Entry>>, Failure> {
        let Some(program) = self.mount_binary.as_str() else {
            return Err(Failure::new(
                "mount_binary has to be given for the source `mount`",
            ));
        };
        let tool = match program.contains('/') && PathBuf::from(program).is_file() {
            true => Tool::at(target, program),
            false => Tool::find(target, program)?,
        };
        let mut command = tool.command([] as [&str; 0]);
        if let Some(limit) = self.timeout() {
            command = command.timeout(limit);
        }
        let finished = target.run(command).await;
        let finished = finished.map_err(|error| Failure::new(error.to_string()))?;
        if let (Outcome::TimedOut { .. }, Some(limit)) = (&finished.outcome, self.timeout) {
            self.late(
                format!("Command '{program}' timed out after {limit} seconds"),
                warnings,
            )?;
            return Ok(None);
        }
        match finished.status.to_return_code() {
            0 => Ok(Some(table::of_program(&finished.stdout.to_string_lossy()))),
            rc => Err(Failure::new(format!(
                "Failed to execute {program}: Command '{program}' returned non-zero exit status {rc}."
            ))),
        }
    }

    /// What becomes of what took too long.
    fn late(&self, msg: String, warnings: &mut Vec<String>) -> Result<(), Failure> {
        match self.on_timeout {
            OnTimeout::Error => return Err(Failure::new(msg)),
            OnTimeout::Warn => warnings.push(msg),
            OnTimeout::Ignore => {}
        }
        Ok(())
    }

    fn is_wanted(&self, entry: &Entry) -> bool {
        let fits = |patterns: &Option<Vec<String>>, key: &str| {
            let text = entry.text_of(key);
            patterns.as_ref().is_none_or(|patterns| {
                patterns
                    .iter()
                    .any(|pattern| crate::facts::fits(pattern, text))
            })
        };
        fits(&self.devices, "device") && fits(&self.fstypes, "fstype")
    }

    /// Puts all entries together, with sizes: the first of each mount point, and all of them where that is asked for.
    fn join(&self, found: Vec<(String, Vec<Entry>)>, mounts: &mut Mounts) -> Result<(), Failure> {
        let places = found.iter().flat_map(|(_, entries)| entries);
        let places = places.map(|entry| {
            (
                entry.text_of("mount"),
                mounted::may_hang(entry.text_of("device"), entry.text_of("fstype")),
            )
        });
        let (sizes, is_late) = mounted::sizes(places, self.timeout().unwrap_or(PATIENCE));
        if is_late && let Some(limit) = self.timeout {
            let msg = format!("the size of a file system was not told within {limit} seconds");
            self.late(msg, &mut mounts.warnings)?;
        }
        let uuids = Uuids::read();
        let mut sizes = sizes.into_iter();
        let mut repeated = Vec::new();
        for (source, entries) in found {
            let repeats = repeats(&entries);
            if !repeats.is_empty() {
                repeated.push(format!("{source} ({})", listed(repeats.into_iter())));
            }
            for entry in entries {
                let uuid = uuids.of(entry.text_of("device"));
                let mount = entry.text_of("mount").to_owned();
                let mut facts = entry.facts;
                facts.extend(sizes.next().flatten().unwrap_or_default());
                let context = json!({"source": source, "source_data": entry.text});
                facts.insert("ansible_context".into(), context);
                facts.insert("uuid".into(), uuid.into());
                if self.include_aggregate_mounts == Some(true) {
                    mounts.all.push(facts.clone().into());
                }
                mounts.points.entry(mount).or_insert_with(|| facts.into());
            }
        }
        if self.include_aggregate_mounts.is_none() && !repeated.is_empty() {
            let repeated = repeated.join(", ");
            mounts.warnings.push(format!(
                "mount_facts: ignoring repeat mounts in the following sources: {repeated}. You can disable this warning by configuring the 'include_aggregate_mounts' option as True or False."
            ));
        }
        Ok(())
    }
}

/// The mount points that stand more than once in a source, as often as they do.
fn repeats(entries: &[Entry]) -> Vec<&str> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for entry in entries {
        *counts.entry(entry.text_of("mount")).or_default() += 1;
    }
    let mounts = entries.iter().map(|entry| entry.text_of("mount"));
    mounts.filter(|mount| counts[mount] > 1).collect()
}
