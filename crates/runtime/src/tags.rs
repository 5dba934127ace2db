//! Which tasks run by their tags.

use rustle_types::TaskCondition;

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
