//! Plays, one after the other, and the slices of each.

use std::sync::Arc;

use crate::play::PlayContext;
use crate::vars_files::VarsFiles;
use rustle_events::EventKind;
use rustle_process::CancelLevel;
use rustle_template::{Layer, Trust};
use rustle_types::{ExecutionPlan, HostName, Object, PlayPlan, Tmpl};

use crate::execution::batches::slice_batches;
use crate::execution::compile::{compile, holds_flushes, named_handlers, role_names};
use crate::execution::error::ExecutionError;
use crate::execution::executor::PlanExecutor;
use crate::execution::placement::{is_in_step, rules, strategy_of};
use crate::execution::play_keywords::{ask, render, waits};
use crate::execution::roster::Roster;
use crate::execution::round::{Round, RoundPlan};
use crate::execution::run::{AfterRound, Run};
use crate::execution::schedule::{PlaySchedule, Schedule, schedule_play, with_pattern};
use crate::execution::start_at::StartAt;
use crate::execution::strands::strands;

impl PlanExecutor {
    pub(crate) async fn run_plays(
        &self,
        plan: &ExecutionPlan,
        schedule: &Schedule,
        run: &mut Run<'_>,
    ) -> Result<(), ExecutionError> {
        let units = schedule
            .plays
            .iter()
            .flat_map(|play| &play.rounds)
            .map(|round| round.tasks.len() * round.hosts.len());
        run.begin(plan, units.sum::<usize>() as u64);
        for warning in &schedule.warnings {
            run.emit(EventKind::Warned {
                message: warning.clone(),
            });
        }
        let mut start_at = StartAt::new(run.options);
        for scheduled in &schedule.plays {
            if run.is_over || run.cancel.level() > CancelLevel::Run {
                break;
            }
            let play = &plan.plays[scheduled.index];
            if run.book.changes() == 0 && !waits(play) {
                self.run_play(play, scheduled, run, &mut start_at).await?;
                continue;
            }
            let play = play_as_it_is((scheduled.index, play), run).await?;
            let mut warnings = Vec::new();
            let scheduled = run.book.inventory(|inventory| {
                let numbered = (scheduled.index, &play);
                schedule_play(numbered, inventory, run.options, &mut warnings)
            })?;
            for message in warnings {
                run.emit(EventKind::Warned { message });
            }
            self.run_play(&play, &scheduled, run, &mut start_at).await?;
        }
        Ok(())
    }

    async fn run_play(
        &self,
        play: &PlayPlan,
        scheduled: &PlaySchedule,
        run: &mut Run<'_>,
        start_at: &mut StartAt,
    ) -> Result<(), ExecutionError> {
        let hosts = left_of(&scheduled.hosts, run);
        if !tell_begin(scheduled, &hosts, run) {
            return Ok(());
        }
        let mut context = play_context(play, (scheduled.index, &scheduled.name), &scheduled.hosts);
        check_vars_files(&context, &scheduled.hosts, run)?;
        let mut roster = Roster::new(play, scheduled, run.book.changes());
        for (number, slice) in scheduled.rounds.iter().enumerate() {
            let slice_hosts = left_of(&slice.hosts, run);
            if slice_hosts.is_empty() {
                continue;
            }
            if scheduled.rounds.len() > 1 {
                run.emit(EventKind::BatchStarted {
                    play: scheduled.index,
                    batch: number,
                    batches: scheduled.rounds.len(),
                    hosts: slice_hosts.clone(),
                });
            }
            let program = run.book.inventory(|inventory| {
                let options = run.options;
                compile(play, scheduled.index, slice, inventory, options, start_at)
            });
            let strategy = scheduled.strategy;
            let batches = slice_batches(play, slice, run.options);
            let strands = strands(strategy, play, &batches, &program.nodes);
            let round = Round::new(RoundPlan {
                strategy: strategy_of(strategy, &strands, run.options),
                in_step: is_in_step(strategy),
                strands,
                handlers: named_handlers(program.handlers.to_vec(), &run.world, &context),
                hosts: slice_hosts,
                play: u32::try_from(scheduled.index).unwrap_or(u32::MAX),
                rules: rules(play, strategy, run.options),
                force_handlers: run.options.force_handlers || is_on(play.force_handlers.as_ref()),
                flushes_at_end: !holds_flushes(play),
            });
            let after = run.round(round, &mut context, &mut roster).await;
            if matches!(after, AfterRound::EndPlay) {
                break;
            }
        }
        run.emit(EventKind::PlayFinished {
            play: scheduled.index,
        });
        Ok(())
    }
}

/// The play as it is when it begins: people were asked, and hosts and groups may have come to be.
async fn play_as_it_is(
    (index, play): (usize, &PlayPlan),
    run: &mut Run<'_>,
) -> Result<PlayPlan, ExecutionError> {
    let mut play = if run.book.changes() == 0 {
        play.clone()
    } else {
        with_pattern(play)
    };
    ask(&mut play, run).await?;
    render(&mut play, index, &run.world)?;
    Ok(play)
}

/// What the tasks of a play share.
pub(crate) fn play_context(
    play: &PlayPlan,
    (index, name): (usize, &str),
    hosts: &[HostName],
) -> PlayContext {
    let layer = |vars: &Object| Layer::new(Arc::new(vars.clone()), Trust::Trusted);
    let files = || Arc::new(VarsFiles::new(play.vars_files.to_vec()));
    PlayContext {
        index,
        name: name.to_owned(),
        defaults: layer(&play.defaults),
        vars: layer(&play.keywords.vars),
        vars_files: (!play.vars_files.is_empty()).then(files),
        role_vars: layer(&play.role_vars),
        roles: role_names(play).into(),
        dependencies: Arc::default(),
        hosts: PlayContext::host_vars(hosts, hosts, hosts),
    }
}

/// Whether each host has the files of variables that it is to have.
fn check_vars_files(
    context: &PlayContext,
    hosts: &[HostName],
    run: &Run<'_>,
) -> Result<(), ExecutionError> {
    let Some(files) = &context.vars_files else {
        return Ok(());
    };
    let names = PlayContext {
        vars_files: None,
        ..context.clone()
    };
    for host in hosts {
        let scope = names.scope(&run.world, None, host);
        files
            .check(&run.world, &scope)
            .map_err(|(path, reason)| ExecutionError::Play {
                play: context.name.clone(),
                reason: format!("cannot read variables from `{}`: {reason}", path.display()),
            })?;
    }
    Ok(())
}

/// Tells that a play begins, or why it does not.
fn tell_begin(scheduled: &PlaySchedule, hosts: &[HostName], run: &mut Run<'_>) -> bool {
    let (play, name) = (scheduled.index, scheduled.name.clone());
    if hosts.is_empty() {
        let reason = if scheduled.hosts.is_empty() {
            "no hosts matched"
        } else {
            "no hosts are left"
        };
        let reason = reason.into();
        run.emit(EventKind::PlaySkipped { play, name, reason });
        return false;
    }
    let strategy = scheduled.strategy;
    run.emit(EventKind::PlayStarted {
        play,
        name,
        hosts: hosts.to_vec(),
        strategy: strategy.to_string(),
    });
    if strategy.is_binary() {
        let message = format!(
            "the strategy {strategy} runs as HostPinned in this version: every task is one round trip"
        );
        run.emit(EventKind::Warned { message });
    }
    true
}

/// Those hosts that are not lost.
fn left_of(hosts: &[HostName], run: &Run<'_>) -> Vec<HostName> {
    let is_left = |host: &&HostName| !run.lost.contains(*host);
    hosts.iter().filter(is_left).cloned().collect()
}

/// Whether a keyword is set; one that is a template counts as not set.
fn is_on(flag: Option<&Tmpl<bool>>) -> bool {
    flag.and_then(Tmpl::as_value).copied().unwrap_or(false)
}
