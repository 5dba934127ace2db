//! Whole courses of a slice, with hosts that end in any order and fail anywhere.

use std::collections::{BTreeMap, HashSet};

use crate::program::Compiler;
use crate::tags::TagFilter;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use rustle_strategy::{Free, Linear};
use rustle_types::{Keywords, TaskBatch, TaskPlan};

use super::*;

/// What ran where, in the order in which it started.
type Course = Vec<(HostName, TaskPath)>;

fn plan(json: serde_json::Value) -> Vec<TaskPlan> {
    serde_json::from_value(json).unwrap()
}

fn tasks(count: usize, once: Option<usize>) -> Vec<TaskPlan> {
    let task =
        |n| serde_json::json!({"name": format!("t{n}"), "ping": {}, "run_once": once == Some(n)});
    plan((0..count).map(task).collect())
}

fn round(
    tasks: Vec<TaskPlan>,
    hosts: usize,
    strategy: Box<dyn Strategy<Position>>,
    rules: Losses,
) -> Round {
    let batch = TaskBatch {
        tasks,
        ..TaskBatch::default()
    };
    let compiler = Compiler {
        play: 0,
        keywords: &Keywords::default(),
        tags: &TagFilter::default(),
        hosts_of: &|_| HashSet::new(),
    };
    Round::new(RoundPlan {
        hosts: (0..hosts)
            .map(|n| HostName::from(format!("h{n}")))
            .collect(),
        strands: StrandPlan::single(&compiler.compile(&[&batch], &[]).nodes),
        handlers: Vec::new(),
        strategy,
        in_step: true,
        play: 0,
        rules,
        force_handlers: false,
        flushes_at_end: true,
    })
}

fn rules_of(step: &Step, _: &HostName) -> UnitRules {
    let once = step.node.keywords.run_once.as_ref();
    UnitRules {
        runs_once: once
            .and_then(rustle_types::Tmpl::as_value)
            .copied()
            .unwrap_or(false),
        throttle: 0,
    }
}

fn unit(host: &HostName, step: &Step) -> UnitId {
    UnitId {
        path: step.place.clone(),
        host: host.clone(),
    }
}

/// Plays a slice to its end. `picks` says who ends next, `fails` whether it failed.
fn play(
    round: &mut Round,
    forks: usize,
    picks: &[usize],
    fails: &dyn Fn(&HostName, &TaskPath) -> bool,
) -> Course {
    let mut picks = picks.iter().copied().chain(std::iter::repeat(0));
    let mut course = Course::new();
    let mut running: Vec<(HostName, Step)> = Vec::new();
    loop {
        for (host, step) in round.startable(forks - running.len(), &rules_of) {
            course.push((host.clone(), step.place.clone()));
            running.push((host, step));
        }
        assert!(running.len() <= forks);
        if running.is_empty() {
            if round.spread_fatal() {
                continue;
            }
            return course;
        }
        let (host, step) = running.remove(picks.next().unwrap_or(0) % running.len());
        let ended = if fails(&host, &step.place) {
            Ended::Failed
        } else {
            Ended::Passed
        };
        let runs_once = rules_of(&step, &host).runs_once;
        if round
            .note(&unit(&host, &step), ended, runs_once, Vec::new())
            .is_some()
        {
            round.hold_if_lost(&step.place);
        }
    }
}

fn by_unit(course: &Course) -> BTreeMap<(HostName, TaskPath), usize> {
    let mut counts = BTreeMap::new();
    for unit in course {
        *counts.entry(unit.clone()).or_default() += 1;
    }
    counts
}

proptest! {
    #[test]
    fn every_unit_runs_exactly_once(
        hosts in 1usize..6, count in 0usize..6, forks in 1usize..5, is_linear: bool,
        picks in prop::collection::vec(0usize..100, 0..60),
    ) {
        let strategy: Box<dyn Strategy<Position>> =
            if is_linear { Box::new(Linear) } else { Box::new(Free::default()) };
        let mut round = round(tasks(count, None), hosts, strategy, Losses::default());
        let course = play(&mut round, forks, &picks, &|_, _| false);
        prop_assert_eq!(course.len(), hosts * count);
        prop_assert!(by_unit(&course).values().all(|times| *times == 1));
    }

    #[test]
    fn linear_starts_tasks_in_order_and_failed_hosts_start_nothing_more(
        hosts in 1usize..6, count in 1usize..6, forks in 1usize..5,
        picks in prop::collection::vec(0usize..100, 0..60),
        bad in prop::collection::hash_set((0usize..6, 0u32..6), 0..5),
    ) {
        let mut round = round(tasks(count, None), hosts, Box::new(Linear), Losses::default());
        let fails = |host: &HostName, place: &TaskPath| {
            bad.iter().any(|(h, t)| *host == HostName::from(format!("h{h}")) && place.0.last() == Some(t))
        };
        let course = play(&mut round, forks, &picks, &fails);
        prop_assert!(course.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{:?}", course);
        for (index, (host, place)) in course.iter().enumerate() {
            if fails(host, place) {
                prop_assert!(course[index + 1..].iter().all(|(other, _)| other != host));
            }
        }
        prop_assert!(by_unit(&course).values().all(|times| *times == 1));
    }

    #[test]
    fn a_task_that_runs_once_runs_on_one_host(
        hosts in 1usize..6, once in 0usize..4, forks in 1usize..5,
        picks in prop::collection::vec(0usize..100, 0..60),
    ) {
        let mut round = round(tasks(4, Some(once)), hosts, Box::new(Linear), Losses::default());
        let course = play(&mut round, forks, &picks, &|_, _| false);
        let place = TaskPath(vec![0, u32::try_from(once).unwrap()]);
        prop_assert_eq!(course.iter().filter(|(_, at)| *at == place).count(), 1);
        prop_assert_eq!(course.len(), hosts * 3 + 1);
    }

    #[test]
    fn nothing_starts_behind_a_task_at_which_too_many_failed(
        hosts in 2usize..6, at in 0u32..4, forks in 1usize..5,
        picks in prop::collection::vec(0usize..100, 0..60),
    ) {
        let rules = Losses { max_fail_percentage: Some(0.0), ..Losses::default() };
        let mut round = round(tasks(4, None), hosts, Box::new(Linear), rules);
        let first = HostName::from("h0");
        let course = play(&mut round, forks, &picks, &|host, place| *host == first && place.0.last() == Some(&at));
        prop_assert!(course.iter().all(|(_, place)| place.0.last() <= Some(&at)));
        // The others finish the task itself.
        prop_assert_eq!(course.len(), hosts * (at as usize + 1));
    }
}

#[test]
fn tasks_that_are_brought_in_run_before_what_follows_and_hosts_stay_in_step() {
    let mut slice = round(tasks(2, None), 2, Box::new(Linear), Losses::default());
    let brought = || {
        let inner = round(tasks(1, None), 1, Box::new(Linear), Losses::default());
        let step = inner.walks[0].step.clone().unwrap();
        vec![(TaskPath(vec![0, 0, 0]), Arc::from([Node::Task(step.node)]))]
    };
    let names = |starts: &[(HostName, Step)]| {
        starts
            .iter()
            .map(|(host, step)| format!("{host}@{}", step.place))
            .collect::<Vec<_>>()
    };
    let at = |host: &str, path: &[u32]| UnitId {
        path: TaskPath(path.to_vec()),
        host: host.into(),
    };
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.0", "h1@0.0"]);
    slice.note(&at("h0", &[0, 0]), Ended::Passed, false, brought());
    assert!(
        slice.startable(9, &rules_of).is_empty(),
        "h1 is not through"
    );
    slice.note(&at("h1", &[0, 0]), Ended::Passed, false, Vec::new());
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.0.0.0"]);
    slice.note(&at("h0", &[0, 0, 0, 0]), Ended::Passed, false, Vec::new());
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.1", "h1@0.1"]);
}

mod side_by_side {
    //! Hosts with several tasks under way.

    use rustle_types::{ExecutionOptions, PlayPlan, StrategyKind};
    use serde_json::{Value, json};

    use super::*;
    use crate::execution::batches::{batch_order, slice_batches};
    use crate::execution::placement::{is_in_step, strategy_of};
    use crate::execution::schedule::RoundSchedule;
    use crate::execution::strands::strands;

    /// A slice of a play, as it is made of a plan.
    fn slice(play: Value, kind: StrategyKind, hosts: usize) -> Round {
        let play: PlayPlan = serde_json::from_value(play).unwrap();
        let options = ExecutionOptions::default();
        let scheduled = RoundSchedule {
            hosts: Vec::new(),
            tasks: Vec::new(),
            batches: batch_order(&play),
        };
        let batches = slice_batches(&play, &scheduled, &options);
        let compiler = Compiler {
            play: 0,
            keywords: &Keywords::default(),
            tags: &TagFilter::default(),
            hosts_of: &|_| HashSet::new(),
        };
        let plans: Vec<&TaskBatch> = batches.iter().map(|ordered| &*ordered.batch).collect();
        let program = compiler.compile(&plans, &play.handlers);
        let strands = strands(kind, &play, &batches, &program.nodes);
        Round::new(RoundPlan {
            hosts: (0..hosts)
                .map(|n| HostName::from(format!("h{n}")))
                .collect(),
            strategy: strategy_of(kind, &strands, &options),
            in_step: is_in_step(kind),
            strands,
            handlers: program.handlers.to_vec(),
            play: 0,
            rules: Losses::default(),
            force_handlers: false,
            flushes_at_end: true,
        })
    }

    fn parallel(name: &str) -> Value {
        json!({"task_id": name, "name": name, "ping": {}, "can_run_parallel": true})
    }

    /// The names of what starts now.
    fn started(round: &mut Round) -> Vec<String> {
        let starts = round.startable(99, &rules_of);
        let shown = |(host, step): &(HostName, Step)| format!("{host} {}", step.node.info.name);
        let mut names: Vec<String> = starts.iter().map(shown).collect();
        names.sort();
        names
    }

    fn end(round: &mut Round, host: &str, path: &[u32], ended: Ended) -> Option<Fate> {
        let unit = UnitId {
            path: TaskPath(path.to_vec()),
            host: host.into(),
        };
        round.note(&unit, ended, false, Vec::new())
    }

    #[test]
    fn marked_tasks_overlap_and_others_are_bounds_between_them() {
        let tasks = json!([parallel("a"), parallel("b"), {"name": "c", "ping": {}}, parallel("d"), parallel("e")]);
        let mut round = slice(
            json!({"hosts": "all", "tasks": tasks}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round), ["h0 a", "h0 b"]);
        end(&mut round, "h0", &[0, 1], Ended::Passed);
        assert!(started(&mut round).is_empty(), "c waits for both");
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 c"]);
        end(&mut round, "h0", &[0, 2], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 d", "h0 e"]);
    }

    #[test]
    fn a_task_waits_for_those_that_it_names_and_for_variables_that_it_mentions() {
        let mut sets = parallel("sets");
        sets["register"] = "seen".into();
        let mut reads = parallel("reads");
        reads["when"] = "seen.rc == 0".into();
        let mut named = parallel("named");
        named["dependencies"] = json!(["other"]);
        let tasks = json!([sets, reads, named, parallel("other")]);
        let mut round = slice(
            json!({"hosts": "all", "tasks": tasks}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round), ["h0 other", "h0 sets"]);
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 reads"]);
        end(&mut round, "h0", &[0, 2], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 named"]);
    }

    #[test]
    fn groups_overlap_as_far_as_their_bound_goes() {
        let task = |name: &str| json!({"task_id": name, "name": name, "ping": {}});
        let batch = json!({"batch_id": "b", "tasks": [task("a"), task("b"), task("c")],
            "parallel_groups": [{"group_id": "g", "tasks": ["a", "b", "c"], "max_parallelism": 2}]});
        let mut round = slice(
            json!({"hosts": "all", "batches": [batch]}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round), ["h0 a", "h0 b"]);
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 c"]);
    }

    #[test]
    fn groups_that_share_a_resource_exclude_each_other_on_a_host() {
        let batch = |id: &str| {
            json!({"batch_id": id, "tasks": [parallel(id)],
                "parallel_groups": [{"group_id": id, "tasks": [id], "shared_resources": ["db"]}]})
        };
        let mut round = slice(
            json!({"hosts": "all", "batches": [batch("a"), batch("b")]}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round), ["h0 a"]);
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 b"]);
    }

    #[test]
    fn batches_that_do_not_wait_for_each_other_run_at_the_same_time_on_one_host() {
        let batch = |id: &str, needs: &[&str]| json!({"batch_id": id, "dependencies": needs, "tasks": [{"name": format!("{id}1"), "ping": {}}, {"name": format!("{id}2"), "ping": {}}]});
        let play = json!({"hosts": "all", "batches": [batch("a", &[]), batch("b", &[]), batch("c", &["a"])]});
        let mut round = slice(play, StrategyKind::Batch, 2);
        assert_eq!(started(&mut round), ["h0 a1", "h0 b1", "h1 a1", "h1 b1"]);
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert!(started(&mut round).is_empty(), "a batch is linear inside");
        end(&mut round, "h1", &[0, 0], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 a2", "h1 a2"]);
        end(&mut round, "h0", &[0, 1], Ended::Passed);
        assert!(started(&mut round).is_empty(), "c waits for all hosts of a");
        end(&mut round, "h1", &[0, 1], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 c1", "h1 c1"]);
    }

    #[test]
    fn a_failure_starts_nothing_more_and_lets_what_runs_come_to_its_end() {
        let block = json!({"can_run_parallel": true, "block": [{"name": "in", "ping": {}}],
            "rescue": [{"name": "rescue", "ping": {}}], "always": [{"name": "always", "ping": {}}]});
        let tasks = json!([parallel("a"), parallel("b"), block, {"name": "end", "ping": {}}]);
        let mut round = slice(
            json!({"hosts": "all", "tasks": tasks}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round), ["h0 a", "h0 b", "h0 in"]);
        assert_eq!(
            end(&mut round, "h0", &[0, 0], Ended::Failed),
            Some(Fate::Out)
        );
        assert!(started(&mut round).is_empty());
        assert_eq!(end(&mut round, "h0", &[0, 1], Ended::Passed), None);
        assert_eq!(
            end(&mut round, "h0", &[0, 2, 0, 0], Ended::Failed),
            Some(Fate::Unwinding)
        );
        assert_eq!(
            started(&mut round),
            ["h0 always"],
            "nothing rescues it, but the block is left in order"
        );
        end(&mut round, "h0", &[0, 2, 2, 0], Ended::Passed);
        assert!(started(&mut round).is_empty());
        assert_eq!(round.losses().lost, 1);
    }

    #[test]
    fn handlers_run_when_nothing_else_is_under_way() {
        let play = json!({"hosts": "all", "tasks": [parallel("a"), parallel("b")], "handlers": [{"name": "h", "ping": {}}]});
        let mut round = slice(play, StrategyKind::Free, 1);
        assert_eq!(started(&mut round), ["h0 a", "h0 b"]);
        round.notify(&"h0".into(), &["h".into()]);
        end(&mut round, "h0", &[0, 0], Ended::Passed);
        assert!(started(&mut round).is_empty());
        end(&mut round, "h0", &[0, 1], Ended::Passed);
        assert_eq!(started(&mut round), ["h0 h"]);
    }

    #[test]
    fn a_host_that_comes_back_goes_on_in_all_its_strands() {
        let tasks = json!([parallel("a"), parallel("b"), {"name": "end", "ping": {}}]);
        let mut round = slice(
            json!({"hosts": "all", "tasks": tasks}),
            StrategyKind::Free,
            1,
        );
        assert_eq!(started(&mut round).len(), 2);
        end(&mut round, "h0", &[0, 0], Ended::Unreachable);
        end(&mut round, "h0", &[0, 1], Ended::Passed);
        assert!(started(&mut round).is_empty());
        round.forgive();
        assert_eq!(started(&mut round), ["h0 end"]);
    }

    proptest! {
        #[test]
        fn every_unit_runs_once_after_what_it_depends_on(
            hosts in 1usize..4, forks in 1usize..5, is_free: bool,
            marks in prop::collection::vec((prop::bool::ANY, prop::option::of(0usize..9)), 1..9),
            cut in 0usize..9, depends: bool,
            picks in prop::collection::vec(0usize..100, 0..60),
        ) {
            let task = |(n, (is_parallel, needs)): (usize, &(bool, Option<usize>))| {
                let needs: Vec<String> = needs.filter(|need| *need < n).map(|need| format!("t{need}")).into_iter().collect();
                json!({"task_id": format!("t{n}"), "name": format!("t{n}"), "ping": {}, "can_run_parallel": is_parallel, "dependencies": needs})
            };
            let all: Vec<Value> = marks.iter().enumerate().map(task).collect();
            let (first, second) = all.split_at(cut.min(all.len()));
            let needs: Vec<&str> = depends.then_some("one").into_iter().collect();
            let play = json!({"hosts": "all", "batches": [
                {"batch_id": "one", "tasks": first}, {"batch_id": "two", "dependencies": needs, "tasks": second},
            ]});
            let kind = if is_free { StrategyKind::Free } else { StrategyKind::Batch };
            let mut round = slice(play, kind, hosts);
            let mut picks = picks.into_iter().chain(std::iter::repeat(0));
            let mut running: Vec<(HostName, Step)> = Vec::new();
            let mut ended: HashSet<(HostName, String)> = HashSet::new();
            let mut started = 0;
            loop {
                for (host, step) in round.startable(forks - running.len(), &rules_of) {
                    started += 1;
                    for needed in &step.node.task.dependencies {
                        prop_assert!(ended.contains(&(host.clone(), needed.clone())), "{} before {}", step.node.info.name, needed);
                    }
                    running.push((host, step));
                }
                prop_assert!(running.len() <= forks);
                if running.is_empty() {
                    break;
                }
                let (host, step) = running.remove(picks.next().unwrap_or(0) % running.len());
                prop_assert!(ended.insert((host.clone(), step.node.info.name.clone())), "a unit ran twice");
                round.note(&unit(&host, &step), Ended::Passed, false, Vec::new());
            }
            prop_assert_eq!(started, hosts * all.len());
            prop_assert_eq!(ended.len(), started);
        }
    }
}
