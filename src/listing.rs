//! What a plan holds, as text: what `--list-hosts`, `--list-tasks` and `--list-tags` print.

use std::collections::BTreeSet;
use std::fmt::{self, Display};

use rustle_engine::PlayListing;
use rustle_report::escape_for_terminal;

use crate::cli::ListArgs;
use crate::wiring::Listing;

/// Writes a listing: a paragraph a play, with what was asked for.
pub(crate) struct Text<'l> {
    /// What the plan is called.
    pub(crate) plan: &'l str,
    pub(crate) listing: &'l Listing,
    pub(crate) asked: ListArgs,
}

impl Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan: {}", escape_for_terminal(self.plan))?;
        for (index, play) in self.listing.plays.iter().enumerate() {
            write_play(f, index, play, self.asked)?;
        }
        Ok(())
    }
}

fn write_play(
    f: &mut fmt::Formatter<'_>,
    index: usize,
    play: &PlayListing,
    asked: ListArgs,
) -> fmt::Result {
    let (number, pattern) = (index + 1, escape_for_terminal(&play.pattern));
    let (name, tags) = (escape_for_terminal(&play.name), list(&play.tags));
    writeln!(f, "\n  play #{number} ({pattern}): {name}\tTAGS: {tags}")?;
    if asked.list_hosts {
        writeln!(f, "    pattern: ['{pattern}']")?;
        writeln!(f, "    hosts ({}):", play.hosts.len())?;
        for host in &play.hosts {
            writeln!(f, "      {}", escape_for_terminal(host.as_str()))?;
        }
    }
    if asked.list_tasks {
        writeln!(f, "    tasks:")?;
        for task in &play.tasks {
            let (name, tags) = (escape_for_terminal(&task.name), list(&task.tags));
            writeln!(f, "      {name}\tTAGS: {tags}")?;
        }
    }
    if asked.list_tags {
        let all: BTreeSet<&String> = play.tasks.iter().flat_map(|task| &task.tags).collect();
        writeln!(f, "      TASK TAGS: {}", list(all))?;
    }
    Ok(())
}

fn list<'t>(tags: impl IntoIterator<Item = &'t String>) -> String {
    let tags: Vec<_> = tags
        .into_iter()
        .map(|tag| escape_for_terminal(tag))
        .collect();
    format!("[{}]", tags.join(", "))
}
