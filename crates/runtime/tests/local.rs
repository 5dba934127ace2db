//! Plans in one process: what is special about it. What plans mean there is compared in the conformance tests of the program.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rustle_events::EventKind;
use rustle_module::{Change, Failure, Mode, Module, Output, Spec, Target, Verdict};
use rustle_process::CancelLevel;
use rustle_runtime::execution::{ExecutionError, read_journal};
use rustle_runtime::local::{LocalExecutor, ModuleRegistry, RuntimeConfig};
use rustle_runtime::world::EventSink;
use rustle_types::{
    ExecutionPlan, ExecutionReport, ExitStatus, Object, Secret, TaskBatch, TaskPlan, TaskResult,
    TaskStatus,
};
use rustle_vault::VaultSecrets;
use serde_json::{Value, json};

fn modules() -> ModuleRegistry {
    let mut registry = ModuleRegistry::new();
    registry.register_builtin_modules(&[
        rustle_modules_commands::FAMILY,
        rustle_modules_files::FAMILY,
        rustle_modules_system::FAMILY,
    ]);
    registry
}

fn executor(config: RuntimeConfig) -> LocalExecutor {
    LocalExecutor::new(config, modules()).unwrap()
}

/// A plan of one play for this machine.
fn plan(tasks: &Value) -> ExecutionPlan {
    plan_for(&json!(["localhost"]), tasks)
}

fn plan_for(hosts: &Value, tasks: &Value) -> ExecutionPlan {
    let inventory = json!({"all": {"hosts": {"localhost": {}, "web2": {}}}});
    let plan = json!({"inventory": inventory, "plays": [{"hosts": hosts, "tasks": tasks}]});
    ExecutionPlan::from_json(plan.to_string().as_bytes())
        .unwrap()
        .0
}

fn batch(batch: &Value) -> TaskBatch {
    let plan = json!({"plays": [{"hosts": ["localhost"], "batches": [batch]}]});
    let (mut plan, _) = ExecutionPlan::from_json(plan.to_string().as_bytes()).unwrap();
    plan.plays.remove(0).batches.remove(0)
}

fn task(task: &Value) -> TaskPlan {
    plan(&json!([task])).plays.remove(0).tasks.remove(0)
}

/// The last result of the run of some tasks.
async fn last_of(tasks: Value) -> TaskResult {
    let report = executor(RuntimeConfig::default())
        .execute_plan(plan(&tasks))
        .await
        .unwrap();
    report.task_results.last().unwrap().clone()
}

fn message(result: &TaskResult) -> String {
    let msg = result.result.as_ref().and_then(|it| it.get("msg"));
    msg.and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn statuses(report: &ExecutionReport) -> Vec<TaskStatus> {
    report
        .task_results
        .iter()
        .map(|result| result.status)
        .collect()
}

/// Keeps what it is told.
#[derive(Default)]
struct Told(Mutex<Vec<EventKind>>);

impl EventSink for Told {
    fn note(&self, event: EventKind) {
        self.0.lock().unwrap().push(event);
    }
}

impl Told {
    fn exit(&self) -> ExitStatus {
        match self.0.lock().unwrap().last() {
            Some(EventKind::RunFinished { exit, .. }) => *exit,
            other => panic!("the last event is {other:?}"),
        }
    }
}

#[tokio::test]
async fn a_task_that_is_delegated_to_another_host_fails_with_its_name() {
    let result =
        last_of(json!([{"module": "command", "args": {"cmd": "true"}, "delegate_to": "web2"}]))
            .await;
    assert_eq!(result.status, TaskStatus::Failed);
    let said = message(&result);
    assert!(
        said.contains("`web2`") && said.contains("`localhost`"),
        "{said}"
    );
    let own = last_of(
        json!([{"module": "command", "args": {"cmd": "true"}, "delegate_to": "localhost"}]),
    )
    .await;
    assert_eq!(own.status, TaskStatus::Completed);
}

#[tokio::test]
async fn a_run_stays_the_user_that_it_is() {
    let as_user = |user: &str| json!([{"module": "command", "args": {"cmd": "true"}, "become": true, "become_user": user}]);
    let own = rustle_module::own_user().unwrap();
    assert_eq!(last_of(as_user(&own)).await.status, TaskStatus::Completed);
    let other = last_of(as_user("nobody-else")).await;
    assert_eq!(other.status, TaskStatus::Failed);
    assert!(
        message(&other).contains("cannot become user `nobody-else`"),
        "{}",
        message(&other)
    );
}

#[tokio::test]
async fn a_play_for_several_hosts_runs_in_part_where_the_run_is_limited() {
    let both = plan_for(&json!("all"), &json!([{"module": "ping"}]));
    let refused = executor(RuntimeConfig::default())
        .execute_plan(both.clone())
        .await
        .unwrap_err();
    assert!(refused.to_string().contains("addresses web2"), "{refused}");
    assert!(refused.hint().unwrap().contains("limit"));
    let mut config = RuntimeConfig::default();
    config.options.limit = Some("localhost".into());
    let report = executor(config).execute_plan(both).await.unwrap();
    assert_eq!(statuses(&report), [TaskStatus::Completed]);
}

#[tokio::test]
async fn a_plan_with_modules_that_are_not_registered_is_refused() {
    let wanted = plan(&json!([{"module": "no_such_module"}]));
    let refused = executor(RuntimeConfig::default())
        .execute_plan(wanted)
        .await;
    let Err(ExecutionError::InvalidPlan(errors)) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(errors.problems().len(), 1);
}

#[tokio::test]
async fn jobs_run_while_tasks_go_on_and_can_be_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe");
    let report = executor(RuntimeConfig::default()).execute_plan(plan(&json!([
        {"module": "command", "args": {"argv": ["mkfifo", pipe]}},
        {"module": "shell", "args": {"cmd": format!("cat {}", pipe.display())}, "async": 60, "poll": 0, "register": "job"},
        {"module": "async_status", "args": {"jid": "{{ job.ansible_job_id }}"}, "register": "early"},
        {"module": "assert", "args": {"that": "not early.finished"}},
        {"module": "shell", "args": {"cmd": format!("echo word > {}", pipe.display())}},
        {"module": "async_status", "args": {"jid": "{{ job.ansible_job_id }}"}, "register": "late", "until": "late.finished", "retries": 600, "delay": 0.1},
        {"module": "assert", "args": {"that": "late.stdout == 'word'"}},
    ]))).await.unwrap();
    assert_eq!(report.summary.failed_tasks, 0, "{:?}", report.failures);
}

#[tokio::test]
async fn cleaning_up_ends_jobs_and_takes_their_files_away() {
    let told = Arc::new(Told::default());
    let executor = executor(RuntimeConfig::default());
    executor.report_progress(Arc::clone(&told) as _);
    let wanted = plan(
        &json!([{"module": "command", "args": {"cmd": "sleep 1000"}, "async": 2000, "poll": 0}]),
    );
    let report = executor.execute_plan(wanted.clone()).await.unwrap();
    assert_eq!(told.exit(), ExitStatus::Done);
    let file = report.task_results[0].result.as_ref().unwrap()["results_file"].clone();
    let file = Path::new(file.as_str().unwrap());
    assert!(file.exists());
    executor.cleanup().await.unwrap();
    assert!(!file.exists());
    let report = executor.execute_plan(wanted).await.unwrap();
    assert_eq!(statuses(&report), [TaskStatus::Completed]);
}

#[tokio::test]
async fn a_run_whose_time_is_over_is_cancelled() {
    let state = tempfile::tempdir().unwrap();
    let executor = executor(RuntimeConfig {
        execution_timeout: Some(Duration::from_millis(300)),
        state_dir: Some(state.path().to_owned()),
        ..RuntimeConfig::default()
    });
    let told = Arc::new(Told::default());
    executor.report_progress(Arc::clone(&told) as _);
    let tasks = json!([{"module": "command", "args": {"cmd": "sleep 1000"}}, {"module": "ping"}]);
    let report = executor.execute_plan(plan(&tasks)).await.unwrap();
    assert_eq!(statuses(&report), [TaskStatus::Failed]);
    assert_eq!(told.exit(), ExitStatus::Cancelled);
    let reasons: Vec<String> = told
        .0
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            EventKind::CancelRequested { reason } => Some(reason.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(reasons, ["its time of 0.3 s was over"]);
    let journal = state
        .path()
        .join("runs")
        .join(report.execution_id.to_string())
        .join("journal.jsonl");
    assert_eq!(
        read_journal(&journal).unwrap().len(),
        told.0.lock().unwrap().len()
    );
}

#[tokio::test]
async fn a_run_can_be_cancelled_and_its_failure_keeps_what_was_done() {
    let executor = executor(RuntimeConfig::default());
    let failing = plan(
        &json!([{"module": "ping"}, {"module": "command", "args": {"cmd": "false"}}, {"module": "ping"}]),
    );
    let report = executor.execute_plan(failing).await.unwrap();
    assert_eq!(
        statuses(&report),
        [TaskStatus::Completed, TaskStatus::Failed]
    );
    executor.cancel_token().raise(CancelLevel::Stop);
    let told = Arc::new(Told::default());
    executor.report_progress(Arc::clone(&told) as _);
    let report = executor
        .execute_plan(plan(&json!([{"module": "ping"}])))
        .await
        .unwrap();
    assert_eq!(
        (statuses(&report), told.exit()),
        (vec![], ExitStatus::Cancelled)
    );
}

#[tokio::test]
async fn plays_batches_and_tasks_run_alone() {
    let executor = executor(RuntimeConfig::default());
    let play = plan(&json!([{"module": "ping"}, {"module": "debug", "args": {"msg": "m"}}]))
        .plays
        .remove(0);
    assert_eq!(
        statuses(&executor.execute_play(&play).await.unwrap()),
        [TaskStatus::Completed; 2]
    );
    let mine =
        batch(&json!({"batch_id": "b", "hosts": ["localhost"], "tasks": [{"module": "ping"}]}));
    assert_eq!(
        statuses(&executor.execute_batch(&mine).await.unwrap()),
        [TaskStatus::Completed]
    );
    let others = batch(&json!({"batch_id": "b", "hosts": ["web2"], "tasks": [{"module": "ping"}]}));
    let refused = executor.execute_batch(&others).await;
    assert!(
        matches!(refused, Err(ExecutionError::OtherHosts { .. })),
        "{refused:?}"
    );
    let counted =
        task(&json!({"module": "command", "args": {"cmd": "echo {{ item }}"}, "loop": [1, 2]}));
    let result = executor.execute_task(&counted).await.unwrap();
    assert_eq!(
        result.result.unwrap()["results"].as_array().map(Vec::len),
        Some(2)
    );
}

#[tokio::test]
async fn facts_are_those_of_this_machine() {
    let facts = executor(RuntimeConfig::default())
        .collect_facts()
        .await
        .unwrap();
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert_eq!(facts["ansible_kernel"], kernel.trim());
    let none = LocalExecutor::new(RuntimeConfig::default(), ModuleRegistry::new()).unwrap();
    assert!(matches!(
        none.collect_facts().await,
        Err(ExecutionError::InvalidPlan(_))
    ));
}

#[tokio::test]
async fn variables_are_decrypted_with_the_passwords_that_are_given() {
    let secrets = VaultSecrets::default().with("default", Secret::new("pw".into()));
    let encrypted = rustle_vault::encrypt(b"top", "pw", b"salt", None).unwrap();
    let wanted = plan(&json!([
        {"module": "assert", "args": {"that": "word == 'top'"}, "vars": {"word": {"__ansible_vault": encrypted}}},
    ]));
    let executor = executor(RuntimeConfig::default()).with_vault(Arc::new(secrets));
    let report = executor.execute_plan(wanted).await.unwrap();
    assert_eq!(
        statuses(&report),
        [TaskStatus::Completed],
        "{:?}",
        report.failures
    );
}

#[tokio::test]
async fn tasks_that_may_run_side_by_side_do() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe").display().to_string();
    // Each end of the pipe waits for the other.
    let plan = json!({"plays": [{"hosts": ["localhost"], "strategy": "Free", "batches": [
    {"batch_id": "a", "tasks": [{"module": "command", "args": {"argv": ["mkfifo", pipe]}}]},
    {"batch_id": "b", "dependencies": ["a"], "tasks": [
        {"module": "shell", "args": {"cmd": format!("cat {pipe}")}, "can_run_parallel": true, "timeout": 60},
        {"module": "shell", "args": {"cmd": format!("echo word > {pipe}")}, "can_run_parallel": true, "timeout": 60},
    ]}]}]});
    let (plan, _) = ExecutionPlan::from_json(plan.to_string().as_bytes()).unwrap();
    let report = executor(RuntimeConfig::default())
        .execute_plan(plan)
        .await
        .unwrap();
    assert_eq!(
        statuses(&report),
        [TaskStatus::Completed; 3],
        "{:?}",
        report.failures
    );
}

#[tokio::test]
async fn variables_of_the_plan_stand_below_those_of_the_options() {
    let mut wanted =
        plan(&json!([{"module": "assert", "args": {"that": "[one, other] == [1, 3]"}}]));
    wanted.extra_vars = [("one".to_owned(), json!(1)), ("other".to_owned(), json!(2))]
        .into_iter()
        .collect();
    let mut config = RuntimeConfig::default();
    config.options.extra_vars.insert("other".into(), json!(3));
    let report = executor(config).execute_plan(wanted).await.unwrap();
    assert_eq!(
        statuses(&report),
        [TaskStatus::Completed],
        "{:?}",
        report.failures
    );
}

/// A `ping` of one's own.
struct OwnPing;

#[async_trait]
impl Module for OwnPing {
    type Args = Object;
    type State = ();
    const SPEC: Spec = Spec::new("ping", &[]);

    async fn inspect(&self, _: &dyn Target, _: &Object) -> Result<(), Failure> {
        Ok(())
    }

    fn diff(&self, _: &Object, (): &(), _: Mode) -> Verdict {
        Verdict::unchanged(Output::new(
            [("ping".to_owned(), json!("own"))].into_iter().collect(),
        ))
    }

    async fn apply(
        &self,
        _: &dyn Target,
        _: &Object,
        (): (),
        _: Change,
    ) -> Result<Output, Failure> {
        Err(Failure::new("there is nothing to change"))
    }
}

#[tokio::test]
async fn a_module_of_ones_own_takes_the_place_of_one_that_came_along() {
    let mut registry = modules();
    registry.register_module(&OwnPing);
    registry.register_builtin_modules(&[rustle_modules_commands::FAMILY]);
    let executor = LocalExecutor::new(RuntimeConfig::default(), registry).unwrap();
    let result = executor
        .execute_task(&task(&json!({"module": "ping"})))
        .await
        .unwrap();
    assert_eq!(result.result.unwrap()["ping"], "own");
}
