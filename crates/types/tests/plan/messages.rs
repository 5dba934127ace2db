use rustle_types::plan::PlanReader;
use rustle_types::{ExecutionPlan, PlanErrors, PlanProblem};
use serde_json::json;

use super::setup::{errors_of, plan_of, shown};

fn unreadable(text: &str) -> String {
    shown(
        &ExecutionPlan::from_json(text.as_bytes())
            .unwrap_err()
            .named("deploy.json"),
    )
}

#[test]
fn all_mistakes_are_told_at_once_with_their_places() {
    let errors = errors_of(json!({
        "plan_version": "one",
        "plays": [
            {"hosts": ["h1"], "strategy": "rollin", "batches": [{"batch_id": "b", "dependencies": ["c"], "tasks": [
                {"task_id": "t1", "module": "copy", "retries": "many", "become": "maybe", "when": {"a": 1}},
                {"task_id": "t2", "args": {}},
                {"task_id": "t3", "module": "ping", "hosts": "h1", "risk_level": "extreme", "notify": "restrt"},
            ]}], "handlers": [{"name": "restart", "module": "service"}]},
            {"name": "web", "hosts": []},
            7,
        ],
        "roles": {"my role": {"tasks": {"main.yml": [{"command": "x", "delay": []}]}}},
    }));
    insta::assert_snapshot!(shown(&errors.named("deploy.json")));
}

#[test]
fn texts_that_are_no_plan_each_have_their_own_message() {
    insta::assert_snapshot!([
        unreadable(" \n"),
        unreadable("{\"plays\": [}"),
        unreadable(&"[".repeat(1_000_000)),
        unreadable("[{\"hosts\": \"all\", \"tasks\": []}]"),
        unreadable("{}"),
        unreadable("{\"plays\": {}}"),
        unreadable("{\"plan_version\": 2, \"plays\": []}"),
        unreadable("{\"plays\": [{\"hosts\": \"all\", \"roles\": [], \"tasks\": [{\"id\": \"task_0\"}]}], \"inventory\": {}, \"facts_required\": []}"),
    ]
    .join("\n\n"));
}

#[test]
fn cycles_are_listed() {
    let errors = errors_of(json!({"plays": [{
        "hosts": "all",
        "batches": [
            {"batch_id": "a", "dependencies": ["b"], "tasks": [
                {"task_id": "t1", "ping": null, "dependencies": ["t2"]}, {"task_id": "t2", "ping": null, "dependencies": ["t3"]},
            ]},
            {"batch_id": "b", "dependencies": ["a"], "tasks": [{"task_id": "t3", "ping": null, "dependencies": ["t1"]}]},
        ],
        "handlers": [{"name": "one", "ping": null, "notify": "topic"}, {"name": "two", "listen": "topic", "ping": null, "notify": ["one"]}],
    }]}));
    insta::assert_snapshot!(shown(&errors), @"
    the plan is not valid
      plays[0].batches: batches wait for each other: `a` → `b` → `a`
      plays[0].batches[0].tasks[0]: tasks wait for each other: `t1` → `t2` → `t3` → `t1`
      plays[0].handlers: handlers notify each other without end: `one` → `two` → `one`
    ");
}

#[test]
fn what_waits_across_blocks_and_batches_must_not_go_in_circles() {
    let errors = errors_of(json!({"plays": [
        {"hosts": "all", "tasks": [
            {"task_id": "both", "block": [{"task_id": "in", "ping": null, "dependencies": ["out"]}, {"task_id": "last", "ping": null}]},
            {"task_id": "out", "ping": null, "dependencies": ["last"]},
        ]},
        {"hosts": "all", "tasks": [{"block": [{"ping": null, "dependencies": ["later"]}, {"task_id": "later", "ping": null}]}]},
        {"hosts": "all", "batches": [
            {"batch_id": "a", "tasks": [{"task_id": "t1", "ping": null, "dependencies": ["t3"]}]},
            {"batch_id": "b", "dependencies": ["a"], "tasks": [{"task_id": "t3", "ping": null}],
             "parallel_groups": [{"group_id": "g", "tasks": ["t3", "t33"]}]},
        ]},
    ]}));
    insta::assert_snapshot!(shown(&errors), @"
    the plan is not valid
      plays[0].tasks[0]: tasks wait for each other: `both` → `out` → `both`
      plays[1].tasks[0].block[0]: the task waits for `later`, which comes after it in the same block
      plays[2].batches: batches wait for each other: `a` → `b` → `a`
      plays[2].batches[1].parallel_groups[0].tasks[1]: no task of the batch has the id `t33`
    hint: did you mean `t3`?
    ");
}

#[test]
fn unknown_fields_are_one_warning_a_name_and_errors_where_that_is_asked_for() {
    let plan = plan_of(&json!([
        {"task_id": "task_1", "ping": null}, {"task_id": "task_2", "module": "ping", "loopp": [], "colour": "red"},
        {"task_id": "task_3", "module": "ping", "loopp": []},
    ]));
    let (_, warnings) = ExecutionPlan::from_value(plan.clone()).unwrap();
    let texts: Vec<String> = warnings.iter().map(ToString::to_string).collect();
    assert_eq!(
        texts,
        [
            "plays[0].tasks[1]: unknown field `loopp` in task `task_2`; did you mean `loop`? (and 1 more)",
            "plays[0].tasks[1]: unknown field `colour` in task `task_2`",
        ]
    );
    assert_eq!(
        PlanReader::default()
            .with_strict(true)
            .read_value(plan)
            .unwrap_err()
            .problems()
            .len(),
        2
    );
}

#[test]
fn topic_that_rustle_plan_dropped_has_a_hint() {
    let mut plan = plan_of(&json!([{"ping": null, "notify": "app changed"}]));
    plan["metadata"] = json!({"rustle_plan_version": "0.1.0"});
    insta::assert_snapshot!(shown(&errors_of(plan)), @"
    the plan is not valid
      plays[0].tasks[0].notify[0] (play `test`): no handler has the name `app changed` or listens to it
    hint: `rustle-plan` 0.1 does not write `listen`: notify a handler by its name, or add `listen` to the handler in the plan
    ");
}

#[test]
fn tasks_that_do_two_things_or_none_are_told() {
    let errors = errors_of(plan_of(&json!([
        {"copy": {}, "file": {}}, {"module": "copy", "block": []}, {"modul": "copy"}, {"name": "nothing"}, "text",
        {"ping": null, "with_items": [1], "with_dict": {}}, {"rescue": [{"debug": null, "poll": -1}]},
    ])));
    assert_eq!(
        errors.warnings[0].message,
        "unknown field `modul` in task; did you mean `module`?"
    );
    insta::assert_snapshot!(errors, @"
    the plan is not valid
      plays[0].tasks[0]: names two modules, `copy` and `file`
      plays[0].tasks[1]: has a module, `copy`, and a block
      plays[0].tasks[2]: names no module and no block
      plays[0].tasks[3]: names no module and no block
      plays[0].tasks[4]: expected a task (an object), found \"text\"
      plays[0].tasks[5]: has two loops, `with_items` and `with_dict`
      plays[0].tasks[6].rescue[0].poll: expected a whole number ≥ 0, found -1
    ");
}

#[test]
fn later_checks_make_the_same_kind_of_message() {
    let problem = PlanProblem::new(
        "plays[0].batches[0].tasks[3].args",
        "unknown argument `onwer`",
    )
    .with_hint("did you mean `owner`?");
    let errors = PlanErrors::from_problems(vec![problem])
        .unwrap()
        .named("deploy.json");
    insta::assert_snapshot!(shown(&errors), @"
    plan `deploy.json` is not valid
      plays[0].batches[0].tasks[3].args: unknown argument `onwer`
    hint: did you mean `owner`?
    ");
}
