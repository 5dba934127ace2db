//! The schedule of a run as text: what `--dry-run` prints.

use std::fmt::{self, Display};

use rustle_engine::{PlaySchedule, RoundSchedule};
use rustle_report::escape_for_terminal;
use rustle_types::HostName;

use crate::wiring::Schedule;

/// Writes a schedule: a paragraph a play.
pub(crate) struct Text<'s>(pub(crate) &'s Schedule);

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, play) in self.0.plays.iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write_play(f, index, play)?;
        }
        Ok(())
    }
}

fn write_play(f: &mut fmt::Formatter<'_>, index: usize, play: &PlaySchedule) -> fmt::Result {
    writeln!(
        f,
        "play {}: {} ({})",
        index + 1,
        escape_for_terminal(&play.name),
        play.strategy
    )?;
    if play.hosts.is_empty() {
        return writeln!(f, "  no hosts");
    }
    writeln!(f, "  hosts ({}): {}", play.hosts.len(), names(&play.hosts))?;
    for (number, round) in play.rounds.iter().enumerate() {
        write_round(f, (number + 1, play.rounds.len()), round)?;
    }
    if !play.handlers.is_empty() {
        writeln!(f, "  handlers, where notified")?;
    }
    play.handlers
        .iter()
        .try_for_each(|name| writeln!(f, "    {}", escape_for_terminal(name)))
}

fn write_round(
    f: &mut fmt::Formatter<'_>,
    (number, all): (usize, usize),
    round: &RoundSchedule,
) -> fmt::Result {
    if all > 1 {
        writeln!(
            f,
            "  batch {number} of {all} ({}): {}",
            round.hosts.len(),
            names(&round.hosts)
        )?;
    }
    for task in &round.tasks {
        let (name, module) = (
            escape_for_terminal(&task.name),
            escape_for_terminal(&task.module),
        );
        let module = if name == module {
            String::new()
        } else {
            format!(" ({module})")
        };
        writeln!(
            f,
            "    {:indent$}{name}{module}",
            "",
            indent = 2 * task.depth
        )?;
    }
    Ok(())
}

fn names(hosts: &[HostName]) -> String {
    let names: Vec<_> = hosts
        .iter()
        .map(|host| escape_for_terminal(host.as_str()))
        .collect();
    names.join(", ")
}
