use std::path::{Path, PathBuf};

use rustle_types::{ExecutionPlan, StrategyKind, Tmpl};
use serde_json::Value;

/// The plans that `rustle-plan` 0.1 really wrote.
pub(crate) fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/plans/rustle-plan");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    files
}

fn read(name: &str) -> ExecutionPlan {
    let path = fixtures()
        .into_iter()
        .find(|path| path.ends_with(name))
        .unwrap();
    ExecutionPlan::from_json(&std::fs::read(path).unwrap())
        .unwrap()
        .0
}

#[test]
fn every_plan_of_rustle_plan_loads_without_a_word() {
    let files = fixtures();
    assert!(files.len() > 40, "only {} fixtures", files.len());
    for file in files {
        let (_, warnings) = ExecutionPlan::from_json(&std::fs::read(&file).unwrap())
            .unwrap_or_else(|errors| panic!("{}: {errors}", file.display()));
        assert!(warnings.is_empty(), "{}: {warnings:?}", file.display());
    }
}

#[test]
fn every_plan_of_rustle_plan_is_the_same_once_written_and_read_again() {
    for file in fixtures() {
        let (plan, _) = ExecutionPlan::from_json(&std::fs::read(&file).unwrap()).unwrap();
        let text = serde_json::to_vec(&plan).unwrap();
        let (again, warnings) = ExecutionPlan::from_json(&text).unwrap();
        assert_eq!(plan, again, "{}", file.display());
        assert!(warnings.is_empty());
    }
}

#[test]
fn block_of_rustle_plan_becomes_a_block_of_tasks() {
    let plan = read("06a_blocks_all.linear.json");
    let task = &plan.plays[0].batches[0].tasks[0];
    let block = task.block().unwrap();
    let modules: Vec<_> = block
        .block
        .iter()
        .map(|task| task.module_call().map(|call| call.module.as_str()))
        .collect();
    assert_eq!(modules, [Some("command"), Some("shell"), None]);
    assert_eq!(block.block[0].keywords.notify.to_vec(), ["restart app"]);
    assert_eq!(block.block[1].register.as_deref(), Some("migrate"));
    assert_eq!(
        block.block[2].block().unwrap().block[0].name.as_deref(),
        Some("Warm cache")
    );
}

#[test]
fn free_form_text_of_rustle_plan_becomes_arguments() {
    let plan = read("17_args_keyword.linear.json");
    let call = plan.plays[0]
        .all_tasks()
        .find_map(|task| task.module_call().filter(|call| call.module == "file"))
        .unwrap();
    assert_eq!(call.args["path"], Value::from("/tmp/rx/kv"));
    assert!(!call.args.contains_key("_raw_params"));
}

#[test]
fn options_that_a_plan_was_made_with_are_read() {
    let plan = read("08_tags_serial.plan.opt-serial2-rolling.json");
    assert_eq!(
        plan.plays[0].strategy,
        Some(Tmpl::Value(StrategyKind::Rolling {
            batch_size: Some(5)
        }))
    );
    assert_eq!(plan.metadata.planning_options.forks, Some(50));
    assert_eq!(plan.metadata.rustle_plan_version(), Some("0.1.0"));
    assert!(read("01a_web_deploy_all_limit.plan.opt-check-diff.json").is_made_for_check());
}
