//! Compares a run with what Ansible left.
//!
//! - exit status: 0, or not 0;
//! - counters of each host, exactly;
//! - the sequence of results (name and status) of each host. Results of meta tasks, includes, imports and fact gathering may
//!   be there or not, but count. `role : task` equals `task`. Ignored and rescued failures are failures;
//! - values of results: see [`results`](crate::results);
//! - the tree below the scratch folder.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value};

use crate::results::{is_set, value_differences};
use crate::tree;

/// What a run left.
pub(crate) struct Found {
    pub(crate) code: i32,
    pub(crate) report: Option<Value>,
    pub(crate) scratch: PathBuf,
    pub(crate) case: PathBuf,
}

/// Modules that need no result of their own in a report.
const LENIENT: [&str; 6] = [
    "meta",
    "include_tasks",
    "include_role",
    "import_tasks",
    "import_role",
    "block",
];

/// One result of a host: name, status, and all of it.
type Step = (String, String, Value);

/// All that differs.
pub(crate) fn differences(expected: &Value, found: &Found, plan: &Value) -> Vec<String> {
    let mut out = Vec::new();
    if (expected["rc"] == 0) != (found.code == 0) {
        out.push(format!(
            "exit status: expected {}, found {}",
            expected["rc"], found.code
        ));
    }
    let Some(report) = &found.report else {
        let is_refused = is_set(&expected["error"]) && !is_set(&expected["stats"]);
        if !is_refused {
            out.push("no report was written".into());
        }
        return out;
    };
    counters(expected, report, &mut out);
    let lenient = lenient_names(plan);
    steps(
        &expected_steps(expected, &lenient),
        &found_steps(report, found, &lenient),
        &mut out,
    );
    files(expected, found, &mut out);
    out
}

fn counters(expected: &Value, report: &Value, out: &mut Vec<String>) {
    const KEYS: [(&str, &str); 7] = [
        ("ok", "ok"),
        ("changed", "changed"),
        ("unreachable", "unreachable"),
        ("skipped", "skipped"),
        ("rescued", "rescued"),
        ("ignored", "ignored"),
        ("failed", "failures"),
    ];
    let hosts = |value: &Value| -> Vec<String> {
        value
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .cloned()
            .collect()
    };
    let all: BTreeSet<String> = hosts(&expected["stats"])
        .into_iter()
        .chain(hosts(&report["stats"]))
        .collect();
    for host in all {
        for (ansibles, ours) in KEYS {
            let (one, other) = (
                &expected["stats"][&host][ansibles],
                &report["stats"][&host][ours],
            );
            let (one, other) = (one.as_u64().unwrap_or(0), other.as_u64().unwrap_or(0));
            if one != other {
                out.push(format!(
                    "stats of {host}: {ansibles}: expected {one}, found {other}"
                ));
            }
        }
        if report["stats"][&host].is_null() {
            out.push(format!("stats of {host}: missing"));
        }
    }
}

fn expected_steps(expected: &Value, lenient: &BTreeSet<String>) -> BTreeMap<String, Vec<Step>> {
    let mut by_host: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for task in expected["tasks"].as_array().into_iter().flatten() {
        let name = bare(&task["task"]);
        let module = task["module"].as_str().unwrap_or_default();
        if LENIENT.contains(&module) || lenient.contains(&name) {
            continue;
        }
        for (host, result) in task["hosts"].as_object().into_iter().flatten() {
            let status = match result["status"].as_str().unwrap_or_default() {
                "ignored" | "rescued" => "failed",
                other => other,
            };
            let mut result = result.clone();
            result["module"] = module.into();
            let step = (name.clone(), status.to_owned(), result);
            by_host.entry(host.clone()).or_default().push(step);
        }
    }
    // The order in which the results of a host came, where hosts did not go together.
    for (host, names) in expected["order"].as_object().into_iter().flatten() {
        let mut left = by_host.remove(host).unwrap_or_default();
        let mut ordered = Vec::new();
        for name in names.as_array().into_iter().flatten().map(bare) {
            if let Some(at) = left.iter().position(|step| step.0 == name) {
                ordered.push(left.remove(at));
            }
        }
        ordered.extend(left);
        by_host.insert(host.clone(), ordered);
    }
    by_host
}

fn found_steps(
    report: &Value,
    found: &Found,
    lenient: &BTreeSet<String>,
) -> BTreeMap<String, Vec<Step>> {
    let mut by_host: BTreeMap<String, Vec<Step>> = BTreeMap::new();
    for result in report["task_results"].as_array().into_iter().flatten() {
        let result = masked(result, found);
        let name = bare(&result["task_name"]);
        let status = result["status"].as_str().unwrap_or_default().to_lowercase();
        let is_over = !["pending", "running", "retrying"].contains(&status.as_str());
        if lenient.contains(&name) || !is_over {
            continue;
        }
        let host = result["host"].as_str().unwrap_or_default().to_owned();
        let status = status_of(&result, &status).to_owned();
        by_host
            .entry(host)
            .or_default()
            .push((name, status, result));
    }
    by_host
}

fn steps(
    expected: &BTreeMap<String, Vec<Step>>,
    found: &BTreeMap<String, Vec<Step>>,
    out: &mut Vec<String>,
) {
    let hosts: BTreeSet<&String> = expected.keys().chain(found.keys()).collect();
    let none = Vec::new();
    for host in hosts {
        let (one, other) = (
            expected.get(host).unwrap_or(&none),
            found.get(host).unwrap_or(&none),
        );
        // Ansible names a task without a name by its module as written; we may by its short name.
        let is_same = one.len() == other.len()
            && one
                .iter()
                .zip(other)
                .all(|(one, other)| last_word(&one.0) == last_word(&other.0) && one.1 == other.1);
        if !is_same {
            let shown = |steps: &[Step]| -> Vec<String> {
                steps
                    .iter()
                    .map(|(name, status, _)| format!("{name}: {status}"))
                    .collect()
            };
            out.push(format!(
                "results of {host}: expected {:?}, found {:?}",
                shown(one),
                shown(other)
            ));
            continue;
        }
        for ((name, _, one), (_, _, other)) in one.iter().zip(other) {
            let mut values = other["result"].as_object().cloned().unwrap_or_default();
            if !other["stdout"].is_null() {
                values.insert("stdout".into(), other["stdout"].clone());
            }
            let module = one["module"].as_str().unwrap_or_default();
            let differing = value_differences(module, one, &values);
            out.extend(
                differing
                    .into_iter()
                    .map(|it| format!("{host} / {name}: {it}")),
            );
        }
    }
}

fn files(expected: &Value, found: &Found, out: &mut Vec<String>) {
    let present = tree::list(&found.scratch);
    let none = Map::new();
    let expected = expected["tree"].as_object().unwrap_or(&none);
    let paths: BTreeSet<&String> = expected.keys().chain(present.keys()).collect();
    for path in paths {
        match (expected.get(path), present.get(path)) {
            (None, _) => out.push(format!("tree: {path} was not expected")),
            (_, None) => out.push(format!("tree: {path} is missing")),
            (Some(one), Some(other)) => {
                for key in ["type", "mode", "sha256", "target"] {
                    if one[key] != other[key] {
                        out.push(format!(
                            "tree: {path}: {key}: expected {one}, found {other}"
                        ));
                    }
                }
            }
        }
    }
}

/// The names of tasks that may have no result: meta tasks, includes, fact gathering.
fn lenient_names(plan: &Value) -> BTreeSet<String> {
    let mut names: BTreeSet<String> = [
        "Gathering Facts",
        "gather_facts",
        "ansible.builtin.gather_facts",
        "setup",
    ]
    .map(str::to_owned)
    .into();
    walk(plan, &mut names);
    names
}

fn walk(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            let module = fields
                .get("module")
                .and_then(Value::as_str)
                .unwrap_or_default();
            if LENIENT.contains(&last_word(module)) {
                let name = fields.get("name").filter(|name| is_set(name));
                names.insert(name.map_or_else(|| module.to_owned(), bare));
                names.insert(module.to_owned());
                names.insert(last_word(module).to_owned());
                // Ansible names one without a name `include_role : NAME`.
                let args = fields.get("args").and_then(Value::as_object);
                let role = args.and_then(|args| args.get("name").or_else(|| args.get("role")));
                if let Some(role) = role
                    .and_then(Value::as_str)
                    .filter(|_| module.contains("role"))
                {
                    names.insert(role.to_owned());
                }
            }
            fields.values().for_each(|field| walk(field, names));
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, names)),
        _ => {}
    }
}

fn last_word(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

static ROLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"^[\w.\-]+ : "));
static UNRENDERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"<< error.*?>>|\{\{.*?\}\}"));
static VOLATILE: LazyLock<[(Regex, &str); 3]> = LazyLock::new(|| {
    [
        (pattern(r"[^ \n]*/ansible-tmp-[^/ \n]+"), "{{remote_tmp}}"),
        (pattern(r"\b[jp]?\d{9,}\.\d+\b"), "{{jid}}"),
        (pattern(r"tmp[a-z0-9_]{8}\b"), "{{tmp}}"),
    ]
});

fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("the patterns above are well formed")
}

/// A name without its role; what cannot be rendered in it is `*`.
fn bare(name: &Value) -> String {
    let name = ROLE
        .replace(name.as_str().unwrap_or_default().trim(), "")
        .into_owned();
    UNRENDERED.replace_all(&name, "*").into_owned()
}

/// One word for a result; ignored and rescued failures are failures.
fn status_of(result: &Value, status: &str) -> &'static str {
    if is_set(&result["result"]["unreachable"])
        || is_set(&result["unreachable"])
        || status == "unreachable"
    {
        "unreachable"
    } else if is_set(&result["failed"]) || ["failed", "ignored", "rescued"].contains(&status) {
        "failed"
    } else if is_set(&result["skipped"]) || status == "skipped" {
        "skipped"
    } else if is_set(&result["changed"]) {
        "changed"
    } else {
        "ok"
    }
}

/// A value with what differs from run to run masked, as in the expectations.
fn masked(value: &Value, found: &Found) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .map(|(name, field)| (masked_text(name, found), masked(field, found)))
            .collect(),
        Value::Array(items) => items.iter().map(|item| masked(item, found)).collect(),
        Value::String(text) => masked_text(text, found).into(),
        other => other.clone(),
    }
}

fn masked_text(text: &str, found: &Found) -> String {
    let mut text = text
        .replace(&*found.scratch.to_string_lossy(), "{{scratch}}")
        .replace(&*found.case.to_string_lossy(), "{{base}}");
    for (pattern, mask) in VOLATILE.iter() {
        text = pattern
            .replace_all(&text, regex::NoExpand(mask))
            .into_owned();
    }
    text
}
