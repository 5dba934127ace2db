//! Variables that nobody sets: about the run, the host, the play, and where a task stands.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rustle_types::{HostName, Object};
use serde_json::{Value, json};

use crate::play::PlayContext;
use crate::program::TaskNode;
use crate::result::object;
use crate::world::{HostRecord, RunSettings};

/// What holds for every host of a run.
pub(crate) fn of_run(settings: &RunSettings) -> Object {
    let version = env!("CARGO_PKG_VERSION");
    let base_dir = settings.base_dir.display().to_string();
    let run_tags = if settings.tags.is_empty() {
        vec!["all".to_owned()]
    } else {
        settings.tags.clone()
    };
    let mut vars = json!({
        "ansible_check_mode": settings.mode.check,
        "ansible_config_file": null,
        "ansible_diff_mode": settings.mode.diff,
        "ansible_verbosity": settings.verbosity,
        "ansible_forks": settings.forks,
        "ansible_inventory_sources": settings.inventory_sources,
        "ansible_run_tags": run_tags,
        "ansible_skip_tags": settings.skip_tags,
        "ansible_version": {"full": "2.19.14", "major": 2, "minor": 19, "revision": 14, "string": "2.19.14"},
        "ansible_search_path": [base_dir],
        "playbook_dir": base_dir,
        "rustle_version": version,
    });
    if let Some(limit) = &settings.limit {
        vars["ansible_limit"] = Value::String(limit.clone());
    }
    object(vars)
}

/// Who a host is, and where it is from.
pub(crate) fn of_host(
    settings: &RunSettings,
    host: &HostName,
    record: Option<&HostRecord>,
) -> Object {
    let short = host.as_str().split('.').next().unwrap_or_default();
    let groups: Vec<String> = record
        .map(|record| record.group_names.to_vec())
        .unwrap_or_default();
    let mut vars = json!({
        "inventory_hostname": host.as_str(),
        "inventory_hostname_short": short,
        "group_names": groups,
    });
    // A host says itself where it is from; one of the plan's own inventory does not, and a `localhost` that no source names
    // is from nowhere.
    let lacks_its_place = record.is_some_and(|record| {
        !record.group_names.is_empty() && !record.inventory.vars().contains_key("inventory_file")
    });
    if let Some((folder, file)) = settings.inventory.as_ref().filter(|_| lacks_its_place) {
        vars["inventory_dir"] = Value::String(folder.clone());
        vars["inventory_file"] = Value::String(file.clone());
    }
    object(vars)
}

/// What a play is called, and its roles.
pub(crate) fn of_play(play: &PlayContext) -> Object {
    let all: BTreeSet<&String> = play.roles.iter().chain(&*play.dependencies).collect();
    object(json!({
        "ansible_play_name": play.name,
        "ansible_play_role_names": &*play.roles,
        "role_names": &*play.roles,
        "ansible_dependent_role_names": &*play.dependencies,
        "ansible_role_names": all,
    }))
}

/// The roles around a task, and where its files are looked for.
pub(crate) fn of_place(node: &TaskNode, base_dir: &Path) -> Object {
    let shown = |path: &Path| Value::String(path.display().to_string());
    let mut vars = Object::new();
    if let Some((name, path)) = &node.role {
        let (collection, short) = collection_and_role(name);
        vars.insert("role_name".into(), short.into());
        vars.insert("ansible_collection_name".into(), collection.into());
        vars.insert("ansible_role_name".into(), name.clone().into());
        vars.insert("role_path".into(), path.clone().into());
    }
    if !node.parents.is_empty() {
        let parents = node.parents.iter().rev();
        let names: Value = parents.clone().map(|(name, _)| name.clone()).collect();
        let paths: Value = parents
            .map(|parent| shown(&folder_of(parent, base_dir)))
            .collect();
        vars.insert("ansible_parent_role_names".into(), names);
        vars.insert("ansible_parent_role_paths".into(), paths);
    }
    let search_path: Value = search_path(node, base_dir)
        .iter()
        .map(|path| shown(path))
        .collect();
    vars.insert("ansible_search_path".into(), search_path);
    vars
}

/// The role itself, those around it, the folder of the task file, and the plan's.
fn search_path(node: &TaskNode, base_dir: &Path) -> Vec<PathBuf> {
    let outer = node
        .dependents
        .iter()
        .rev()
        .chain(node.parents.iter().rev());
    let roles = node.role.iter().chain(outer);
    let mut found: Vec<PathBuf> = roles.map(|role| folder_of(role, base_dir)).collect();
    let of_tasks = match &node.role {
        Some(role) if node.info.is_handler => folder_of(role, base_dir).join("handlers"),
        Some(role) => folder_of(role, base_dir).join("tasks"),
        None => base_dir.to_owned(),
    };
    found.push(match &node.folder {
        Some(folder) => of_tasks.join(folder),
        None => of_tasks,
    });
    found.push(base_dir.to_owned());
    found.dedup();
    found
}

fn folder_of((name, path): &(String, Option<String>), base_dir: &Path) -> PathBuf {
    match path {
        Some(path) => base_dir.join(path),
        None => base_dir.join("roles").join(name),
    }
}

/// A role's collection, `namespace.name`, and its name in there. A role of Galaxy (`author.role`) has none.
fn collection_and_role(name: &str) -> (Option<&str>, &str) {
    match name.rsplit_once('.') {
        Some((collection, role)) if collection.contains('.') && !name.contains('/') => {
            (Some(collection), role)
        }
        _ => (None, name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_of_collections_have_a_name_in_there_and_those_of_galaxy_keep_theirs() {
        let of = collection_and_role;
        assert_eq!(of("my.site.web"), (Some("my.site"), "web"));
        assert_eq!(of("author.role"), (None, "author.role"));
        assert_eq!(of("web"), (None, "web"));
    }
}
