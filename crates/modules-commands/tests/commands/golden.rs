//! What ansible-core 2.19 returned for the same arguments (`tests/data/golden.json`).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rustle_module::{ModuleResult, Object};
use rustle_process::{CancelToken, Command};
use rustle_types::plan::split_free_form;
use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::target::Here;

/// Stands for a value that differs from run to run.
const VOLATILE: &str = "<volatile>";

/// Wording of the `/bin/sh` that Ansible ran with, which is not ours.
const WORDING_OF_THE_SHELL: &[&str] = &["shell-not-found"];

#[derive(Deserialize)]
struct Case {
    id: String,
    module: String,
    args: Value,
    setup: Vec<String>,
    env: BTreeMap<String, String>,
    records: Vec<Record>,
}

#[derive(Deserialize)]
struct Record {
    mode: String,
    run: u32,
    status: String,
    result: Value,
    after: BTreeMap<String, Value>,
}

#[tokio::test]
async fn results_are_those_of_ansible() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../data/golden.json")).unwrap();
    let mut differences = Vec::new();
    for case in &cases {
        let mut scratch = fresh(case).await;
        for (index, record) in case.records.iter().enumerate() {
            if index > 0 && record.run == 1 {
                scratch = fresh(case).await;
            }
            if let Err(difference) = replay(case, record, scratch.path()).await {
                let Record { mode, run, .. } = record;
                differences.push(format!("{} {mode} run {run}: {difference}", case.id));
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

async fn fresh(case: &Case) -> TempDir {
    let scratch = tempfile::tempdir().unwrap();
    for line in &case.setup {
        let setup = Command::new("sh")
            .args(["-c", line])
            .current_dir(scratch.path());
        assert!(setup.run(&CancelToken::new()).await.unwrap().is_success());
    }
    scratch
}

async fn replay(case: &Case, record: &Record, scratch: &Path) -> Result<(), String> {
    let mut here = Here::new();
    here.mode.check = record.mode == "check";
    here.env.extend(case.env.clone());
    let before = files(scratch);
    let result = here.call(&case.module, arguments(case, scratch)).await;
    let status = match &result {
        result if result.failed => "failed",
        result if result.skipped => "skipped",
        _ => "ok",
    };
    if status != record.status {
        return Err(format!(
            "status {status}, expected {}: {result:?}",
            record.status
        ));
    }
    let expected = placed(&record.result, scratch);
    let returned = with_volatile(as_seen(result), &expected);
    let returned = with_wording(case, returned, &expected);
    if returned != expected {
        return Err(format!("\n  returned {returned}\n  expected {expected}"));
    }
    check_files(&record.after, &before, &files(scratch))
}

fn arguments(case: &Case, scratch: &Path) -> Value {
    match placed(&case.args, scratch) {
        Value::String(text) => {
            let (line, mut options) = split_free_form(&text);
            options.insert("_raw_params".to_owned(), line.into());
            Value::Object(options)
        }
        args => args,
    }
}

/// Puts the scratch folder in.
fn placed(value: &Value, scratch: &Path) -> Value {
    let text = value.to_string().replace("@S@", scratch.to_str().unwrap());
    serde_json::from_str(&text).unwrap()
}

/// The result as a callback of Ansible sees it: lines added, status and empty keys left out.
fn as_seen(result: ModuleResult) -> Object {
    let failed = result.failed;
    let mut seen = result.into_object();
    for key in ["failed", "skipped"] {
        seen.shift_remove(key);
    }
    for stream in ["stdout", "stderr"] {
        if let Some(text) = seen.get(stream).and_then(Value::as_str) {
            let lines: Vec<&str> = text.lines().collect();
            seen.insert(format!("{stream}_lines"), json!(lines));
        }
    }
    if failed {
        seen.entry("exception").or_insert(VOLATILE.into());
    }
    seen
}

/// Masks the values that are masked in `expected`, unless they are null.
fn with_volatile(mut seen: Object, expected: &Value) -> Value {
    for (key, value) in &mut seen {
        if expected[key] == VOLATILE && !value.is_null() {
            *value = VOLATILE.into();
        }
    }
    Value::Object(seen)
}

fn with_wording(case: &Case, mut seen: Value, expected: &Value) -> Value {
    if WORDING_OF_THE_SHELL.contains(&case.id.as_str()) {
        assert!(seen["stderr"].as_str().unwrap().contains("not found"));
        seen["stderr"] = expected["stderr"].clone();
        seen["stderr_lines"] = expected["stderr_lines"].clone();
    }
    seen
}

fn files(folder: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries
        .map(|entry| {
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text)
        })
        .collect()
}

/// Compares what changed in the scratch folder; no case of this family makes anything but files there.
fn check_files(
    expected: &BTreeMap<String, Value>,
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> Result<(), String> {
    let changed: BTreeMap<&str, &str> = after
        .iter()
        .filter(|(name, text)| before.get(*name) != Some(text))
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let expected: BTreeMap<&str, &str> = expected
        .iter()
        .map(|(name, file)| (name.as_str(), file["text"].as_str().unwrap()))
        .collect();
    if changed == expected {
        Ok(())
    } else {
        Err(format!("files {changed:?}, expected {expected:?}"))
    }
}
