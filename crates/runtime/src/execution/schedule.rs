//! What a plan comes to for this inventory and these options: which hosts, in which slices, run which tasks.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::seq::SliceRandom as _;
use rustle_inventory::Inventory;
use rustle_inventory::patterns::HostPattern;
use rustle_types::plan::HostOrder;
use rustle_types::{
    ExecutionOptions, ExecutionPlan, HostName, PlayHosts, PlayPlan, StrategyKind, Tmpl,
};
use serde::Serialize;

use crate::execution::error::ExecutionError;
use crate::execution::play_keywords::has_template_hosts;
use crate::execution::slices::rounds;

/// What a plan comes to.
#[derive(Clone, Debug, Serialize)]
pub struct Schedule {
    /// The plays, in order.
    pub plays: Vec<PlaySchedule>,
    /// What the user should know.
    pub warnings: Vec<String>,
}

/// What a play comes to.
#[derive(Clone, Debug, Serialize)]
pub struct PlaySchedule {
    /// Its index in the plan.
    pub index: usize,
    /// Its name.
    pub name: String,
    /// Its strategy.
    pub strategy: StrategyKind,
    /// Its hosts in the order they are worked on; none where the play is skipped.
    pub hosts: Vec<HostName>,
    /// The same hosts in inventory order.
    #[serde(skip)]
    pub(crate) matched: Vec<HostName>,
    /// The slices of its hosts, one after the other.
    pub rounds: Vec<RoundSchedule>,
    /// The names of its handlers.
    pub handlers: Vec<String>,
}

/// A slice of a play's hosts.
#[derive(Clone, Debug, Serialize)]
pub struct RoundSchedule {
    /// Its hosts.
    pub hosts: Vec<HostName>,
    /// Its tasks, in order.
    pub tasks: Vec<ScheduledTask>,
    /// The indices of the play's batches that it runs, in order; tasks outside of batches count as one more.
    #[serde(skip)]
    pub(crate) batches: Vec<usize>,
}

/// A task of a slice.
#[derive(Clone, Debug, Serialize)]
pub struct ScheduledTask {
    /// Where it stands in the plan.
    pub path: String,
    /// Its name.
    pub name: String,
    /// Its module.
    pub module: String,
    /// The blocks around it.
    pub depth: usize,
}

/// Hosts and slices of every play, without tasks.
pub(crate) fn schedule(
    plan: &ExecutionPlan,
    inventory: &Inventory,
    options: &ExecutionOptions,
) -> Result<Schedule, ExecutionError> {
    let mut warnings = Vec::new();
    let mut plays = Vec::new();
    for (index, play) in plan.plays.iter().enumerate() {
        plays.push(schedule_play(
            (index, play),
            inventory,
            options,
            &mut warnings,
        )?);
    }
    let is_open = plan.plays.iter().any(has_template_hosts);
    if !is_open && !plan.plays.is_empty() && plays.iter().all(|play| play.hosts.is_empty()) {
        return Err(ExecutionError::NoHosts {
            limit: options.limit.clone(),
            patterns: patterns_of(plan),
        });
    }
    Ok(Schedule { plays, warnings })
}

/// Hosts and slices of one play, without tasks.
pub(crate) fn schedule_play(
    (index, play): (usize, &PlayPlan),
    inventory: &Inventory,
    options: &ExecutionOptions,
    warnings: &mut Vec<String>,
) -> Result<PlaySchedule, ExecutionError> {
    let mut hosts = play_hosts(play, inventory, warnings)?;
    if let Some(limit) = &options.limit {
        let limit = resolve_limit(limit, inventory, warnings)?;
        hosts.retain(|host| limit.contains(host));
    }
    let matched = hosts.clone();
    arrange(
        &mut hosts,
        play.order.as_ref().and_then(Tmpl::as_value).copied(),
    );
    let own = play.strategy.as_ref().and_then(Tmpl::as_value).copied();
    let strategy = options.strategy.or(own).unwrap_or_default();
    let rounds = rounds(play, strategy, &hosts, options);
    Ok(PlaySchedule {
        index,
        name: play.title().to_owned(),
        strategy,
        hosts,
        matched,
        rounds,
        handlers: play
            .handlers
            .iter()
            .map(|handler| handler.title().to_owned())
            .collect(),
    })
}

/// Whom the plays of a plan ask for.
pub(crate) fn patterns_of(plan: &ExecutionPlan) -> BTreeSet<String> {
    let patterns = plan.plays.iter().map(pattern_of);
    patterns.filter(|pattern| !pattern.is_empty()).collect()
}

pub(crate) fn pattern_of(play: &PlayPlan) -> String {
    match (&play.hosts, &play.hosts_pattern) {
        (PlayHosts::Pattern(pattern), _) | (PlayHosts::Names(_), Some(pattern)) => pattern.clone(),
        (PlayHosts::Names(names), None) => {
            let in_batches = play.batches.iter().flat_map(|batch| &batch.hosts);
            let mut all: Vec<&str> = Vec::new();
            for name in names.iter().chain(in_batches).map(HostName::as_str) {
                if !all.contains(&name) {
                    all.push(name);
                }
            }
            all.join(",")
        }
    }
}

/// The play where hosts were added meanwhile: its pattern counts, and a batch that was for all of its hosts is for all
/// there are now.
pub(crate) fn with_pattern(play: &PlayPlan) -> PlayPlan {
    let mut play = play.clone();
    let PlayHosts::Names(names) = &play.hosts else {
        return play;
    };
    let Some(pattern) = &play.hosts_pattern else {
        return play;
    };
    let named: HashSet<&HostName> = names.iter().collect();
    for batch in &mut play.batches {
        let is_for_all =
            batch.hosts.len() == named.len() && batch.hosts.iter().all(|host| named.contains(host));
        if is_for_all {
            batch.hosts.clear();
        }
    }
    play.hosts = PlayHosts::Pattern(pattern.clone());
    play
}

/// The hosts that a limit leaves.
pub(crate) fn resolve_limit(
    limit: &str,
    inventory: &Inventory,
    warnings: &mut Vec<String>,
) -> Result<HashSet<HostName>, ExecutionError> {
    let wrong = |source| ExecutionError::Pattern {
        pattern: limit.to_owned(),
        source,
    };
    let pattern = HostPattern::parse_limit(limit, &rustle_inventory::Disk).map_err(wrong)?;
    let matches = pattern.resolve(inventory).map_err(wrong)?;
    add_warnings(warnings, matches.warnings.iter().map(ToString::to_string));
    Ok(matches.hosts.into_iter().collect())
}

/// Adds what is not said yet.
fn add_warnings(warnings: &mut Vec<String>, more: impl Iterator<Item = String>) {
    for warning in more {
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }
}

/// The hosts of a pattern.
pub(crate) fn hosts_of_pattern(
    pattern: &str,
    inventory: &Inventory,
    warnings: &mut Vec<String>,
) -> Result<Vec<HostName>, ExecutionError> {
    let wrong = |source| ExecutionError::Pattern {
        pattern: pattern.to_owned(),
        source,
    };
    let matches = HostPattern::parse(pattern)
        .map_err(wrong)?
        .resolve(inventory)
        .map_err(wrong)?;
    add_warnings(warnings, matches.warnings.iter().map(ToString::to_string));
    Ok(matches.hosts)
}

/// A play's hosts: those that the plan names and the inventory knows, in inventory order, or those of its pattern.
fn play_hosts(
    play: &PlayPlan,
    inventory: &Inventory,
    warnings: &mut Vec<String>,
) -> Result<Vec<HostName>, ExecutionError> {
    let batches = play.batches.iter().flat_map(|batch| &batch.hosts);
    match &play.hosts {
        // It is known when the play begins.
        PlayHosts::Pattern(_) if has_template_hosts(play) => Ok(Vec::new()),
        PlayHosts::Pattern(pattern) => hosts_of_pattern(pattern, inventory, warnings),
        PlayHosts::Names(names) if names.is_empty() && play.hosts_pattern.is_some() => {
            Ok(Vec::new())
        }
        PlayHosts::Names(names) => {
            let named: Vec<&HostName> = if names.is_empty() {
                batches.collect()
            } else {
                names.iter().collect()
            };
            let place: HashMap<&HostName, usize> = inventory
                .hosts()
                .iter()
                .enumerate()
                .map(|(place, host)| (host, place))
                .collect();
            let mut hosts: Vec<HostName> = Vec::new();
            for host in named {
                if !inventory.has_host(host.as_str()) {
                    let warning = format!(
                        "play `{}` names host `{host}`, which is not in the inventory",
                        play.title()
                    );
                    if !warnings.contains(&warning) {
                        warnings.push(warning);
                    }
                } else if !hosts.contains(host) {
                    hosts.push(host.clone());
                }
            }
            // Where they were resolved from a pattern, its order counts: `db,web` is `db` first.
            if play.hosts_pattern.is_none() {
                hosts.sort_by_key(|host| place.get(host).copied().unwrap_or(usize::MAX));
            }
            Ok(hosts)
        }
    }
}

fn arrange(hosts: &mut [HostName], order: Option<HostOrder>) {
    match order {
        None | Some(HostOrder::Inventory) => {}
        Some(HostOrder::ReverseInventory) => hosts.reverse(),
        Some(HostOrder::Sorted) => hosts.sort(),
        Some(HostOrder::ReverseSorted) => {
            hosts.sort();
            hosts.reverse();
        }
        Some(HostOrder::Shuffle) => hosts.shuffle(&mut rand::rng()),
    }
}
