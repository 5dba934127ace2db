//! What actions ask of the loop: more tasks, hosts and groups, numbers for the report.

use std::sync::Arc;

use crate::cursor::Step;
use crate::include::{Brought, Include, IncludedNodes};
use crate::play::PlayContext;
use crate::program::{Compiler, Node};
use crate::requests::Request;
use crate::tags::TagFilter;
use rustle_events::{EventKind, TaskPath};
use rustle_inventory::{Inventory, InventoryError};
use rustle_types::{HostName, Keywords};
use serde_json::Value;

use crate::execution::compile::named_handlers;
use crate::execution::round::Round;
use crate::execution::run::Run;
use crate::execution::schedule::hosts_of_pattern;

impl Run<'_> {
    /// Does what the actions of a unit asked for; tells whether the play ends.
    pub(crate) fn grant(
        &mut self,
        requests: Vec<Request>,
        host: &HostName,
        round: &mut Round,
    ) -> bool {
        let mut ends_play = false;
        for request in requests {
            match request {
                Request::Meta(request) => ends_play |= self.meta(&request, round, host),
                Request::Include(_) => {}
                Request::Facts { host, effects } => self.book.apply(&host, &effects),
                Request::AddHost(new) => {
                    let added = self.book.add_host(&new);
                    self.warn_of(added);
                }
                Request::Group { name, parents } => {
                    let grouped = self.book.group(host, &name, &parents);
                    self.warn_of(grouped);
                }
                Request::Stats {
                    data,
                    per_host,
                    aggregate,
                } => self.emit(EventKind::StatsSet {
                    host: per_host.then(|| host.clone()),
                    data,
                    aggregate,
                }),
            }
        }
        ends_play
    }

    /// Reads the inventory again, once for all hosts that ask for it at one task.
    pub(crate) fn refresh_inventory(&mut self) {
        let Some(reread) = self.reread.clone() else {
            return;
        };
        let fresh =
            reread().and_then(|parsed| Inventory::new(parsed).map_err(|error| error.to_string()));
        match fresh {
            Ok(inventory) => self.book.replace(inventory),
            Err(reason) => self.emit(EventKind::Warned {
                message: format!("the inventory stays as it was: {reason}"),
            }),
        }
    }

    fn warn_of(&mut self, done: Result<Vec<String>, InventoryError>) {
        let messages =
            done.unwrap_or_else(|error| vec![format!("the inventory stays as it was: {error}")]);
        for message in messages {
            self.emit(EventKind::Warned { message });
        }
    }

    /// The tasks that a unit brought in, with the places that they lie below.
    ///
    /// Hosts that bring in the same get the same tasks at the same places, so they stay in step.
    pub(crate) fn bring_in(
        &mut self,
        requests: &[Request],
        host: &HostName,
        step: &Step,
        round: &mut Round,
        play: &mut PlayContext,
    ) -> Vec<(TaskPath, Arc<[Node]>)> {
        let mut lists = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        let includes = requests.iter().filter_map(|request| match request {
            Request::Include(include) => Some(Include::clone(include)),
            _ => None,
        });
        for mut include in includes {
            if !include.is_import {
                self.emit(EventKind::TasksIncluded {
                    host: host.clone(),
                    name: include.name.clone(),
                });
            }
            if !drop_what_ran(&mut include, host, step, round) {
                continue;
            }
            let key = include.key();
            let times = seen.iter().filter(|known| **known == key).count();
            seen.push(key.clone());
            let (place, known) = round.included(&step.place, (key, times));
            let nodes = match known {
                Some(nodes) => nodes,
                None => {
                    let brought = self.compile_include(&include, step, &place);
                    let handlers = named_handlers(brought.handlers, &self.world, play);
                    round.add_handlers(handlers);
                    round.remember(&step.place, &brought.nodes);
                    if let Brought::Role(role) = &include.what {
                        play.add_role(role);
                    }
                    brought.nodes
                }
            };
            lists.push((place, nodes));
        }
        lists
    }

    fn compile_include(&self, include: &Include, step: &Step, place: &TaskPath) -> IncludedNodes {
        let tags = TagFilter::new(&self.options.tags, &self.options.skip_tags);
        self.book.inventory(|inventory| {
            let hosts_of = |pattern: &str| {
                hosts_of_pattern(pattern, inventory, &mut Vec::new())
                    .map(|hosts| hosts.into_iter().collect())
                    .unwrap_or_default()
            };
            let compiler = Compiler {
                play: place.play(),
                keywords: &Keywords::default(),
                tags: &tags,
                hosts_of: &hosts_of,
            };
            compiler.include(include, &step.node, place)
        })
    }
}

/// Leaves out roles that ran on the host and do not run twice; tells whether anything is left.
///
/// A role that is included and one that others depend on are not the same, nor are two with other parameters.
fn drop_what_ran(include: &mut Include, host: &HostName, step: &Step, round: &mut Round) -> bool {
    let key = include.key();
    let Brought::Role(role) = &mut include.what else {
        return true;
    };
    let vars = Value::Object(step.node.task.keywords.vars.clone());
    if round.has_begun_role(host, format!("{key}\n{vars}")) && !role.allows_duplicates {
        return false;
    }
    if !role.dependencies.is_empty() {
        *role = role
            .without(&mut |dependency| round.has_begun_role(host, dependency))
            .into();
    }
    true
}
