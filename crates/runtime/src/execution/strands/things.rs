//! What a task has to do with on its host, as far as its arguments tell.

use std::collections::HashSet;

use rustle_types::{Object, TaskBody, TaskPlan};
use serde_json::Value;

/// Arguments that are paths.
const PATHS: [&str; 6] = ["path", "dest", "file", "creates", "removes", "src"];

/// Arguments that name what has to be there: users and groups.
const USES: [&str; 5] = ["owner", "group", "groups", "user", "become_user"];

/// What a task has to do with on its host: files, and things that have a name.
///
/// Text of commands is not looked at.
#[derive(Default)]
pub(super) struct Things {
    paths: Vec<String>,
    /// A path is a template as a whole, so it may be any.
    has_open_path: bool,
    /// What it is about: packages, services, users.
    named: HashSet<String>,
    /// What has to be there for it.
    used: HashSet<String>,
}

impl Things {
    /// Adds those of a task and of all that is inside of it.
    pub(super) fn add(&mut self, task: &TaskPlan) {
        self.used.extend(task.keywords.r#become_user.clone());
        if let Some(items) = &task.loop_over {
            self.add_items(items);
        }
        match &task.body {
            TaskBody::Block(block) => [&block.block, &block.rescue, &block.always]
                .into_iter()
                .flatten()
                .for_each(|task| self.add(task)),
            TaskBody::Module(call) => self.add_args(&call.args, task.loop_over.is_some()),
        }
    }

    fn add_args(&mut self, args: &Object, has_loop: bool) {
        for (name, value) in args {
            let texts = texts(value);
            if PATHS.contains(&name.as_str()) {
                // A source that is not absolute lies on the controller.
                let is_ours = |text: &&str| name != "src" || text.starts_with('/');
                for text in texts.into_iter().filter(is_ours) {
                    self.has_open_path |= text.starts_with("{{") && !has_loop;
                    self.paths.push(text.trim_end_matches('/').to_owned());
                }
            } else if name == "name" {
                self.named.extend(texts.into_iter().map(str::to_owned));
            } else if USES.contains(&name.as_str()) {
                self.used.extend(texts.into_iter().map(str::to_owned));
            }
        }
    }

    /// Items of a loop may be any of these.
    fn add_items(&mut self, items: &Value) {
        match items {
            Value::String(text) if text.starts_with('/') => self.paths.push(text.clone()),
            Value::String(text) => {
                // A list that is a template may hold paths.
                self.has_open_path |= text.starts_with("{{");
                self.named.insert(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.add_items(item)),
            Value::Object(fields) => fields.values().for_each(|field| self.add_items(field)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Whether two tasks may have to do with the same thing.
    pub(super) fn meet(&self, other: &Self) -> bool {
        let has_paths = |things: &Self| things.has_open_path || !things.paths.is_empty();
        let is_open =
            (self.has_open_path && has_paths(other)) || (other.has_open_path && has_paths(self));
        is_open
            || self.paths.iter().any(|one| {
                other
                    .paths
                    .iter()
                    .any(|two| is_within(one, two) || is_within(two, one))
            })
            || !self.named.is_disjoint(&other.named)
            || !self.named.is_disjoint(&other.used)
            || !self.used.is_disjoint(&other.named)
    }
}

/// Whether a path is another, or lies in that folder.
fn is_within(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The texts of an argument: itself, its items, or the parts between its commas.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => text
            .split(',')
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .collect(),
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn meet(one: Value, two: Value) -> bool {
        let [one, two] = [one, two].map(|task| {
            let task: TaskPlan = serde_json::from_value(task).unwrap();
            let mut things = Things::default();
            things.add(&task);
            things
        });
        assert_eq!(one.meet(&two), two.meet(&one));
        one.meet(&two)
    }

    #[test]
    fn tasks_meet_at_files_and_folders_of_files() {
        let file = |path: &str| json!({"file": {"path": path, "state": "directory"}});
        assert!(meet(
            file("/srv/app/"),
            json!({"copy": {"src": "a", "dest": "/srv/app/conf"}})
        ));
        assert!(meet(file("/srv/app"), file("/srv/app")));
        assert!(!meet(file("/srv/app"), file("/srv/apple")));
        assert!(meet(file("{{ any }}"), file("/srv/app")));
        assert!(!meet(file("{{ any }}"), json!({"ping": {}})));
        assert!(meet(
            json!({"file": {"path": "{{ item }}"}, "loop": ["/a", "/b"]}),
            file("/b/c")
        ));
        assert!(!meet(
            json!({"file": {"path": "{{ item }}"}, "loop": ["/a", "/b"]}),
            file("/c")
        ));
    }

    #[test]
    fn tasks_meet_at_what_one_is_about_and_the_other_uses_but_not_at_what_both_use() {
        let owned = |path: &str, owner: &str| json!({"file": {"path": path, "owner": owner}});
        assert!(meet(json!({"user": {"name": "web"}}), owned("/a", "web")));
        assert!(meet(
            json!({"group": {"name": "ops"}}),
            json!({"user": {"name": "web", "groups": "adm,ops"}})
        ));
        assert!(meet(
            json!({"package": {"name": ["nginx", "curl"]}}),
            json!({"service": {"name": "nginx"}})
        ));
        assert!(!meet(owned("/b", "web"), owned("/a", "web")));
        assert!(!meet(
            json!({"shell": "cat /a"}),
            json!({"shell": "cat /a"})
        ));
    }
}
