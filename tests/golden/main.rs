//! What Ansible's actions and modules really did, done again by the whole program: a plan of one task on this machine, and what
//! the report tells of it.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot be set up must fail at once, and say where"
)]

use regex::Regex;
use rustle_testkit::World;
use rustle_testkit::golden::{Call, Golden, Outcome};
use serde_json::{Value, json};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/golden");

/// Runs the call as the one task of a plan.
fn run(world: &World, call: &Call<'_>) -> Outcome {
    let plan = json!({ "plays": [{
        "hosts": ["localhost"],
        "vars": call.vars,
        "tasks": [{ "name": call.id, "module": call.module, "args": call.args }],
    }] });
    world.write("plan.json", plan.to_string());
    let mut command = world
        .command(env!("CARGO_BIN_EXE_rustle-exec"))
        .args(["--report-file", "report.json", "plan.json"])
        .args(call.check.then_some("--check"))
        .args(call.diff.then_some("--diff"));
    for (name, value) in &call.env {
        command = command.env(name, value);
    }
    let output = command.run();
    let is_refused = output.code == 3;
    if is_refused {
        let msg = output.masked_stderr();
        return Outcome {
            status: "failed",
            result: json!({ "msg": msg, "changed": false }),
        };
    }
    // The agent keeps what it was sent in its own folder, Ansible in a temporary one.
    let cache = world.home().join(".cache/rustle");
    let text = world
        .read("report.json")
        .replace(&*cache.to_string_lossy(), "<tmp>");
    let received = Regex::new("<tmp>/received-[a-z0-9_]{8}").expect("a pattern");
    let text = received.replace_all(&text, "<tmp>");
    let report: Value = serde_json::from_str(&text)
        .unwrap_or_else(|error| panic!("{}: {error}: {output}", call.id));
    let [task] = report["task_results"]
        .as_array()
        .expect("a list")
        .as_slice()
    else {
        panic!("{}: not one result: {output}", call.id);
    };
    let status = match (&task["failed"], &task["skipped"]) {
        (Value::Bool(true), _) => "failed",
        (_, Value::Bool(true)) => "skipped",
        _ => "ok",
    };
    let mut result = task["result"].clone();
    if let Some(fields) = result.as_object_mut() {
        fields.retain(|name, _| name != "failed" && name != "skipped");
    }
    Outcome { status, result }
}

fn check(names: &[&str], exceptions: &[(&str, &str)]) {
    let world = World::new();
    Golden::load(FOLDER, names).check(exceptions, |call| run(&world, call));
}

const TEMPLATING: &str = "the message is the template engine's, and names the place";

const NOT_FOUND: &str = "the message names the folders that were looked in";

/// Ansible renders into a temporary file and names that.
const NAMED: &str = "the template itself is named as the source";

const LINKS: &str =
    "Ansible leaves links out when it copies into a folder that exists, and says changed for ever";

const COPY_EXCEPTIONS: [(&str, &str); 13] = [
    ("copy-src-missing", NOT_FOUND),
    (
        "copy-no-dest",
        "a missing argument is told when the plan is read",
    ),
    ("x-copy-content-slash", "the message says more"),
    (
        "x-copy-validate-missing",
        "content is staged beside its destination, and `cmd` names it there",
    ),
    (
        "x-copy-dir-onefile-sub",
        "Ansible says unchanged although it copied a file",
    ),
    (
        "x-copy-dir-fileondir",
        "Ansible's check mode says changed where the run says unchanged",
    ),
    (
        "x-copy-dir-dirlink-nofollow",
        "which link comes last depends on the controller's file system",
    ),
    (
        "x-copy-dir-to-file",
        "which file comes first depends on the controller's file system",
    ),
    ("x-rcopy-dir-slash-exist", LINKS),
    ("x-rcopy-dir-destslash", LINKS),
    ("x-rcopy-dir-owner-exist", LINKS),
    ("x-rcopy-dir-mode-exist", LINKS),
    ("x-rcopy-dir-sub-exist", LINKS),
];

const TEMPLATE_EXCEPTIONS: [(&str, &str); 11] = [
    ("template-undefined", TEMPLATING),
    ("template-src-missing", NOT_FOUND),
    ("template-force-no", NAMED),
    ("x-tpl-ok", NAMED),
    ("x-tpl-new", NAMED),
    ("x-tpl-backup", NAMED),
    ("x-tpl-dir", NAMED),
    ("x-tpl-dirslash", NAMED),
    ("x-tpl-preserve", NAMED),
    ("x-tpl-link", NAMED),
    ("x-tpl-linkfollow", NAMED),
];

#[test]
fn debug_assert_fail_and_set_fact_return_what_ansibles_did() {
    check(
        &["actions"],
        &[
            ("assert-undefined", TEMPLATING),
            ("assert-syntax-error", TEMPLATING),
        ],
    );
}

#[test]
fn script_returns_what_ansibles_did() {
    let exceptions = [
        ("script-missing", NOT_FOUND),
        (
            "script-no-params",
            "the ansible program refused it, before it had a result",
        ),
    ];
    check(&["script"], &exceptions);
}

#[test]
fn unarchive_returns_what_ansibles_did() {
    check(
        &["unarchive"],
        &[(
            "unarchive-not-archive",
            "archives are read here, so no program says why it cannot",
        )],
    );
}

#[test]
fn fetch_returns_what_ansibles_did() {
    check(&["fetch"], &[]);
}

#[test]
fn template_returns_what_ansibles_did() {
    check(&["template", "template-more"], &TEMPLATE_EXCEPTIONS);
}

#[test]
fn copy_returns_what_ansibles_did() {
    check(&["copy", "copy-more"], &COPY_EXCEPTIONS);
}
