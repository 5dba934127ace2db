//! The hosts of a run: from `-i`, from the plan, or by their names alone.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustle_inventory::{FileTree, InventoryError, InventorySource, Loaded, load};
use rustle_types::{ExecutionPlan, HostName, JsonValue, PlayHosts, PlayPlan};

use crate::env::{self, Environment};

/// What `-i` was given, else what `RUSTLE_INVENTORY` holds.
pub(crate) fn arguments(given: &[String], environment: &Environment) -> Vec<String> {
    if given.is_empty() {
        let named = environment.path(env::INVENTORY);
        return named
            .map(|path| path.to_string_lossy().into_owned())
            .into_iter()
            .collect();
    }
    given.to_vec()
}

/// Loads the hosts of a run: the inventory that the plan carries with those of `arguments` on top; where there is neither,
/// the names that the plan uses.
///
/// # Errors
/// When any of them cannot be read or does not parse.
pub(crate) fn read(
    arguments: &[String],
    plan: &ExecutionPlan,
    base_dir: &Path,
    files: &dyn FileTree,
) -> Result<Loaded, InventoryError> {
    load(&sources(arguments, plan), Some(base_dir), files)
}

/// Where the hosts of a run come from.
pub(crate) fn sources(arguments: &[String], plan: &ExecutionPlan) -> Vec<InventorySource> {
    let mut sources = Vec::new();
    if let Some(inventory) = &plan.inventory {
        let value = JsonValue::Object(inventory.clone());
        sources.push(InventorySource::Value {
            value,
            origin: "of the plan".into(),
        });
    }
    sources.extend(
        arguments
            .iter()
            .map(|argument| InventorySource::from_argument(argument)),
    );
    if sources.is_empty() {
        sources.push(InventorySource::Names(names_in(plan)));
    }
    sources
}

/// Reads the hosts of a run again, for `meta: refresh_inventory`.
pub(crate) fn rereader(
    sources: Vec<InventorySource>,
    base_dir: PathBuf,
    files: impl FileTree + Send + Sync + 'static,
) -> rustle_engine::InventoryReader {
    Arc::new(move || match load(&sources, Some(&base_dir), &files) {
        Ok(loaded) => Ok(loaded.inventory),
        Err(error) => Err(error.to_string()),
    })
}

/// The host patterns of plays by their index, where an inventory is what `rustle-parse` wrote: `rustle-plan` 0.1 leaves a play
/// of a group without hosts, and the plan was made from that.
pub(crate) fn host_patterns(arguments: &[String]) -> Vec<Option<String>> {
    let parsed = arguments
        .iter()
        .filter(|argument| !argument.contains(','))
        .find_map(|path| {
            // Whatever is wrong with the file is told when it is loaded.
            let text = std::fs::read(path).ok()?;
            if text.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
                return None;
            }
            let document: JsonValue = serde_json::from_slice(&text).ok()?;
            document
                .get("inventory")
                .and(document.get("plays"))?
                .as_array()
                .cloned()
        });
    parsed
        .unwrap_or_default()
        .iter()
        .map(|play| pattern_of(play.get("hosts")?))
        .collect()
}

fn pattern_of(hosts: &JsonValue) -> Option<String> {
    match hosts {
        JsonValue::String(pattern) => {
            Some(pattern.clone()).filter(|pattern| !pattern.trim().is_empty())
        }
        JsonValue::Array(patterns) => {
            let patterns: Vec<&str> = patterns.iter().filter_map(JsonValue::as_str).collect();
            (!patterns.is_empty()).then(|| patterns.join(","))
        }
        _ => None,
    }
}

/// Every host that the plan names, each once, in the order of its own list and then of its plays.
fn names_in(plan: &ExecutionPlan) -> Vec<HostName> {
    let mut seen = HashSet::new();
    let in_plays = plan.plays.iter().flat_map(names_in_play);
    plan.hosts
        .iter()
        .cloned()
        .chain(in_plays)
        .filter(|name| seen.insert(name.clone()))
        .collect()
}

fn names_in_play(play: &PlayPlan) -> Vec<HostName> {
    let mut names = match &play.hosts {
        PlayHosts::Names(names) => names.clone(),
        PlayHosts::Pattern(pattern) => literal_names(pattern),
    };
    names.extend(
        play.batches
            .iter()
            .flat_map(|batch| batch.hosts.iter().cloned()),
    );
    names.extend(play.all_tasks().flat_map(|task| task.hosts.iter().cloned()));
    names.retain(|name| !matches!(name.as_str(), "" | "all" | "ungrouped"));
    names
}

/// The terms of a pattern that can be nothing but names of hosts.
fn literal_names(pattern: &str) -> Vec<HostName> {
    let is_literal = |term: &&str| {
        !term.starts_with(['!', '&', '~', '@']) && !term.contains(['*', '?', '[', '{'])
    };
    // A colon may be part of an IPv6 address, so only a pattern without any is cut there.
    let is_address = |term: &&str| term.parse::<std::net::IpAddr>().is_ok();
    pattern
        .split(',')
        .map(str::trim)
        .flat_map(|term| {
            if is_address(&term) {
                vec![term]
            } else {
                term.split(':').collect()
            }
        })
        .filter(is_literal)
        .map(HostName::from)
        .collect()
}

#[cfg(test)]
mod tests {
    use rustle_inventory::Disk;

    use super::*;

    fn plan(text: &str) -> ExecutionPlan {
        ExecutionPlan::from_json(text.as_bytes()).unwrap().0
    }

    fn hosts(loaded: &Loaded) -> Vec<&str> {
        loaded
            .inventory
            .hosts
            .keys()
            .map(HostName::as_str)
            .collect()
    }

    #[test]
    fn plan_without_inventory_runs_on_the_names_it_uses() {
        let plan = plan(
            r#"{"hosts": ["b"], "plays": [
                {"hosts": ["a", "b"], "tasks": [{"module": "ping"}]},
                {"hosts": "c:c2,!d,e*,::1,localhost", "tasks": [{"module": "ping"}]},
                {"batches": [{"hosts": ["f"], "tasks": [{"module": "ping"}]}]}]}"#,
        );
        let loaded = read(&[], &plan, Path::new("/nowhere"), &Disk).unwrap();
        assert_eq!(
            hosts(&loaded),
            ["b", "a", "c", "c2", "::1", "localhost", "f"]
        );
        let localhost = &loaded.inventory.hosts["localhost"];
        assert_eq!(
            localhost.vars.get("ansible_connection"),
            Some(&"local".into())
        );
    }

    #[test]
    fn inventory_of_the_plan_comes_first_and_an_argument_wins() {
        let plan = plan(
            r#"{"hosts": ["not_used"], "inventory": {"web": {"hosts": ["w1"]}, "_meta": {"hostvars": {"w1": {"port": 1}}}},
                "plays": [{"hosts": ["w1"], "tasks": [{"module": "ping"}]}]}"#,
        );
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts.ini");
        std::fs::write(&file, "w1 port=2\nw2\n").unwrap();
        let loaded = read(
            &[file.to_string_lossy().into_owned()],
            &plan,
            folder.path(),
            &Disk,
        )
        .unwrap();
        assert_eq!(
            loaded.inventory.hosts["w1"].vars.get("port"),
            Some(&2.into())
        );
        let mut names = hosts(&loaded);
        names.sort_unstable();
        assert_eq!(names, ["w1", "w2"]);
    }

    #[test]
    fn environment_names_the_inventory_where_nothing_else_does() {
        let environment = Environment::of(&[(env::INVENTORY, "hosts.ini")]);
        assert_eq!(arguments(&[], &environment), ["hosts.ini"]);
        assert_eq!(arguments(&["a,".into()], &environment), ["a,"]);
    }

    #[test]
    fn patterns_of_plays_come_from_the_output_of_rustle_parse() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("parsed.json");
        let text = r#"{"inventory": {}, "plays": [{"hosts": "web:&prod"}, {"hosts": ["a", "b"]}, {"hosts": []}, {}]}"#;
        std::fs::write(&file, text).unwrap();
        let arguments = ["typed,".to_owned(), file.to_string_lossy().into_owned()];
        let expected = [
            Some("web:&prod".to_owned()),
            Some("a,b".to_owned()),
            None,
            None,
        ];
        assert_eq!(host_patterns(&arguments), expected);
        assert!(host_patterns(&["/nowhere".to_owned()]).is_empty());
    }
}
