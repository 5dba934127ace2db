use proptest::prelude::*;
use rustle_types::ExecutionPlan;
use serde_json::{Map, Value};

use super::files::fixtures;

/// Names that mean something in a plan, so that made-up values reach every reader.
const NAMES: &[&str] = &[
    "plays",
    "batches",
    "tasks",
    "handlers",
    "block",
    "rescue",
    "always",
    "module",
    "args",
    "_raw_params",
    "action",
    "local_action",
    "when",
    "loop",
    "with_items",
    "notify",
    "listen",
    "name",
    "hosts",
    "hosts_pattern",
    "dependencies",
    "task_id",
    "batch_id",
    "tags",
    "conditions",
    "When",
    "CheckMode",
    "expression",
    "enabled",
    "strategy",
    "Rolling",
    "batch_size",
    "serial",
    "metadata",
    "planning_options",
    "estimated_duration",
    "secs",
    "nanos",
    "retries",
    "delay",
    "become",
    "roles",
    "includes",
    "copy",
    "command",
    "?",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[a-z{}%=\"'\\\\ ]{0,16}".prop_map(Value::from),
        proptest::sample::select(NAMES).prop_map(Value::from),
    ];
    leaf.prop_recursive(7, 96, 6, |inner| {
        let key = prop_oneof![9 => proptest::sample::select(NAMES).prop_map(str::to_owned), 1 => "\\PC{0,8}"];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..7).prop_map(|fields| Value::Object(Map::from_iter(fields))),
        ]
    })
}

/// A plan as `rustle-plan` wrote it, with one value somewhere in it put in another's place.
fn spoiled_plan() -> impl Strategy<Value = Value> {
    let plans: Vec<Value> = fixtures()
        .iter()
        .step_by(5)
        .map(|file| serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap())
        .collect();
    (
        proptest::sample::select(plans),
        proptest::collection::vec(any::<prop::sample::Index>(), 1..10),
        any_json(),
    )
        .prop_map(|(mut plan, way, spoiler)| {
            let mut place = &mut plan;
            for step in way {
                let is_leaf = match &*place {
                    Value::Array(items) => items.is_empty(),
                    Value::Object(fields) => fields.is_empty(),
                    _ => true,
                };
                if is_leaf {
                    break;
                }
                place = match place {
                    Value::Array(items) => {
                        let index = step.index(items.len());
                        &mut items[index]
                    }
                    Value::Object(fields) => {
                        let index = step.index(fields.len());
                        fields.values_mut().nth(index).unwrap()
                    }
                    other => other,
                };
            }
            *place = spoiler;
            plan
        })
}

/// Reads a plan; where that works, it must be the same once it is written and read again.
fn check(value: Value) {
    if let Ok((plan, _)) = ExecutionPlan::from_value(value) {
        let written = serde_json::to_value(&plan).unwrap();
        let (again, _) = ExecutionPlan::from_value(written).unwrap();
        assert_eq!(plan, again);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_value_is_read_or_refused_without_panic(value in any_json()) {
        check(value);
    }

    #[test]
    fn spoiled_plan_is_read_or_refused_without_panic(value in spoiled_plan()) {
        check(value);
    }

    #[test]
    fn any_tasks_are_the_same_once_written_and_read_again(tasks in proptest::collection::vec(any_json(), 0..4)) {
        check(super::setup::plan_of(&Value::from(tasks)));
    }

    #[test]
    fn any_text_is_refused_without_panic(text in "\\PC{0,64}") {
        let _ = ExecutionPlan::from_json(text.as_bytes());
    }
}
