//! Which tasks run by their tags.

use rustle_module::py_str;
use rustle_template::{Engine, Scope};
use rustle_types::{TaskBody, TaskCondition, TaskPlan, is_template};
use serde_json::Value;

/// What `--tags` and `--skip-tags` ask for.
#[derive(Clone, Debug, Default)]
pub struct TagFilter {
    only: Vec<String>,
    skip: Vec<String>,
}

impl TagFilter {
    /// A filter that keeps tasks with a tag of `only` (all where it is empty) and leaves out those with one of `skip`.
    #[must_use]
    pub fn new(only: &[String], skip: &[String]) -> Self {
        Self {
            only: only.to_vec(),
            skip: skip.to_vec(),
        }
    }

    /// Whether a task with these tags runs.
    ///
    /// `always` runs unless it is skipped by name, `never` only where one of the task's tags is asked for by name. `all`,
    /// `tagged` and `untagged` may be asked for too.
    #[must_use]
    pub fn selects(&self, tags: &[&str], conditions: &[TaskCondition]) -> bool {
        let all_tags: Vec<&str> = tags
            .iter()
            .copied()
            .chain(conditions.iter().flat_map(tags_of))
            .collect();
        self.is_wanted(&all_tags)
            && !self.is_skipped(&all_tags)
            && !conditions.iter().any(|c| self.is_ruled_out(c))
    }

    fn is_wanted(&self, tags: &[&str]) -> bool {
        let asked = |name: &str| self.only.iter().any(|tag| tag == name);
        let has = |name: &str| tags.contains(&name);
        if has("always") || tags.iter().any(|tag| asked(tag)) {
            return true;
        }
        if has("never") {
            return false;
        }
        self.only.is_empty()
            || asked("all")
            || asked(if tags.is_empty() {
                "untagged"
            } else {
                "tagged"
            })
    }

    fn is_skipped(&self, tags: &[&str]) -> bool {
        let asked = |name: &str| self.skip.iter().any(|tag| tag == name);
        tags.iter().any(|tag| asked(tag))
            || asked(if tags.is_empty() {
                "untagged"
            } else {
                "tagged"
            })
            || (asked("all") && !tags.contains(&"always"))
    }

    /// A `SkipTag` condition leaves the task out where one of its tags is asked for.
    fn is_ruled_out(&self, condition: &TaskCondition) -> bool {
        match condition {
            TaskCondition::SkipTag { tags } => tags.0.iter().any(|tag| self.only.contains(tag)),
            _ => false,
        }
    }
}

fn tags_of(condition: &TaskCondition) -> impl Iterator<Item = &str> {
    let tags = match condition {
        TaskCondition::Tag { tags } => tags.0.as_slice(),
        _ => &[],
    };
    tags.iter().map(String::as_str)
}

/// Whether a task, or one in it, has a tag that is a template.
pub(crate) fn has_template_tags(task: &TaskPlan) -> bool {
    let own = task.keywords.tags.iter();
    let planned = task.conditions.iter().flat_map(tags_of);
    own.map(String::as_str).chain(planned).any(is_template)
        || task.block().is_some_and(|block| {
            [&block.block, &block.rescue, &block.always]
                .into_iter()
                .flatten()
                .any(has_template_tags)
        })
}

/// Renders the tags of tasks before one is chosen by them: with what holds for all hosts.
pub(crate) struct TagRenderer<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) scope: &'a Scope,
}

impl TagRenderer<'_> {
    /// Those of tasks, and of what is in them.
    ///
    /// # Errors
    /// When one cannot be rendered: a text that names the task.
    pub(crate) fn tasks(&self, tasks: &mut [TaskPlan]) -> Result<(), String> {
        for task in tasks {
            self.list(&mut task.keywords.tags.0)
                .map_err(|error| format!("task `{}`: {error}", task.title()))?;
            for condition in &mut task.conditions {
                if let TaskCondition::Tag { tags } = condition {
                    self.list(&mut tags.0)?;
                }
            }
            if let TaskBody::Block(block) = &mut task.body {
                for tasks in [&mut block.block, &mut block.rescue, &mut block.always] {
                    self.tasks(tasks)?;
                }
            }
        }
        Ok(())
    }

    /// One list; what a template gives may be several.
    ///
    /// # Errors
    /// When one cannot be rendered.
    pub(crate) fn list(&self, tags: &mut Vec<String>) -> Result<(), String> {
        if !tags.iter().any(|tag| is_template(tag)) {
            return Ok(());
        }
        for tag in std::mem::take(tags) {
            let value = self.engine.render_str(&tag, self.scope);
            match value.map_err(|error| format!("`tags`: {error}"))? {
                Value::Array(several) => tags.extend(several.iter().map(py_str)),
                Value::Null => {}
                single => tags.push(py_str(&single)),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn runs(only: &[&str], skip: &[&str], tags: &[&str]) -> bool {
        let owned = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        TagFilter::new(&owned(only), &owned(skip)).selects(tags, &[])
    }

    #[test]
    fn tags_choose_tasks_as_ansible_does() {
        for (only, skip, tags, expected) in [
            (&[][..], &[][..], &["a"][..], true),
            (&[], &[], &["never"], false),
            (&[], &[], &["never", "always"], true),
            (&["a"], &[], &["a", "never"], true),
            (&["a"], &[], &["b"], false),
            (&["a"], &[], &["always"], true),
            (&["a"], &["always"], &["always"], false),
            (&["tagged"], &[], &[], false),
            (&["untagged"], &[], &[], true),
            (&["tagged"], &[], &["never"], false),
            (&["all"], &["a"], &["a"], false),
            (&[], &["tagged"], &["a"], false),
            (&[], &["untagged"], &[], false),
            (&[], &["all"], &["always"], true),
            (&[], &["all"], &["a"], false),
            (&["never"], &[], &["never"], true),
        ] {
            assert_eq!(
                runs(only, skip, tags),
                expected,
                "--tags {only:?} --skip-tags {skip:?} on {tags:?}"
            );
        }
    }
}
