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
        program: compiler.compile(&[&batch], &[]),
        strategy,
        play: 0,
        rules,
        force_handlers: false,
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
        if round.note(&host, ended, runs_once, Vec::new()).is_some() {
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
        let step = inner.hosts[0].step.clone().unwrap();
        vec![(TaskPath(vec![0, 0, 0]), Arc::from([Node::Task(step.node)]))]
    };
    let names = |starts: &[(HostName, Step)]| {
        starts
            .iter()
            .map(|(host, step)| format!("{host}@{}", step.place))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.0", "h1@0.0"]);
    slice.note(&"h0".into(), Ended::Passed, false, brought());
    assert!(
        slice.startable(9, &rules_of).is_empty(),
        "h1 is not through"
    );
    slice.note(&"h1".into(), Ended::Passed, false, Vec::new());
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.0.0.0"]);
    slice.note(&"h0".into(), Ended::Passed, false, Vec::new());
    assert_eq!(names(&slice.startable(9, &rules_of)), ["h0@0.1", "h1@0.1"]);
}
