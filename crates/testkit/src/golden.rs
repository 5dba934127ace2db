//! What Ansible's real modules returned, and whether an implementation returns the same.
//!
//! A case is a module, its arguments and shell lines that set up a scratch folder. A recording is what the real module did with it in
//! one mode and run: `status`, `result`, and `after`, the change of the scratch folder. [`Golden::check`] runs each case in
//! the modes it was recorded in, in the same order, and compares what comes out, with what differs from run to run masked.
//!
//! How a module is run is the caller's: a closure that gets a [`Call`]. So the same cases hold for a module called directly, for
//! one behind the runtime, and for one behind an agent.
//!
//! The cases were recorded as root, on ext4, with umask 022: they need the same here.

mod compare;
mod here;
mod module;
mod normal;
mod sandbox;
mod scratch;
mod server;
mod spec;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

pub use here::Here;
pub use sandbox::{is_sandbox, said};
pub use spec::check_spec;

use compare::differences;
use normal::Normal;
use scratch::Scratch;
use server::Server;

/// How a module is run, and in which folder.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// The case.
    pub id: &'a str,
    /// The module's qualified name.
    pub module: &'a str,
    /// Its arguments: an object, or text in the form `key=value`.
    pub args: Value,
    /// The variables that the task sees.
    pub vars: Map<String, Value>,
    /// Further variables of the environment.
    pub env: Vec<(String, String)>,
    /// Tell what would change, and change nothing.
    pub check: bool,
    /// Show the differences.
    pub diff: bool,
    /// The scratch folder.
    pub folder: &'a Path,
    /// The text that the real module left in each file of the scratch folder in the first run.
    pub recorded_texts: BTreeMap<String, String>,
}

/// What came out of a call.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// `ok`, `failed` or `skipped`.
    pub status: &'static str,
    /// The result as a callback sees it, without `failed` and `skipped`.
    pub result: Value,
}

/// Cases and their recordings.
#[derive(Debug)]
pub struct Golden {
    cases: Vec<Value>,
    recordings: BTreeMap<(String, String, u64), Value>,
}

/// One run of a case.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Run {
    mode: &'static str,
    number: u64,
}

impl Golden {
    /// Reads `NAME.cases.json` and `NAME.golden.jsonl` for each of the names from a folder.
    #[must_use]
    pub fn load(folder: impl AsRef<Path>, names: &[&str]) -> Self {
        let mut golden = Self {
            cases: Vec::new(),
            recordings: BTreeMap::new(),
        };
        for name in names {
            let read = |ending: &str| {
                let path = folder.as_ref().join(format!("{name}.{ending}"));
                fs::read_to_string(&path)
                    .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()))
            };
            let cases: Vec<Value> =
                serde_json::from_str(&read("cases.json")).expect("cases are a list");
            golden.cases.extend(cases);
            for line in read("golden.jsonl").lines() {
                let record: Value = serde_json::from_str(line).expect("a recording a line");
                let key = (
                    text(&record, "id").into(),
                    text(&record, "mode").into(),
                    number(&record),
                );
                golden.recordings.insert(key, record);
            }
        }
        golden
    }

    /// The ids of all cases.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.cases.iter().map(|case| text(case, "id"))
    }

    /// Runs all cases one after the other and panics with what differs.
    ///
    /// `exceptions` are cases that are known to differ, each with the reason; one that does not differ any more is a mistake too.
    pub fn check(&self, exceptions: &[(&str, &str)], mut run: impl FnMut(&Call<'_>) -> Outcome) {
        let is_root = rustix::process::geteuid().is_root();
        assert!(
            is_root,
            "the recordings were made as root, so the cases need root here too"
        );
        let asks = self.cases.iter().any(|case| case["http"] == true);
        let scratch = Scratch::new(asks.then(Server::start));
        let mut report = Vec::new();
        let mut differing = Vec::new();
        for case in &self.cases {
            let found = self.run_case(case, &scratch, &mut run);
            let id = text(case, "id");
            if !found.is_empty() {
                differing.push(id);
            }
            if !exceptions.iter().any(|(excepted, _)| *excepted == id) {
                report.extend(found);
            }
        }
        for (id, _) in exceptions {
            if !differing.contains(id) {
                report.push(format!(
                    "{id}: is excepted, but does not differ (or does not exist)"
                ));
            }
        }
        assert!(
            report.is_empty(),
            "{} differences:\n{}",
            report.len(),
            report.join("\n")
        );
    }

    /// Runs a case in all its modes, in the order in which it was recorded.
    fn run_case(
        &self,
        case: &Value,
        scratch: &Scratch,
        run: &mut impl FnMut(&Call<'_>) -> Outcome,
    ) -> Vec<String> {
        let modes: Vec<&str> = case["modes"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        let mut differing = Vec::new();
        let mut one =
            |mode, number| self.run_once(case, Run { mode, number }, scratch, run, &mut differing);
        scratch.renew(case);
        let first = one("normal", 1);
        if modes != ["once"] {
            let works = first.status != "failed";
            if works {
                one("normal", 2);
                if modes.contains(&"check") {
                    one("check", 2);
                }
            }
            if modes.contains(&"check") || modes.contains(&"diff") {
                scratch.renew(case);
            }
            if modes.contains(&"check") && one("check", 1).changed_disk {
                scratch.renew(case);
            }
            if modes.contains(&"diff") && works {
                one("diff", 1);
                one("diff", 2);
            }
        }
        scratch.clean(case);
        differing
    }

    fn run_once(
        &self,
        case: &Value,
        this: Run,
        scratch: &Scratch,
        run: &mut impl FnMut(&Call<'_>) -> Outcome,
        differing: &mut Vec<String>,
    ) -> Ended {
        let id = text(case, "id");
        let before = scratch.snapshot();
        let outcome = run(&self.call(case, this, scratch));
        let normal = Normal::of(case, scratch.folder(), scratch.port());
        let after = scratch.delta(&before, case);
        let changed_disk = after.as_object().is_some_and(|changes| !changes.is_empty())
            || case["probe"].is_array();
        let status = outcome.status;
        let mut found = Map::new();
        found.insert("status".into(), status.into());
        found.insert("result".into(), normal.result(outcome.result));
        found.insert("after".into(), after);
        if case["probe"].is_array() {
            found.insert(
                "probe".into(),
                normal.text(&scratch.shell(&case["probe"])).into(),
            );
        }
        let key = (id.to_owned(), this.mode.to_owned(), this.number);
        let Some(recorded) = self.recordings.get(&key) else {
            differing.push(format!(
                "{id} {} {}: was not recorded",
                this.mode, this.number
            ));
            return Ended {
                status,
                changed_disk,
            };
        };
        let further = ["after", "probe"].into_iter();
        let recorded_further = further.filter(|key| recorded.get(key).is_some());
        if case["http"] == true {
            let asked = scratch
                .asked()
                .into_iter()
                .map(|asked| normal.result(asked));
            let recorded = recorded.get("http_requests").cloned();
            let recorded = recorded.unwrap_or_else(|| Value::Array(Vec::new()));
            let asked = asked.collect();
            for difference in differences(Some(&recorded), Some(&asked), "http_requests") {
                differing.push(format!("{id} {} {}: {difference}", this.mode, this.number));
            }
        }
        for key in ["status", "result"].into_iter().chain(recorded_further) {
            for difference in differences(recorded.get(key), found.get(key), key) {
                differing.push(format!("{id} {} {}: {difference}", this.mode, this.number));
            }
        }
        Ended {
            status,
            changed_disk,
        }
    }

    fn call<'a>(&self, case: &'a Value, run: Run, scratch: &'a Scratch) -> Call<'a> {
        let object = |key: &str| {
            scratch
                .fill(&case[key])
                .as_object()
                .cloned()
                .unwrap_or_default()
        };
        let env = object("env")
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())));
        let first = (text(case, "id").to_owned(), "normal".to_owned(), 1);
        let files = self
            .recordings
            .get(&first)
            .and_then(|record| record["after"].as_object());
        let texts = files.into_iter().flatten().filter_map(|(path, file)| {
            let text = file["text"].as_str()?;
            Some((
                path.clone(),
                scratch.fill(&text.into()).as_str()?.to_owned(),
            ))
        });
        Call {
            id: text(case, "id"),
            module: text(case, "module"),
            args: scratch.fill(&case["args"]),
            vars: object("vars"),
            env: env.collect(),
            check: run.mode == "check",
            diff: run.mode == "diff",
            folder: scratch.folder(),
            recorded_texts: texts.collect(),
        }
    }
}

/// How a run ended.
#[derive(Clone, Copy, Debug)]
struct Ended {
    status: &'static str,
    changed_disk: bool,
}

fn text<'a>(object: &'a Value, key: &str) -> &'a str {
    object[key]
        .as_str()
        .unwrap_or_else(|| panic!("no text `{key}` in {object}"))
}

fn number(record: &Value) -> u64 {
    record["run"].as_u64().expect("the number of the run")
}
