use rustle_types::{ExecutionPlan, PlanErrors, TaskPlan};
use serde_json::{Value, json};

/// A plan of one play with these tasks.
pub(crate) fn plan_of(tasks: &Value) -> Value {
    json!({ "plays": [{ "name": "test", "hosts": ["h1"], "tasks": tasks }] })
}

/// Reads a plan of one task that must be right.
pub(crate) fn task_of(task: &Value) -> TaskPlan {
    let (mut plan, warnings) = ExecutionPlan::from_value(plan_of(&json!([task]))).unwrap();
    assert!(warnings.is_empty(), "{warnings:?}");
    plan.plays.remove(0).tasks.remove(0)
}

/// Reads a plan that must be wrong.
pub(crate) fn errors_of(plan: Value) -> PlanErrors {
    ExecutionPlan::from_value(plan).unwrap_err()
}

/// The message and the hints, as the command line shows them.
pub(crate) fn shown(errors: &PlanErrors) -> String {
    let hints: String = errors
        .hints()
        .into_iter()
        .map(|hint| format!("\nhint: {hint}"))
        .collect();
    format!("{errors}{hints}")
}
