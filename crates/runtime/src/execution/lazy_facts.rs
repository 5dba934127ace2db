//! Facts that are gathered because something uses them (`--gather lazy`).
//!
//! Before the run begins, everything that may be rendered in it is looked through for names of facts: the plan, the variables of
//! the inventory, and the files that tasks name by a literal name. Plays then gather the subsets of `setup` that give these. Where
//! that cannot be told for sure they gather all, as without the option.

mod names;
mod needed;
mod texts;

use std::borrow::Cow;
use std::path::Path;

use rustle_types::{
    ExecutionOptions, ExecutionPlan, GatherMode, OneOrMany, ParsedInventory, PlayPlan,
};
use serde_json::Value;

use self::needed::{Needed, needed};
use self::texts::Texts;
use crate::execution::compile::gathers_facts;
use crate::world::Library;

/// The plan with plays that gather what is used. A play that says itself what it gathers is left as it is.
///
/// Facts last beyond the play that gathers them, so what any play uses counts for all. Those that are kept for other runs are
/// gathered as a whole: nobody knows what these use.
pub(crate) fn narrowed<'a>(
    plan: &'a ExecutionPlan,
    inventory: &ParsedInventory,
    options: &ExecutionOptions,
    (library, base_dir): (&dyn Library, &Path),
) -> Cow<'a, ExecutionPlan> {
    let is_open = |play: &PlayPlan| play.gather_subset.is_empty() && gathers_facts(play, options);
    if options.gather != GatherMode::Lazy
        || options.facts_cache.is_some()
        || !plan.plays.iter().any(is_open)
    {
        return Cow::Borrowed(plan);
    }
    let Needed::Subsets(subsets) = needed_by(plan, inventory, options, (library, base_dir)) else {
        return Cow::Borrowed(plan);
    };
    let words: Vec<String> = ["!all", "!min"]
        .into_iter()
        .chain(subsets)
        .map(str::to_owned)
        .collect();
    let mut plan = plan.clone();
    for play in plan.plays.iter_mut().filter(|play| is_open(play)) {
        play.gather_subset = OneOrMany(words.clone());
    }
    Cow::Owned(plan)
}

fn needed_by(
    plan: &ExecutionPlan,
    inventory: &ParsedInventory,
    options: &ExecutionOptions,
    (library, base_dir): (&dyn Library, &Path),
) -> Needed {
    let mut read = Texts::new(library, base_dir);
    let written = serde_json::to_value(plan).and_then(|plan| {
        let inventory = serde_json::to_value(inventory)?;
        Ok([plan, inventory, Value::Object(options.extra_vars.clone())])
    });
    match (read.plan(plan), written) {
        (Some(()), Ok(written)) => {
            read.values.extend(written);
            needed(&read.values, &read.texts)
        }
        _ => Needed::All,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use rustle_template::Engine;
    use serde_json::json;

    use super::*;
    use crate::execution::library::PlanLibrary;

    /// What the play of these tasks gathers beside these files: words for `gather_subset`, none for all.
    fn gathered(files: &[(&str, &str)], tasks: &Value) -> Vec<String> {
        let play = json!({"hosts": "all", "gather_facts": true, "tasks": tasks});
        narrowed_play(files, &play, &ExecutionOptions::default())
    }

    fn narrowed_play(
        files: &[(&str, &str)],
        play: &Value,
        options: &ExecutionOptions,
    ) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let plan: ExecutionPlan = serde_json::from_value(json!({"plays": [play]})).unwrap();
        let library = PlanLibrary::new(&plan, folder.path(), Arc::new(Engine::new()));
        let options = ExecutionOptions {
            gather: GatherMode::Lazy,
            ..options.clone()
        };
        let inventory = ParsedInventory::default();
        let narrowed = narrowed(&plan, &inventory, &options, (&library, folder.path()));
        narrowed.plays[0].gather_subset.0.clone()
    }

    fn only(subsets: &[&str]) -> Vec<String> {
        let words = ["!all", "!min"].iter().chain(subsets);
        words.map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn what_tasks_name_on_disk_counts() {
        let files = [
            ("templates/a.j2", "{{ ansible_env.HOME }}"),
            ("tasks/more.yml", "- template: {src: a.j2, dest: /x}\n"),
            ("vars/v.yml", "v: '{{ ansible_fips }}'\n"),
            ("roles/r/tasks/main.yml", "- include_tasks: sub/one.yml\n"),
            ("roles/r/tasks/sub/one.yml", "- include_tasks: two.yml\n"),
            ("roles/r/tasks/sub/two.yml", "- debug: {var: ansible_lsb}\n"),
            ("roles/r/meta/main.yml", "dependencies: [d]\n"),
            ("roles/d/defaults/main.yml", "d: '{{ ansible_mounts }}'\n"),
        ];
        let of = |tasks: Value| gathered(&files, &tasks);
        assert_eq!(of(json!([{"ping": {}}])), only(&[]));
        assert_eq!(
            of(json!([{"block": [{"include_tasks": "more.yml"}]}])),
            only(&["env"])
        );
        assert_eq!(of(json!([{"include_vars": "v.yml"}])), only(&["fips"]));
        assert_eq!(
            of(json!([{"include_role": {"name": "r"}}])),
            only(&["hardware", "lsb"])
        );
    }

    #[test]
    fn what_cannot_be_read_before_the_run_makes_all_facts_needed() {
        for task in [
            json!({"include_tasks": "nothing.yml"}),
            json!({"include_tasks": "{{ ansible_system }}.yml"}),
            json!({"include_role": {"name": "nobody"}}),
            json!({"include_vars": {"dir": "vars"}}),
            json!({"template": {"src": "nothing.j2", "dest": "/x"}}),
            json!({"template": {"src": "a.j2", "dest": "/x", "block_start_string": "<%"}}),
            json!({"template": {"src": "secret.j2", "dest": "/x"}}),
            json!({"meta": "refresh_inventory"}),
            json!({"group_by": {"key": "new"}}),
            json!({"ping": {}, "with_template": "a.j2"}),
        ] {
            let files = [
                ("a.j2", ""),
                ("secret.j2", "$ANSIBLE_VAULT;1.1;AES256\n00\n"),
                ("vars/v.yml", ""),
            ];
            let words = gathered(&files, &json!([task]));
            assert!(words.is_empty(), "{task}: {words:?}");
        }
    }

    #[test]
    fn files_that_bring_in_each_other_end() {
        let files = [
            ("a.yml", "- include_tasks: b.yml\n"),
            ("b.yml", "- include_tasks: a.yml\n"),
        ];
        let words = gathered(&files, &json!([{"include_tasks": "a.yml"}]));
        assert_eq!(words, only(&[]));
    }

    #[test]
    fn plays_that_say_what_they_gather_and_facts_that_are_kept_stay_as_they_are() {
        let play = |more: &str| json!({"hosts": "all", "gather_facts": true, "gather_subset": more, "tasks": []});
        let options = ExecutionOptions::default();
        assert_eq!(narrowed_play(&[], &play("network"), &options), ["network"]);
        let kept = ExecutionOptions {
            facts_cache: Some("facts".into()),
            ..options
        };
        let play = json!({"hosts": "all", "gather_facts": true, "tasks": []});
        assert!(narrowed_play(&[], &play, &kept).is_empty());
    }
}
