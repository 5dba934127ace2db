use rustle_types::plan::{Expression, Percent, PlanReader, TagList, Term};
use rustle_types::{ExecutionPlan, Serial, StrategyKind, TaskCondition, Tmpl, WithLookup};
use serde_json::{Value, json};

use super::setup::{plan_of, task_of};

fn call_of(task: &Value) -> (String, Value) {
    let task = task_of(task);
    let call = task.module_call().unwrap();
    (call.module.clone(), Value::Object(call.args.clone()))
}

#[test]
fn task_of_a_playbook_is_read_as_module_and_arguments() {
    let copy = ("copy".to_owned(), json!({"src": "a", "dest": "b"}));
    for task in [
        json!({"module": "copy", "args": {"src": "a", "dest": "b"}}),
        json!({"copy": {"src": "a", "dest": "b"}}),
        json!({"copy": "src=a dest=b"}),
        json!({"copy": "src=a", "args": {"dest": "b", "src": "other"}}),
        json!({"action": "copy src=a dest=b"}),
        json!({"action": {"module": "copy", "src": "a", "dest": "b"}}),
        json!({"action": {"module": "copy src=a", "dest": "b"}}),
        json!({"module": "copy", "args": "src=a dest=b"}),
        json!({"module": "copy", "args": {"_raw_params": "src=a dest=b"}}),
    ] {
        assert_eq!(call_of(&task), copy, "{task}");
    }
    assert_eq!(call_of(&json!({"ping": null})), ("ping".into(), json!({})));
    assert_eq!(
        call_of(&json!({"meta": "flush_handlers"})),
        ("meta".into(), json!({"_raw_params": "flush_handlers"}))
    );
    assert_eq!(
        call_of(&json!({"command": ["ls", "-l"]})),
        ("command".into(), json!({"_raw_params": ["ls", "-l"]}))
    );
}

#[test]
fn local_action_is_delegated_to_localhost() {
    let task = task_of(&json!({"local_action": "command echo hi", "register": "out"}));
    assert_eq!(task.keywords.delegate_to.as_deref(), Some("localhost"));
    assert_eq!(task.module_call().unwrap().args["_raw_params"], "echo hi");
}

#[test]
fn misspelt_keyword_beside_a_module_is_a_warning() {
    let (plan, warnings) =
        ExecutionPlan::from_value(plan_of(&json!([{"copy": {"src": "a"}, "regster": "x"}])))
            .unwrap();
    assert_eq!(plan.plays[0].tasks[0].module_call().unwrap().module, "copy");
    assert_eq!(
        warnings[0].message,
        "unknown field `regster` in task; did you mean `register`?"
    );
    assert_eq!(plan.plays[0].tasks[0].extra["regster"], "x");
}

#[test]
fn words_for_true_and_false_are_read_in_any_case() {
    for (word, meaning) in [
        ("Yes", true),
        ("ON", true),
        ("1", true),
        ("no", false),
        ("False", false),
        ("off", false),
    ] {
        let task = task_of(&json!({"ping": null, "become": word}));
        assert_eq!(task.keywords.r#become, Some(Tmpl::Value(meaning)), "{word}");
    }
    let task = task_of(
        &json!({"ping": null, "become": "{{ x }}", "no_log": 1, "retries": "{{ n }}", "delay": "0.5"}),
    );
    assert_eq!(
        task.keywords.r#become,
        Some(Tmpl::Template("{{ x }}".into()))
    );
    assert_eq!(task.keywords.no_log, Some(Tmpl::Value(true)));
    assert_eq!(task.retries, Some(Tmpl::Template("{{ n }}".into())));
    assert_eq!(task.delay, Some(Tmpl::Value(0.5)));
}

#[test]
fn expressions_are_texts_or_booleans_or_lists_of_them() {
    let when = |value: Value| task_of(&json!({"ping": null, "when": value})).keywords.when;
    assert_eq!(when(json!(null)), None);
    assert_eq!(
        when(json!(false)),
        Some(Expression(vec![Term::Bool(false)]))
    );
    assert_eq!(
        when(json!(["a", true])),
        Some(Expression(vec![Term::Text("a".into()), Term::Bool(true)]))
    );
}

#[test]
fn loops_are_read_in_both_ways() {
    let task = task_of(
        &json!({"ping": null, "with_dict": "{{ users }}", "loop_control": {"loop_var": "u", "pause": 1}}),
    );
    assert_eq!(
        task.with,
        Some(WithLookup {
            lookup: "dict".into(),
            terms: json!("{{ users }}")
        })
    );
    assert_eq!(task.loop_control.unwrap().pause, Some(Tmpl::Value(1.0)));
    assert_eq!(
        task_of(&json!({"ping": null, "loop": [1, 2]})).loop_over,
        Some(json!([1, 2]))
    );
}

#[test]
fn synonyms_are_read_and_one_of_them_is_written() {
    let task = task_of(&json!({"ping": null, "retry_delay": 3, "async": 10}));
    assert_eq!(task.delay, Some(Tmpl::Value(3.0)));
    let written = serde_json::to_value(&task).unwrap();
    assert_eq!(
        written,
        json!({"module": "ping", "delay": 3.0, "async": 10})
    );
}

#[test]
fn conditions_are_read_in_any_spelling_and_written_in_one() {
    let task = task_of(&json!({"ping": null, "conditions": [
        {"When": {"expression": "x is defined"}}, {"skip_tag": {"tags": "a, b"}}, {"check-mode": {"enabled": "yes"}},
    ]}));
    assert_eq!(
        task.conditions[0],
        TaskCondition::When {
            expression: "x is defined".into()
        }
    );
    assert_eq!(
        task.conditions[1],
        TaskCondition::SkipTag {
            tags: TagList(vec!["a".into(), "b".into()])
        }
    );
    assert_eq!(
        serde_json::to_value(&task.conditions[2]).unwrap(),
        json!({"CheckMode": {"enabled": true}})
    );
}

#[test]
fn strategies_are_read_in_any_spelling() {
    for (written, kind) in [
        (json!("linear"), StrategyKind::Linear),
        (json!("Parallel"), StrategyKind::Free),
        (
            json!("ansible.builtin.host_pinned"),
            StrategyKind::HostPinned,
        ),
        (json!("binary-hybrid"), StrategyKind::BinaryHybrid),
        (json!("rolling"), StrategyKind::Rolling { batch_size: None }),
        (
            json!({"Rolling": {"batch_size": 3}}),
            StrategyKind::Rolling {
                batch_size: Some(3),
            },
        ),
    ] {
        let plan = json!({"plays": [{"hosts": "all", "strategy": written}]});
        assert_eq!(
            ExecutionPlan::from_value(plan).unwrap().0.plays[0].strategy,
            Some(Tmpl::Value(kind))
        );
    }
}

#[test]
fn serial_is_a_count_a_percentage_or_a_list_of_them() {
    let plan = json!({"plays": [{"hosts": "all", "serial": [1, "30%", "5"]}, {"hosts": "all", "serial": "{{ n }}"}]});
    let (plan, _) = ExecutionPlan::from_value(plan).unwrap();
    assert_eq!(
        plan.plays[0].serial.to_vec(),
        [
            Serial::Count(1),
            Serial::Percent(Percent(30.0)),
            Serial::Count(5)
        ]
    );
    assert_eq!(
        plan.plays[1].serial.to_vec(),
        [Serial::Template("{{ n }}".into())]
    );
}

#[test]
fn handlers_keep_their_topics_and_their_task_keywords() {
    let plan = json!({"plays": [{"hosts": "all",
        "tasks": [{"command": "x", "notify": "topic"}],
        "handlers": [{"handler_id": "h0", "name": "restart", "service": "name=app state=restarted", "listen": "topic", "become": true}],
    }]});
    let (plan, warnings) = ExecutionPlan::from_value(plan).unwrap();
    let handler = &plan.plays[0].handlers[0];
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(
        (handler.handler_id.as_str(), handler.listen.to_vec()),
        ("h0", vec!["topic".to_owned()])
    );
    assert_eq!(handler.module_call().unwrap().args["state"], "restarted");
    assert_eq!(handler.keywords.r#become, Some(Tmpl::Value(true)));
}

#[test]
fn repeated_ids_are_no_cycle() {
    let plan = json!({"plays": [{"hosts": "all", "batches": [
        {"batch_id": "a", "tasks": [{"task_id": "t", "ping": null}, {"task_id": "t", "ping": null, "dependencies": ["t"]}]},
        {"batch_id": "b", "dependencies": ["a"], "tasks": [{"task_id": "t", "ping": null}, {"task_id": "u", "ping": null, "dependencies": ["t"]}]},
    ]}]});
    ExecutionPlan::from_value(plan).unwrap();
}

#[test]
fn pattern_of_the_parsed_playbook_stands_in_for_missing_hosts() {
    let plan = json!({"plays": [{"name": "web", "hosts": [], "tasks": []}]});
    let reader = PlanReader::default().with_host_patterns(vec![Some("webservers".into())]);
    let (plan, _) = reader.read_value(plan).unwrap();
    assert_eq!(plan.plays[0].hosts_pattern.as_deref(), Some("webservers"));
}

#[test]
fn notify_may_be_a_template_that_gives_a_handlers_name() {
    let plan = |notify: &str| {
        json!({"plays": [{"hosts": "all",
            "tasks": [{"command": "x", "notify": notify}],
            "handlers": [{"name": "restart app", "ping": null}],
        }]})
    };
    assert!(
        ExecutionPlan::from_value(plan("restart {{ item }}"))
            .unwrap()
            .1
            .is_empty()
    );
    assert_eq!(
        ExecutionPlan::from_value(plan("reload {{ item }}"))
            .unwrap()
            .1
            .len(),
        1
    );
}

#[test]
fn handlers_of_roles_that_may_be_included_count() {
    let plan = json!({
        "plays": [{"hosts": "all", "tasks": [{"command": "x", "notify": ["restart", "web : restart", "topic"]}]}],
        "roles": {"web": {"handlers": [{"name": "restart", "listen": ["topic"], "ping": null}]}},
    });
    assert!(ExecutionPlan::from_value(plan).unwrap().1.is_empty());
}

#[test]
fn durations_are_objects_or_seconds() {
    let plan = json!({"plays": [], "estimated_duration": {"secs": 1, "nanos": 5}, "estimated_compilation_time": 1.5});
    let (plan, _) = ExecutionPlan::from_value(plan).unwrap();
    assert_eq!(plan.estimated_duration.unwrap().as_nanos(), 1_000_000_005);
    assert_eq!(plan.estimated_compilation_time.unwrap().as_millis(), 1500);
}

#[test]
fn blocks_as_deep_as_json_may_be_are_read_and_deeper_ones_refused() {
    let nested = |depth: usize| {
        let task = format!(
            "{}{{\"ping\":null}}{}",
            "{\"block\":[".repeat(depth),
            "]}".repeat(depth)
        );
        format!("{{\"plays\":[{{\"hosts\":\"all\",\"tasks\":[{task}]}}]}}")
    };
    ExecutionPlan::from_json(nested(60).as_bytes()).unwrap();
    ExecutionPlan::from_json(nested(70).as_bytes()).unwrap_err();
    let mut task = json!({"ping": null});
    for _ in 0..300 {
        task = json!({"block": [task]});
    }
    let errors = ExecutionPlan::from_value(plan_of(&json!([task]))).unwrap_err();
    assert!(
        errors.to_string().ends_with("nested too deeply"),
        "{errors}"
    );
}
