//! The names that handlers can be notified by.

use std::collections::HashSet;

use crate::plan::{ExecutionPlan, HandlerPlan, TaskPlan, short_module_name};
use crate::read::{closest, is_template};

/// Names and topics of handlers.
#[derive(Clone, Default)]
pub(super) struct Names<'a> {
    exact: HashSet<&'a str>,
    /// `role : name`.
    of_roles: HashSet<String>,
    templates: Vec<&'a str>,
    /// Whether a handler brings in others that are not in the plan.
    pub(super) are_open: bool,
}

impl<'a> Names<'a> {
    /// Adds all handlers of the plan's roles.
    pub(super) fn add_roles(&mut self, plan: &'a ExecutionPlan) {
        for (role, content) in &plan.roles {
            for handler in content
                .handlers
                .iter()
                .chain(content.handlers_files.values().flatten())
            {
                self.add_handler(handler, Some(role), plan);
            }
        }
    }

    /// Adds a handler's name and topics.
    pub(super) fn add_handler(
        &mut self,
        handler: &'a HandlerPlan,
        role: Option<&str>,
        plan: &'a ExecutionPlan,
    ) {
        for topic in &handler.listen {
            self.add_name(topic, None);
        }
        self.add_task(&handler.task, role, plan);
    }

    fn add_task(&mut self, task: &'a TaskPlan, role: Option<&str>, plan: &'a ExecutionPlan) {
        if let Some(name) = &task.name {
            self.add_name(name, task.scope.role.as_deref().or(role));
        }
        if let Some(block) = task.block() {
            for inner in block.block.iter().chain(&block.rescue).chain(&block.always) {
                self.add_task(inner, role, plan);
            }
        }
        let Some(call) = task.module_call() else {
            return;
        };
        if matches!(
            short_module_name(&call.module),
            "include_tasks" | "import_tasks" | "include_role" | "import_role"
        ) {
            let file = call
                .args
                .get("_raw_params")
                .or_else(|| call.args.get("file"))
                .and_then(|file| file.as_str());
            match file.and_then(|file| plan.includes.get(file)) {
                // Not deeper: a file that includes itself would never end.
                Some(tasks) => tasks
                    .iter()
                    .filter_map(|task| task.name.as_deref())
                    .for_each(|name| self.add_name(name, None)),
                None => self.are_open = true,
            }
        }
    }

    fn add_name(&mut self, name: &'a str, role: Option<&str>) {
        if is_template(name) {
            self.templates.push(name);
        } else {
            self.exact.insert(name);
            self.of_roles
                .extend(role.map(|role| format!("{role} : {name}")));
        }
    }

    /// Whether `name`, which may be a template, can be one of these.
    pub(super) fn can_be(&self, name: &str) -> bool {
        if is_template(name) {
            return !self.templates.is_empty()
                || self.exact.iter().any(|known| can_give(name, known))
                || self.of_roles.iter().any(|known| can_give(name, known));
        }
        self.exact.contains(name)
            || self.of_roles.contains(name)
            || self
                .templates
                .iter()
                .any(|template| can_give(template, name))
    }

    /// The name that was probably meant.
    pub(super) fn closest(&self, name: &str) -> Option<&str> {
        let mut known: Vec<&str> = self.exact.iter().copied().collect();
        known.sort_unstable();
        closest(name, known.into_iter())
    }
}

/// Whether a template can give `text`: what is outside its braces must be in `text`, in order.
fn can_give(template: &str, text: &str) -> bool {
    if template.contains("{%") {
        return true;
    }
    let mut pieces = template.split("{{");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let literals: Vec<&str> = pieces
        .map(|piece| piece.split_once("}}").map_or("", |(_, after)| after))
        .collect();
    let Some((last, middle)) = literals.split_last() else {
        return rest.is_empty();
    };
    for literal in middle {
        let Some(at) = rest.find(literal) else {
            return false;
        };
        rest = &rest[at + literal.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::can_give;

    #[test]
    fn template_can_give_texts_with_its_literal_parts_in_order() {
        for (template, text) in [
            ("h {{ item }}", "h a"),
            ("{{ x }}", "any"),
            ("{{ a }} of {{ b }}!", "this of that!"),
        ] {
            assert!(can_give(template, text), "{template} {text}");
        }
        for (template, text) in [
            ("h {{ item }}", "g a"),
            ("{{ a }} of {{ b }}!", "this of that"),
            ("{{ a }}x{{ b }}", "y"),
        ] {
            assert!(!can_give(template, text), "{template} {text}");
        }
    }
}
