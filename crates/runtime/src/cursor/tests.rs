//! Walks through small programs.

use std::collections::HashSet;

use rustle_types::{HandlerPlan, Keywords, TaskBatch, TaskPlan};
use serde_json::{Value, json};

use super::*;
use crate::include::{Brought, Include, RoleParts};
use crate::program::{Compiler, Program};
use crate::tags::TagFilter;

fn compile(tasks: Value, handlers: Value) -> Program {
    let batch = TaskBatch {
        tasks: serde_json::from_value(tasks).unwrap(),
        ..TaskBatch::default()
    };
    let handlers: Vec<HandlerPlan> = serde_json::from_value(handlers).unwrap();
    with_compiler(|compiler| compiler.compile(&[&batch], &handlers))
}

fn with_compiler<T>(run: impl FnOnce(&Compiler<'_>) -> T) -> T {
    run(&Compiler {
        play: 0,
        keywords: &Keywords::default(),
        tags: &TagFilter::default(),
        hosts_of: &|_| HashSet::new(),
    })
}

fn cursor(program: &Program) -> Cursor {
    let place = TaskPath(vec![0]);
    Cursor::new("h1".into(), place, Arc::clone(&program.nodes))
}

/// The name and place of the task that the host stands at.
fn at(cursor: &mut Cursor, program: &Program, wanted: &mut Vec<usize>) -> Option<String> {
    let mut take = |index: usize| {
        let found = wanted.iter().position(|want| *want == index);
        found.is_some_and(|place| {
            wanted.remove(place);
            true
        })
    };
    let mut flush = Flush {
        handlers: &program.handlers,
        take: &mut take,
    };
    let step = cursor.current(&mut flush)?;
    Some(format!("{} {}", step.node.info.name, step.place))
}

#[test]
fn a_failure_goes_to_rescue_and_always_and_then_on() {
    let program = compile(
        json!([
            {"block": [{"name": "a", "ping": {}}, {"name": "b", "ping": {}}],
             "rescue": [{"name": "r", "ping": {}}], "always": [{"name": "z", "ping": {}}]},
            {"name": "end", "ping": {}},
        ]),
        json!([]),
    );
    let mut cursor = cursor(&program);
    let mut none = Vec::new();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "a 0.0.0.0");
    assert_eq!(cursor.fail(), Fate::Rescued);
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "r 0.0.1.0");
    assert_eq!(cursor.fail(), Fate::Unwinding);
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "z 0.0.2.0");
    cursor.pass();
    assert_eq!(at(&mut cursor, &program, &mut none), None);
    assert!(cursor.has_failed());
}

#[test]
fn who_failed_elsewhere_only_runs_always_sections_of_what_was_begun() {
    let program = compile(
        json!([
            {"block": [{"name": "a", "ping": {}}], "rescue": [{"name": "r", "ping": {}}],
             "always": [{"name": "y", "ping": {}}, {"name": "z", "ping": {}}]},
            {"name": "end", "ping": {}},
        ]),
        json!([]),
    );
    let mut none = Vec::new();
    let mut begun = cursor(&program);
    assert_eq!(at(&mut begun, &program, &mut none).unwrap(), "a 0.0.0.0");
    begun.abandon(false);
    assert_eq!(at(&mut begun, &program, &mut none).unwrap(), "y 0.0.2.0");
    begun.abandon(false);
    assert_eq!(at(&mut begun, &program, &mut none).unwrap(), "y 0.0.2.0");
    begun.pass();
    assert_eq!(at(&mut begun, &program, &mut none).unwrap(), "z 0.0.2.1");
    begun.pass();
    assert_eq!(at(&mut begun, &program, &mut none), None);
    assert!(begun.has_failed());

    let mut running = cursor(&program);
    assert_eq!(at(&mut running, &program, &mut none).unwrap(), "a 0.0.0.0");
    running.abandon(true);
    assert_eq!(running.fail(), Fate::Unwinding, "no rescue takes over");
    assert_eq!(at(&mut running, &program, &mut none).unwrap(), "y 0.0.2.0");
}

#[test]
fn handlers_run_where_they_are_flushed_and_may_be_blocks() {
    let program = compile(
        json!([{"name": "flush", "meta": "flush_handlers"}, {"name": "end", "ping": {}}]),
        json!([
            {"name": "one", "ping": {}},
            {"name": "two", "block": [{"name": "in two", "ping": {}}]},
        ]),
    );
    let mut cursor = cursor(&program);
    let mut wanted = vec![1];
    assert_eq!(at(&mut cursor, &program, &mut wanted).unwrap(), "flush 0.0");
    cursor.flush();
    assert!(cursor.is_flushing());
    assert_eq!(
        at(&mut cursor, &program, &mut wanted).unwrap(),
        "in two 0.0.1.0.0"
    );
    cursor.pass();
    assert_eq!(at(&mut cursor, &program, &mut wanted).unwrap(), "end 0.1");
    assert!(!cursor.is_flushing());
}

#[test]
fn a_role_that_is_brought_in_can_be_left_and_passes_nothing_of_its_include_on() {
    let program = compile(
        json!([
            {"name": "bring", "include_role": {"name": "r"}, "when": "x", "tags": ["t"], "vars": {"p": 1}},
            {"name": "end", "ping": {}},
        ]),
        json!([]),
    );
    let mut cursor = cursor(&program);
    let mut none = Vec::new();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "bring 0.0");
    let Node::Task(node) = &program.nodes[0] else {
        panic!("a task")
    };
    let tasks: Vec<TaskPlan> =
        serde_json::from_value(json!([{"name": "a", "ping": {}}, {"name": "b", "ping": {}}]))
            .unwrap();
    let role = RoleParts {
        name: "r".into(),
        tasks: tasks.into(),
        ..RoleParts::default()
    };
    let include = Include {
        name: "r".into(),
        item: rustle_types::Object::new(),
        apply: TaskPlan::default(),
        what: Brought::Role(Arc::new(role)),
        is_import: false,
    };
    let place = TaskPath(vec![0, 0, 0]);
    let brought = with_compiler(|compiler| compiler.include(&include, node, &place));
    cursor.enter_lists(vec![(place, brought.nodes)]);
    assert_eq!(
        at(&mut cursor, &program, &mut none).unwrap(),
        "a 0.0.0.0.0.0"
    );
    let step = cursor.current.clone().unwrap();
    assert!(step.node.keywords.when.is_none() && step.node.keywords.tags.0.is_empty());
    assert_eq!(step.node.params.len(), 1, "its variables are parameters");
    cursor.end_role();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "end 0.1");
}

#[test]
fn a_failure_is_rescued_where_an_outer_rescue_comes_after_an_inner_always() {
    let program = compile(
        json!([{"block": [{"block": [{"name": "a", "ping": {}}], "always": [{"name": "z", "ping": {}}]}],
                "rescue": [{"name": "r", "ping": {}}]}]),
        json!([]),
    );
    let mut cursor = cursor(&program);
    let mut none = Vec::new();
    assert_eq!(
        at(&mut cursor, &program, &mut none).unwrap(),
        "a 0.0.0.0.0.0"
    );
    assert_eq!(cursor.fail(), Fate::Rescued);
    assert_eq!(
        at(&mut cursor, &program, &mut none).unwrap(),
        "z 0.0.0.0.2.0"
    );
    cursor.pass();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "r 0.0.1.0");
}

#[test]
fn who_fails_because_of_another_host_is_rescued_by_the_block_that_it_has_just_left() {
    let program = compile(
        json!([
            {"block": [{"name": "a", "ping": {}}], "rescue": [{"name": "r", "ping": {}}]},
            {"name": "end", "ping": {}},
        ]),
        json!([]),
    );
    let mut cursor = cursor(&program);
    let mut none = Vec::new();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "a 0.0.0.0");
    cursor.pass();
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "end 0.1");
    assert_eq!(cursor.fail_behind(), Fate::Rescued);
    assert_eq!(at(&mut cursor, &program, &mut none).unwrap(), "r 0.0.1.0");
}

#[test]
fn a_flush_goes_on_behind_the_handler_that_failed_in_the_last_one() {
    let program = compile(
        json!([
            {"block": [{"name": "f", "meta": "flush_handlers"}], "rescue": [{"name": "r", "ping": {}}]},
            {"name": "g", "meta": "flush_handlers"},
            {"name": "h", "meta": "flush_handlers"},
        ]),
        json!([{"name": "a", "ping": {}}, {"name": "b", "ping": {}}, {"name": "c", "ping": {}}]),
    );
    let mut cursor = cursor(&program);
    let mut wanted = vec![0, 1, 2];
    let mut came_to = Vec::new();
    while let Some(name) = at(&mut cursor, &program, &mut wanted) {
        let name = name.split(' ').next().unwrap().to_owned();
        match name.as_str() {
            "f" | "g" | "h" => cursor.flush(),
            "b" => _ = cursor.fail(),
            _ => cursor.pass(),
        }
        if name == "r" {
            wanted.push(0);
        }
        came_to.push(name);
    }
    assert_eq!(came_to, ["f", "a", "b", "r", "g", "c", "h", "a"]);
}
